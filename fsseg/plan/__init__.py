"""Plan: what is wanted against what there is, decided record by record, and all that may change a plan before a push.

`decide` gives every record its action: by `diff`, once `latest_wins` has left out what is older, `added_up` has put
sums together, `united` has kept what lists hold, and `limits` what can't be stored; of that `existing` holds back what
the user doesn't want. `creation` says what new records are made with, `defaults` what they need besides, and
`converted` what leads leave to them. `brake` may refuse the whole, `forecast` tells what it takes. `renew` brings a
plan up to date with what other runs did, `verify` with what other people did; `undo` plans the way back.
"""

"""Match: for every planned person, account and deal, the record that Freshsales holds of it, if there is one.

`matching` has what all of it needs, and `strategy` chooses the cheapest finder: `finders` (a look-up each, or the
`mirror`), `search`, and offline `ledger_finder`; `deal_finder` is for deals, and `newest`
for what was just made. What they find is a `remote_record`.
`people` decides with that whether somebody is a lead or a contact, and who is whom, with `one_record` where several are
the same record; `records` matches accounts and deals, `timeline` what is on timelines already. `suppression` takes out
who asked to be left alone, by all their ids.
"""

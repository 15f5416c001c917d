"""Diff: what is wanted against what there is, decided record by record, and all that may change a plan before a push.

`decide` makes the diff, `brake` may refuse it; `refresh` and `verify` bring a plan up to date with what other runs and
other people did since; `undo` plans the way back.
"""

"""Push: send what is planned, a chunk at a time, so that nothing is lost or sent twice whenever the process ends.

`executor` has the order of the stages, `journal` writes down before and after, and `people`, `accounts`, `deals` and
`timeline` know how each kind is sent and how it is looked for after a lost answer.
"""

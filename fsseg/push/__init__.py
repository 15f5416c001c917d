"""Push: send what is planned, a chunk at a time, so that nothing is lost or sent twice whenever the process ends.

`executor` has the order of the stages, and `journal` writes down before and after. `pusher.EntityPusher` is what each
kind of record must answer: how it is sent, and how it is looked for after a lost answer. `accounts`, `people` and
`deals` do so for one record at a time, `bulk` for many in one request, whose ids `bulk_ids` learns. `timeline` does so
for entries.
"""

"""Push: send what is planned, a chunk at a time, so that nothing is lost or sent twice whenever the process ends.

`executor` has the order of the stages, and `journal` writes down before and after. `pusher.EntityPusher` is what each
kind of record must answer: how it is sent, and how it is looked for after a lost answer (`made`; `upserts` where a
second request makes nothing twice). `accounts`, `people` and `deals` do so for one record at a time, by `payload` and,
where it is there already, `updates` (which keeps what the update doesn't name, see `custom_fields`);
`accepted` goes on without a field that is refused (`refused_field`), and `refusals` ends what is refused altogether.
`bulk` and `deal_bulk` send many in one request; `read_back` mends what that has harmed, `bulk_ids` learns the ids, and
`stored` looks at what was stored.
`timeline` sends entries, with the titles and notes of `mapping.entry_text`. `earlier_runs` finishes what others have
left, `outcome` is what came of a row, and `context` what all of them need.
"""

"""Segment's Freshsales destination as a batch importer.

The way of an event, which `fsseg.pipeline` walks:

1. `segment`: bytes of any export become events, or lines that are rejected with a reason.
2. `mapping`: an event becomes an intent: which fields of whom it sets, or what goes onto whose timeline.
3. `fold`: duplicates go, and all intents about one person or company become one state: the latest value wins.
4. `match`: for every person, account and deal, the record that Freshsales holds of it today.
5. `plan`: the diff: one action for every record and timeline entry, and the brake that may refuse them all.
6. `push`: the actions are sent, each written down before and settled after, so that nothing is sent twice.
7. `report`: what became of every event, as text, files and pages.

`state` keeps what outlives a process, `account` what an account can hold; `freshsales` is the client, `sandbox` an
account of one's own to try things on. `cli` has a file for each command.

Words:

- account: as a kind of record, a company in Freshsales (`sales_account`); "the account" is the customer's whole
  Freshsales, to which a host and an edition belong.
- action: what is done with a record or entry: create, update, delete, unchanged, skipped, conflict, reference.
- brake: refuses a plan that changes too many of the matched records.
- catalog: the fields that an account's records can hold, with their types and choices.
- claimed: written down as sent, before the request leaves.
- cluster: the scheduler and workers of Dask that reading and folding are spread over; a bucket is a share of the event
  keys there, in which repetitions are looked for.
- desired: the values that the events want of a record; existing: what it holds.
- container: how events stand in a file: a line each, a JSON array, gzip, a Firehose batch, a table.
- deal, lead, contact: kinds of record, as in Freshsales; only the classic edition has leads.
- diff: desired against existing, field by field.
- drifted: not any more what a reviewed plan was made for.
- duplicate: an event whose key an event that was taken had before, in this run's input or in the ledger.
- edition: classic or suite, the two Freshsales that there are; entity: lead, contact, account, deal or timeline.
- entry: something on a person's timeline, from a track or page event.
- event: one Segment message with its time, key and position; the key tells duplicates, the position is file and place.
- event key: a 64-bit hash of the messageId, or of the event where it has none.
- fingerprint: what was delivered of a record, as one number; the ledger keeps it under the record's fingerprint key.
- fold: put many intents about one thing together, so that the order of the input means nothing.
- generation: counts the ledger's deliveries and undos; a plan made at an earlier one is brought up to date first.
- intent: what one event wants, in Freshsales' fields.
- journal: the status of every row of a plan: planned, sent, done, failed, unknown, undone.
- ledger: what was delivered to an account by all runs: events, people, and the time of each field.
- match key: the folded e-mail or name by which two mentions are the same.
- member: a file in an archive, an input of its own, named `archive.zip!path`.
- mirror: a copy of the account's people and companies, read by pages, so that many look-ups cost few requests.
- note: what a run writes down of itself in its plan, such as its stage.
- object: a file in a store such as S3, known by its key, size and etag.
- outcome: what became of an event: applied, unchanged, skipped, rejected, failed, pending.
- pacer: lets requests out as the quota allows.
- part: the person itself, one of its companies or one of its deals, within a state.
- partition: one of 256 shares of the people, by the hash of their keys, that are folded one after another; in pieces
  where they would be too large.
- person: a lead or a contact, before it is known which; person key: "#" and the userId, or "@" and the e-mail.
- plan: what a run will do, in its `plan.db`, sealed so that an edit is seen.
- rejected: an event that can't be used; skipped: one that isn't to be; both with a reason code.
- record: a lead, contact, account or deal, and its row in a plan.
- reference: the action of a person whom entries point at, and who is looked up and not written.
- renew: bring a plan up to date with what other runs have done since it was made.
- retry: of a request, to send it again after a pause (`freshsales.http`); of a run, to plan again what failed
  (`state.reopen`).
- row: of a table, what an event, or a part of one, stands in; it is told by its number as a spreadsheet counts.
- rule: a line of the user's mapping: where a value is from, when it holds, and the steps that change it.
- run: one command's work, in a folder of its own, which can be resumed, retried, applied, undone and reported on.
- seal: a digest of a plan, which tells that somebody has edited it.
- source: the position and key of an event that said something of a record.
- state: what all events together say of one person or company.
- table: rows under a header that says of which kind they are: CSV, Parquet, or JSON lines of a warehouse.
- take: what a rule makes of all events of a person that set a field: the first, the last, their count or their sum.
- trait: what Segment calls a field of a person or company.
"""

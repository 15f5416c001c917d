"""What outlives a process, and all SQL on it: runs and their plans, the account's ledger, and the mirror's file.

- A run: `run_folder` is its folder and how it stands, `run_selection` which one a command means, `run_meta` its notes,
  `input_files` and `source_events` what it has read.
- Its plan: `plan_store` is the file, `actions` its words, `seal` what tells an edit. What a step asks of it and writes
  to it stands in a module of the step: `fold_store`, `daily_rollup`, `match_queue`, `suppressed_rows`, `decided_rows`,
  `plan_counts`, `renewal`, `push_queue`, `row_status`, `reopen`, `undo_rows`, `outcomes`, `report_rows`, `overview`,
  `misfits`, `event_days`, `person_rows`, `repeats`, `change_rows`, `company_rows`, `entry_watch`.
- Between runs: `ledger` is the file, in the formats of `ledger_format`, with `delivered_keys`, `counted_events` and
  `known_ties`; `commit_run` and `ledger_update` commit a run to it, under the `fingerprint` of each record;
  `deliveries` tells what runs have written, `doubts` what nobody knows. `mirror_store` is the copy of an account,
  `behaviour` what a probe has found of it, `probe_left` what one may have left there.
- `database` opens the files, `private_file` writes others for the owner's eyes only.
"""

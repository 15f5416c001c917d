"""What outlives a process, and all SQL on it: runs and their plans, the account's ledger, and the mirror's file.

- A run: `run_folder` is its folder and how it stands, `run_selection` which one a command means, `run_meta` its notes,
  `input_files` and `source_events` what it has read.
- Its plan: `plan_store` is the file, `actions` its words, `seal` what tells an edit. What each step asks of it and
  writes to it stands in a module of the step: `fold_store`, `matched_rows`, `decided_rows`, `plan_counts`, `renewal`,
  `push_queue`, `row_status`, `reopen`, `undo_rows`, `outcomes`, `report_rows`, `overview`.
- Between runs: `ledger` is the file, `ledger_update` commits a run to it, `deliveries` tells what runs have written,
  `doubts` what nobody knows. `mirror_store` is the copy of an account.
"""

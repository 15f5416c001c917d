"""What outlives a process, and all SQL on it: runs and their plans, and the account's ledger.

`run_folder` is a run and its state, `plan_store` its plan with the journal, `ledger` the memory between runs.
"""

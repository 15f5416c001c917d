"""Commit a run to the ledger, whether it delivers or undoes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial

from msgspec.structs import replace

from fsseg.state.deliveries import left_out
from fsseg.state.ledger import Ledger
from fsseg.state.ledger_update import commit, roll_back
from fsseg.state.outcomes import Totals, count_outcomes
from fsseg.state.plan_store import Store
from fsseg.state.run_folder import Run, all_runs
from fsseg.state.seal import seal_settled


def commit_run(
    run: Run, store: Store, ledger: Ledger, say: Callable[[str], None], totals: Totals | None = None
) -> None:
    """Write into the ledger what a run has delivered or taken back; its plan is as up to date as it was."""
    key, before = store.meta.key, ledger.generation
    if (undoes := store.meta.undoes) is not None:
        undone = run.beside(undoes)
        if not undone.plan.exists():
            say(f"run {undoes}, which {run.id} undoes, is gone: what it has put back isn't known")
            return
        with closing(undone.open()) as original:
            roll_back(original, store, ledger, undoes, partial(left_out, all_runs(run.account_folder)))
    else:
        commit(store, ledger, totals or count_outcomes(store, dry_run=False), run.id)
    seal_settled(store)
    if key.generation == before:
        store.meta.key = replace(key, generation=ledger.generation)

"""What other runs of the account have left to be done before this one may go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing, suppress

from msgspec import Struct
from msgspec.structs import replace

from fsseg.push.context import PushContext
from fsseg.push.executor import recover
from fsseg.state.commit_run import commit_run
from fsseg.state.database import StateError
from fsseg.state.ledger import Ledger
from fsseg.state.ledger_update import is_behind
from fsseg.state.plan_store import Store
from fsseg.state.push_queue import has_updates_in_flight
from fsseg.state.reopen import close_absent, reopen_unknown
from fsseg.state.run_folder import Run, RunState


class EarlierRuns(Struct):
    """The other runs of the account. `context` gives what looking for their rows needs; it is None offline."""

    run: Run
    store: Store
    ledger: Ledger
    say: Callable[[str], None]
    context: Callable[[Store], PushContext] | None

    def commit_killed(self) -> None:
        """Write into the ledger what runs have delivered that were killed before they could.

        A run that can't say how it stands may have been. What others, stopped ones too, have in flight is settled where
        it matters to this one. What is damaged of others is told, and stops nothing here.
        """
        for run in self.run.others():
            try:
                info = run.info
            except StateError:
                self._commit_damaged(run)
                continue
            was_killed = info.state is RunState.RUNNING and run.plan.exists()
            if was_killed and not run.has_whole_plan:
                self._tell_lost(run)
            elif was_killed and self._commit(run):
                run.note(state=RunState.STOPPED, in_flight=False)
            elif info.state is RunState.STOPPED and info.in_flight and self._commit_stopped(run):
                run.note(in_flight=False)

    def _commit(self, run: Run) -> bool:
        """Write down what a run has delivered; whether nothing that it has left in flight concerns others any more."""
        with closing(run.open()) as store:
            is_settled = not self._concerns_others(store) or self._settle(store)
            commit_run(run, store, self.ledger, self.say)
        return is_settled

    def _commit_stopped(self, run: Run) -> bool:
        """The same of one that has written down itself what it has delivered."""
        if run.plan.exists():
            with suppress(StateError), closing(run.open()) as store:  # a damaged one is told of once it is asked for
                if not self._concerns_others(store):
                    return True
                if self._settle(store):
                    commit_run(run, store, self.ledger, self.say)
                    return True
        return False

    def _concerns_others(self, store: Store) -> bool:
        """Whether what a run has left in flight may have emptied custom fields, or taken back what is imported anew."""
        if store.meta.job is not None or (store.meta.undoes is not None and store.has_in_flight):
            return True
        if not has_updates_in_flight(store):
            return False
        return self.context is None or self.context(store).custom_fields.how == "changed"

    def _settle(self, store: Store) -> bool:
        """Find out what came of it, and put back what it emptied before that is read; a dry run leaves it to others."""
        if self.context is None or self.run.info.dry:
            return False
        recover(self.context(store))
        return True

    def _commit_damaged(self, run: Run) -> None:
        if run.plan.exists():
            if not run.has_whole_plan:
                self._tell_lost(run)
                return
            with closing(run.open()) as store:
                is_behind_it = store.meta.undoes is not None or is_behind(self.ledger, store, run.id)
            if is_behind_it and run.has_sent:
                self._commit(run)
        self.say(
            f"run {run.id} is damaged, as its run.json can't be read; what it delivered stays known. fsseg runs prune"
            f" deletes it once it is old, or delete {run.folder}"
        )

    def _tell_lost(self, run: Run) -> None:
        self.say(
            f"run {run.id} is damaged, as its plan.db can't be read: what it delivered last may not be known, and be"
            f" sent again. To be rid of it, delete {run.folder}"
        )

    def resolve_doubts(self, runs: Iterable[str]) -> None:
        """Ask what became of what these runs have sent. Raises the client's errors."""
        if self.context is None:
            return
        key, before = self.store.meta.key, self.ledger.generation
        for id in sorted(runs):
            run = self.run.beside(id)
            if not run.plan.exists():
                continue
            if not run.has_whole_plan:
                self.say(f"run {id} is damaged: what it may have sent can't be looked for")
                continue
            self.say(f"looking for what run {id} may have sent")
            with closing(run.open()) as store:
                looked_for = reopen_unknown(store)
                recover(self.context(store))
                close_absent(store, looked_for)
                commit_run(run, store, self.ledger, self.say)
        if key.generation == before:
            self.store.meta.key = replace(key, generation=self.ledger.generation)

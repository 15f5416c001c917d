"""Imports, resumptions, retries and undos in any order, with faults, against the same without a fault."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule

from fsseg.freshsales import pacer
from fsseg.sandbox import Fault, running
from fsseg.sandbox.options import FAULTS
from tests.e2e.harness import UNHURRIED, Account, Machine
from tests.faults.clock import FastClock
from tests.faults.process import Ended, here
from tests.faults.story import difference, mixed

EXAMPLES = int(os.environ.get("FSSEG_STATES", "3"))
STEPS = 6
RESUMPTIONS = 20

EVENTS = mixed()
PEOPLE = [event for event in EVENTS if event["type"] == "identify"]
ENTRIES = [event for event in EVENTS if event["type"] != "identify"]
BATCHES = [PEOPLE[5:8] + ENTRIES[:3], PEOPLE[8:12] + ENTRIES[3:9], PEOPLE[:2] + PEOPLE[9:17] + ENTRIES[6:]]
MORE: list[dict[str, Any]] = [
    {"cfRegion": "EMEA", "tags": ["a"]},
    {"cfSeats": 2, "tags": ["b"]},
    {"cfIsActive": True, "tags": ["c"]},
]
"""What each batch says of all its people: what an update doesn't name must stay."""
BATCHES = [
    [
        {**event, "messageId": f"{number} {event['messageId']}"}
        | ({"traits": {**event["traits"], **MORE[number]}} if "traits" in event else {})
        for event in batch
    ]
    for number, batch in enumerate(BATCHES)
]

faults = st.lists(
    st.builds(
        Fault,
        st.sampled_from(FAULTS),
        rate=st.sampled_from([0.1, 0.3, 1.0]),
        path=st.sampled_from(["", "lookup", "leads", "contacts", "deals", "sales_a", "bulk"]),
        seconds=st.just(0.01),
        limit=st.integers(1, 12),
    ),
    max_size=2,
)
behaviours = st.fixed_dictionaries(
    {
        "lookup_lag": st.sampled_from([0.0, 0.3]),
        "custom_fields": st.sampled_from(["replace", "merge"]),
        "deal_links_in_bulk": st.sampled_from(["lose", "keep"]),
        "association_ids": st.sampled_from(["included", "always"]),
        "account_links": st.sampled_from(["replace", "add"]),
        "bulk_custom_fields": st.sampled_from(["replace", "merge"]),
        "tags": st.sampled_from(["replace", "add"]),
        "email_shape": st.sampled_from(["any", "objects", "text"]),
        "duplicates": st.sampled_from(["exists", "not_unique"]),
    }
)
"""What accounts differ in; the one without faults keeps all that it is given, and finds it at once."""
GENTLE = {"lookup_lag": 0.0, "custom_fields": "merge", "deal_links_in_bulk": "keep", "association_ids": "always"}
NOT_UNDONE = ("tags", "account_links")
"""What an undo takes away, or can't: in both accounts alike."""

budgets = st.none() | st.integers(8, 60)


class Twins(RuleBasedStateMachine):
    """Two accounts treated alike, one of them by a bad connection. Whenever nothing is left to do they are equal."""

    runs = Bundle("runs")

    @initialize(edition=st.sampled_from(["classic", "suite"]), behaviour=behaviours)
    def begin(self, edition: str, behaviour: dict[str, Any]) -> None:
        self.stack = ExitStack()
        self.stack.enter_context(patch.object(pacer, "SystemClock", FastClock))
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.fair = self._machine(folder / "fair", edition, GENTLE | {name: behaviour[name] for name in NOT_UNDONE})
        self.foul = self._machine(folder / "foul", edition, behaviour)
        self.wanted: Ended | None = None
        self.found: Ended | None = None

    def _machine(self, home: Path, edition: str, behaviour: Mapping[str, Any]) -> Machine:
        home.mkdir()
        sandbox = self.stack.enter_context(running(home / "s.db", edition=edition))
        account = self.stack.enter_context(closing(Account(edition, sandbox, home / "s.db")))
        account.configure(**{**UNHURRIED, **behaviour})
        for number, batch in enumerate(BATCHES):
            (home / f"{number}.jsonl").write_text("")
            Machine(account, home).write(f"{number}.jsonl", batch)
        return Machine(account, home)

    @property
    def open(self) -> bool:
        """Whether something of the last command is left to do."""
        return self.found is not None and self.wanted is not None and self.found.code != self.wanted.code

    def _both(self, faults: list[Fault], budget: int | None, fair: list[str], foul: list[str]) -> None:
        self.wanted = here(self.fair, *fair, "--json")
        assert self.wanted.code in (0, 1), self.wanted.err
        self._foul(faults, budget, *foul)

    def _foul(self, faults: list[Fault], budget: int | None, *args: str) -> None:
        self.foul.account.faults(*faults)
        limit = [] if budget is None else ["--max-requests", str(budget)]
        self.found = here(self.foul, *args, "--json", *limit)
        self.foul.account.faults()
        assert self.found.code in (0, 1, 5), self.found.err

    @precondition(lambda self: not self.open)
    @rule(target=runs, number=st.sampled_from(range(len(BATCHES))), faults=faults, budget=budgets)
    def imports(self, number: int, faults: list[Fault], budget: int | None) -> tuple[str, str]:
        before = {machine: self._runs(machine) for machine in ("fair", "foul")}
        paths = [str(machine.home / f"{number}.jsonl") for machine in (self.fair, self.foul)]
        self._both(faults, budget, ["import", paths[0]], ["import", paths[1]])
        if not self._begun(before["foul"]):
            self._foul([], None, "import", paths[1])
        fair, foul = (max(self._runs(machine) - before[machine]) for machine in ("fair", "foul"))
        return fair, foul

    def _begun(self, before: set[str]) -> bool:
        """An import that came to nothing before it had noted what it was to do is one that was never given."""
        return bool(self._runs("foul") - before)

    def _runs(self, name: str) -> set[str]:
        machine: Machine = getattr(self, name)
        return {path.parent.name for path in machine.state.glob("*/runs/*/run.json")}

    @precondition(lambda self: not self.open)
    @rule(run=consumes(runs), faults=faults, budget=budgets, delete=st.booleans())
    def undoes(self, run: tuple[str, str], faults: list[Fault], budget: int | None, delete: bool) -> None:
        more = ["--yes", *(["--delete-created"] if delete else [])]
        self._both(faults, budget, ["undo", run[0], *more], ["undo", run[1], *more])

    @precondition(lambda self: self.open)
    @rule(faults=faults, budget=budgets)
    def goes_on(self, faults: list[Fault], budget: int | None) -> None:
        assert self.found is not None
        self._foul(faults, budget, "resume" if self.found.code == 5 else "retry")

    def teardown(self) -> None:
        if not hasattr(self, "stack"):
            return
        try:
            for _ in range(RESUMPTIONS):
                if not self.open:
                    break
                self.goes_on([], None)
            assert not self.open, self.found
            self.are_equal()
        finally:
            self.stack.close()

    @invariant()
    def are_equal(self) -> None:
        if not hasattr(self, "stack") or self.open:
            return
        assert not difference(self.foul.account.state(), self.fair.account.state())

    @precondition(lambda self: not self.open)
    @rule(number=st.sampled_from(range(len(BATCHES))))
    def have_the_same_left_to_do(self, number: int) -> None:
        """What one of them takes for delivered, the other does too."""
        told = [
            here(machine, "dry-run", str(machine.home / f"{number}.jsonl"), "--json")
            for machine in (self.fair, self.foul)
        ]
        assert told[0].outcomes == told[1].outcomes


TestTwins = Twins.TestCase
TestTwins.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)

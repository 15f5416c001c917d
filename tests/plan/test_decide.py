"""New people are decided on by the page, since there may be a great many: as each of them would be by itself."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import orjson
import pytest

from fsseg.fold.collect import Collector
from fsseg.fold.companies import fold_companies
from fsseg.fold.dedupe import DedupeIndex
from fsseg.fold.engines.local import LocalEngine
from fsseg.fold.records import write_records
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.rules import Rules
from fsseg.plan.decide import Context, Deciding, decide, decision
from fsseg.processes import Processes
from fsseg.segment.open import Input
from fsseg.state.actions import Action
from fsseg.state.ledger import Ledger
from fsseg.state.match_queue import match_everybody
from fsseg.state.plan_store import Store

PEOPLE: list[dict[str, Any]] = [
    {"firstName": "Ada", "title": None},
    {"fsContact": True, "company": {"name": "Acme"}},
    {"fsContact": True, "company": {"name": "Acme"}, "title": "x" * 9_000},
    {"company": {"name": "Beta"}, "deal": {"name": "Pilot", "amount": 5}},
    {"fsContact": True, "company": {"employee_count": 5}},
    {"phone": "y" * 9_000},
]


@pytest.mark.parametrize("edition", ["classic", "suite"])
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("jobs", [1, 2])
def test_new_people_come_to_the_same_by_the_page_and_one_by_one(
    tmp_path: Path, edition: Literal["classic", "suite"], strict: bool, jobs: int
) -> None:
    events = [
        {"type": "identify", "userId": f"u{n}@x.example", "timestamp": f"2025-01-0{n + 1}", "traits": traits}
        for n, traits in enumerate(PEOPLE)
    ]
    (tmp_path / "e.jsonl").write_bytes(b"\n".join(map(orjson.dumps, events)))
    catalog = Catalog.standard(edition)
    with (
        closing(Processes(jobs, tmp_path)) as processes,
        closing(Store(tmp_path / "plan.db")) as store,
        closing(Ledger(tmp_path / "ledger.db")) as ledger,
        closing(LocalEngine(tmp_path, catalog, Rules(offline=True))) as engine,
    ):
        collector = Collector(store, DedupeIndex())
        engine.read([Input(str(tmp_path / "e.jsonl"), 0)], collector, lambda count: None)
        write_records(store, collector, engine.fold(collector.size), edition, None)
        match_everybody(store)
        fold_companies(store)
        work = Deciding(store, catalog, ledger, processes, offline=True, strict=strict)
        decide(work)
        people = list(store.records("kind = 'person'"))
        assert len(people) == len(PEOPLE)
        for person in people:
            alone = decision(work, person, Context({}, store.accounts(person.companies), {}, {}, {}))
            assert (person.action, person.fields) == (Action.CREATE, alone.fields)
            assert set(person.warnings) == set(alone.warnings)

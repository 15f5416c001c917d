"""A run's notes: typed, each by itself, and written with whatever they are written beside."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fsseg.segment.stores import Stamp
from fsseg.state import run_meta
from fsseg.state.actions import Code, EventOutcome
from fsseg.state.database import StateError
from fsseg.state.plan_store import Store
from fsseg.state.run_meta import (
    BulkJob,
    DayMarks,
    EventCounts,
    Forecast,
    Note,
    PlanKey,
    PlanStage,
    RunMeta,
    SuppressionCount,
    TrafficCount,
    WarningCount,
)

VALUES: dict[str, Any] = {
    "stage": PlanStage.PLANNED,
    "key": PlanKey("acme.freshsales.io", "classic", 4),
    "settings": {"limit": None, "limits": {"reserve": 0.2}, "filter": {"only": ["identify"]}},
    "counts": EventCounts(
        3,
        {"identify": 3},
        [(EventOutcome.REJECTED, Code.BAD_EMAIL, 1)],
        [WarningCount("older", "city", 2, "")],
        [("a", "gone")],
    ),
    "unopened": [("b.xlsx", "b.xlsx: the archive is damaged")],
    "suppression": SuppressionCount(3, 1),
    "requests": {"total": 131, "waited_s": 3.5},
    "traffic": TrafficCount(2, {850_000_000: 3}, [(1_700_000_000, 1_700_000_060, "quota")]),
    "forecast": Forecast(219, 800.5),
    "first_forecast": Forecast(231, 840.0),
    "stamps": {0: Stamp(10, 1_700_000_000_000_000_001), 1: None},
    "ends": {0: "00ff", 1: None},
    "jumps": {0: [(0, 1), (4, 9)], 1: None},
    "days": DayMarks(["", "track2025-03-04"], {0: b"\x00\xff"}),
    "imported_by": {"events.jsonl": "2026-11-22-141200-k3"},
    "commits": [4, 6],
    "job": BulkJob("contact", None),
    "unseen": ["contact"],
    "seal": "ab",
    "read_seal": "cd",
    "settled_seal": "ef",
    "read_at": "2025-03-04T09:15:00+00:00",
    "refused_all": {"lead": "20 leads in a row were refused"},
    "applies": "2026-11-22-141200-k3",
    "strict_apply": True,
    "drifted": 0,
    "undoes": "2026-11-22-141200-k3",
    "delete_created": False,
}
NOTES = [name for name, value in vars(RunMeta).items() if isinstance(value, Note)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "plan.db")) as store:
        yield store


def test_every_note_is_tried_here_and_says_what_it_is() -> None:
    assert list(VALUES) == NOTES
    (meta,) = (
        node
        for node in ast.walk(ast.parse(inspect.getsource(run_meta)))
        if isinstance(node, ast.ClassDef) and node.name == "RunMeta"
    )
    followed = zip(meta.body, meta.body[1:], strict=False)
    assert [
        node.target.id
        for node, following in followed
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(following, ast.Expr)
    ] == NOTES


@pytest.mark.parametrize("name", NOTES)
def test_a_note_is_read_as_it_was_written_whoever_reads_it(store: Store, name: str) -> None:
    setattr(store.meta, name, VALUES[name])
    with closing(Store(store.path)) as other:
        value = getattr(other.meta, name)
    assert (value, type(value)) == (VALUES[name], type(VALUES[name]))


@pytest.mark.parametrize("name", [name for name in NOTES if name != "key"])
def test_what_was_never_noted_is_as_it_is_at_the_beginning(store: Store, name: str) -> None:
    value = getattr(store.meta, name)
    assert value in (None, False, PlanStage.NEW, EventCounts(), DayMarks(), TrafficCount()) or len(value) == 0
    if isinstance(value, dict):
        value["added"] = 1
        assert getattr(store.meta, name) == {}


def test_whole_numbers_of_requests_stay_whole(store: Store) -> None:
    store.meta.requests = {"total": 131, "waited_s": 2.0}
    assert [type(count) for count in store.meta.requests.values()] == [int, float]


def test_a_plan_without_a_key_is_damaged(store: Store) -> None:
    with pytest.raises(StateError, match=r"plan\.db is damaged and was left as it is: it lacks the note of its key"):
        _ = store.meta.key


@pytest.mark.parametrize("value", ["nonsense", '"nonsense"', "[]", "{"])
def test_a_note_that_is_none_is_damage(store: Store, value: str) -> None:
    store.db.execute("INSERT INTO meta VALUES ('stage', ?)", (value,))
    with pytest.raises(StateError, match=r"plan\.db is damaged and was left as it is: stage: "):
        _ = store.meta.stage


def test_notes_are_undone_with_the_rows_that_they_were_written_beside(store: Store) -> None:
    store.meta.stage = PlanStage.MATCHED

    def stop_halfway() -> None:
        with store.transaction():
            store.meta.stage = PlanStage.PLANNED
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_halfway()
    assert store.meta.stage is PlanStage.MATCHED


def test_writing_a_note_touches_no_other(store: Store) -> None:
    for name, value in VALUES.items():
        setattr(store.meta, name, value)
    before = store.db.total_changes
    store.meta.requests = {"total": 132}
    assert store.db.total_changes - before == 1
    assert {name: getattr(store.meta, name) for name in NOTES} == VALUES | {"requests": {"total": 132}}

"""changes.jsonl and the lines that a page holds are the same however many processes write them."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any, NamedTuple

import orjson
import pytest

from fsseg.processes import Processes
from fsseg.report import change_parts, changes_file
from fsseg.report.change_parts import EntriesAhead, Part, Written, WrittenApart
from fsseg.report.changes import Sample, unwritten
from fsseg.report.changes_file import ChangesFile
from fsseg.report.files import read_lines
from fsseg.report.model import ENTITIES
from fsseg.report.packed import Packed
from fsseg.state.actions import Action
from fsseg.state.plan_store import Store
from fsseg.state.run_folder import Run

from .stores import add, add_entry

RECORDS, ENTRIES = 12, 50


class Made(NamedTuple):
    """A file of changes, and what was said of it."""

    rows: list[dict[str, Any]]
    shown: list[dict[str, Any]]
    totals: dict[tuple[str, str], int]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "plan.db")) as store:
        store.index()
        with store.transaction():
            for number in range(RECORDS):
                for entity in ("contact", "lead"):
                    fields = orjson.dumps({"first_name": [None, f"N{number}"]}).decode()
                    add(store, entity, "create", key=f"{entity}{number}", match_key=f"{entity}{number}", fields=fields)
            for number in range(ENTRIES):
                action = "skipped" if number == ENTRIES - 1 else "create"
                add_entry(store, f"Event {number}", action, position=number)
        yield store


def made(store: Store, jobs: int, *, dry_run: bool = True) -> Made:
    """The file, written by so many processes."""
    folder = store.path.parent
    with closing(Processes(jobs, folder)) as processes:
        changes = ChangesFile(Run(folder), store, processes, dry_run=dry_run).finish()
    return Made(list(read_lines(folder / "changes.jsonl")), unpacked(changes.packed), dict(changes.sample.totals))


def unpacked(packed: Packed) -> list[dict[str, Any]]:
    rows = [orjson.loads(line) for line in zlib.decompress(packed.data + b"\x03\x00", -zlib.MAX_WBITS).splitlines()]
    assert len(rows) == packed.rows
    return rows


def in_parts(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(change_parts, "_A_PART", dict.fromkeys(ENTITIES, size))


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_any_number_of_processes_and_parts_makes_the_same(
    monkeypatch: pytest.MonkeyPatch, store: Store, size: int
) -> None:
    whole = made(store, 1)
    in_parts(monkeypatch, size)
    assert made(store, 1) == made(store, 2) == whole
    assert whole.shown == whole.rows
    assert whole.totals == {
        ("lead", "create"): RECORDS, ("contact", "create"): RECORDS,
        ("timeline", "create"): ENTRIES - 1, ("timeline", "skipped"): 1,
    }  # fmt: skip
    assert [row["entity"] for row in whole.rows] == ["lead"] * RECORDS + ["contact"] * RECORDS + ["timeline"] * ENTRIES


SINCE: dict[str, tuple[list[str], set[int]]] = {
    "nothing": ([], set()),
    "an entry was skipped": (["UPDATE entry SET action = 'skipped', code = 'suppressed' WHERE id = 8"], {1}),
    "somebody else has it": (["UPDATE entry SET person = 5 WHERE id IN (2, 50)"], {0, 7}),
    "entries of new events": (
        ["INSERT INTO entry (time, position, hash, payload, action, status) SELECT time, position, hash, payload,"
         " action, status FROM entry"],
        {7},
    ),
    "a person was renamed": (
        ["UPDATE entry SET person = 3 WHERE id < 10", "UPDATE record SET key = 'other' WHERE id = 3"], {0, 1}
    ),
    "everything": (["UPDATE entry SET status = 'done'"], set(range(8))),
}  # fmt: skip
"""What has become of the plan since entries were written ahead, in parts of seven, and which parts are other ones."""


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("name", SINCE)
def test_what_was_written_ahead_is_taken_where_it_still_holds(
    monkeypatch: pytest.MonkeyPatch, store: Store, name: str, late: bool
) -> None:
    in_parts(monkeypatch, 7)
    taken: list[WrittenApart] = []
    with closing(Processes(3, store.path.parent)) as processes:
        ahead = EntriesAhead(store, processes)
        parts = [Part("timeline", range(at, min(at + 7, ENTRIES + 1))) for at in range(1, ENTRIES + 1, 7)]
        if late:
            written = ahead.written()  # all of it, before anything becomes of it
            assert set(written) == set(parts)
            monkeypatch.setattr(ahead, "written", lambda: written)
        statements, others = SINCE[name]
        for statement in statements:
            store.db.execute(statement)
        monkeypatch.setattr(changes_file, "_moved", noting(changes_file._moved, taken))
        changes = ChangesFile(Run(store.path.parent), store, processes, dry_run=True, ahead=ahead).finish()
        found = Made(
            list(read_lines(store.path.parent / "changes.jsonl")), unpacked(changes.packed), dict(changes.sample.totals)
        )
    if late:
        kept = [part for at, part in enumerate(parts) if at not in others]
        assert [written[part] for part in kept] == [part for part in taken if part in written.values()]
    assert found == made(store, 1)


def noting(
    moved: Callable[[WrittenApart, IO[bytes]], Written], taken: list[WrittenApart]
) -> Callable[[WrittenApart, IO[bytes]], Written]:
    """Moves a part, and notes which it was."""

    def note(part: WrittenApart, file: IO[bytes]) -> Written:
        taken.append(part)
        return moved(part, file)

    return note


def test_a_page_holds_whole_parts_up_to_its_limit_and_the_first_of_each_kind(
    monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    in_parts(monkeypatch, 10)
    rows = made(store, 1).rows
    size = len(b"".join(orjson.dumps(row) + b"\n" for row in rows[: 2 * RECORDS + 20]))
    monkeypatch.setattr(changes_file, "MOST_BYTES", size + 20)
    monkeypatch.setattr(Sample.__init__, "__defaults__", (3,))
    for jobs in (1, 2):
        shown = made(store, jobs).shown
        assert shown[: 2 * RECORDS + 20] == rows[: 2 * RECORDS + 20]
        assert rows[-1] in shown
        assert [row for row in rows if row in shown] == shown


def test_a_plan_of_nothing_makes_an_empty_file(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "plan.db")) as store:
        assert made(store, 1) == made(store, 2) == ([], [], {})


def test_what_was_not_written_is_told_and_sets_no_field(store: Store) -> None:
    waiting = [row for row in made(store, 1).rows if "outcome" in row]
    assert waiting == []  # a dry run sends nothing
    for table in ("record", "entry"):
        for status, at in (("done", 1), ("failed", 2), ("unknown", 3), ("sent", 4)):
            store.db.execute(f"UPDATE {table} SET status = ? WHERE id = ?", (status, at))
    with closing(Processes(1, store.path.parent)) as processes:
        changes = ChangesFile(Run(store.path.parent), store, processes, dry_run=False).finish()
    told = Counter((row["entity"], row["action"], row.get("outcome")) for row in unpacked(changes.packed))
    assert told == Counter({
        ("contact", "create", None): 1, ("contact", "create", "failed"): 1, ("contact", "create", "pending"): RECORDS - 2,
        ("lead", "create", "failed"): 1, ("lead", "create", "pending"): RECORDS - 1,
        ("timeline", "create", None): 1, ("timeline", "create", "failed"): 2,
        ("timeline", "create", "pending"): ENTRIES - 4, ("timeline", "skipped", None): 1,
    })  # fmt: skip
    assert changes.sample.fields == {("contact", "first_name", False): 1}
    assert sum(changes.sample.entries.values()) == 1


@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE, Action.DELETE])
def test_what_was_to_be_written_failed_or_waits_until_it_is_done(action: Action) -> None:
    told = {status: unwritten(action, status, False) for status in ("done", "failed", "unknown", "sent", "planned")}
    assert told == {"done": None, "failed": "failed", "unknown": "failed", "sent": "pending", "planned": "pending"}
    assert unwritten(action, "planned", True) is None
    assert unwritten(Action.CONFLICT, "failed", False) is None

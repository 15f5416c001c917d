"""No line of a timeline entry can change without the watch on the plan's entries noting it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsseg.state.change_rows import timeline_rows
from fsseg.state.entry_watch import EntryWatch
from fsseg.state.plan_store import Store
from tests.report.stores import add, add_entry

PEOPLE, ENTRIES, SIZE = 4, 12, 5
GROUPS = {at // SIZE: range(at + 1, at + 1 + SIZE) for at in range(0, ENTRIES, SIZE)}

CHANGES = (
    "UPDATE entry SET status = 'done' WHERE id = {entry}",
    "UPDATE entry SET action = 'skipped', code = 'suppressed' WHERE person = {person}",
    "UPDATE entry SET remote_id = 7 WHERE id = {entry}",
    "UPDATE entry SET head = 1 WHERE id = {entry}",
    "UPDATE entry SET person = {person} WHERE id = {entry}",
    "UPDATE entry SET payload = '{{}}' WHERE id = {entry}",
    "UPDATE record SET key = 'new' WHERE id = {person}",
    "UPDATE record SET key = key, status = 'done' WHERE id = {person}",
    "UPDATE record SET action = 'conflict' WHERE id = {person}",
    "DELETE FROM record WHERE id = {person}",
    "INSERT INTO entry (time, position, hash, payload) VALUES ('', 1, 1, '{{}}')",
)


def told(store: Store) -> dict[int, list[Any]]:
    return {number: list(timeline_rows(store, ids)) for number, ids in GROUPS.items()}


@given(
    st.lists(st.tuples(st.sampled_from(CHANGES), st.integers(1, PEOPLE), st.integers(1, ENTRIES)), max_size=4),
    st.booleans(),
)
def test_every_group_of_which_a_line_changes_is_noted(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, int, int]], undone: bool
) -> None:
    with closing(Store(tmp_path_factory.mktemp("watch") / "plan.db")) as store:
        store.index()
        for number in range(PEOPLE):
            add(store, "contact", "create", key=f"k{number}", kind="person")
        for number in range(ENTRIES):
            add_entry(store, f"Event {number}", position=number, person=number % PEOPLE + 1)
        before, watch = told(store), EntryWatch(store, 1, SIZE)
        store.db.execute("BEGIN")
        for change, person, entry in changes:
            store.db.execute(change.format(person=person, entry=entry))
        store.db.execute("ROLLBACK" if undone else "COMMIT")
        after, changed = told(store), watch.changed()
        assert {number for number in GROUPS if before[number] != after[number]} <= changed
        if undone or all("action = 'conflict'" in change or "key = key" in change for change, *_ in changes):
            assert changed == set()
        store.db.execute("UPDATE entry SET status = 'done'")  # the watch is over


def test_a_plan_can_be_watched_again(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "plan.db")) as store:
        for _ in range(2):
            assert EntryWatch(store, 0, SIZE).changed() == set()

"""Import, second import and undo, with every record compared as it was before and as it is after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.e2e.harness import Machine, Row
from tests.e2e.stranger import Exchange, Rewrite

STAMPS = ("updated_at", "updater_id")


def records(machine: Machine) -> dict[int, Row]:
    """All records by id, custom fields flat among them, unset ones left out."""
    found: dict[int, Row] = {}
    for rows in machine.account.records().values():
        for row in rows:
            flat = {**row, **row.get("custom_field", {})}
            found[row["id"]] = {
                name: _bare(value)
                for name, value in flat.items()
                if name not in (*STAMPS, "custom_field") and value not in (None, [])
            }
    return found


def _bare(value: Any) -> Any:
    """Without what linked records show of themselves."""
    if isinstance(value, list) and value and isinstance(value[0], dict) and "id" in value[0]:
        kept = ("id", "is_primary", "value")
        return [{name: row[name] for name in kept if name in row} for row in value]
    return value


def changes(before: dict[int, Row], after: dict[int, Row]) -> dict[int, Row]:
    """Of each record the fields that differ, as they are after; what is new is told as a whole, what is gone as {}."""
    found: dict[int, Row] = {}
    for id in before.keys() | after.keys():
        old, new = before.get(id, {}), after.get(id, {})
        names = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
        if names:
            found[id] = {name: new.get(name) for name in names if id in after}
    return found


def late_view(resource: str) -> Rewrite:
    """Has the views of a resource show each record as it was when they showed it first."""
    shown: dict[int, Row] = {}

    def late(exchange: Exchange) -> None:
        if f"/{resource}/view/" in exchange.path and exchange.status == 200:
            for row in exchange.answer[resource]:
                row.update(shown.setdefault(row["id"], {**row}))

    return late


def imported_twice(machine: Machine, events: Sequence[Row], *args: str, config: str = "") -> dict[int, Row]:
    """What an import changed. The same again writes nothing, here and on another machine that remembers nothing."""
    before = records(machine)
    path = machine.write("events.jsonl", events)
    first = machine.imports(path, *args, config=config)
    assert first.code == 0, (first.err, first.failures)
    after = records(machine)
    for more in ((), ("--again",)):
        machine.account.forget()
        again = machine.imports(path, *args, *more, config=config)
        assert again.code == 0, (again.err, again.failures)
        assert machine.account.writes == 0, again.changes
    elsewhere = Machine(machine.account, machine.home / "elsewhere", machine.base_url, machine.environment)
    elsewhere.home.mkdir()
    machine.account.forget()
    there = elsewhere.imports(path, *args, config=config)
    assert there.code == 0, (there.err, there.failures)
    assert machine.account.writes == 0, there.changes
    assert records(machine) == after
    undone = machine.run("undo", str(first.summary["run_id"]), "--yes", "--delete-created")
    assert undone.code == 0, (undone.err, undone.changes)
    assert changes(before, records(machine)) == {}, "undo puts everything back"
    return changes(before, after)

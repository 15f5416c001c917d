"""The file of a run's plan."""

from __future__ import annotations

from pathlib import Path

from fsseg.state.plan_store import VERSION, Store


def test_a_plan_of_an_earlier_format_can_be_opened(tmp_path: Path) -> None:
    path = tmp_path / "plan.db"
    store = Store(path)
    store.db.executescript("DROP TABLE repeat; DROP INDEX entry_head; ALTER TABLE record DROP told_times")
    store.db.execute("PRAGMA user_version = 7")
    store.close()
    store = Store(path)
    assert store.count("repeat") == 0
    assert store.db.execute("PRAGMA user_version").fetchone() == (VERSION,)
    store.close()

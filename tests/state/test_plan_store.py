"""The file of a run's plan."""

from __future__ import annotations

from contextlib import closing
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


def test_the_log_is_emptied_only_where_nobody_else_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "plan.db"
    log = Path(f"{path}-wal")
    with closing(Store(path)) as store, closing(Store(path)) as other:
        store.meta.unopened = [("a.jsonl", "gone")]
        reading = other.db.execute("SELECT name FROM sqlite_master")
        reading.fetchone()
        store.meta.unopened = [("b.jsonl", "gone")]
        store.empty_log()
        assert log.stat().st_size
        reading.close()
        store.empty_log()
        assert not log.stat().st_size
        assert other.meta.unopened == [("b.jsonl", "gone")]

"""The companies and deals that people speak of: kept until it is known whose they are, then planned as records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from fsseg.freshsales.names import Entity
from fsseg.state.actions import Status
from fsseg.state.plan_store import Store


def add_companies(store: Store, rows: Iterable[tuple[str, str, int, bytes]]) -> None:
    """Keep what people say of companies that aren't planned yet: part, folded name, whose it is, state."""
    store.db.executemany(
        "INSERT INTO fragment SELECT ?1, ?3, ?4 WHERE NOT EXISTS"
        " (SELECT 1 FROM record WHERE kind = 'account' AND match_key = ?2)",
        rows,
    )


def companies_told_of(store: Store) -> Iterator[tuple[str, bytes]]:
    """What group calls, and people who are contacts, say of all companies, by part."""
    return store.db.execute(
        "SELECT f.key, f.state FROM fragment f LEFT JOIN record r ON r.id = f.person"
        " WHERE f.person IS NULL OR r.entity = 'contact' ORDER BY f.key"
    )


def forget_companies(store: Store) -> None:
    """Drop what was kept of companies, which are records now."""
    store.db.execute("DELETE FROM fragment")


def add_records(store: Store, entity: Entity, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Plan these accounts or deals."""
    marks = ", ".join("?" * len(columns))
    store.db.executemany(
        f"INSERT INTO record (kind, entity, {', '.join(columns)}) VALUES ('{entity}', '{entity}', {marks})", rows
    )


def deals_of(store: Store, people: Sequence[int]) -> set[tuple[int, str]]:
    """Which deals of these people are planned: person and folded name."""
    marks = ", ".join("?" * len(people))
    return set(store.db.execute(f"SELECT parent, match_key FROM record WHERE parent IN ({marks})", people))


def forget_deals(store: Store, people: Sequence[int]) -> None:
    """Take the deals of these people out of the plan that weren't written yet."""
    marks = ", ".join("?" * len(people))
    store.db.execute(f"DELETE FROM record WHERE parent IN ({marks}) AND status = '{Status.PLANNED}'", people)

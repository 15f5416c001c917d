"""A copy of an account's people and accounts, filled by paging the views and refreshed by what was updated since."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Page, Reader
from fsseg.plan.database import connect
from fsseg.plan.existing import Existing, addresses, flatten, updated

VERSION = 1
SCHEMA = """
CREATE TABLE seen (entity TEXT NOT NULL, id INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (entity, id)) WITHOUT ROWID;
CREATE TABLE name (entity TEXT NOT NULL, name TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (entity, name, id))
    WITHOUT ROWID;
CREATE TABLE state (entity TEXT PRIMARY KEY, newest TEXT NOT NULL, whole INTEGER NOT NULL) WITHOUT ROWID;
"""

PAGE = 100
"""Rows a request, the most that a view gives."""

INCLUDE: dict[str, tuple[str, ...]] = {"contact": ("sales_accounts",)}


class Mirror:
    """The account's `mirror.db`. A cache: losing it costs requests, never correctness."""

    def __init__(self, path: Path) -> None:
        self.db = connect(path, SCHEMA, VERSION)

    def close(self) -> None:
        self.db.close()

    def ready(self, entity: Entity) -> bool:
        """Whether the entity was read wholly once."""
        return bool(self.db.execute("SELECT 1 FROM state WHERE entity = ? AND whole", (entity,)).fetchone())

    def refresh(self, reader: Reader, entity: Entity, first: Page | None = None) -> None:
        """Bring the copy of `entity` up to date; `first` is page 1 of a full reading if it was read already.

        Rows that moved between pages while they were read are found by comparing counts; a second full reading settles
        that.
        """
        view = reader.all_view(entity)
        if self.ready(entity) and self._catch_up(reader, entity, view):
            return
        for attempt in range(2):
            total = self._read_all(reader, entity, view, first if attempt == 0 else None)
            if self._count(entity) >= total:
                break

    def _catch_up(self, reader: Reader, entity: Entity, view: int) -> bool:
        """Read what changed since, newest first; False where the copy can't be made whole that way."""
        known = self.db.execute("SELECT newest FROM state WHERE entity = ?", (entity,)).fetchone()[0]
        newest = updated({"updated_at": known})
        total = 0
        for number in range(1, 1_000_000):
            page = reader.rows(
                entity, view, page=number, sort="updated_at", sort_type="desc", include=INCLUDE.get(entity, ())
            )
            total = page.total if page.total is not None else self._count(entity)
            self._keep(entity, page.rows)
            if not page.rows or updated(page.rows[-1]) < newest:
                break
        return self._count(entity) == total

    def _read_all(self, reader: Reader, entity: Entity, view: int, first: Page | None) -> int:
        self.db.execute("BEGIN IMMEDIATE")
        for table in ("seen", "name", "state"):
            self.db.execute(f"DELETE FROM {table} WHERE entity = ?", (entity,))
        self.db.execute("INSERT INTO state VALUES (?, '', 0)", (entity,))
        self.db.execute("COMMIT")
        number, total = 1, 0
        while True:
            page = first if number == 1 and first is not None else first_page(reader, entity, view, number)
            total = max(total, page.total or 0)
            if not page.rows:
                break
            self._keep(entity, page.rows)
            if page.total is not None and number * PAGE >= page.total and len(page.rows) < PAGE:
                break
            number += 1
        self.db.execute("UPDATE state SET whole = 1 WHERE entity = ?", (entity,))
        return total

    def _keep(self, entity: Entity, rows: list[dict[str, Any]]) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        newest = self.db.execute("SELECT newest FROM state WHERE entity = ?", (entity,)).fetchone()[0]
        for row in rows:
            flat = flatten(entity, row)
            data = orjson.dumps(flat)
            self.db.execute("DELETE FROM name WHERE entity = ? AND id = ?", (entity, flat["id"]))
            self.db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", (entity, flat["id"], data))
            self.db.executemany(
                "INSERT OR IGNORE INTO name VALUES (?, ?, ?)",
                ((entity, one, flat["id"]) for one in _names(entity, flat)),
            )
            if updated(flat) > updated({"updated_at": newest}):
                newest = flat["updated_at"]
        self.db.execute("UPDATE state SET newest = ? WHERE entity = ?", (newest, entity))
        self.db.execute("COMMIT")

    def _count(self, entity: Entity) -> int:
        return int(self.db.execute("SELECT count(*) FROM seen WHERE entity = ?", (entity,)).fetchone()[0])

    def find(self, entity: Entity, name: str) -> Iterator[Existing]:
        """All records of this e-mail (people) or name (accounts), folded."""
        rows = self.db.execute(
            "SELECT s.data FROM name n JOIN seen s USING (entity, id) WHERE n.entity = ? AND n.name = ?", (entity, name)
        ).fetchall()
        return (orjson.loads(data) for (data,) in rows)

    def get(self, entity: Entity, id: int) -> Existing | None:
        """The record with this id as it was when last read."""
        row = self.db.execute("SELECT data FROM seen WHERE entity = ? AND id = ?", (entity, id)).fetchone()
        return orjson.loads(row[0]) if row else None


def first_page(reader: Reader, entity: Entity, view: int, number: int = 1) -> Page:
    """A page of everything, oldest first, so that records made meanwhile come at the end."""
    return reader.rows(entity, view, page=number, sort="created_at", sort_type="asc", include=INCLUDE.get(entity, ()))


def pages(total: int) -> int:
    """Requests to page through `total` rows."""
    return max(1, math.ceil(total / PAGE))


def _names(entity: Entity, flat: Existing) -> set[str]:
    if entity in ("lead", "contact"):
        return addresses(flat)
    return {fold_name(flat.get("name"))}


def fold_name(name: Any) -> str:
    """A company's or deal's name as it is compared: without regard to case and runs of blanks."""
    return " ".join(str(name or "").split()).casefold()

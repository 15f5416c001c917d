"""A copy of an account's people and accounts, filled by paging the views and refreshed by what was updated since."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Page, Reader
from fsseg.freshsales.views import first_page, latest, read_all
from fsseg.mapping.names import fold_name
from fsseg.match.remote_record import Existing, addresses, flatten, updated
from fsseg.state.database import StateError, connect, is_whole

VERSION = 2
SCHEMA = """
CREATE TABLE seen (entity TEXT NOT NULL, id INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (entity, id))
    WITHOUT ROWID;
CREATE TABLE name (entity TEXT NOT NULL, name TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (entity, name, id))
    WITHOUT ROWID;
CREATE INDEX name_id ON name (entity, id);
CREATE TABLE state (entity TEXT PRIMARY KEY, newest TEXT NOT NULL, whole INTEGER NOT NULL) WITHOUT ROWID;
"""


class Mirror:
    """The account's `mirror.db`. A cache: losing it costs requests, never correctness."""

    def __init__(self, path: Path) -> None:
        self.db = connect(path, SCHEMA, VERSION)
        self.db.execute("PRAGMA synchronous=NORMAL")  # what a power cut loses of a cache is read again

    @classmethod
    def usable(cls, path: Path, say: Callable[[str], None]) -> Mirror:
        """The copy at `path`; one that can't be used is thrown away, which is told, and begun anew."""
        try:
            mirror = cls(path)
            if is_whole(mirror.db):
                return mirror
            mirror.close()
        except StateError:
            pass
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()
        say(f"{path} could not be used and is made anew: records are read again where it would have told them")
        return cls(path)

    def close(self) -> None:
        self.db.close()

    def ready(self, entity: Entity) -> bool:
        """Whether the entity was read wholly once."""
        return bool(self.db.execute("SELECT 1 FROM state WHERE entity = ? AND whole", (entity,)).fetchone())

    def refresh(self, reader: Reader, entity: Entity, view: int, most: int) -> bool:
        """Read what changed since the last reading, newest first; whether the copy is whole and up to date again.

        It isn't where records were deleted, or where it would take more than `most` requests.
        """
        known = self.db.execute("SELECT newest FROM state WHERE entity = ?", (entity,)).fetchone()[0]
        since = updated({"updated_at": known})
        newest = known
        for number in range(1, most + 1):
            page = latest(reader, entity, view, number)
            news = self._keep(entity, page.rows)
            newest = _later(newest, page.rows)
            # Many may share the instant of the newest; one page of them that brings nothing new is enough.
            if not page.rows or updated(page.rows[-1]) < since or not (news or updated(page.rows[-1]) > since):
                if page.total is not None and self._count(entity) != page.total:
                    return False
                self._settle(entity, newest)
                return True
        return False

    def fill(self, reader: Reader, entity: Entity, view: int, probe: Page) -> bool:
        """Read everything; `probe` is the first page of `latest`. Whether the copy is whole.

        Deletions on the way move rows to pages that were read already; a second reading settles that.
        """
        for _ in range(2):
            self._begin(entity)
            self._keep(entity, probe.rows)
            if self._count(entity) == probe.total or self._read_all(reader, entity, view):
                # Whatever changed while this was read is newer than what was newest at the beginning.
                self._settle(entity, _later("", probe.rows))
                return True
        return False

    def _read_all(self, reader: Reader, entity: Entity, view: int) -> bool:
        def keep(rows: list[dict[str, Any]]) -> int:
            self._keep(entity, rows)
            return self._count(entity)

        return read_all(reader, entity, view, first_page(reader, entity, view), keep)

    def _begin(self, entity: Entity) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        for table in ("seen", "name", "state"):
            self.db.execute(f"DELETE FROM {table} WHERE entity = ?", (entity,))
        self.db.execute("COMMIT")

    def _settle(self, entity: Entity, newest: str) -> None:
        """Up to where it was read, noted only once all of it was: what an interruption leaves is read again."""
        self.db.execute("INSERT OR REPLACE INTO state VALUES (?, ?, 1)", (entity, newest))

    def _keep(self, entity: Entity, rows: list[dict[str, Any]]) -> bool:
        """Whether any of the rows was not here yet just as it is."""
        news = False
        self.db.execute("BEGIN IMMEDIATE")
        for row in rows:
            flat = flatten(entity, row)
            data = orjson.dumps(flat)
            if self.db.execute(
                "SELECT 1 FROM seen WHERE (entity, id, data) = (?, ?, ?)", (entity, flat["id"], data)
            ).fetchone():
                continue
            news = True
            self.db.execute("DELETE FROM name WHERE entity = ? AND id = ?", (entity, flat["id"]))
            self.db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", (entity, flat["id"], data))
            self.db.executemany(
                "INSERT OR IGNORE INTO name VALUES (?, ?, ?)",
                ((entity, one, flat["id"]) for one in _names(entity, flat)),
            )
        self.db.execute("COMMIT")
        return news

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


def _later(newest: str, rows: list[dict[str, Any]]) -> str:
    """The latest of `newest` and the rows' times of change."""
    found = [newest, *(row["updated_at"] for row in rows if isinstance(row.get("updated_at"), str))]
    return str(max(found, key=lambda text: updated({"updated_at": text})))


def _names(entity: Entity, flat: Existing) -> set[str]:
    if entity in ("lead", "contact"):
        return addresses(flat)
    return {fold_name(flat.get("name"))}

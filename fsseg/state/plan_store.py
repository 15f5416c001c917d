"""The run's SQLite file, `plan.db`: what is wanted, what there is, what changes, and how far the push has come.

The journal is the `status` column of `record` and `entry`: `planned` → `sent` (written down before a request that
may not be repeated blindly leaves) → `done`, `failed` or `unknown`; `claimed_at` is when that was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from fsseg.freshsales.names import Entity
from fsseg.segment import json_codec
from fsseg.state.database import connect, transaction

VERSION = 2
SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE input (number INTEGER PRIMARY KEY, path TEXT NOT NULL, shown TEXT NOT NULL, container TEXT, events INTEGER,
    first INTEGER NOT NULL DEFAULT 0, last INTEGER);
CREATE TABLE reject (position INTEGER PRIMARY KEY, line INTEGER, code TEXT NOT NULL, message TEXT NOT NULL, event TEXT,
    raw TEXT);
CREATE TABLE fragment (key TEXT NOT NULL, state BLOB NOT NULL);
CREATE TABLE identity (key TEXT PRIMARY KEY, record INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE anonymous (id TEXT NOT NULL, key TEXT NOT NULL, time TEXT NOT NULL, PRIMARY KEY (id, key)) WITHOUT ROWID;
CREATE TABLE record (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, entity TEXT, key TEXT NOT NULL,
    match_key TEXT NOT NULL, by_email INTEGER NOT NULL DEFAULT 1, keys TEXT NOT NULL DEFAULT '[]', parent INTEGER,
    account INTEGER, state BLOB, sources TEXT NOT NULL DEFAULT '[]', desired TEXT NOT NULL DEFAULT '{}',
    times TEXT NOT NULL DEFAULT '{}', existing TEXT, remote_id INTEGER, action TEXT, fields TEXT NOT NULL DEFAULT '{}',
    warnings TEXT NOT NULL DEFAULT '[]', siblings TEXT NOT NULL DEFAULT '[]',
    status TEXT NOT NULL DEFAULT 'planned', code TEXT, message TEXT, http_status INTEGER, claimed_at TEXT,
    proof INTEGER, reviewed TEXT, earlier TEXT, committed INTEGER);
CREATE TABLE entry (id INTEGER PRIMARY KEY, key TEXT, person INTEGER, position INTEGER NOT NULL,
    hash INTEGER NOT NULL, time TEXT NOT NULL, email TEXT, payload BLOB NOT NULL, head INTEGER, action TEXT,
    remote_id INTEGER, status TEXT NOT NULL DEFAULT 'planned', code TEXT, message TEXT, http_status INTEGER,
    claimed_at TEXT, proof INTEGER, committed INTEGER);
"""
INDEXES = (
    "record_match ON record (kind, match_key)",
    "record_push ON record (entity, status, action)",
    "entry_person ON entry (person, time, position)",
)

REFERENCE = "reference"
"""The action of a person who is only pointed at by timeline entries: looked up, never written."""


class Record(NamedTuple):
    """One row of `record`: a person, account or deal, wanted, found and changed.

    `kind` is person, account or deal; `entity` is lead, contact, account or deal and, for a person, known once it was
    matched. `times` has the event time of each wanted field, in microseconds. `fields` maps a field to [before, after].
    `siblings` are ids of other records with the same e-mail.
    """

    id: int
    kind: str
    entity: Entity | None
    key: str
    match_key: str
    by_email: int
    keys: list[str]
    parent: int | None
    account: int | None
    state: dict[str, Any]
    sources: list[list[int]]
    desired: dict[str, Any]
    times: dict[str, int]
    existing: dict[str, Any] | None
    remote_id: int | None
    action: str | None
    fields: dict[str, list[Any]]
    warnings: list[Any]
    siblings: list[int]
    status: str
    code: str | None
    message: str | None
    http_status: int | None
    claimed_at: str | None


_JSON_COLUMNS = tuple(
    Record._fields.index(name)
    for name in ("keys", "state", "sources", "desired", "times", "existing", "fields", "warnings", "siblings")
)


class Entry(NamedTuple):
    """One row of `entry`: something for a person's timeline. `payload` is the entry intent as plain JSON.

    `head` is the entry that stands for this one where a day's entries are written as one.
    """

    id: int
    key: str | None
    person: int | None
    position: int
    hash: int
    time: str
    email: str | None
    payload: dict[str, Any]
    head: int | None
    action: str | None
    remote_id: int | None
    status: str
    code: str | None
    message: str | None
    http_status: int | None
    claimed_at: str | None


def encode(value: Any) -> str:
    """A JSON column's text."""
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


class Store:
    """One open `plan.db`. Not shared between threads without a lock of the caller's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.db = connect(path, SCHEMA, VERSION)
        self.db.execute("PRAGMA temp_store=FILE")
        self.db.execute("PRAGMA cache_size=-32768")

    def close(self) -> None:
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing of what is written inside; durable once left."""
        with transaction(self.db):
            yield self.db

    def put(self, name: str, value: Any) -> None:
        """Remember a JSON value of the run under `name`."""
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, encode(value)))

    def get(self, name: str, default: Any = None) -> Any:
        """The value kept under `name`."""
        row = self.db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return orjson.loads(row[0]) if row else default

    def records(self, where: str = "1", values: Iterable[Any] = (), order: str = "id") -> Iterator[Record]:
        """The records that fit `where`, streamed in pages so that the rows may be changed on the way."""
        columns = ", ".join(Record._fields)
        values = tuple(values)
        if order != "id":
            yield from map(
                _record, self.db.execute(f"SELECT {columns} FROM record WHERE {where} ORDER BY {order}", values)
            )
            return
        after = -1
        while True:
            page = self.db.execute(
                f"SELECT {columns} FROM record WHERE id > ? AND ({where}) ORDER BY id LIMIT 500", (after, *values)
            ).fetchall()
            yield from map(_record, page)
            if len(page) < 500:
                return
            after = page[-1][0]

    def parents(self, where: str) -> set[int]:
        """The ids in Freshsales of whom the records that fit belong to."""
        whose = f"SELECT parent FROM record WHERE {where}"
        rows = self.db.execute(f"SELECT remote_id FROM record WHERE remote_id IS NOT NULL AND id IN ({whose})")
        return {id for (id,) in rows}

    def record(self, id: int) -> Record:
        """The record with this row id."""
        return next(self.records("id = ?", (id,)))

    def entries(self, where: str = "1", values: Iterable[Any] = ()) -> Iterator[Entry]:
        """The timeline entries that fit `where`, by id, streamed in pages."""
        columns = ", ".join(Entry._fields)
        after, values = -1, tuple(values)
        while True:
            page = self.db.execute(
                f"SELECT {columns} FROM entry WHERE id > ? AND ({where}) ORDER BY id LIMIT 500", (after, *values)
            ).fetchall()
            for row in page:
                yield Entry._make((*row[:7], json_codec.loads(row[7]), *row[8:]))
            if len(page) < 500:
                return
            after = page[-1][0]

    def index(self) -> None:
        """Make records and entries quick to find, once most of them are there: that takes less than as they come."""
        for index in INDEXES:
            self.db.execute(f"CREATE INDEX IF NOT EXISTS {index}")

    def update(self, table: str, id: int, **columns: Any) -> None:
        """Set columns of one row; dictionaries and lists are kept as JSON."""
        names = ", ".join(f"{name} = ?" for name in columns)
        values = [encode(value) if isinstance(value, dict | list) else value for value in columns.values()]
        self.db.execute(f"UPDATE {table} SET {names} WHERE id = ?", (*values, id))

    def count(self, table: str, where: str = "1", values: Iterable[Any] = ()) -> int:
        """How many rows fit."""
        return int(self.db.execute(f"SELECT count(*) FROM {table} WHERE {where}", tuple(values)).fetchone()[0])

    def clear(self) -> None:
        """Forget what was planned, for planning anew; the run's own notes and its inputs stay."""
        with self.transaction() as db:
            for table in ("reject", "fragment", "identity", "anonymous", "record", "entry"):
                db.execute(f"DELETE FROM {table}")

    def copy_to(self, path: Path) -> None:
        """A copy of everything in another file."""
        copy = connect(path, SCHEMA, VERSION)
        try:
            self.db.backup(copy)
        finally:
            copy.close()


def account_named(store: Store, name: str | None) -> Record | None:
    """The run's account of this folded name, unless it was left out."""
    found = list(store.records("kind = 'account' AND match_key = ? AND action != 'skipped'", (name,))) if name else []
    return found[0] if found else None


def _record(row: tuple[Any, ...]) -> Record:
    values = list(row)
    for at in _JSON_COLUMNS:
        values[at] = orjson.loads(values[at]) if values[at] is not None else ({} if at == 9 else None)
    return Record(*values)

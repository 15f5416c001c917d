"""The run's SQLite file, `plan.db`: what is wanted, what there is, what changes, and how far the push has come.

The journal is the `status` column of `record` and `entry`: `planned` → `sent` (written down before a request that
may not be repeated blindly leaves) → `done`, `failed` or `unknown`; `claimed_at` is when that was.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from fsseg.freshsales.names import Entity
from fsseg.segment import json_codec
from fsseg.state.actions import TABLES, Action, Status, is_any
from fsseg.state.database import MOST_VALUES, Migration, connect, transaction
from fsseg.state.run_meta import RunMeta

VERSION = 9
SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE input (number INTEGER PRIMARY KEY, path TEXT NOT NULL, shown TEXT NOT NULL, container TEXT, events INTEGER,
    first INTEGER NOT NULL DEFAULT 0, last INTEGER);
CREATE TABLE reject (position INTEGER PRIMARY KEY, line INTEGER, code TEXT NOT NULL, message TEXT NOT NULL, event TEXT,
    raw TEXT);
CREATE TABLE fragment (key TEXT NOT NULL, person INTEGER, state BLOB NOT NULL);
CREATE TABLE folded (person INTEGER PRIMARY KEY, state BLOB NOT NULL);
CREATE TABLE identity (key TEXT PRIMARY KEY, record INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE anonymous (id TEXT NOT NULL, key TEXT NOT NULL, time TEXT NOT NULL, PRIMARY KEY (id, time, key))
    WITHOUT ROWID;
CREATE TABLE tie (one TEXT NOT NULL, other TEXT NOT NULL, suppressed INTEGER NOT NULL, PRIMARY KEY (one, other))
    WITHOUT ROWID;
CREATE TABLE record (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, entity TEXT, key TEXT NOT NULL,
    match_key TEXT NOT NULL, by_email INTEGER NOT NULL DEFAULT 1, keys TEXT NOT NULL DEFAULT '[]', parent INTEGER,
    account INTEGER, sources TEXT NOT NULL DEFAULT '[]', desired TEXT NOT NULL DEFAULT '{}',
    times TEXT NOT NULL DEFAULT '{}', companies TEXT NOT NULL DEFAULT '[]', asks_contact INTEGER NOT NULL DEFAULT 0,
    matched INTEGER NOT NULL DEFAULT 0, converts INTEGER, links TEXT, dropped TEXT,
    existing TEXT, remote_id INTEGER, action TEXT, fields TEXT NOT NULL DEFAULT '{}',
    warnings TEXT NOT NULL DEFAULT '[]', siblings TEXT NOT NULL DEFAULT '[]',
    status TEXT NOT NULL DEFAULT 'planned', code TEXT, message TEXT, http_status INTEGER, claimed_at TEXT,
    proof INTEGER, reviewed TEXT, earlier TEXT, committed INTEGER, room BLOB, told_times TEXT);
CREATE TABLE entry (id INTEGER PRIMARY KEY, key TEXT, person INTEGER, position INTEGER NOT NULL,
    hash INTEGER NOT NULL, time TEXT NOT NULL, email TEXT, payload BLOB NOT NULL, head INTEGER, action TEXT,
    remote_id INTEGER, status TEXT NOT NULL DEFAULT 'planned', code TEXT, message TEXT, http_status INTEGER,
    claimed_at TEXT, proof INTEGER, committed INTEGER);
CREATE INDEX entry_head ON entry (head) WHERE head IS NOT NULL;
CREATE TABLE repeat (position INTEGER PRIMARY KEY, hash INTEGER NOT NULL);
"""
INDEXES = (
    "record_match ON record (kind, match_key)",
    "record_parent ON record (parent) WHERE parent IS NOT NULL",
    "fragment_person ON fragment (person) WHERE person IS NOT NULL",
    "record_entity ON record (entity)",
    "entry_person ON entry (person)",
    "tie_other ON tie (other)",
)

PERSON_COLUMNS = (
    "entity", "key", "match_key", "by_email", "keys", "asks_contact", "action", "desired", "times", "sources",
    "companies", "warnings",
)  # fmt: skip
"""What folding tells of a person."""


def _to_8(db: sqlite3.Connection) -> None:
    db.execute("CREATE INDEX entry_head ON entry (head) WHERE head IS NOT NULL")
    db.execute("CREATE TABLE repeat (position INTEGER PRIMARY KEY, hash INTEGER NOT NULL)")


def _to_9(db: sqlite3.Connection) -> None:
    db.execute("ALTER TABLE record ADD COLUMN told_times TEXT")


_MIGRATIONS: dict[int, Migration] = {7: _to_8, 8: _to_9}

_USED_ACCOUNT = f"kind = 'account' AND action != '{Action.SKIPPED}'"


class Record:
    """One row of `record`: a person, account or deal, wanted, found and changed.

    `kind` is person, account or deal; `entity` is lead, contact, account or deal, and of a person, until it was
    matched, what the events ask for. `asks_contact`: they ask for a contact outright. `converts` is the id of the lead
    that is to become this contact. Of an undo, `dropped` is the address that a contact shall lose.
    Columns of JSON are read when they are asked for, since most are not.
    """

    COLUMNS = (
        "id", "kind", "entity", "key", "match_key", "by_email", "keys", "parent", "account", "sources", "desired",
        "times", "companies", "asks_contact", "matched", "converts", "links", "dropped", "existing", "remote_id",
        "action", "fields", "warnings", "siblings", "status", "code", "message", "http_status", "claimed_at",
    )  # fmt: skip

    entity: Entity
    remote_id: int | None
    parent: int | None
    account: int | None
    action: str | None
    code: str | None
    message: str | None
    http_status: int | None
    claimed_at: str | None

    def __init__(self, row: tuple[Any, ...]) -> None:
        (
            self.id, self.kind, self.entity, self.key, self.match_key, self.by_email, self._keys, self.parent,
            self.account, self._sources, self._desired, self._times, self._companies, self.asks_contact, self.matched,
            self.converts, self._links, self.dropped, self._existing, self.remote_id, self.action, self._fields,
            self._warnings, self._siblings, self.status, self.code, self.message, self.http_status, self.claimed_at,
        ) = row  # fmt: skip

    @cached_property
    def keys(self) -> list[str]:
        """Everybody's person keys that it is."""
        return list(orjson.loads(self._keys))

    @cached_property
    def sources(self) -> list[list[int]]:
        """Position and key of each event that says something of it."""
        return list(orjson.loads(self._sources))

    @cached_property
    def desired(self) -> dict[str, Any]:
        """The values that are wanted, by field."""
        return dict(orjson.loads(self._desired))

    @cached_property
    def times(self) -> dict[str, int]:
        """The event time of each wanted field, in microseconds."""
        return dict(orjson.loads(self._times))

    @cached_property
    def companies(self) -> list[str]:
        """Folded names of the accounts that a contact, or a deal, is to belong to, in the order they were told of."""
        return list(orjson.loads(self._companies))

    @cached_property
    def links(self) -> list[dict[str, Any]] | None:
        """Of an undo: the accounts that a contact shall keep, told outright."""
        return None if self._links is None else list(orjson.loads(self._links))

    @cached_property
    def existing(self) -> dict[str, Any] | None:
        """What Freshsales held when it was matched; None where there is no such record."""
        return None if self._existing is None else orjson.loads(self._existing)

    @cached_property
    def fields(self) -> dict[str, list[Any]]:
        """What changes: [before, after] by field."""
        return dict(orjson.loads(self._fields))

    @cached_property
    def warnings(self) -> list[Any]:
        return list(orjson.loads(self._warnings))

    @cached_property
    def siblings(self) -> list[int]:
        """Ids of other records with the same e-mail."""
        return list(orjson.loads(self._siblings))

    def known_as(self, remote_id: int | None, *, tried: bool = False) -> Record:
        """The same with this id in Freshsales; `tried`: and as one that was sent before, just now."""
        other = copy(self)
        other.remote_id = remote_id
        if tried and remote_id is not None:
            other.claimed_at = other.claimed_at or datetime.now(UTC).isoformat()
        return other


class Around(NamedTuple):
    """What a record has to know of another one: the person of a deal, the account of a contact."""

    id: int
    key: str
    match_key: str
    remote_id: int | None
    action: str | None
    code: str | None


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


CACHE = 32 << 20
"""Bytes of a plan that are kept in memory, where rows are looked at in any order."""

SMALL_CACHE = 2 << 20
"""The same where rows are read once, one after the other: new memory would cost more than reading does."""


class Store:
    """One open `plan.db`. Not shared between threads without a lock of the caller's."""

    def __init__(self, path: Path, cache: int = CACHE) -> None:
        self.path = path
        self.db = connect(path, SCHEMA, VERSION, _MIGRATIONS)
        self.db.execute("PRAGMA temp_store=FILE")
        self.db.execute(f"PRAGMA cache_size=-{cache >> 10}")
        self.db.execute("PRAGMA wal_autocheckpoint=4000")
        self.meta = RunMeta(self.db, path)

    def close(self) -> None:
        self.db.close()

    def checkpoint(self) -> None:
        """Bring what stands in the log into the file itself, which `close` would do while nobody has anything to do."""
        with suppress(sqlite3.OperationalError):  # without room for it, it stays in the log, where it is as safe
            self.db.execute("PRAGMA wal_checkpoint").fetchone()

    def empty_log(self) -> None:
        """The same, and give back the log's room, which would cost `close` time; nothing where others are at work."""
        self.db.execute("PRAGMA busy_timeout=0")
        with suppress(sqlite3.OperationalError):
            self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    @contextmanager
    def hurried(self) -> Iterator[None]:
        """Inside, a commit doesn't wait for the disk: a power failure may take the latest ones along, and only those.

        Not for what leaves for Freshsales, which has to be known of afterwards.
        """
        (waits,) = self.db.execute("PRAGMA synchronous").fetchone()
        self.db.execute("PRAGMA synchronous=NORMAL")
        try:
            yield
        finally:
            self.db.execute(f"PRAGMA synchronous={waits}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing of what is written inside; durable once left, but for a hurried store."""
        with transaction(self.db):
            yield self.db

    def records(self, where: str = "1", values: Iterable[Any] = (), order: str = "id") -> Iterator[Record]:
        """The records that fit `where`, streamed in pages so that the rows may be changed on the way."""
        values = tuple(values)
        # Asked for a page at a time, an index that isn't in this order would be read and sorted for every page.
        rows = self.db.execute(f"SELECT id FROM record WHERE {where} ORDER BY {order}", values)
        ids = array("q", (id for (id,) in rows))
        for at in range(0, len(ids), MOST_VALUES):
            page = ids[at : at + MOST_VALUES]
            marks = ", ".join("?" * len(page))
            # By an index, each page would go through all that are of the kind.
            query = (
                f"SELECT {', '.join(Record.COLUMNS)} FROM record NOT INDEXED"
                f" WHERE id IN ({marks}) AND ({where}) ORDER BY {order}"
            )
            yield from map(Record, self.db.execute(query, (*page, *values)).fetchall())

    def states(self, people: Sequence[int]) -> dict[int, bytes]:
        """What was folded of these people (see `fold.merge.dump`), by id; nothing of who is only pointed at."""
        marks = ", ".join("?" * len(people))
        return dict(self.db.execute(f"SELECT person, state FROM folded WHERE person IN ({marks})", people))

    def remote_parents(self, where: str) -> dict[int, int]:
        """Of whom the records that fit belong to: the ids in Freshsales that are known, by id."""
        whose = f"SELECT parent FROM record WHERE {where}"
        known = "SELECT id, remote_id FROM record WHERE remote_id IS NOT NULL"
        return dict(self.db.execute(f"{known} AND id IN ({whose})"))

    def record(self, id: int) -> Record:
        """The record with this row id."""
        return next(self.records("id = ?", (id,)))

    def remote_id(self, id: int | None) -> int | None:
        """The id in Freshsales of the record with this row id, if there is one and it has any."""
        row = self.db.execute("SELECT remote_id FROM record WHERE id = ?", (id,)).fetchone()
        return None if row is None else row[0]

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

    def pages(self, where: str, values: Iterable[Any] = (), size: int = 500) -> Iterator[list[Record]]:
        """As `records`, in lists of so many."""
        records = self.records(where, values)
        while page := list(islice(records, size)):
            yield page

    def around(self, ids: Iterable[int | None]) -> dict[int, Around]:
        """The records of these ids, by id."""
        return {record.id: record for record in self._around("id", sorted({id for id in ids if id is not None}))}

    def accounts(self, names: Iterable[str]) -> dict[str, Around]:
        """The run's accounts of these folded names, by name, but those that were left out."""
        accounts = self._around("match_key", sorted(set(names)), f"{_USED_ACCOUNT} AND ")
        return {account.match_key: account for account in reversed(accounts)}

    def _around(self, column: str, values: list[Any], condition: str = "") -> list[Around]:
        return [
            Around._make(row)
            for page in (values[at : at + MOST_VALUES] for at in range(0, len(values), MOST_VALUES))
            for row in self.db.execute(
                f"SELECT {', '.join(Around._fields)} FROM record"
                f" WHERE {condition}{column} IN ({', '.join('?' * len(page))}) ORDER BY id",
                page,
            )
        ]

    def account_id(self, name: str | None) -> int | None:
        """The id in Freshsales of the run's account of this folded name, if it is there already."""
        found = self.db.execute("SELECT remote_id FROM record WHERE kind = 'account' AND match_key = ?", (name,))
        return next((id for (id,) in found), None)

    def add_read(self, rejects: Iterable[Sequence[Any]], anonymous: Iterable[Sequence[Any]]) -> None:
        """Keep events that can't be used, and whose key an anonymousId was told with."""
        with self.transaction() as db:
            db.executemany("INSERT OR REPLACE INTO anonymous VALUES (?, ?, ?)", anonymous)
            db.executemany("INSERT INTO reject VALUES (?, ?, ?, ?, ?, ?)", rejects)

    def note_input(self, number: int, container: str, events: int) -> None:
        """Note what an input was and how many events it had."""
        self.db.execute("UPDATE input SET container = ?, events = ? WHERE number = ?", (container, events, number))

    def update_records(
        self, columns: Sequence[str], rows: Iterable[Sequence[Any]], emptied: Sequence[str] = ()
    ) -> None:
        """Set these columns of many records, each given by its values and then its id, and empty others of them."""
        names = ", ".join([*(f"{name} = ?" for name in columns), *(f"{name} = NULL" for name in emptied)])
        self.db.executemany(f"UPDATE record SET {names} WHERE id = ?", rows)

    def update(self, table: str, id: int, **columns: Any) -> None:
        """Set columns of one row; dictionaries and lists are kept as JSON."""
        names = ", ".join(f"{name} = ?" for name in columns)
        values = [encode(value) if isinstance(value, dict | list) else value for value in columns.values()]
        self.db.execute(f"UPDATE {table} SET {names} WHERE id = ?", (*values, id))

    def count(self, table: str, where: str = "1", values: Iterable[Any] = ()) -> int:
        """How many rows fit."""
        return int(self.db.execute(f"SELECT count(*) FROM {table} WHERE {where}", tuple(values)).fetchone()[0])

    def has_any(self, where: str) -> bool:
        """Whether a record or timeline entry fits."""
        either = " UNION ALL ".join(f"SELECT 1 FROM {table} WHERE {where}" for table in TABLES)
        return bool(self.db.execute(f"SELECT EXISTS ({either})").fetchone()[0])

    @property
    def has_in_flight(self) -> bool:
        """Whether of a row that was sent nobody knows what came of it."""
        return self.has_any(is_any("status", Status.SENT, Status.UNKNOWN))

    def clear(self) -> None:
        """Forget what was planned, for planning anew; the run's own notes and its inputs stay."""
        with self.transaction() as db:
            for table in (
                "reject", "fragment", "folded", "identity", "anonymous", "tie", "record", "entry", "repeat",
            ):  # fmt: skip
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
    return next(store.records(f"{_USED_ACCOUNT} AND match_key = ?", (name,)), None) if name else None

"""The records of a local Freshsales in one SQLite file: written per request, safe against a killed process."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from fsseg.sandbox.account import Account, Row, build

VERSION = 2
FIRST_ID = 70_000_000_000
SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS number (last INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS record (
  id INTEGER PRIMARY KEY, resource TEXT NOT NULL, name TEXT NOT NULL, created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL, deleted INTEGER NOT NULL DEFAULT 0, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS record_id ON record (resource, deleted, id);
CREATE INDEX IF NOT EXISTS record_created ON record (resource, deleted, created_at, id);
CREATE INDEX IF NOT EXISTS record_updated ON record (resource, deleted, updated_at, id);
CREATE INDEX IF NOT EXISTS record_name ON record (resource, deleted, name, id);
CREATE UNIQUE INDEX IF NOT EXISTS account_name ON record (name) WHERE resource = 'sales_accounts' AND deleted = 0;
CREATE TABLE IF NOT EXISTS email (folded TEXT NOT NULL, resource TEXT NOT NULL, record_id INTEGER NOT NULL,
  PRIMARY KEY (folded, resource, record_id)) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS contact_email ON email (folded) WHERE resource = 'contacts';
CREATE INDEX IF NOT EXISTS email_record ON email (record_id);
CREATE TABLE IF NOT EXISTS account_link (contact_id INTEGER, account_id INTEGER, is_primary INTEGER NOT NULL,
  PRIMARY KEY (contact_id, account_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS account_link_account ON account_link (account_id);
CREATE TABLE IF NOT EXISTS deal_link (deal_id INTEGER, contact_id INTEGER, PRIMARY KEY (deal_id, contact_id))
  WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deal_link_contact ON deal_link (contact_id);
CREATE TABLE IF NOT EXISTS entry (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, target_type TEXT, target_id INTEGER, created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL, data TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS entry_kind ON entry (kind, id);
CREATE INDEX IF NOT EXISTS entry_target ON entry (target_id, kind);
CREATE TABLE IF NOT EXISTS visitor (identifier TEXT PRIMARY KEY, record_id INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS job (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, resource TEXT NOT NULL, payload TEXT NOT NULL, due REAL NOT NULL,
  polls INTEGER NOT NULL, status TEXT NOT NULL, result TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS job_open ON job (status) WHERE status = 'open';
"""
TABLES = ("record", "email", "account_link", "deal_link", "entry", "visitor", "job", "number", "meta")


class Store:
    """One connection to one sandbox file, created if absent; not for two threads at once."""

    def __init__(self, path: Path, edition: str | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Before SQLite opens it: the files that it puts beside take this one's mode.
        path.touch(mode=0o600)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA wal_autocheckpoint = 4000")
        if self._db.execute("PRAGMA user_version").fetchone()[0] not in (0, VERSION):
            raise ValueError(f"{path} was made by another version of the sandbox")
        self._db.executescript(SCHEMA)
        self._db.execute(f"PRAGMA user_version = {VERSION}")
        self._last = 0
        self._version = self.one("PRAGMA data_version")[0]
        self._counted_at = (0, 0)
        self._counts: dict[tuple[str, tuple[Any, ...]], int] = {}
        self._account: Account | None = None
        if edition is not None and not self.one("SELECT 1 FROM meta WHERE key = 'account'"):
            self.clear(build(edition))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @property
    def account(self) -> Account:
        """The account. Raises LookupError on an empty file."""
        if self._account is None:
            row = self.one("SELECT value FROM meta WHERE key = 'account'")
            if row is None:
                raise LookupError("the sandbox file holds no account yet")
            self._account = Account(**orjson.loads(row[0]))
            self._last = self.one("SELECT coalesce(max(updated_at), 0) FROM record")[0]
        return self._account

    def refresh(self) -> None:
        """Forget what was read, where another process has changed the file since."""
        version = self.one("PRAGMA data_version")[0]
        if version != self._version:
            self._version, self._account = version, None

    def count(self, condition: str, bound: Sequence[Any]) -> int:
        """How many records meet the condition; remembered until something is written, as pages ask again and again."""
        state = (self._version, self._db.total_changes)
        if state != self._counted_at:
            self._counted_at, self._counts = state, {}
        key = (condition, tuple(bound))
        if key not in self._counts:
            self._counts[key] = self.one(f"SELECT count(*) FROM record WHERE {condition}", bound)[0]
        return self._counts[key]

    def clear(self, account: Account) -> None:
        """Empty everything and begin with this account."""
        with self.transaction():
            for table in TABLES:
                self._db.execute(f"DELETE FROM {table}")
            self._db.execute("INSERT INTO number VALUES (?)", (FIRST_ID,))
            self._db.execute("INSERT INTO meta VALUES ('account', ?)", (orjson.dumps(asdict(account)).decode(),))
        self._account = None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; committed before the answer leaves."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def run(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Execute one statement."""
        self._db.execute(sql, values)

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute one statement for many rows."""
        self._db.executemany(sql, rows)

    def one(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """The first row, or None."""
        return self._db.execute(sql, values).fetchone()

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """All rows."""
        return self._db.execute(sql, values).fetchall()

    def numbers(self, count: int = 1) -> int:
        """The first of `count` new ids, each beyond 32 bits."""
        self.run("UPDATE number SET last = last + ?", (count,))
        return int(self.one("SELECT last FROM number")[0]) - count + 1

    def now(self) -> int:
        """Microseconds since 1970, each call at least a millisecond after the one before."""
        self._last = max(time.time_ns() // 1000, self._last + 1000)
        return self._last

    def record(self, resource: str, number: int) -> Any:
        """One record's row, or None where it is deleted or never was."""
        return self.one("SELECT * FROM record WHERE id = ? AND resource = ? AND deleted = 0", (number, resource))

    def deleted(self, resource: str, number: int) -> Any:
        """The row of a record that was deleted softly, or None."""
        return self.one("SELECT * FROM record WHERE id = ? AND resource = ? AND deleted = 1", (number, resource))

    def restore(self, resource: str, number: int, name: str, data: Row, emails: Sequence[str]) -> None:
        """Let a deleted record be there again."""
        self.run("UPDATE record SET deleted = 0 WHERE id = ?", (number,))
        self.save(resource, number, name, data, emails)

    def field(self, resource: str, name: str) -> str:
        """The SQL expression of one stored field; the first use makes an index, so that looking it up stays quick.

        `resource` and `name` must come from the account, never from a request.
        """
        expression = f"""json_extract(data, '$."{name}"')"""
        self.run(
            f'CREATE INDEX IF NOT EXISTS "{resource} {name}" ON record ({expression}) '
            f"WHERE resource = '{resource}' AND deleted = 0"
        )
        return expression

    def having(self, resource: str, name: str, value: Any) -> list[Any]:
        """The rows whose field has exactly this value, oldest first."""
        expression = self.field(resource, name)
        return self.all(
            f"SELECT * FROM record WHERE resource = '{resource}' AND deleted = 0 AND {expression} = ? ORDER BY id",
            (value,),
        )

    def addressed(self, resource: str, address: str) -> list[Any]:
        """The rows of people with this e-mail address in any case, oldest first."""
        where = "folded = ? AND email.resource = ? ORDER BY id"
        sql = f"SELECT record.* FROM email JOIN record ON id = record_id WHERE {where}"
        return self.all(sql, (address.casefold(), resource))

    def named(self, resource: str, name: str) -> list[Any]:
        """The rows with this name in any case, oldest first."""
        sql = "SELECT * FROM record WHERE resource = ? AND deleted = 0 AND name = ? ORDER BY id"
        return self.all(sql, (resource, name.casefold()))

    def records(self, numbers: Sequence[int]) -> dict[int, Any]:
        """The rows of these records, by id."""
        marks = ",".join("?" * len(numbers))
        return {
            row["id"]: row for row in self.all(f"SELECT * FROM record WHERE id IN ({marks}) AND deleted = 0", numbers)
        }

    def save(self, resource: str, number: int | None, name: str, data: Row, emails: Sequence[str] | None) -> int:
        """Insert (`number` None) or replace one record; `emails` None leaves its addresses alone. Returns its id."""
        now, text = self.now(), orjson.dumps(data).decode()
        if number is None:
            number = self.numbers()
            new = (number, resource, name.casefold(), now, now, text)
            self.run("INSERT INTO record VALUES (?, ?, ?, ?, ?, 0, ?)", new)
        else:
            changed = (name.casefold(), now, text, number)
            self.run("UPDATE record SET name = ?, updated_at = ?, data = ? WHERE id = ?", changed)
            if emails is not None:
                self.run("DELETE FROM email WHERE record_id = ?", (number,))
        self.many("INSERT INTO email VALUES (?, ?, ?)", [(text.casefold(), resource, number) for text in emails or ()])
        return number

    def delete(self, number: int, *, forget: bool = False) -> None:
        """Take a record out of sight, its addresses and links too; `forget` leaves no trace."""
        self.run("DELETE FROM email WHERE record_id = ?", (number,))
        self.run("DELETE FROM account_link WHERE contact_id = ? OR account_id = ?", (number, number))
        self.run("DELETE FROM deal_link WHERE contact_id = ? OR deal_id = ?", (number, number))
        self.run("DELETE FROM visitor WHERE record_id = ?", (number,))
        if forget:
            self.run("DELETE FROM entry WHERE target_id = ?", (number,))
            self.run("DELETE FROM record WHERE id = ?", (number,))
        else:
            self.run("UPDATE record SET deleted = 1, updated_at = ? WHERE id = ?", (self.now(), number))

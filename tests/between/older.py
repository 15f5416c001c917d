"""Ledgers as earlier fsseg left them: their tables, and what stands in them after an import of `EVENTS`."""

from __future__ import annotations

import sqlite3
from array import array
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
from xxhash import xxh3_64_intdigest

from tests.e2e.harness import Account, Machine

ADA, OEL, KIM = "ÄDA@x.example", "Öl@X.example", "KIM@x.example"
RUN = "2026-11-22-120000-ab"

EVENTS: list[dict[str, Any]] = [
    {"type": "identify", "userId": ADA, "messageId": "a-1", "traits": {"lastName": "Ada"}},
    {"type": "identify", "userId": "7", "messageId": "a-2", "traits": {"email": OEL, "lastName": "Öl", "title": "CEO"}},
    {"type": "identify", "userId": KIM, "messageId": "a-3", "traits": {"lastName": "Kim", "fsContact": True}},
    {"type": "track", "userId": "7", "event": "Did", "messageId": "a-4", "properties": {}},
    {"type": "page", "userId": "kim@x.example", "name": "Home", "properties": {"n": 1}},
]
for second, event in enumerate(EVENTS):
    event["timestamp"] = f"2024-01-01T00:00:0{second}Z"

DELIVERED = [
    4104856186869790624, 5475963367266298988, 13354625660868676343, 5756558993264298862, 6804016835471527444
]  # fmt: skip
"""The keys of the events; that of the last is made of what it says, as it has no messageId."""

SCHEMAS = {
    "1, from before bulk": """
CREATE TABLE identity (key TEXT PRIMARY KEY, entity TEXT NOT NULL, remote_id INTEGER NOT NULL, email TEXT) WITHOUT ROWID;
CREATE TABLE delivered (key INTEGER PRIMARY KEY);
CREATE TABLE file (path TEXT PRIMARY KEY, size INTEGER NOT NULL, run TEXT NOT NULL) WITHOUT ROWID;
""",
    "1": """
CREATE TABLE identity (key TEXT PRIMARY KEY, entity TEXT NOT NULL, remote_id INTEGER, email TEXT)
    WITHOUT ROWID;
CREATE TABLE delivered (key INTEGER PRIMARY KEY);
CREATE TABLE file (path TEXT PRIMARY KEY, size INTEGER NOT NULL, run TEXT NOT NULL) WITHOUT ROWID;
""",
    "2": """
CREATE TABLE identity (key TEXT PRIMARY KEY, entity TEXT NOT NULL, remote_id INTEGER, email TEXT)
    WITHOUT ROWID;
CREATE INDEX identity_email ON identity (email COLLATE NOCASE);
CREATE TABLE content (place INTEGER PRIMARY KEY, hash INTEGER NOT NULL);
CREATE TABLE delivered (block INTEGER PRIMARY KEY, keys BLOB NOT NULL);
CREATE TABLE file (path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, events INTEGER NOT NULL,
    run TEXT NOT NULL) WITHOUT ROWID;
""",
}
FORMATS = list(SCHEMAS)

Person = tuple[str, str, int | None, str]
"""Person key, entity, id, and the e-mail as it was written."""


def signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number


def _number(value: Any) -> int:
    return signed(xxh3_64_intdigest(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)))


def write(path: Path, format: str, people: list[Person], file: Path) -> None:
    """A ledger of this format, as the import of `EVENTS` from `file` left it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.executescript(f"BEGIN; {SCHEMAS[format]}; PRAGMA user_version={format[0]}; COMMIT;")
        db.executemany("INSERT INTO identity VALUES (?, ?, ?, ?)", people)
        if format == "2":
            _fill_2(db, people, file)
        else:
            db.executemany("INSERT INTO delivered VALUES (?)", ((signed(key),) for key in DELIVERED))
            db.execute("INSERT INTO file VALUES (?, ?, ?)", (str(file), file.stat().st_size, RUN))


def _fill_2(db: sqlite3.Connection, people: list[Person], file: Path) -> None:
    for key in DELIVERED:
        db.execute("INSERT INTO delivered VALUES (?, ?)", (key >> 48, array("Q", [key]).tobytes()))
    held = {ADA: {"last_name": "Ada"}, OEL: {"last_name": "Öl", "job_title": "CEO"}, KIM: {"last_name": "Kim"}}
    for _, entity, id, email in people:
        place = _number([entity, email.casefold() if id is None else id])
        db.execute("INSERT INTO content VALUES (?, ?)", (place, _number({**held[email], "email": email})))
    stat = file.stat()
    db.execute("INSERT INTO file VALUES (?, ?, ?, ?, ?)", (str(file), stat.st_size, stat.st_mtime_ns, 5, RUN))


def made(account: Account) -> list[Person]:
    """Make in the account what the import made, and give who is who."""
    account.empty()
    resource, entity = ("leads", "lead") if account.edition == "classic" else ("contacts", "contact")
    address = "email" if account.edition == "classic" else "emails"
    ada = account.make(resource, **{address: ADA}, last_name="Ada")["id"]
    oel = account.make(resource, **{address: OEL}, last_name="Öl", job_title="CEO")["id"]
    kim = account.make("contacts", emails=KIM, last_name="Kim")["id"]
    return [("@äda@x.example", entity, ada, ADA), ("#7", entity, oel, OEL), ("@kim@x.example", "contact", kim, KIM)]


def leave(machine: Machine, format: str, *, without_ids: bool = False) -> Path:
    """The state folder, the account and the file that an import of `EVENTS` left; where the ledger is."""
    people = made(machine.account)
    if without_ids:
        people = [(key, entity, None if key.startswith("@") else id, email) for key, entity, id, email in people]
    folder = machine.state / machine.account.sandbox.origin.removeprefix("http://").replace(":", "_")
    folder.mkdir(parents=True)
    write(folder / "ledger.db", format, people, Path(machine.write("e.jsonl", EVENTS)))
    machine.account.forget()
    return folder / "ledger.db"

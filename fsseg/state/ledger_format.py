"""The tables of `ledger.db`, and the way to them from every earlier format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from sqlite3 import Connection, Cursor
from typing import Any

from xxhash import xxh3_64_intdigest

from fsseg.segment.email_key import email_key
from fsseg.state import delivered_keys
from fsseg.state.delivered_keys import Delivered

VERSION = 6

# A ledger that is made anew, since one was lost, begins later than any that was there before: seconds since 2025.
# A million people have to fit into little space: keys are 64-bit hashes, and an e-mail that is the key isn't repeated.
_FILE = """CREATE TABLE file (path TEXT PRIMARY KEY, size INTEGER NOT NULL, version NOT NULL, events INTEGER NOT NULL,
    run TEXT NOT NULL, since TEXT NOT NULL DEFAULT '') WITHOUT ROWID"""
SCHEMA = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta SELECT name, strftime('%s', 'now') - 1735689600
    FROM (SELECT 'generation' AS name UNION SELECT 'undone');
CREATE TABLE person (key INTEGER PRIMARY KEY, entity INTEGER NOT NULL, remote_id INTEGER, mailbox TEXT, domain INTEGER,
    generation INTEGER NOT NULL);
CREATE TABLE domain (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE address (email INTEGER NOT NULL, person INTEGER NOT NULL, PRIMARY KEY (email, person)) WITHOUT ROWID;
CREATE TABLE former (person INTEGER NOT NULL, mailbox TEXT NOT NULL, domain INTEGER NOT NULL,
    PRIMARY KEY (person, mailbox, domain)) WITHOUT ROWID;
CREATE TABLE record (place INTEGER PRIMARY KEY, content INTEGER, times BLOB, generation INTEGER NOT NULL);
CREATE TABLE field (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE not_stored (place INTEGER NOT NULL, field INTEGER NOT NULL, value INTEGER NOT NULL,
    PRIMARY KEY (place, field)) WITHOUT ROWID;
CREATE TABLE doubt (key INTEGER PRIMARY KEY, run TEXT NOT NULL);
{delivered_keys.SCHEMA}
{_FILE};
"""

FINGERPRINT = (1 << 47) - 1
"""The bits of a fingerprint that are kept: SQLite writes such a number in 6 bytes."""

ENTITIES = {"contact": 1, "lead": 2, "account": 3, "deal": 4}
"""Entities as the ledger writes them; of a contact and a lead the contact comes first."""

_WRAP = 1 << 64
_SIGN = 1 << 63

_TIME = 7
"""Bytes of an event time in microseconds."""

_LARGE = 255
"""Stands before the number of a field that takes more than one byte."""


def encode_times(times: Mapping[int, int]) -> bytes | None:
    """Event times in microseconds by the number of the field: each time once, how many fields it is of, and those."""
    groups: dict[int, list[int]] = {}
    for number, time in times.items():
        groups.setdefault(time, []).append(number)
    data = bytearray()
    for time, numbers in groups.items():
        for group in (numbers[at : at + _LARGE] for at in range(0, len(numbers), _LARGE)):
            data += time.to_bytes(_TIME) + bytes([len(group)])
            for number in group:
                data += bytes([number]) if number < _LARGE else bytes([_LARGE]) + number.to_bytes(3)
    return bytes(data) or None


def decode_times(data: bytes | None) -> dict[int, int]:
    """What `encode_times` was given."""
    times: dict[int, int] = {}
    at, data = 0, data or b""
    while at < len(data):
        time, count = int.from_bytes(data[at : at + _TIME]), data[at + _TIME]
        at += _TIME + 1
        for _ in range(count):
            if (number := data[at]) == _LARGE:
                number = int.from_bytes(data[at + 1 : at + 4])
                at += 3
            at += 1
            times[number] = time
    return times


def signed(key: int) -> int:
    """An unsigned 64-bit key as SQLite keeps it."""
    return key - _WRAP if key >= _SIGN else key


def unsigned(key: int) -> int:
    """The key that `signed` was given."""
    return key + _WRAP if key < 0 else key


def hashed(text: str) -> int:
    """The 64-bit number under which the ledger keeps a person's key or an e-mail, as SQLite keeps it."""
    return signed(xxh3_64_intdigest(text.encode("utf-8", "surrogatepass")))


def short(text: str) -> int:
    """The same in 32 bits, for what is only to be narrowed down: SQLite keeps it in four bytes."""
    return (xxh3_64_intdigest(text.encode("utf-8", "surrogatepass")) & 0xFFFFFFFF) - (1 << 31)


class Domains:
    """The numbers of the domains of e-mails, which many people share."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self.number = lru_cache(100_000)(self._number)

    def _number(self, name: str) -> int:
        self._db.execute("INSERT OR IGNORE INTO domain (name) VALUES (?)", (name,))
        return int(self._db.execute("SELECT number FROM domain WHERE name = ?", (name,)).fetchone()[0])


def person_row(
    key: str, entity: str, remote_id: int | None, email: str | None, generation: int, domains: Domains
) -> tuple[Any, ...]:
    """A row of `person`; the e-mail of who is known by it is the key."""
    mailbox = domain = None
    if email and not key.startswith("@"):
        mailbox, _, name = email.rpartition("@")
        domain = domains.number(name)
    return hashed(key), ENTITIES[entity], remote_id, mailbox, domain, generation


def address_row(key: str, email: str | None) -> tuple[int, int] | None:
    """The row of `address` that finds, by the folded e-mail, a person whose key is another; None if it isn't."""
    return None if key.startswith("@") or not email else (short(f"@{email_key(email)}"), hashed(key))


def _to_2(db: Connection) -> None:
    """Delivered keys lie in blocks; files are known by size and time; e-mails have an index."""
    keys = (unsigned(key) for (key,) in db.execute("SELECT key FROM delivered").fetchall())
    db.execute("DROP TABLE delivered")
    db.execute("DROP TABLE file")
    db.execute(delivered_keys.SCHEMA)
    db.execute(
        "CREATE TABLE file (path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,"
        " events INTEGER NOT NULL, run TEXT NOT NULL) WITHOUT ROWID"
    )
    db.execute("CREATE TABLE content (place INTEGER PRIMARY KEY, hash INTEGER NOT NULL)")
    Delivered(db).add(keys)


def _to_3(db: Connection) -> None:
    """Keys are hashes, and every record has the times of what was delivered of it, which nobody knew before."""
    kept = ("CREATE TABLE delivered", "CREATE TABLE file")
    for statement in filter(str.strip, SCHEMA.split(";\n")):
        if not statement.strip().startswith(kept):
            db.execute(statement)
    domains = Domains(db)
    identities = db.execute("SELECT key, entity, remote_id, email FROM identity")
    for rows in _pages(identities):
        db.executemany(
            "INSERT OR REPLACE INTO person VALUES (?, ?, ?, ?, ?, ?)",
            [person_row(key, entity, id, email, 1, domains) for key, entity, id, email in rows],
        )
        addresses = (address_row(key, email) for key, _, _, email in rows)
        db.executemany("INSERT OR IGNORE INTO address VALUES (?, ?)", filter(None, addresses))
    db.execute(f"INSERT INTO record (place, content, generation) SELECT place, hash & {FINGERPRINT}, 1 FROM content")
    db.execute("DROP TABLE identity")
    db.execute("DROP TABLE content")


def _pages(rows: Cursor) -> Iterator[list[Any]]:
    while page := list(islice(rows, 10_000)):
        yield page


def _to_4(db: Connection) -> None:
    """Addresses that people had before are kept; of those that they have had until now nobody knows."""
    db.execute(
        "CREATE TABLE IF NOT EXISTS former (person INTEGER NOT NULL, mailbox TEXT NOT NULL, domain INTEGER NOT NULL,"
        " PRIMARY KEY (person, mailbox, domain)) WITHOUT ROWID"
    )


def _to_5(db: Connection) -> None:
    """What Freshsales has taken and not stored is known by record and field."""
    db.execute(
        "CREATE TABLE IF NOT EXISTS not_stored (place INTEGER NOT NULL, field INTEGER NOT NULL, value INTEGER NOT NULL,"
        " PRIMARY KEY (place, field)) WITHOUT ROWID"
    )


def _to_6(db: Connection) -> None:
    """Objects are known by their version, and files of which old events were left out by the time before which."""
    files = db.execute("SELECT path, size, mtime_ns, events, run FROM file").fetchall()
    db.execute("DROP TABLE file")
    db.execute(_FILE)
    db.executemany("INSERT INTO file (path, size, version, events, run) VALUES (?, ?, ?, ?, ?)", files)


MIGRATIONS = {1: _to_2, 2: _to_3, 3: _to_4, 4: _to_5, 5: _to_6}

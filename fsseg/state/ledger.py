"""What fsseg remembers of an account between runs: who is who, what was delivered and when, which files are done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

from fsseg.freshsales.names import Entity
from fsseg.segment.email_key import email_key
from fsseg.state.database import MOST_VALUES, connect, transaction
from fsseg.state.delivered_keys import Delivered
from fsseg.state.ledger_format import (
    ENTITIES,
    MIGRATIONS,
    SCHEMA,
    VERSION,
    Domains,
    address_row,
    decode_times,
    encode_times,
    hashed,
    person_row,
    short,
    signed,
    unsigned,
)

_PERSON = "SELECT entity, remote_id, mailbox, name, generation FROM person LEFT JOIN domain ON number = domain"
_NAMES = {number: name for name, number in ENTITIES.items()}


class Known(NamedTuple):
    """The record that an earlier run made or updated for a userId.

    Bulk doesn't tell the ids of the contacts it makes; those are known by their e-mail alone, which is unique.
    """

    entity: Entity
    remote_id: int | None
    email: str | None
    generation: int


class History(NamedTuple):
    """What was delivered of one record: the event time of each field (microseconds), and all of it as one number.

    `fingerprint` is None where the record may not hold what was delivered last. `generation` is when any run last
    delivered something of it, or of what hangs on it.
    """

    times: dict[str, int]
    fingerprint: int | None
    generation: int


NOTHING = History({}, None, 0)
"""The history of a record of which nothing was ever delivered."""


class File(NamedTuple):
    """A file every event of which came to its end in `run`, as it was then. `path` is absolute."""

    path: str
    size: int
    version: int | str
    """When the file was changed, or which version of an object it is; and how it was read, where flags say that."""
    events: int
    run: str
    since: str = ""
    """The time before which events of it were left out; empty where none were."""


class Ledger:
    """The account's `ledger.db`."""

    def __init__(self, path: Path) -> None:
        self.db = connect(path, SCHEMA, VERSION, MIGRATIONS)
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._read_fields()

    def close(self) -> None:
        self.db.close()

    def _read_fields(self) -> None:
        self._numbers = dict(self.db.execute("SELECT name, number FROM field"))
        self._names = {number: name for name, number in self._numbers.items()}

    @property
    def generation(self) -> int:
        """Counts the deliveries and undos of all runs: what was planned at another one may be out of date."""
        return self._meta("generation")

    @property
    def undone(self) -> int:
        """The generation of the last undo."""
        return self._meta("undone")

    def _meta(self, name: str) -> int:
        return int(self.db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()[0])

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of anybody."""
        query = "SELECT NOT EXISTS (SELECT 1 FROM person) AND NOT EXISTS (SELECT 1 FROM record)"
        return bool(self.db.execute(query).fetchone()[0])

    def known(self, key: str) -> Known | None:
        """Who this person key ("#" and the userId, or "@" and the e-mail) was in an earlier run."""
        row = self.db.execute(f"{_PERSON} WHERE key = ?", (hashed(key),)).fetchone()
        return None if row is None else _known(row, key[1:] if key.startswith("@") else None)

    def known_by_email(self, email: str) -> Known | None:
        """Who had this folded e-mail in an earlier run, whatever the userId; a contact rather than a lead."""
        key = f"@{email}"
        rows = self.db.execute(
            f"{_PERSON} WHERE key = ? OR key IN (SELECT person FROM address WHERE email = ?) ORDER BY entity",
            (hashed(key), short(key)),
        )
        people = (_known(row, email) for row in rows)
        return next((known for known in people if known.email and email_key(known.email) == email), None)

    def is_shared(self, email: str) -> bool:
        """Whether earlier runs were told of this folded e-mail by several ids, or by calls that name it outright."""
        ids = self.db.execute("SELECT count(*) FROM address WHERE email = ?", (short(f"@{email}"),)).fetchone()[0]
        return ids > 1 or self.known(f"@{email}") is not None

    def formerly(self, email: str) -> Known | None:
        """The one record of all who had this folded e-mail in an earlier run, and have another one since."""
        rows = self.db.execute(
            "SELECT entity, remote_id, p.mailbox, d.name, generation, f.mailbox || '@' || e.name FROM address"
            " JOIN former f USING (person) JOIN domain e ON e.number = f.domain JOIN person p ON p.key = f.person"
            " JOIN domain d ON d.number = p.domain WHERE email = ?",
            (short(f"@{email}"),),
        )
        people = {_known(row, None)[:3] for *row, had in rows if email_key(had) == email}
        return Known(*people.pop(), 0) if len(people) == 1 else None

    def delivered(self) -> Delivered:
        """The keys of delivered events, to be asked."""
        return Delivered(self.db)

    def history(self, fingerprint_keys: Sequence[int]) -> History:
        """What was delivered of the record that is noted under some of these keys (see `state.fingerprint`)."""
        return history_of(self.rows(fingerprint_keys), fingerprint_keys)

    def rows(self, fingerprint_keys: Iterable[int]) -> dict[int, History]:
        """What is noted under each of these keys."""
        keys, histories = [signed(key) for key in fingerprint_keys], {}
        for at in range(0, len(keys), MOST_VALUES):
            page = keys[at : at + MOST_VALUES]
            marks = ", ".join("?" * len(page))
            query = f"SELECT place, times, content, generation FROM record WHERE place IN ({marks})"
            for key, blob, fingerprint, generation in self.db.execute(query, page):
                histories[unsigned(key)] = History(self._times(blob), fingerprint, generation)
        return histories

    def _times(self, blob: bytes | None) -> dict[str, int]:
        names = self._names
        return {names[number]: time for number, time in decode_times(blob).items()}

    def not_stored(self, places: Iterable[int]) -> dict[int, dict[str, int]]:
        """What Freshsales has taken of these records and not stored: fingerprint of the value by field."""
        wanted = list(places)
        found: dict[int, dict[str, int]] = {}
        for at in range(0, len(wanted), MOST_VALUES):
            some = [signed(place) for place in wanted[at : at + MOST_VALUES]]
            query = f"SELECT place, field, value FROM not_stored WHERE place IN ({', '.join('?' * len(some))})"
            for place, field, value in self.db.execute(query, some):
                found.setdefault(unsigned(place), {})[self._names[field]] = value
        return found

    @property
    def runs_in_doubt(self) -> set[str]:
        """The runs that have sent something of which it isn't known whether it arrived."""
        return {run for (run,) in self.db.execute("SELECT DISTINCT run FROM doubt")}

    def doubts(self, keys: Iterable[int]) -> dict[int, str]:
        """Those of these keys that a run sent without learning what came of it, and which run."""
        ask = "SELECT run FROM doubt WHERE key = ?"
        rows = ((key, self.db.execute(ask, (signed(key),)).fetchone()) for key in keys)
        return {key: row[0] for key, row in rows if row}

    def doubted(self, run: str) -> set[int]:
        """All that this run is in doubt of."""
        return {unsigned(key) for (key,) in self.db.execute("SELECT key FROM doubt WHERE run = ?", (run,))}

    def file(self, path: str) -> File | None:
        """The file of this absolute path as it was when the last of its events came to its end."""
        row = self.db.execute("SELECT * FROM file WHERE path = ?", (path,)).fetchone()
        return File(*row) if row else None

    @contextmanager
    def changing(self, *, undo: bool = False) -> Iterator[LedgerChange]:
        """What is written inside is written as a whole, and is of one generation."""
        try:
            with transaction(self.db) as db:
                generation = self.generation + 1
                names = ("generation", "undone") if undo else ("generation",)
                db.executemany("UPDATE meta SET value = ? WHERE name = ?", ((generation, name) for name in names))
                change = LedgerChange(self, generation)
                yield change
                change.sort_in()
        except BaseException:
            self._read_fields()
            raise

    def number(self, field: str) -> int:
        """The number under which the times of this field are kept; to be called inside `changing`."""
        if field not in self._numbers:
            number = int(self.db.execute("INSERT INTO field (name) VALUES (?)", (field,)).lastrowid or 0)
            self._numbers[field] = number
            self._names[number] = field
        return self._numbers[field]


def _known(row: Sequence[Any], email: str | None) -> Known:
    entity, remote_id, mailbox, domain, generation = row
    address = email if domain is None else f"{mailbox}@{domain}"
    return Known(cast("Entity", _NAMES[entity]), remote_id, address, generation)


def history_of(rows: Mapping[int, History], fingerprint_keys: Iterable[int]) -> History:
    """What was delivered of the record that is noted under some of these keys; the first tells its fingerprint."""
    noted = [rows[key] for key in fingerprint_keys if key in rows]
    if not noted:
        return NOTHING
    times: dict[str, int] = {}
    for row in noted:
        for name, time in row.times.items():
            times[name] = max(time, times.get(name, time))
    return History(times, noted[0].fingerprint, max(row.generation for row in noted))


class LedgerChange:
    """Writes what one run delivered, or took back, inside `Ledger.changing`."""

    def __init__(self, ledger: Ledger, generation: int) -> None:
        self.generation = generation
        self._ledger = ledger
        self._db = ledger.db
        self._domains = Domains(ledger.db)
        for table in ("person", "address", "record"):
            self._db.execute(f"CREATE TEMP TABLE IF NOT EXISTS new_{table} AS SELECT * FROM {table} LIMIT 0")
            self._db.execute(f"DELETE FROM temp.new_{table}")

    def sort_in(self) -> None:
        """Put what is new in its places; in order that takes half the time, and less space."""
        self._db.execute(
            "INSERT OR IGNORE INTO former SELECT known.key, known.mailbox, known.domain"
            " FROM temp.new_person new JOIN person known USING (key)"
            " WHERE known.mailbox IS NOT NULL AND (known.mailbox, known.domain) IS NOT (new.mailbox, new.domain)"
        )
        for table, order in (("person", "key"), ("address", "email"), ("record", "place")):
            new = f"SELECT * FROM temp.new_{table} ORDER BY {order}, rowid"
            self._db.execute(f"INSERT OR REPLACE INTO {table} {new}")
            self._db.execute(f"DELETE FROM temp.new_{table}")

    def people(self, rows: Iterable[tuple[str, str, int | None, str | None]]) -> None:
        """Note who is who: person key, entity, remote id, e-mail."""
        for key, entity, remote_id, email in rows:
            self._db.execute(
                "INSERT INTO temp.new_person VALUES (?, ?, ?, ?, ?, ?)",
                person_row(key, entity, remote_id, email, self.generation, self._domains),
            )
            if address := address_row(key, email):
                self._db.execute("INSERT INTO temp.new_address VALUES (?, ?)", address)

    def former(self, rows: Iterable[tuple[str, str]]) -> None:
        """Note person keys and folded e-mails that they had before another one."""
        for key, email in rows:
            person, (mailbox, _, name) = hashed(key), email.rpartition("@")
            had = person, mailbox, self._domains.number(name)
            self._db.execute("INSERT OR IGNORE INTO former VALUES (?, ?, ?)", had)
            self._db.execute("INSERT INTO temp.new_address VALUES (?, ?)", (short(f"@{email}"), person))

    def records(self, rows: Iterable[tuple[int, Mapping[str, int], int | None]]) -> None:
        """Note what was delivered of records: fingerprint key, time of each field, and fingerprint."""
        self._db.executemany(
            "INSERT INTO temp.new_record VALUES (?, ?, ?, ?)",
            ((signed(key), fingerprint, self._blob(times), self.generation) for key, times, fingerprint in rows),
        )

    def not_stored(self, rows: Iterable[tuple[int, str, int]]) -> None:
        """Freshsales has taken these values and not stored them: place, field, fingerprint of the value."""
        numbered = ((signed(place), self._ledger.number(field), value) for place, field, value in rows)
        self._db.executemany("INSERT OR REPLACE INTO not_stored VALUES (?, ?, ?)", numbered)

    def _blob(self, times: Mapping[str, int]) -> bytes | None:
        return encode_times({self._ledger.number(name): time for name, time in times.items()})

    def forget_records(self, fingerprint_keys: Iterable[int]) -> None:
        """Nothing is known of these records any more."""
        self._db.executemany("DELETE FROM record WHERE place = ?", ((signed(key),) for key in fingerprint_keys))

    def attempts(self, fingerprint_keys: Iterable[int]) -> None:
        """These records may have been written to, so that what they hold is known no more."""
        self._db.executemany(
            "INSERT INTO record (place, generation) VALUES (?, ?)"
            " ON CONFLICT (place) DO UPDATE SET content = NULL, generation = excluded.generation",
            ((signed(key), self.generation) for key in fingerprint_keys),
        )

    def touch(self, fingerprint_keys: Iterable[int]) -> None:
        """Something was delivered that hangs on these records."""
        rows = ((self.generation, signed(key)) for key in fingerprint_keys)
        self._db.executemany("UPDATE record SET generation = ? WHERE place = ?", rows)

    def forget_people(self, rows: Iterable[tuple[str, int | None, str]]) -> None:
        """The records (person key, remote id, e-mail) are gone, so nobody is one of them."""
        people = list(rows)
        keys = [(hashed(key), remote_id) for key, remote_id, _ in people]
        self._db.executemany("DELETE FROM person WHERE key = ? AND remote_id IS ?", keys)
        gone = "DELETE FROM address WHERE email = ? AND person = ? AND person NOT IN (SELECT key FROM person)"
        addresses = (address_row(key, email) for key, _, email in people)
        self._db.executemany(gone, filter(None, addresses))

    def events(self, keys: Iterable[int]) -> None:
        """These events were delivered."""
        self._ledger.delivered().add(keys)

    def forget_events(self, keys: Iterable[int]) -> None:
        """These events were not delivered, or not any more."""
        self._ledger.delivered().drop(keys)

    def files(self, files: Iterable[File]) -> None:
        """All of these files was imported; by the first run that did, as long as they stay the same."""
        self._db.executemany(
            "INSERT INTO file VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (path) DO UPDATE SET size = excluded.size,"
            " version = excluded.version, events = excluded.events, run = excluded.run, since = excluded.since"
            " WHERE (size, version) != (excluded.size, excluded.version) OR since > excluded.since",
            files,
        )

    def forget_files(self, run: str) -> None:
        """What this run imported is to be imported again."""
        self._db.execute("DELETE FROM file WHERE run = ?", (run,))

    def doubts(self, run: str, keys: Iterable[int]) -> None:
        """Of all that this run sent, just these may or may not have arrived."""
        self._db.execute("DELETE FROM doubt WHERE run = ?", (run,))
        self._db.executemany("INSERT OR REPLACE INTO doubt VALUES (?, ?)", ((signed(key), run) for key in keys))

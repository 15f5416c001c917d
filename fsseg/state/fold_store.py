"""What folding writes into `plan.db`: people, what hangs on them, and their timeline entries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson

from fsseg.state.actions import Action
from fsseg.state.database import insert_all
from fsseg.state.ledger_format import unsigned
from fsseg.state.plan_store import PERSON_COLUMNS, Store
from fsseg.state.repeats import IS_UNKNOWN

Columns = tuple[Any, ...]
Loose = tuple[tuple[str, str | None], list[tuple[int, int]]]
"""Key and e-mail that some entries came with, and the id and event key of each."""


_NAMED_NEXT = (
    "SELECT a.key FROM anonymous a JOIN identity USING (key)"
    " WHERE a.id = substr({row}.key, 2) AND a.time >= {row}.time ORDER BY a.time, a.key LIMIT 1"
)
"""The key of the person whom the next identify call with the anonymousId of a row names."""

ROOM = 64
"""Bytes that a record has room for beside what is desired of it: a row takes four times as long to be decided on where
it outgrows its page.
"""


class FoldStore:
    """Rows of one run's people, written while they are folded; transactions are the caller's.

    `known_new`: where it is known whose an entry is, there is nothing more to decide about it: it is to be created.
    """

    def __init__(self, store: Store, *, known_new: bool = False) -> None:
        self._db = store.db
        self._action = f"'{Action.CREATE}'" if known_new else "NULL"
        self._next = int(self._db.execute("SELECT coalesce(max(id), 0) FROM record").fetchone()[0]) + 1

    def next_id(self) -> int:
        """The id that the next record gets."""
        return self._next

    def add_people(self, first: int, people: Sequence[Columns]) -> None:
        """Add records: the index of each, and its `PERSON_COLUMNS`. Ids begin with `first`, as in all rows of them."""
        columns, desired = ", ".join(PERSON_COLUMNS), PERSON_COLUMNS.index("desired") + 1
        row = f"('person', ?1 + ?, {', '.join('?' * len(PERSON_COLUMNS))}, zeroblob(?))"
        with_room = [(*person, ROOM + len(person[desired]) * 5 // 4) for person in people]
        insert_all(self._db, f"record (kind, id, {columns}, room)", row, with_room, first)
        self._next = max(self._next, first + len(people))

    def add_reference(self, columns: Columns, key: str, *, by_email: bool) -> int:
        """Add a person who is only pointed at by entries; its id."""
        id = self._next
        self.add_people(id, [(0, *columns)])
        self._db.execute(
            "UPDATE record SET key = ?, by_email = ?, action = ? WHERE id = ?", (key, by_email, Action.REFERENCE, id)
        )
        return id

    def add_states(self, first: int, rows: Sequence[tuple[int, bytes]]) -> None:
        """Keep what was folded of these people, for when Freshsales holds them as the other kind of record."""
        insert_all(self._db, "folded", "(?1 + ?, ?)", rows, first)

    def add_deals(self, first: int, rows: Sequence[Columns]) -> None:
        """Plan deals: whose, key, match_key, companies, desired, times, sources and warnings."""
        id = self._next
        self._db.executemany(
            "INSERT INTO record"
            " (kind, entity, id, parent, key, match_key, companies, desired, times, sources, warnings)"
            f" VALUES ('deal', 'deal', ?, ? + {first}, ?, ?, ?, ?, ?, ?, ?)",
            ((number, *row) for number, row in enumerate(rows, id)),
        )
        self._next = id + len(rows)

    def add_companies(self, first: int, rows: Iterable[tuple[int | None, str, bytes]]) -> None:
        """Keep what is said of a company: by whom (None: a group call), part and state."""
        self._db.executemany(f"INSERT INTO fragment (person, key, state) VALUES (? + {first}, ?, ?)", rows)

    def add_entries(self, first: int, rows: Sequence[Columns]) -> None:
        """Add timeline entries: whose, then time, position, hash and payload."""
        columns = "person, time, position, hash, payload, action"
        insert_all(self._db, f"entry ({columns})", f"(?1 + ?, ?, ?, ?, ?, {self._action})", rows, first)

    def add_loose_entries(self, rows: Iterable[Columns]) -> None:
        """Add entries of which it isn't known yet whose they are: key, e-mail, time, position, hash and payload."""
        self._db.executemany(
            "INSERT INTO entry (key, email, time, position, hash, payload) VALUES (?, ?, ?, ?, ?, ?)", rows
        )

    def add_refused(self, rows: Iterable[tuple[int, str, str]]) -> None:
        """Note the events that mapping refused: position, code and detail."""
        self._db.executemany("INSERT INTO reject (position, code, message) VALUES (?, ?, ?)", rows)

    def add_ties(self, ties: Iterable[tuple[str, str]]) -> None:
        """Note ids and e-mails of one person."""
        self._db.executemany("INSERT OR IGNORE INTO tie VALUES (?, ?, 0)", ties)

    def index_keys(self) -> None:
        """Note which record has which key by now, for `person_of`."""
        self._db.execute(
            "INSERT OR REPLACE INTO identity SELECT k.value, r.id FROM record r, json_each(r.keys) k"
            " WHERE r.kind = 'person'"
        )

    def person_of(self, key: str) -> int | None:
        """The record of the person who has this key."""
        row = self._db.execute("SELECT record FROM identity WHERE key = ?", (key,)).fetchone()
        return int(row[0]) if row else None

    def told(self, person: int) -> tuple[str, list[str], bool, bytes]:
        """Match key, keys, whether it is matched by e-mail, and state of a person."""
        match_key, keys, by_email, state = self._db.execute(
            "SELECT r.match_key, r.keys, r.by_email, coalesce(f.state, '{}')"
            " FROM record r LEFT JOIN folded f ON f.person = r.id WHERE r.id = ?",
            (person,),
        ).fetchone()
        return match_key, orjson.loads(keys), bool(by_email), state

    def is_unknown(self, person: int) -> bool:
        """Whether this person is only pointed at, and matching has found that nobody has it."""
        return bool(self._db.execute(f"SELECT 1 FROM record WHERE id = ? AND {IS_UNKNOWN}", (person,)).fetchone())

    def tie_key(self, key: str, person: int) -> None:
        """Give the entries that came with this key to a person."""
        self._db.execute("UPDATE entry SET person = ? WHERE person IS NULL AND key = ?", (person, key))

    def has_anonymous(self) -> bool:
        """Whether identify calls told of an anonymousId."""
        return self._db.execute("SELECT 1 FROM anonymous LIMIT 1").fetchone() is not None

    def add_identities(self, first: int, people: Sequence[Columns]) -> None:
        """Note which record has which key, for `stitch`."""
        keys = PERSON_COLUMNS.index("keys")
        self._db.executemany(
            f"INSERT OR REPLACE INTO identity SELECT value, ? + {first} FROM json_each(?)",
            ((index, columns[keys]) for index, *columns in people),
        )

    def stitch(self) -> None:
        """Tie anonymous entries to whom the next identify call with the same anonymousId names."""
        self._db.execute(
            f"UPDATE entry SET key = coalesce(({_NAMED_NEXT.format(row='entry')}), key) WHERE key >= '?' AND key < '@'"
        )
        self._db.execute(
            "UPDATE entry SET person = (SELECT record FROM identity WHERE identity.key = entry.key)"
            " WHERE person IS NULL"
        )

    def keep_anonymous(self, key: str, events: Iterable[tuple[str, bytes]]) -> None:
        """Keep what events with an anonymousId say of whoever it is, each with its time, for `stitched`."""
        self._db.execute("CREATE TEMP TABLE IF NOT EXISTS said (key TEXT NOT NULL, time TEXT NOT NULL, event BLOB)")
        self._db.executemany("INSERT INTO said VALUES (?, ?, ?)", ((key, *event) for event in events))

    def stitched(self) -> Iterator[tuple[int, str, str, bytes, list[bytes]]]:
        """Whom anonymous events turn out to be of: id, match_key, keys and state, and what the events say."""
        if not self._db.execute("SELECT 1 FROM temp.sqlite_master WHERE name = 'said'").fetchone():
            return
        rows = self._db.execute(
            f"SELECT i.record, s.event FROM said s JOIN identity i ON i.key = ({_NAMED_NEXT.format(row='s')})"
            " ORDER BY i.record"
        ).fetchall()
        self._db.execute("DROP TABLE said")
        for id, told in groupby(rows, key=itemgetter(0)):
            match_key, keys, state = self._db.execute(
                "SELECT r.match_key, r.keys, f.state FROM record r JOIN folded f ON f.person = r.id WHERE r.id = ?",
                (id,),
            ).fetchone()
            yield id, match_key, keys, state, [event for _, event in told]

    def shared_emails(self) -> Iterator[tuple[str, list[tuple[int, str, bytes]]]]:
        """The people of each e-mail that several have: id, keys and state."""
        shared = self._db.execute(
            "SELECT match_key FROM record WHERE kind = 'person' GROUP BY match_key HAVING count(*) > 1"
        ).fetchall()
        for (match_key,) in shared:
            yield (
                match_key,
                self._db.execute(
                    "SELECT r.id, r.keys, f.state FROM record r JOIN folded f ON f.person = r.id"
                    " WHERE r.kind = 'person' AND r.match_key = ? ORDER BY r.id",
                    (match_key,),
                ).fetchall(),
            )

    def replace_people(self, ids: Sequence[int]) -> None:
        """Take out these people and what hangs on them; their entries go to the first of them, who is to come back."""
        for id in ids:
            self._db.execute("UPDATE entry SET person = ? WHERE person = ?", (ids[0], id))
            self._db.execute("DELETE FROM fragment WHERE person = ?", (id,))
            self._db.execute("DELETE FROM folded WHERE person = ?", (id,))
            self._db.execute("DELETE FROM record WHERE parent = ?", (id,))
            self._db.execute("DELETE FROM record WHERE id = ?", (id,))

    def warn(self, id: int, code: str) -> None:
        """Give a record one more warning."""
        self._db.execute("UPDATE record SET warnings = json_insert(warnings, '$[#]', ?) WHERE id = ?", (code, id))

    def loose_entries(self) -> Iterator[Loose]:
        """The entries of which nobody knows whose they are, by the key and e-mail that they came with."""
        rows = self._db.execute("SELECT id, hash, key, email FROM entry WHERE person IS NULL ORDER BY key, email, id")
        for came_with, group in groupby(rows, key=lambda row: row[2:]):
            yield came_with, [(id, unsigned(hash)) for id, hash, _, _ in group]

    def tie(self, entries: Iterable[int], person: int) -> None:
        """Give these entries to a person."""
        self._db.executemany("UPDATE entry SET person = ? WHERE id = ?", ((person, id) for id in entries))

    def person(self, match_key: str) -> int | None:
        """The record of the person with this folded e-mail, or key."""
        row = self._db.execute("SELECT id FROM record WHERE kind = 'person' AND match_key = ?", (match_key,)).fetchone()
        return int(row[0]) if row else None

    def formerly(self, email: str) -> int | None:
        """The record of the one person whose ids had this folded e-mail before another one."""
        # In this order: left to itself, SQLite goes through all people.
        rows = self._db.execute(
            "SELECT DISTINCT r.id, r.keys, t.one FROM tie t CROSS JOIN tie u ON u.one = t.one"
            " CROSS JOIN record r ON r.kind = 'person' AND r.match_key = u.other WHERE t.other = ?",
            (email,),
        )
        found = {id for id, keys, one in rows if one in (key[1:].casefold() for key in orjson.loads(keys))}
        return int(found.pop()) if len(found) == 1 else None

    def mark_by_email(self, person: int) -> None:
        """An event whose userId is this person's e-mail speaks of it."""
        self._db.execute("UPDATE record SET by_email = 1 WHERE id = ?", (person,))

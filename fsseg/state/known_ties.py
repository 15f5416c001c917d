"""Which ids and e-mail addresses earlier runs know to be of one person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fsseg.segment.email_key import email_key
from fsseg.state.ledger import Ledger
from fsseg.state.ledger_format import hashed, short

Identity = str | int
"""An id or address as it is compared, or the number under which the ledger keeps a person's key."""

Tie = tuple[Identity, Identity]

_EMAIL = "SELECT mailbox || '@' || name FROM {} JOIN domain ON number = domain WHERE {}"


def known_ties(ledger: Ledger, identities: Iterable[Identity]) -> Iterator[Tie]:
    """What is directly tied to any of these: by an id or address, now or formerly, or by being the same record."""
    db, people = ledger.db, set[int]()
    for one in identities:
        for person in (one,) if isinstance(one, int) else _people_of(ledger, one):
            people.add(person)
            yield one, person
    db.execute("CREATE TEMP TABLE IF NOT EXISTS wanted (key INTEGER PRIMARY KEY)")
    db.execute("DELETE FROM temp.wanted")
    db.executemany("INSERT INTO temp.wanted VALUES (?)", ((person,) for person in people))
    for table, key in (("person", "key"), ("former", "person")):
        yield from (
            (person, email_key(f"{mailbox}@{name}"))
            for person, mailbox, name in db.execute(
                f"SELECT {key}, mailbox, name FROM {table} JOIN domain ON number = domain"
                f" WHERE {key} IN (SELECT key FROM temp.wanted)"
            ).fetchall()
        )
    yield from db.execute(
        "SELECT a.key, b.key FROM person a JOIN person b USING (entity, remote_id)"
        " WHERE a.key IN (SELECT key FROM temp.wanted) AND b.key != a.key AND remote_id IS NOT NULL"
    ).fetchall()


def emails_known_of(ledger: Ledger, key: str) -> set[str]:
    """The folded addresses that this person key has, or had."""
    return set(_emails_of(ledger, hashed(key)))


def _people_of(ledger: Ledger, text: str) -> Iterator[int]:
    keys = {hashed(key) for key in (f"#{text}", f"#{text.upper()}", f"@{text}")}  # ids are kept as they were written
    yield from (key for key in keys if ledger.db.execute("SELECT 1 FROM person WHERE key = ?", (key,)).fetchone())
    if "@" in text:
        found = ledger.db.execute("SELECT person FROM address WHERE email = ?", (short(f"@{text}"),)).fetchall()
        yield from (person for (person,) in found if text in set(_emails_of(ledger, person)))


def _emails_of(ledger: Ledger, person: int) -> Iterator[str]:
    for table, column in (("person", "key"), ("former", "person")):
        for (email,) in ledger.db.execute(_EMAIL.format(table, f"{column} = ?"), (person,)):
            yield email_key(email)

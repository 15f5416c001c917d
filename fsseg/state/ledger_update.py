"""Commit to the ledger what a run delivered, so that no run delivers it again, or what it took back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import orjson

from fsseg.state.actions import TABLES, Action, Code, Status, Table, is_any
from fsseg.state.counted_events import adds_up, counted_key, counted_keys
from fsseg.state.fingerprint import fingerprint, fingerprint_keys, value_fingerprint
from fsseg.state.input_files import finished
from fsseg.state.ledger import Ledger, LedgerChange
from fsseg.state.ledger_format import hashed, unsigned
from fsseg.state.outcomes import Totals
from fsseg.state.plan_store import Store, encode
from fsseg.state.row_status import fields_warned_of
from fsseg.state.seal import seal_settled
from fsseg.state.suppressed_rows import emails_tied_to

PAGE = 5_000
"""Rows that are held in memory at a time."""

_HELD = is_any("r.action", Action.CREATE, Action.UPDATE, Action.UNCHANGED)
_DONE = f"r.status = '{Status.DONE}' AND {_HELD} AND r.committed IS NULL"
_MADE = is_any("action", Action.CREATE, Action.UNCHANGED)
_NEW = f"status = '{Status.DONE}' AND {_MADE} AND committed IS NULL"
_NOT_SURELY_WRITTEN = is_any("r.status", Status.SENT, Status.FAILED, Status.UNKNOWN)
_TO_BE_TIED = (
    f"r.kind = 'deal' AND r.action = '{Action.CREATE}' AND r.status = '{Status.PLANNED}' AND r.remote_id IS NOT NULL"
)
"""Deals that were made, and found since, perhaps as nobody's: others are to look for them as their contact's."""
_ATTEMPTED = f"r.claimed_at IS NOT NULL AND ({_NOT_SURELY_WRITTEN} OR {_TO_BE_TIED}) AND r.committed IS NULL"
_RECOVERED = (
    f"r.kind = 'person' AND r.action = '{Action.CREATE}' AND {is_any('r.status', Status.PLANNED, Status.FAILED)}"
    " AND r.remote_id IS NOT NULL"
)
"""Who was made by a request whose answer was lost, and was found since: known from now on, if not delivered whole."""
_OPEN_CREATES = f"action = '{Action.CREATE}' AND {is_any('status', Status.SENT, Status.UNKNOWN)}"

LedgerRow = tuple[int, dict[str, int], int | None]
"""Fingerprint key, time of each field, and fingerprint of a record."""


class _Row(NamedTuple):
    """What is committed of a record; `parent` is the id in Freshsales of whom it belongs to."""

    id: int
    kind: str
    entity: str
    remote_id: int | None
    match_key: str
    parent: int | None
    action: str
    key: str
    converts: int | None
    keys: list[str]
    desired: dict[str, Any]
    companies: list[str]
    times: dict[str, int]
    warnings: list[Any]
    sources: list[list[int]]

    @property
    def fingerprint_keys(self) -> list[int]:
        return fingerprint_keys(self.kind, self.entity, self.remote_id, self.match_key, self.parent)

    @property
    def former_keys(self) -> list[int]:
        """Those under which it was noted before; a contact may have been a lead."""
        if self.converts:
            return fingerprint_keys(self.kind, "lead", self.converts, self.match_key, None)
        return self.fingerprint_keys


def commit(store: Store, ledger: Ledger, totals: Totals, run: str) -> None:
    """Write into the ledger what this run has delivered since it was last asked. May be repeated, whatever ended it.

    What may or may not have arrived is noted as in doubt.
    """
    doubts = set(_doubts(store))
    files = list(finished(store, totals, run))
    fresh = store.count("record r", _DONE) + store.count("entry", _NEW)
    attempted = store.count("record r", _ATTEMPTED)
    recovered = list(_rows(store, _RECOVERED))
    is_new = any(ledger.known(key) is None for row in recovered for key in row.keys)
    if not (fresh or attempted or is_new or files or doubts != ledger.doubted(run)):
        return
    with ledger.changing() as change:
        change.people(_people(recovered))
        for page in _pages(_new_rows(store, ledger)):
            change.people(_people(page))
            change.former(_former(store, page))
            _commit_records(store, ledger, change, totals, page)
        change.attempts(key for row in _rows(store, _ATTEMPTED) for key in row.fingerprint_keys)
        change.touch(_owners(store))
        if fresh:
            change.events(_events(store, totals))
            change.events(counted_keys(store, _DONE))
        change.files(files)
        change.doubts(run, doubts)
    with store.transaction() as db:
        store.meta.commits = [*store.meta.commits, change.generation]
        for table, new in (("record AS r", f"{_DONE} OR {_ATTEMPTED}"), ("entry", _NEW)):
            db.execute(f"UPDATE {table} SET committed = ? WHERE {new}", (change.generation,))


def is_behind(ledger: Ledger, store: Store, run: str) -> bool:
    """Whether this run has sent anything that the ledger wasn't told of."""
    new = store.count("record r", f"{_DONE} OR {_ATTEMPTED}") + store.count("entry", _NEW)
    return new > 0 or set(_doubts(store)) != ledger.doubted(run)


def _rows(store: Store, where: str) -> Iterator[_Row]:
    rows = store.db.execute(
        "SELECT r.id, r.kind, r.entity, r.remote_id, r.match_key, p.remote_id, r.action, r.key, r.converts, r.keys,"
        " r.desired, r.companies, r.times, r.warnings, r.sources"
        f" FROM record r LEFT JOIN record p ON p.id = r.parent WHERE {where}"
    )
    return (_Row(*row[:9], *map(orjson.loads, row[9:])) for row in rows)


def _new_rows(store: Store, ledger: Ledger) -> Iterator[_Row]:
    """What this run has delivered; where it has only found what others delivered of the same events, it hasn't."""
    delivered = ledger.delivered()
    for row in _rows(store, _DONE):
        keys = sorted({key for _, key in row.sources})
        is_others = row.action == Action.UNCHANGED and keys and len(delivered.among(keys)) == len(keys)
        if not (is_others and ledger.history(row.fingerprint_keys).times):
            yield row


def _pages(rows: Iterator[_Row]) -> Iterator[list[_Row]]:
    while page := list(islice(rows, PAGE)):
        yield page


def _people(page: Iterable[_Row]) -> Iterator[tuple[str, str, int | None, str | None]]:
    return ((key, row.entity, row.remote_id, row.key) for row in page if row.kind == "person" for key in row.keys)


def _former(store: Store, page: Iterable[_Row]) -> Iterator[tuple[str, str]]:
    """The keys of people with the other e-mails that the input tells of them."""
    for row in page:
        for key in row.keys:
            if row.kind == "person" and key.startswith("#"):
                told = emails_tied_to(store, key[1:].casefold())
                yield from ((key, email) for email in told if email != row.match_key)


def _commit_records(store: Store, ledger: Ledger, change: LedgerChange, totals: Totals, page: list[_Row]) -> None:
    """The times of the fields, those that were there before kept with the run, so that an undo can put them back."""
    overwritten = []
    rows: list[LedgerRow] = []
    for row in page:
        if not row.fingerprint_keys:
            continue
        before = ledger.history(row.former_keys)
        had = {} if row.action == Action.CREATE else before.times
        newest = {name: time for name, time in row.times.items() if time >= had.get(name, time) or not time}
        earlier = {name: had[name] for name, time in newest.items() if had.get(name, time) != time}
        if earlier:
            overwritten.append((encode(earlier), row.id))
        times = {name: time for name, time in (had | newest).items() if time}
        rows.append((row.fingerprint_keys[0], times, _fingerprint(row, totals, before.fingerprint)))
        change.forget_records(row.fingerprint_keys[1:])
    with store.transaction() as db:
        db.executemany("UPDATE record SET earlier = ? WHERE id = ? AND earlier IS NULL", overwritten)
    change.records(rows)
    change.not_stored(
        (row.fingerprint_keys[0], name, value_fingerprint(row.desired[name]))
        for row in page
        if row.fingerprint_keys
        for name in fields_warned_of(row.warnings, Code.NOT_STORED)
        if name in row.desired
    )


def _fingerprint(row: _Row, totals: Totals, before: int | None) -> int | None:
    """What of the record was delivered last, if all that hangs on its events was."""
    if any(str(warning).startswith((Code.OLDER, Code.KEPT)) for warning in row.warnings):
        return before
    is_whole = all(totals.delivered(position) for position, _ in row.sources)
    return fingerprint(row.kind, row.desired, row.companies) if is_whole else None


def _owners(store: Store) -> Iterator[int]:
    """The fingerprint keys of the people who got something on their timelines, which was not there before."""
    made = f"{_NEW} AND action = '{Action.CREATE}'"
    owners = f"SELECT DISTINCT person FROM entry WHERE {made} AND person IS NOT NULL"
    return (key for row in _rows(store, f"r.id IN ({owners}) AND r.matched") for key in row.fingerprint_keys)


def _events(store: Store, totals: Totals) -> Iterator[int]:
    for (sources,) in store.db.execute("SELECT sources FROM record"):
        for position, key in orjson.loads(sources):
            if totals.delivered(position):
                yield key
    for position, key in store.db.execute("SELECT position, hash FROM entry"):
        if totals.delivered(position):
            yield unsigned(key)


def _doubts(store: Store) -> Iterator[int]:
    """The events, and the keys of the people, that may have been made in Freshsales or not.

    Whoever is made by e-mail can be sent again: that finds who is there.
    """
    entries = f"SELECT hash FROM entry WHERE coalesce(head, id) IN (SELECT id FROM entry WHERE {_OPEN_CREATES})"
    yield from (unsigned(key) for (key,) in store.db.execute(entries))
    people = store.db.execute(f"SELECT keys FROM record WHERE kind = 'person' AND by_email = 0 AND {_OPEN_CREATES}")
    yield from (unsigned(hashed(key)) for (keys,) in people for key in orjson.loads(keys))


def delivered_since(store: Store, committed: int, generation: int) -> bool:
    """Whether another run has delivered something of a record, or of what hangs on it, after this one did."""
    own = store.meta.commits
    return any(at not in own for at in range(committed + 1, generation + 1))


LeftOut = Callable[[set[int]], Iterable[int]]
"""Tells which events any run has left out, since they were older, of the records with these fingerprint keys."""


def roll_back(original: Store, undo: Store, ledger: Ledger, run: str, left_out: LeftOut) -> None:
    """Take out of the ledger what an undo has taken back of `run`, so that it can be imported anew. May be repeated.

    So can what was older than it, and had its turn taken.
    """
    records, entries = (_taken_back(undo, original, table) for table in TABLES)
    if not (records or entries):
        return
    undone: set[int] = set()
    with ledger.changing(undo=True) as change:
        for row in _rows(original, f"r.status != '{Status.UNDONE}'"):
            if row.id in records:
                action, remote_id = records[row.id]
                row = row._replace(remote_id=row.remote_id or remote_id)  # which bulk had not told
                _roll_back_record(original, ledger, change, row, deleted=action == Action.DELETE)
                change.forget_events(key for _, key in row.sources)
                if adds_up(original):
                    change.forget_events(counted_key(key) for _, key in row.sources)
                undone.update(row.fingerprint_keys)
        change.forget_events(left_out(undone))
        keys = original.db.execute("SELECT coalesce(head, id), hash FROM entry").fetchall()
        change.forget_events(unsigned(key) for id, key in keys if id in entries)
        change.forget_files(run)
    with original.transaction() as db:
        for table, rows in (("record", records), ("entry", entries)):
            db.executemany(f"UPDATE {table} SET status = '{Status.UNDONE}' WHERE id = ?", ((id,) for id in rows))
        seal_settled(original)


def _taken_back(undo: Store, original: Store, table: Table) -> dict[int, tuple[str, int | None]]:
    """The rows that the undo has put back or deleted since the ledger was told: which of the two, and the remote id."""
    back = f"status = '{Status.DONE}' AND {is_any('action', Action.UPDATE, Action.DELETE)}"
    gone = f"SELECT id, action, remote_id FROM {table} WHERE {back}"
    standing = {id for (id,) in original.db.execute(f"SELECT id FROM {table} WHERE status != '{Status.UNDONE}'")}
    return {id: (action, remote_id) for id, action, remote_id in undo.db.execute(gone) if id in standing}


def _roll_back_record(original: Store, ledger: Ledger, change: LedgerChange, row: _Row, *, deleted: bool) -> None:
    if deleted:
        change.forget_people((key, id, row.key) for key in row.keys for id in (row.remote_id, None))
        change.forget_records(row.fingerprint_keys)
        return
    (text,) = original.db.execute("SELECT earlier FROM record WHERE id = ?", (row.id,)).fetchone()
    earlier = orjson.loads(text) if text else {}
    times = ledger.history(row.fingerprint_keys).times
    for name, time in row.times.items():
        if times.get(name, 0) == time:  # no later run has delivered it anew
            times.pop(name, None)
            times |= {name: earlier[name]} if name in earlier else {}
    change.records((key, times, None) for key in row.fingerprint_keys[:1])
    change.forget_records(row.fingerprint_keys[1:])

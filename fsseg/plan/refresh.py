"""A plan that was made before other runs delivered something, or took it back, is brought up to date with that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import orjson

from fsseg.fold.daily_rollup import aggregate
from fsseg.mapping.catalog import Catalog
from fsseg.plan.diff import field_of, same
from fsseg.state.deliveries import Values, values_of, written_since
from fsseg.state.fingerprint import places
from fsseg.state.ledger import Ledger
from fsseg.state.ledger_format import unsigned
from fsseg.state.plan_store import REFERENCE, Record, Store
from fsseg.state.run_folder import Run

OPEN = "status = 'planned' AND action IN ('create', 'update')"
"""What is still to be sent."""


def skip_delivered(store: Store, ledger: Ledger) -> None:
    """Leave out entries and records of which other runs have delivered all that is said by now.

    Those that others hang on stay, to be looked at: their ids are needed.
    """
    known = ledger.delivered()
    entries = f"SELECT id, hash FROM entry WHERE {OPEN}"
    keys = {unsigned(hash): id for id, hash in store.db.execute(entries)}
    gone = [keys[key] for key in known.among(sorted(keys))]
    daily = store.db.execute("SELECT 1 FROM entry WHERE head IS NOT NULL LIMIT 1").fetchone() is not None
    skip = "action = 'skipped', status = 'done', code = 'duplicate'"
    records = [id for id, sources in _open_sources(store) if sources and len(known.among(sources)) == len(sources)]
    with store.transaction() as db:
        if daily and gone:
            _take_apart(store, gone)
        db.executemany(f"UPDATE entry SET {skip}, head = NULL WHERE id = ?", ((id,) for id in gone))
        db.executemany(f"UPDATE record SET {skip} WHERE id = ?", ((id,) for id in records))
    if daily and gone:
        aggregate(store)
        store.db.execute("UPDATE entry SET action = 'create' WHERE action IS NULL AND status = 'planned'")


def _open_sources(store: Store) -> Iterator[tuple[int, list[int]]]:
    needed = (
        f"SELECT person FROM entry WHERE {OPEN} AND person IS NOT NULL"
        f" UNION SELECT parent FROM record WHERE {OPEN} AND parent IS NOT NULL"
    )
    alone = f"SELECT id, sources FROM record WHERE {OPEN} AND kind != 'account' AND id NOT IN ({needed})"
    for id, sources in store.db.execute(alone):
        yield id, sorted({key for _, key in orjson.loads(sources)})


def _take_apart(store: Store, gone: Iterable[int]) -> None:
    """Make single entries again of the days that lost one."""
    db = store.db
    for id in gone:
        (head,) = db.execute("SELECT coalesce(head, id) FROM entry WHERE id = ?", (id,)).fetchone()
        db.execute("UPDATE entry SET action = NULL, head = NULL WHERE head = ? AND status = 'planned'", (head,))
        db.execute(
            "UPDATE entry SET action = NULL, payload = json_remove(payload, '$.count')"
            " WHERE id = ? AND status = 'planned'",
            (head,),
        )


def reopen_touched(store: Store, ledger: Ledger, since: int, *, review: bool) -> int:
    """Plan anew what other runs have delivered to since that generation of the ledger; how many records.

    After an undo that is everything, since nothing tells what is gone. With `review` the changes that somebody has seen
    are kept, for `hold_to_review`.
    """
    everything = ledger.undone > since
    known = f" OR action = '{REFERENCE}'" if everything else ""
    open_people = f"kind = 'person' AND ({OPEN} OR action IS NULL{known})"
    people = [r.id for r in store.records(open_people) if everything or _is_touched(store, ledger, r, since)]
    reopened = set(people)
    others = [
        r.id
        for r in store.records(f"kind != 'person' AND ({OPEN} OR action IS NULL)")
        if everything or r.parent in reopened or _is_touched(store, ledger, r, since)
    ]
    with store.transaction() as db:
        db.execute("CREATE INDEX IF NOT EXISTS record_parent ON record (parent)")
        reset = (
            "status = 'planned', code = NULL, message = NULL, http_status = NULL, existing = NULL, remote_id = NULL,"
            " proof = NULL, siblings = '[]',"
            " warnings = iif(instr(warnings, 'shared_email'), '[\"shared_email\"]', '[]')"
        )
        kept = "reviewed = coalesce(reviewed, fields), " if review else ""
        for ids in (people, others):
            db.executemany(
                f"UPDATE record SET {kept}matched = 0, converts = NULL, {reset}, fields = '{{}}',"
                f" action = iif(action = '{REFERENCE}', action, NULL) WHERE id = ?",
                ((id,) for id in ids),
            )
        db.executemany(
            "UPDATE entry SET action = NULL WHERE person = ? AND action = 'create' AND status = 'planned'"
            " AND head IS NULL",
            ((id,) for id in people),
        )
    return len(people) + len(others)


def _is_touched(store: Store, ledger: Ledger, record: Record, since: int) -> bool:
    parent = store.record(record.parent).remote_id if record.parent else None
    where = places(record.kind, str(record.entity), record.remote_id, record.match_key, parent)
    if record.action is None or ledger.history(where).generation > since:
        return True
    known = [*map(ledger.known, record.keys), *([ledger.known_by_email(record.match_key)] if record.keys else [])]
    return any(one is not None and one.generation > since for one in known)


def hold_to_review(store: Store, catalog: Catalog, others: Iterable[Run], since: int) -> int:
    """Of what was planned anew, push only what a reviewer has seen or fsseg has written since; how many are conflicts.

    A field that holds neither what the reviewed plan found, nor what it wants, nor what one of the `others` has
    delivered since that generation of the ledger, was changed by somebody else: such a record is left alone, and so is
    one that somebody else has made.
    """
    written = written_since(others, since)

    def delivered(record: Record) -> Values:
        parent = store.record(record.parent).remote_id if record.parent else None
        return values_of(written, record, parent)

    conflicts = [
        record.id for record, reviewed in _reviewed(store) if not _is_ours(catalog, record, reviewed, delivered(record))
    ]
    with store.transaction() as db:
        db.executemany(
            "UPDATE record SET action = 'conflict', status = 'failed', code = 'conflict',"
            " message = 'changed since the dry run' WHERE id = ?",
            ((id,) for id in conflicts),
        )
    return len(conflicts)


def _is_ours(
    catalog: Catalog, record: Record, reviewed: dict[str, list[object]], delivered: dict[str, list[object]]
) -> bool:
    if not delivered and all(before is None for before, _ in reviewed.values()):
        return False
    return all(
        any(
            same(before, known, field_of(catalog, str(record.entity), name))
            for known in (reviewed.get(name, [after])[0], *delivered.get(name, ()))
        )
        for name, (before, after) in record.fields.items()
    )


def _reviewed(store: Store) -> Iterator[tuple[Record, dict[str, list[object]]]]:
    for record in store.records("reviewed IS NOT NULL AND action = 'update' AND status = 'planned'"):
        (text,) = store.db.execute("SELECT reviewed FROM record WHERE id = ?", (record.id,)).fetchone()
        yield record, orjson.loads(text)

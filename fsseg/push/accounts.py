"""Writing accounts, which are unique by name, and learning the ids of what bulk made."""

from __future__ import annotations

from collections.abc import Iterable

from fsseg.freshsales.names import Entity
from fsseg.plan.existing import addresses, flatten
from fsseg.plan.mirror import fold_name, pages
from fsseg.plan.store import Record
from fsseg.push.outcome import DONE, Outcome
from fsseg.push.payload import body
from fsseg.push.work import Work

SLACK = 2
"""Pages read beyond what the run made itself, before the rest is looked up one by one: others write too."""


def send(work: Work, record: Record) -> Outcome:
    """Create or update one account; creating is an upsert by name, so that it may be repeated."""
    wanted = body(work.catalog, record)
    if record.remote_id:
        work.writer.update("account", record.remote_id, wanted)
        return Outcome(DONE, record.remote_id)
    return Outcome(DONE, int(work.writer.upsert("account", {"name": record.key}, wanted)["id"]))


def learn_ids(work: Work, entity: Entity, records: Iterable[Record]) -> None:
    """Fill in the remote ids of records that a bulk job made, which does not tell them: newest first, 100 a request."""
    missing = {record.match_key: record for record in records}
    if not missing:
        return
    view = work.reader.all_view(entity)
    for number in range(1, pages(len(missing)) + SLACK + 1):
        rows = work.reader.rows(entity, view, page=number, sort="updated_at", sort_type="desc").rows
        _keep(work, entity, missing, [flatten(entity, row) for row in rows])
        if not missing or not rows:
            break
    for record in list(missing.values()):
        found = work.reader.lookup(record.key, "name" if entity == "account" else "email", (entity,))[entity]
        _keep(work, entity, missing, [flatten(entity, row) for row in found])


def _keep(work: Work, entity: Entity, missing: dict[str, Record], rows: list[dict[str, object]]) -> None:
    with work.store.transaction():
        for row in rows:
            names = {fold_name(row.get("name"))} if entity == "account" else addresses(row)
            for name in names & missing.keys():
                work.store.update("record", missing.pop(name).id, remote_id=row["id"])

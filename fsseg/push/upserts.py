"""Creating by upsert, which makes nothing twice, but whose repetition may give the record to the API key's user."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from fsseg.freshsales.errors import FreshsalesError, Unavailable
from fsseg.match.remote_record import Existing
from fsseg.push.accepted import write
from fsseg.push.context import PushContext
from fsseg.push.journal import SETTLE_DELAY_S, InFlight, ends_the_push
from fsseg.push.made import MadeRecords
from fsseg.push.updates import update
from fsseg.state.plan_store import Record


def upsert(
    context: PushContext,
    made: MadeRecords,
    record: Record,
    attributes: dict[str, Any],
    identifier: Mapping[str, Any],
    is_it: Callable[[Existing], bool],
) -> int:
    """The id of the record made or matched; after a lost answer, what was made is updated by its id.

    Raises `InFlight` and `FreshsalesError`.
    """
    assert record.entity
    began, send = datetime.now(UTC), partial(context.writer.upsert, record.entity, identifier)
    try:
        return int(write(context, record, attributes, partial(send, repeat=False))["id"])
    except Unavailable as error:
        if not error.sent:
            raise
    try:
        context.pause(SETTLE_DELAY_S)
        id = find_made(made, began, is_it, just_sent=True)
    except FreshsalesError as error:
        if ends_the_push(error):
            raise InFlight(error) from None
        raise
    if id is None:
        return int(write(context, record, attributes, send)["id"])
    write(context, record, attributes, partial(update, context, record, id))
    return id


def find_made(made: MadeRecords, since: datetime, is_it: Callable[[Existing], bool], *, just_sent: bool) -> int | None:
    """The id of what an upsert has made since, if the newest records show it; without one it is simply sent again."""
    try:
        ids = {int(row["id"]) for row in made.find(since, is_it, just_sent=just_sent)}
    except Unavailable:
        return None
    return ids.pop() if len(ids) == 1 else None

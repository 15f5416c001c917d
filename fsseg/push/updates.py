"""Changing single records so that nothing that an update doesn't name is lost, whichever way the account takes it.

Some accounts merge the custom fields of a single write into those that are there; others replace all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fsseg.freshsales.errors import FreshsalesError, NotFound, Refused
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Row
from fsseg.mapping.field_types import wire
from fsseg.match.finders import fetch
from fsseg.match.remote_record import WHOLE, Existing
from fsseg.push.context import PushContext
from fsseg.push.journal import InFlight, ends_the_push
from fsseg.push.refused_field import named_field, without
from fsseg.push.stored import read
from fsseg.state.plan_store import Record
from fsseg.state.push_queue import records_in_flight

CALCULATED = frozenset({"formula", "auto_number", "autonumber", "rollup"})
"""Types of custom fields that Freshsales fills itself, and may refuse to be written."""

SWITCHED = (
    "this account replaces all custom fields of a record by those that are written: what was lost has been put back,"
    " and from now on all of them are written"
)

NOT_PUT_BACK = "what was emptied of the custom fields of {} {} could not be put back: {}"


def update(context: PushContext, record: Record, id: int, attributes: dict[str, Any], *, anew: bool = False) -> Row:
    """Change the record with this id; the answer. `anew`: the plan has read another record in its place.

    Raises `FreshsalesError`, and `InFlight` where what was lost is still to be put back. Not to be called under the
    store's lock.
    """
    assert record.entity
    custom = attributes.get("custom_field")
    trusted = context.custom_fields.how == "changed" and context.custom_fields.merges
    if not (custom and not trusted) and not attributes.get("tags"):
        return context.writer.update(record.entity, id, attributes)
    before = _read(context, record, id, WHOLE if custom else "tags", anew=anew)
    if attributes.get("tags"):
        attributes = {**attributes, "tags": _united_tags(record, before, attributes["tags"])}
    if not custom:
        return context.writer.update(record.entity, id, attributes)
    if WHOLE not in before:
        raise Refused("its custom fields can't be read, and to write some might empty the others", status=403)
    whole = {**held(context, record.entity, before), **custom}
    sent = whole if context.custom_fields.how == "whole" else custom
    answer = _write_whole(context, record, id, {**attributes, "custom_field": sent}, custom)
    if sent is not custom:
        return answer
    try:
        if not _lost(context, record, id, answer, whole, custom):
            context.custom_fields.merges = context.custom_fields.merges or len(whole) > len(custom)
            return answer
        answer = context.writer.update(record.entity, id, {"custom_field": whole})
    except FreshsalesError as error:
        if ends_the_push(error):  # what was emptied is still to be put back
            raise InFlight(error) from None
        raise
    _note_loss(context)
    return answer


def put_back_emptied(context: PushContext, entity: Entity) -> None:
    """Put back what `update` has emptied of records in flight, and could not any more. Raises what ends the push."""
    if context.custom_fields.how == "whole" or not context.may_write:
        return
    for record in list(records_in_flight(context.store, entity)):
        if record.remote_id is None or not others_of(context, record):
            continue
        if put_back(context, record, read(context, entity, record.remote_id)):
            _note_loss(context)


def put_back(context: PushContext, record: Record, now: Existing) -> bool:
    """Put back what an earlier push has emptied of a record that holds this by now; whether it has emptied anything.

    What can't be put back is told. Raises what ends the push.
    """
    lost, id = emptied(context, record, now), int(record.remote_id or 0)
    if lost:
        try:
            context.writer.update(record.entity, id, {"custom_field": held(context, record.entity, now) | lost})
        except FreshsalesError as error:
            if ends_the_push(error):
                raise
            context.say(NOT_PUT_BACK.format(record.entity, id, error.message or error))
    return bool(lost)


def _note_loss(context: PushContext) -> None:
    with context.lock:
        is_first, context.custom_fields.how = context.custom_fields.how == "changed", "whole"
    if is_first:
        context.say(SWITCHED)


def _write_whole(
    context: PushContext, record: Record, id: int, attributes: dict[str, Any], custom: dict[str, Any]
) -> Row:
    """Write; where a custom field is refused that only goes along, without it: it isn't ours to change."""
    try:
        return context.writer.update(record.entity, id, attributes)
    except Refused as error:
        along = {name: value for name, value in attributes["custom_field"].items() if name not in custom}
        name = named_field(context.catalog, record, {"custom_field": along}, error.message)
        if error.status != 400 or name is None:
            raise
    return context.writer.update(record.entity, id, without(attributes, name))


def _read(context: PushContext, record: Record, id: int, needed: str, *, anew: bool) -> Existing:
    """What the record holds: as the plan has read it, if that told what is needed and just now, else read once more."""
    planned = record.existing
    is_known = not anew and planned is not None and needed in planned and record.claimed_at is None
    if is_known and planned is not None and context.custom_fields.is_fresh:
        return planned
    assert record.entity
    current = fetch(context.reader, record.entity, id)
    if current is None:
        raise NotFound("the record is gone", status=404)
    if record.claimed_at is None or planned is None or anew:
        return current
    lost = emptied(context, record, current)
    return {**current, **lost}


def emptied(context: PushContext, record: Record, current: Existing) -> dict[str, Any]:
    """The custom fields that an earlier try has emptied beside those that it named: all of them, or none.

    Somebody who clears a field by hand leaves the others.
    """
    others = others_of(context, record)
    return others if WHOLE in current and all(current.get(name) is None for name in others) else {}


def others_of(context: PushContext, record: Record) -> dict[str, Any]:
    """The custom fields that the record held when it was planned, and that are not written, where any other is."""
    if not any(name.startswith("cf_") for name in record.fields):
        return {}
    had = held(context, record.entity, record.existing or {})
    return {name: value for name, value in had.items() if name not in record.fields}


def held(context: PushContext, entity: str, before: Existing) -> dict[str, Any]:
    """The custom fields that hold something and can be written, as they are to be written."""
    fields = context.catalog.fields(entity)
    return {
        name: wire(fields[name], value)
        for name, value in before.items()
        if name in fields and fields[name].custom and value is not None and _is_writable(fields[name])
    }


def _is_writable(field: Any) -> bool:
    return field.writable and field.type not in CALCULATED


def _lost(
    context: PushContext, record: Record, id: int, answer: Mapping[str, Any], whole: dict[str, Any], custom: Any
) -> set[str]:
    """The custom fields that the update didn't name and that are empty after it."""
    after = answer.get("custom_field")
    if not isinstance(after, dict) or not custom.keys() & after.keys():
        assert record.entity
        after = fetch(context.reader, record.entity, id) or {}
    return {name for name in whole if name not in custom and after.get(name) is None}


def _united_tags(record: Record, before: Existing, wanted: list[str]) -> list[str]:
    """The tags that are wanted, and those that somebody has added since the plan was made."""
    planned = (record.existing or {}).get("tags") or []
    added = [tag for tag in before.get("tags") or [] if tag not in planned]
    return list(dict.fromkeys([*wanted, *added]))

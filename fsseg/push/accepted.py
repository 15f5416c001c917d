"""One write: it is repeated without a field that Freshsales refuses, and what wasn't stored is warned of."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

from fsseg.freshsales.errors import Refused
from fsseg.freshsales.reader import Row
from fsseg.mapping.catalog import Catalog
from fsseg.match.finders import fetch
from fsseg.match.remote_record import Existing, flatten, silent
from fsseg.plan.diff import LINK_FIELDS, field_of, rounded, same
from fsseg.plan.limits import SHOWN
from fsseg.push.context import PushContext
from fsseg.push.payload import plain
from fsseg.push.refused_field import means_another, named_field, without
from fsseg.segment.json_codec import dumps
from fsseg.state.actions import Code
from fsseg.state.plan_store import Record
from fsseg.state.row_status import add_warnings, fields_warned_of

MAX_LEFT_OUT = 3
"""Fields of one record that are left out, one after the other, until it is given up."""


def write(
    context: PushContext, record: Record, attributes: dict[str, Any], send: Callable[[dict[str, Any]], Row]
) -> Row:
    """The answer of `send`, which writes `attributes` of the record; once more without a field that is refused.

    Raises what `send` raises. Not to be called under the store's lock.
    """
    left_out: list[str] = []
    if context.refusals is not None:
        context.refusals.check(record)
    while True:
        try:
            answer = _send(context, attributes, send)
            break
        except Refused as error:
            name = None
            if error.status == 400 and not context.strict and len(left_out) < MAX_LEFT_OUT:
                name = named_field(context.catalog, record, attributes, error.message)
            if name is None or not (fewer := without(attributes, name)):
                if error.status == 400 and context.refusals is not None:
                    context.refusals.refused(record, error.message)
                raise
            attributes = fewer
            left_out.append(name)
    if context.refusals is not None:
        context.refusals.accepted(record)
    told = [f"{Code.LEFT_OUT}: {name} = {_shown(record.fields.get(name, [None, None])[1])}" for name in left_out]
    held = flatten(record.entity, answer)
    if record.links is not None and "sales_accounts" not in held:  # which answers to writes don't tell
        held = fetch(context.reader, record.entity, int(answer["id"])) or held
    _warn(context, record, told + _told_not_stored(context, record, held, left_out))
    return answer


def _send(context: PushContext, attributes: dict[str, Any], send: Callable[[dict[str, Any]], Row]) -> Row:
    """The answer; the first contact with a new address that is refused is sent once more with it as text."""
    as_text, emails = plain(attributes), context.emails
    if as_text is None:
        return send(attributes)
    if emails.is_known:
        return send(as_text if emails.is_text else attributes)
    try:
        answer = send(attributes)
    except Refused as error:
        if error.status != 400 or means_another(error.message):
            raise
        emails.is_known = True
        try:
            answer = send(as_text)
        except Refused:
            raise error from None
        emails.is_text = True
    emails.is_known = True
    return answer


def note_not_stored(context: PushContext, record: Record, held: Existing) -> bool:
    """Warn of what was written, and of which the record holds something else; whether there is such a thing.

    What the record was warned of before isn't told again. Not to be called under the lock.
    """
    known = fields_warned_of(record.warnings, Code.LEFT_OUT, Code.NOT_STORED)
    told = _told_not_stored(context, record, held, known)
    _warn(context, record, told)
    return bool(told)


def _told_not_stored(context: PushContext, record: Record, held: Existing, apart: Container[str]) -> list[str]:
    dropped = not_stored(context.catalog, record, held)
    return [f"{Code.NOT_STORED}: {name} = {_shown(value)}" for name, value in dropped.items() if name not in apart]


def _warn(context: PushContext, record: Record, told: list[str]) -> None:
    if told:
        with context.lock:
            add_warnings(context.store, [(text, record.id) for text in told])


def not_stored(catalog: Catalog, record: Record, held: Existing) -> dict[str, Any]:
    """The fields that were written, and that hold something else as far as that is told, with what was written."""
    dropped = {}
    for name, (_, after) in record.fields.items():
        if name in LINK_FIELDS or name == "email" or silent(held, name):
            continue
        field = field_of(catalog, record.entity, name)
        if not same(held.get(name), after, field) and not rounded(held.get(name), after, field):
            dropped[name] = after
    kept = None if record.links is None else {link["id"] for link in record.links}
    if kept is not None and any(account.get("id") not in kept for account in held.get("sales_accounts") or ()):
        dropped["sales_accounts"] = record.fields["sales_accounts"][1]
    return dropped


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else dumps(value).decode()
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"

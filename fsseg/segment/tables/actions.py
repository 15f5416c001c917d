"""What the destinations "AWS S3 (Actions)", "AWS S3 CSV" and SFTP write: a row an event, with its objects as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from msgspec import Raw
from msgspec.json import Decoder

from fsseg.segment.destination import integrations_of_another
from fsseg.segment.event import NO_CONTEXT, Context, Message, Original, body_of
from fsseg.segment.hints import Hints
from fsseg.segment.tables.table import (
    BODIES,
    UNNAMED,
    BadRow,
    Table,
    free_columns,
    id_of,
    json_object,
    places,
    refuse_hashed,
    values,
)

_HASH = 64
"""Characters of a hashed address."""
_raw: Final = Decoder(Raw).decode
_context: Final = Decoder(Context).decode
_ENVELOPE = (
    ("user_id", "userId"), ("anonymous_id", "anonymousId"), ("message_id", "messageId"), ("timestamp", "timestamp"),
)  # fmt: skip
_KNOWN = {
    "event_name", "event_type", "user_id", "anonymous_id", "email", "properties", "traits", "context", "timestamp",
    "message_id", "integrations", "audience_name", "audience_id", "audience_space_id", "audience_action", "batch_size",
    "space_id", "integrations_object", "properties_or_traits", "eventname", "eventtype",
}  # fmt: skip


_BODIES_OF_AUDIENCES = ("properties_or_traits", "traits", "properties")
"""Columns of JSON that have the audience among the traits."""


def actions_table(columns: Sequence[str]) -> Table:
    """Events of every type, as "Sync to S3" and SFTP write them; columns may be missing or added."""
    at = places(columns)
    envelope = [(at[column], name) for column, name in _ENVELOPE if column in at]
    kind_at, event_at, email_at = at["event_type"], at.get("event_name"), at.get("email")
    objects = [(at[name], name) for name in ("context", "properties", "traits") if name in at]
    integrations_at = at.get("integrations")
    has_body = "traits" in at or "properties" in at
    others = [] if has_body else free_columns(columns, _KNOWN.__contains__)

    def message(row: Sequence[Any]) -> Original:
        kind = str(row[kind_at]).strip().lower()
        found: Original = {"type": kind, "context": {}, "integrations": {}}
        for place, name in envelope:
            if row[place] != "":
                found[name] = row[place] if name == "timestamp" else id_of(row[place])
        for place, name in objects:
            found[name] = json_object(row[place], name)
        if integrations_at is not None and row[integrations_at] not in ("", "{}"):
            said = json_object(row[integrations_at], "integrations")
            found["integrations"] = integrations_of_another(said)
        if event_at is not None and row[event_at] != "":
            found["event" if kind == "track" else "name"] = row[event_at]
        return _completed(found, row[email_at] if email_at is not None else "", values(row, others))

    return Table("actions", columns, message, None if others else _quick(at))


@lru_cache(maxsize=1_000)
def _say_nothing(integrations: str) -> bool:
    """Whether what another destination noted of integrations means nothing here. Raises `BadRow`."""
    return not integrations_of_another(json_object(integrations, "integrations"))


def _quick(at: Mapping[str, int]) -> Callable[[Sequence[str]], Message] | None:
    """Takes the objects as the JSON that they are; rows whose address stands in no object get a closer look."""
    wanted = (
        "event_type", "user_id", "anonymous_id", "message_id", "timestamp", "event_name", "context", "traits",
        "properties", "integrations", "email",
    )  # fmt: skip
    if not at.keys() >= {*wanted}:
        return None
    cells_of, none = itemgetter(*map(at.__getitem__, wanted)), Raw()

    def quick(row: Sequence[str]) -> Message:
        kind, user, anonymous, id, time, name, context_text, traits, properties, integrations, email = cells_of(row)
        context = _context(context_text) if context_text else NO_CONTEXT
        if kind == "identify":
            text = holder = traits
            if properties:
                raise ValueError
        else:
            text, holder = properties or "{}", context.traits
            if (kind != "track" and kind != "page") or not name:
                raise ValueError
            if traits and not (holder and _raw(traits) and traits[0] == "{"):
                raise ValueError
        body = _raw(text)
        if (
            (email and not body_of(holder).email) or len(email) == _HASH or len(user) == _HASH
            or not _say_nothing(integrations) or text[:1] != "{"
        ):  # fmt: skip
            raise ValueError
        return Message(
            kind, time, user or None, anonymous or None, id, name if kind == "track" else None,
            None if kind == "track" else name or None, context, {}, body if kind == "identify" else none,
            none if kind == "identify" else body,
        )  # fmt: skip

    return quick


def _completed(found: Original, email: str, others: dict[str, Any]) -> Original:
    """With the address where the event's own objects don't have it, and without the body of another type of call."""
    refuse_hashed(email)
    refuse_hashed(found.get("userId"))
    body = BODIES.get(found["type"])
    traits = found.get("traits", {})
    if body == "traits":
        found.pop("properties", None)
        found["traits"] = {**others, **traits}
        holder = found["traits"]
    else:
        found.pop("traits", None)
        if body:
            found["properties"] = {**others, **found.get("properties", {})}
        context = found["context"]
        if traits and not context.get("traits"):
            context["traits"] = traits
        holder = context.setdefault("traits", {}) if email else {}
    if email and isinstance(holder, dict) and not holder.get("email"):
        holder["email"] = email
    return found


def _enter_or_leave(traits: dict[str, Any], audiences: Iterable[str], action: str) -> None:
    """Let traits that don't name an audience yet say whether somebody is in it. Raises `BadRow`."""
    named = [name for name in audiences if name not in traits]
    if named and action not in ("", "true", "false"):
        raise BadRow(f"audience_action is {action}, where true is entered and false is left")
    if action:
        traits.update(dict.fromkeys(named, action == "true"))


def audience_actions_table(columns: Sequence[str], file: str, hints: Hints) -> Table:
    """Who entered and left audiences: a row an identify call, unless a column says that it is a track call.

    Where neither a column nor the traits name the audience, the user does.
    """
    at = places(columns)
    given = [name for name, _ in hints.traits]
    others = free_columns(columns, _KNOWN.__contains__)
    envelope = [(at[column], name) for column, name in _ENVELOPE if column in at]

    def cell(row: Sequence[Any], name: str) -> Any:
        return row[at[name]] if name in at else ""

    def text(row: Sequence[Any], name: str) -> str:
        return str(cell(row, name))

    def message(row: Sequence[Any]) -> Original:
        email, audience, action = cell(row, "email"), text(row, "audience_name"), text(row, "audience_action").lower()
        refuse_hashed(email)
        objects = (json_object(cell(row, name), name) for name in _BODIES_OF_AUDIENCES)
        body = {**values(row, others), **next(filter(None, objects), {})}
        _enter_or_leave(body, [audience] if audience else given, action)
        said = json_object(cell(row, "integrations_object") or cell(row, "integrations"), "integrations")
        kind = text(row, "eventtype").lower() or "identify"
        found: Original = {"type": kind, "context": {}, "integrations": integrations_of_another(said)}
        for place, name in envelope:
            if row[place] != "":
                found[name] = row[place] if name == "timestamp" else id_of(row[place])
        if audience:
            found["context"]["personas"] = {"computation_key": audience}
        if kind == "track":
            found["event"] = cell(row, "eventname")
        if kind == "identify" and action and not audience and not body.keys() - {"email"}:
            raise BadRow(UNNAMED)
        if kind not in BODIES:
            raise BadRow(f"{kind} is no type of event that this table can hold")
        found[BODIES[kind]] = body
        if email and BODIES[kind] == "traits":
            body.setdefault("email", email)
        elif email:
            found["context"]["traits"] = {"email": email}
        if email and "userId" not in found:
            found["userId"] = email
        return found

    is_named = given or at.keys() & {"audience_name", *_BODIES_OF_AUDIENCES}
    notes = () if is_named else (("unnamed_audience", file),)
    return Table("audience actions", columns, message, notes=notes)

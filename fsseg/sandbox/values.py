"""Values: what a field of each type takes on the wire, and how text, money and instants read back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from fsseg.sandbox.account import Account, Row
from fsseg.sandbox.messages import Refusal
from fsseg.sandbox.options import Options

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EMAIL = re.compile(r"[^@\s;,<>]+@[^@\s;,<>]+\.[^@\s.;,<>]+")
LONGEST = {"text": 255, "textarea": 8000, "paragraph": 8000}
"""Of custom fields, in characters."""
LARGEST_ID = 2**63
LARGEST_NUMBER = 2**53 - 1
WEBSITE = re.compile(r"(https?://)?([\w-]+\.)+[a-z]{2,}(:\d+)?([/?#]\S*)?", re.IGNORECASE)
PHONE = re.compile(r"[+(]?[\d\s().x/-]*\d[\d\s().x/-]*")
LENGTH_CHECKED = {
    "Contact": ("first_name", "last_name"),
    "Lead": ("first_name", "last_name"),
    "SalesAccount": ("name",),
}
"""Built-in texts whose length is limited like that of custom ones; deals' names are not."""
IGNORED = frozenset({"created_at", "updated_at"})
"""Accepted by the API and not stored."""


def attributes(
    account: Account, options: Options, model: str, given: Mapping[str, Any], *, also: frozenset[str] = frozenset()
) -> Row:
    """The checked attributes of one record, custom fields flat among them; names in `also` are left to the caller.

    Raises Refusal 400 for attributes that don't exist, can't be written or have the wrong type.
    """
    known = account.by_model[model]
    checked: Row = {}
    for name, value in given.items():
        if name in also or name in IGNORED:
            continue
        if name == "custom_field":
            checked.update(_custom(known, options, value))
        elif (field := known.get(name)) is None or not field["default"]:
            if options.unknown_attributes == "refuse":
                raise Refusal(400, "unknown", name=name)
        elif field["_read_only"] or field["type"] == "group_field":
            raise Refusal(400, "read_only", name=name)
        else:
            checked[name] = _stored(options, model, field, value)
    return checked


def _stored(options: Options, model: str, field: Row, value: Any) -> Any:
    """A built-in value as this account takes it, where accounts differ. Raises Refusal 400."""
    name = field["name"]
    if options.bad_dates == "null" and name == "expected_close" and not _is_day(value):
        return None
    checked = check(field, value)
    if model == "SalesAccount" and name == "phone" and options.account_phones == "null":
        return checked if checked is None or PHONE.fullmatch(checked) else None
    if options.formats == "checked" and checked:
        if name == "website" and not WEBSITE.fullmatch(checked):
            raise Refusal(400, "bad_format", name="website")
        if name in LENGTH_CHECKED.get(model, ()) and len(checked) > LONGEST["text"]:
            raise Refusal(400, "bad_length", name=name)
    return checked


def _is_day(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value) is not None
    except (TypeError, ValueError):
        return False


def _custom(known: Mapping[str, Row], options: Options, given: object) -> Row:
    if not isinstance(given, dict):
        raise Refusal(400, "bad_body", name="custom_field")
    checked: Row = {}
    for name, value in given.items():
        field = known.get(name)
        if field is not None and not field["default"]:
            if field["_read_only"]:
                raise Refusal(400, "read_only", name=field["label"])
            try:
                checked[name] = check(field, value)
            except Refusal as refusal:
                if refusal.key != "bad_choice" or options.bad_choices == "refuse":
                    raise
        elif options.unknown_custom_fields == "refuse":
            raise Refusal(400, "unknown", name=name)
    return checked


def check(field: Row, value: Any) -> Any:
    """The value as it is stored: one of the field's type, `None` clears. Raises Refusal 400."""
    if value is None:
        return None
    match field["type"]:
        case "number" | "decimal":
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise _bad_type(field, "number")
            if abs(value) > LARGEST_NUMBER:
                raise Refusal(400, "bad_format", name=field["label"])
        case "checkbox":
            if not isinstance(value, bool):
                raise _bad_type(field, "boolean")
        case "dropdown" | "radio":
            return _choice(field, value)
        case "multi_select_dropdown":
            return _choices(field, value)
        case "date":
            return _day(field, value)
        case "date_time_split":
            instant(field["label"], value)
        case "auto_complete" if field["name"] == "tags":
            if not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
                raise _bad_type(field, "list")
        case "auto_complete":
            return record_id(field["label"], value)
        case kind:
            if not isinstance(value, str):
                raise _bad_type(field, "string")
            if not field["default"] and len(value) > LONGEST.get(kind, 255):
                raise Refusal(400, "too_long", name=field["label"])
    return value


def _choice(field: Row, value: Any) -> Any:
    if not field["default"]:
        if value not in [choice["value"] for choice in field["choices"]]:
            raise Refusal(400, "bad_choice", name=field["label"], value=value)
        return value
    ids = [choice["id"] for choice in field["choices"]]
    if ids and isinstance(ids[0], int):
        value = record_id(field["label"], value)
    if value not in ids:
        raise Refusal(400, "no_choice", name=field["label"])
    return value


def _choices(field: Row, value: Any) -> str:
    if not isinstance(value, str):
        raise _bad_type(field, "string")
    key = "id" if field["default"] else "value"
    known = {str(choice[key]) for choice in field["choices"]}
    parts = [part.strip() for part in value.split(";") if part.strip()]
    for part in parts:
        if part not in known:
            raise Refusal(400, "bad_choice", name=field["label"], value=part)
    return ";".join(dict.fromkeys(parts))


def _day(field: Row, value: Any) -> str:
    try:
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    instant(field["label"], value)
    return str(value)[:10]


def record_id(name: str, value: Any) -> int:
    """An id, given as a number or as digits. Raises Refusal 400."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST_ID:
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < len(str(LARGEST_ID)):
        return int(value)
    raise Refusal(400, "bad_type", name=name, type="id")


def instant(name: str, value: Any) -> datetime:
    """An ISO-8601 instant; without an offset it is UTC. Raises Refusal 400."""
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Refusal(400, "bad_type", name=name, type="date") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def email(value: Any) -> str:
    """An address, as written but for blanks around it. Raises Refusal 400."""
    if not isinstance(value, str) or not EMAIL.fullmatch(value.strip()):
        raise Refusal(400, "bad_email", value=value)
    return value.strip()


def microseconds(moment: datetime) -> int:
    """The microseconds from 1970 to this instant."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def timestamp(micros: int, options: Options) -> str:
    """An instant as the API shows it, in the account's offset."""
    moment = (EPOCH + timedelta(microseconds=micros)).astimezone(options.zone)
    return moment.isoformat(timespec=options.precision)


def money(value: float | None) -> str | None:
    """`5600` as `"5600.0"`."""
    if value is None:
        return None
    text = format(Decimal(str(value)), "f")
    return text if "." in text else f"{text}.0"


def _bad_type(field: Row, kind: str) -> Refusal:
    return Refusal(400, "bad_type", name=field["label"], type=kind)

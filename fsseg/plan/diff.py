"""Diff: what is wanted against what there is, field by field, equal by the field's type. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from fsseg.mapping.catalog import Catalog
from fsseg.mapping.fields import Field
from fsseg.match.remote_record import Existing, addresses

_HUGE, _FINEST = Decimal("1e15"), 12
"""Beyond it a number has no cents that JSON could tell; with so many places, what is below still has all of them."""

Fields = dict[str, list[Any]]
"""Field name → [before, after]."""


@dataclass(frozen=True)
class Create:
    """There is no such record yet; before is null everywhere."""

    fields: Fields


@dataclass(frozen=True)
class Update:
    """The record is there, and these fields of it differ."""

    fields: Fields

    @property
    def clears(self) -> bool:
        """Whether a field that holds something would be emptied."""
        return any(after is None for _, after in self.fields.values())


@dataclass(frozen=True)
class Unchanged:
    """The record holds all that is desired already."""


@dataclass(frozen=True)
class Skipped:
    """Left out; `missing` are the fields that this Freshsales requires of a new record."""

    missing: tuple[str, ...]


@dataclass(frozen=True)
class Conflict:
    """Not ours to touch; `code` says why."""

    code: str


Change = Create | Update | Unchanged | Skipped | Conflict


def diff(catalog: Catalog, entity: str, desired: Mapping[str, Any], existing: Existing | None) -> Change:
    """The change that makes `existing` (None: there is no such record) hold what is `desired`."""
    if existing is None:
        fields: Fields = {name: [None, value] for name, value in desired.items() if value is not None}
        missing = () if entity in ("lead", "contact") else missing_fields(catalog, entity, fields)
        return Skipped(missing) if missing else Create(fields)
    has = addresses(existing)
    changed: Fields = {
        name: [existing.get(name), value]
        for name, value in desired.items()
        if not (name == "email" and str(value).casefold() in has)
        and not same(existing.get(name), value, field_of(catalog, entity, name))
    }
    return Update(changed) if changed else Unchanged()


def missing_fields(catalog: Catalog, entity: str, fields: Mapping[str, Any]) -> tuple[str, ...]:
    """The required fields of `entity` that a new record would lack."""
    return tuple(field.name for field in catalog.required(entity) if field.name not in fields)


def field_of(catalog: Catalog, entity: str, name: str) -> Field | None:
    """The metadata of a wanted field; `company.name` is the name of a lead's company."""
    part, dot, nested = name.partition(".")
    if entity == "lead" and dot:
        return catalog.fields(f"lead.{part}").get(nested)
    return catalog.fields(entity).get(name)


def same(before: Any, after: Any, field: Field | None) -> bool:
    """Whether a field that reads `before` already holds `after`, as its type has it."""
    if before is None or after is None or before == after:
        return _empty(before) and _empty(after) if before != after else True
    match field.type if field else "":
        case "number" | "decimal":
            return bool(_number(before) == _number(after))
        case "checkbox":
            return bool(_truth(before) == _truth(after))
        case "date" | "date_time" | "date_time_split":
            return _same_time(str(before), str(after))
        case "multi_select_dropdown" | "auto_complete":
            return _set(before) == _set(after)
    return str(before).strip() == str(after).strip()


def rounded(before: Any, after: Any, field: Field | None) -> bool:
    """Whether a field that reads `before` may hold `after`, rounded: to a whole number, or to cents and what is finer.

    Whether Freshsales rounds isn't documented; and where `after` was never written, this proves nothing.
    """
    has, wanted = _number(before), _number(after)
    if field is None or field.type not in ("number", "decimal") or not (_is_finite(has) and _is_finite(wanted)):
        return False
    places = min(-int(has.as_tuple().exponent), _FINEST)
    step = Decimal(1).scaleb(-max(2, places) if "." in str(before) else 0)
    return any(wanted.quantize(step, way) == has for way in (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN))


def _is_finite(value: Any) -> bool:
    return isinstance(value, Decimal) and value.is_finite() and abs(value) < _HUGE


def _empty(value: Any) -> bool:
    return value is None or value == "" or value == [] or value == {}


def _number(value: Any) -> Any:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return str(value)


def _truth(value: Any) -> Any:
    return {"true": True, "1": True, "false": False, "0": False}.get(str(value).strip().lower(), value)


def _set(value: Any) -> set[str]:
    parts = value if isinstance(value, list) else str(value).split(";")
    return {str(part).strip() for part in parts if str(part).strip()}


def _same_time(before: str, after: str) -> bool:
    """Instants are compared as such; where one of the two is only a day, days are."""
    if len(before) <= 10 or len(after) <= 10:
        return before[:10] == after[:10]
    try:
        one, other = datetime.fromisoformat(before), datetime.fromisoformat(after)
    except ValueError:
        return before == after
    return _aware(one) == _aware(other)


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)

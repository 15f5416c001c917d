"""One field of an entity, made from a row of the field metadata."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

Row = Mapping[str, Any]
Id = int | str

CHOICE_TYPES = frozenset({"dropdown", "radio", "multi_select_dropdown"})
_STRUCTURED = frozenset({"group_field", "auto_complete"})

# The metadata has no read-only flag; these are what Freshsales computes or keeps itself, by observation.
_KEPT = re.compile(
    r"id|display_name|avatar|is_deleted|(cre|upd)ated_at|(cre|upd)ater_id|(last|first)_seen(_chat)?|last_contacted.*|"
    r"lead_score|lead_quality|customer_fit|recent_note|web_form_ids?|last_assigned_at|total_sessions|age|"
    r"(open|won)_deals_.*|.*_sales_sequences|expected_deal_value|base_currency_amount|stage_updated_time|"
    r"upcoming_activities_time|email_status|has_duplicates"
).fullmatch


class Choice(NamedTuple):
    """One choice of a dropdown. Owners are found by `email` too."""

    id: Id
    text: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """`choices` is None where there are none to choose from, or where only the account knows them."""

    name: str
    label: str
    type: str
    required: bool = False
    custom: bool = False
    choices: tuple[Choice, ...] | None = None
    writable: bool = True

    @property
    def by_id(self) -> bool:
        """Built-in dropdowns take a choice's id, custom ones its text (documented in the custom field reference)."""
        return not self.custom

    def takes_like(self, other: Field) -> bool:
        """Whether any value would be written the same into both."""
        return (self.type, self.custom, self.choices, self.writable) == (
            other.type,
            other.custom,
            other.choices,
            other.writable,
        )


def field_of(row: Row, selector: Sequence[Row] | None, *, assumed: bool) -> Field:
    """The field of one metadata row. Where the metadata is only assumed, unlisted choices are unknown, not none."""
    name, kind = str(row["name"]), str(row.get("type") or "text")
    custom = not row.get("default", not name.startswith("cf_"))
    kept = not custom and _KEPT(name) is not None
    structured = kind in _STRUCTURED and name != "tags"
    listed = row.get("choices", None if assumed else ())
    choices = _choices(listed, selector) if kind in CHOICE_TYPES else None
    return Field(
        name, str(row.get("label") or name), kind, bool(row.get("required")), custom, choices, not (kept or structured)
    )


def choice_table(choices: Iterable[Choice], *, by_id: bool) -> dict[str, Id]:
    """Folded text, e-mail or id of each choice → what is written for it. Of equal texts the first counts."""
    table: dict[str, Id] = {}
    for spelled in (lambda choice: choice.text, lambda choice: choice.email, lambda choice: str(choice.id)):
        for choice in choices:
            if key := spelled(choice).strip().casefold():
                table.setdefault(key, choice.id if by_id else choice.text)
    return table


def _choices(listed: Iterable[Row] | None, selector: Iterable[Row] | None) -> tuple[Choice, ...] | None:
    """The field's own choices joined with the selector's rows, which know more (an owner's e-mail, say)."""
    if listed is None and selector is None:
        return None
    active_first = sorted([*(listed or ()), *(selector or ())], key=lambda row: row.get("is_active") is False)
    return tuple(
        Choice(_number(row["id"]), text, str(row.get("email") or ""))
        for row in active_first
        if row.get("id") is not None and (text := _text(row)) is not None
    )


def _text(row: Row) -> str | None:
    keys = ("value", "name", "display_name", "currency_code")
    return next((str(row[key]) for key in keys if row.get(key) is not None), None)


def _number(id: Id) -> Id:
    """Ids come as numbers or as numeric text; time zones have names for ids."""
    return int(id) if isinstance(id, str) and id.isascii() and id.isdigit() else id

"""Fields made from the rows of Freshsales' field metadata."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from fsseg.mapping.field_types import TEXT, type_named
from fsseg.mapping.fields import Choice, Field, Row, id_of

# The metadata has no read-only flag; these are what Freshsales computes or keeps itself, by observation.
_KEPT = re.compile(
    r"id|display_name|avatar|is_deleted|(cre|upd)ated_at|(cre|upd)ater_id|(last|first)_seen(_chat)?|last_contacted.*|"
    r"lead_score|lead_quality|customer_fit|recent_note|web_form_ids?|last_assigned_at|total_sessions|age|"
    r"(open|won)_deals_.*|.*_sales_sequences|expected_deal_value|base_currency_amount|stage_updated_time|"
    r"upcoming_activities_time|email_status|has_duplicates"
).fullmatch


def field_of(row: Row, selector: Sequence[Row] | None, *, assumed: bool) -> Field:
    """The field of one metadata row. Where the metadata is only assumed, unlisted choices are unknown, not none."""
    name, type = str(row["name"]), str(row.get("type") or TEXT.name)
    known = type_named(type)
    custom = not row.get("default", not name.startswith("cf_"))
    kept = not custom and _KEPT(name) is not None
    structured = known.structured and name != "tags"
    listed = row.get("choices", None if assumed else ())
    choices = _choices(listed, selector) if known.has_choices else None
    return Field(
        name, str(row.get("label") or name), type, bool(row.get("required")), custom, choices, not (kept or structured)
    )


def _choices(listed: Iterable[Row] | None, selector: Iterable[Row] | None) -> tuple[Choice, ...] | None:
    """The field's own choices joined with the selector's rows, which know more (an owner's e-mail, say)."""
    if listed is None and selector is None:
        return None
    active_first = sorted([*(listed or ()), *(selector or ())], key=lambda row: row.get("is_active") is False)
    return tuple(
        Choice(id_of(row["id"]), text, str(row.get("email") or ""))
        for row in active_first
        if row.get("id") is not None and (text := _text(row)) is not None
    )


def _text(row: Row) -> str | None:
    keys = ("value", "name", "display_name", "currency_code")
    return next((str(row[key]) for key in keys if row.get(key) is not None), None)

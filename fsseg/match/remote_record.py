"""Freshsales' records as one flat dictionary each, so that they can be compared with what is wanted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from fsseg.mapping.catalog import PARTS
from fsseg.mapping.fields import id_of
from fsseg.segment.email_key import email_key

Existing = dict[str, Any]
"""A record by internal field name, custom fields flat among them, a lead's nested parts as `company.name`.

Also `id`, `updated_at`; of a contact `emails` (values, the primary first), and `sales_accounts` where they were read.
"""

WHOLE = "custom_field"
"""Stands in a record of which all custom fields are known."""

KEPT = ("id", "updated_at", "created_at", "emails", "email_ids", "sales_accounts", "contact_ids", "company", "deal")
"""What is kept of a record beside the fields that are wanted: what matching, pushing and undoing need."""

FOLLOWS = {"lifecycle_stage_id": "contact_status_id", "deal_pipeline_id": "deal_stage_id"}
"""The fields that Freshsales sets anew where those are written that they are a part of: a status is of one stage."""

EARLIEST = datetime.min.replace(tzinfo=UTC)

HELD_BY = {"sales_account": "sales_account_id", "contacts": "contact_ids"}
"""The fields that hold links, where they are called otherwise."""


_APART = ("custom_field", "emails", "company", "deal")
INTERNAL = "fc_"
"""Begins the names of what rows hold for Freshworks' own pages, signed tokens among it: it is never kept."""


def flatten(entity: str, row: dict[str, Any]) -> Existing:
    """`row`, as any endpoint gave it, in flat form; a key that the row lacks stays absent."""
    flat = {name: value for name, value in row.items() if name not in _APART and not name.startswith(INTERNAL)}
    custom = row.get("custom_field")
    if isinstance(custom, dict):
        flat.update(custom)
        flat[WHOLE] = True
    if entity == "lead":
        for part in PARTS:
            if part in row:
                flat[part] = True
                flat.update(_nested(part, row[part]))
    if isinstance(row.get("sales_accounts"), list):
        flat["sales_accounts"] = [{**one, "id": id_of(one.get("id"))} for one in row["sales_accounts"]]
    addresses = row.get("emails")
    if isinstance(addresses, list) and all(isinstance(one, dict) for one in addresses):
        addresses = sorted(addresses, key=lambda one: not one.get("is_primary"))
        flat["emails"] = [str(one.get("value")) for one in addresses if one.get("value")]
        flat["email_ids"] = {email_key(str(one["value"])): one.get("id") for one in addresses if one.get("value")}
        if flat["emails"] and not flat.get("email"):
            flat["email"] = flat["emails"][0]
    elif isinstance(addresses, str):
        flat["emails"] = [addresses]
        flat.setdefault("email", addresses)
    if isinstance(flat.get("email"), str) and flat["email"] and not flat.get("emails"):
        flat["emails"] = [flat["email"]]
    return flat


def _nested(part: str, row: Any) -> Existing:
    if not isinstance(row, dict):
        return {}
    custom = row.get("custom_field")
    whole = {**row, **custom} if isinstance(custom, dict) else row
    return {f"{part}.{name}": value for name, value in whole.items() if name != "custom_field"}


def addresses(existing: Existing) -> set[str]:
    """All e-mail addresses of a person, folded for matching."""
    return {email_key(str(email)) for email in existing.get("emails") or []}


def silent(existing: Existing, name: str) -> bool:
    """Whether nothing is said of this field, which is not the same as its being empty.

    A nested part that was given, though without the key, does say that the field is empty, and so does a list of
    addresses of the e-mail.
    """
    return not {name, name.partition(".")[0], "emails" if name == "email" else name} & existing.keys()


def lacks(existing: Existing, wanted: Iterable[str]) -> bool:
    """Whether this row says nothing of a wanted field, as rows of views and searches do of custom fields."""
    return any(silent(existing, name) for name in wanted)


def keep(existing: Existing, wanted: Iterable[str]) -> Existing:
    """The part of a record that the plan needs to remember; of a lead's nested company and deal everything.

    What follows a wanted field is remembered, as an undo puts it back. Where a custom field is wanted, all that hold
    something are remembered: an update may have to write them too.
    """
    names = list(wanted)
    names += [FOLLOWS[name] for name in names if name in FOLLOWS]
    kept = {name: value for name, value in existing.items() if name in KEPT or "." in name}
    if any(name.startswith("cf_") for name in names):
        custom = {name: value for name, value in existing.items() if name.startswith("cf_") and value is not None}
        kept |= custom if WHOLE not in existing else custom | {WHOLE: True}
    return kept | {name: existing[name] for name in names if name in existing}


def updated(existing: Existing) -> datetime:
    """When the record was last changed; the earliest instant there is where the row does not say."""
    return instant(existing, "updated_at")


def instant(existing: Existing, name: str) -> datetime:
    """The instant that a field holds; the earliest there is where the row does not say."""
    text = existing.get(name)
    if not isinstance(text, str):
        return EARLIEST
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return EARLIEST
    return found if found.tzinfo else found.replace(tzinfo=UTC)

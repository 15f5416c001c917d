"""From the changed fields of a record to the body that Freshsales takes."""

from __future__ import annotations

from typing import Any

from fsseg.mapping.catalog import Catalog
from fsseg.mapping.field_types import wire
from fsseg.plan.diff import LINK_FIELDS, field_of
from fsseg.segment.email_key import email_key
from fsseg.state.plan_store import Record

NESTED_FIELDS = {
    "company": [
        "name",
        "address",
        "city",
        "state",
        "zipcode",
        "country",
        "industry_type_id",
        "business_type_id",
        "number_of_employees",
        "annual_revenue",
        "website",
        "phone",
    ],
    "deal": ["name", "amount", "expected_close", "deal_product_id"],
}
"""What a lead's company and deal can hold, as the lead attribute table documents it."""


def body(catalog: Catalog, record: Record) -> dict[str, Any]:
    """The attributes to write for `record`: the changed fields only, links apart.

    A lead's nested company or deal goes whole once one of its fields changes, since it isn't documented whether the
    rest of a partial one would be kept.
    """
    attributes: dict[str, Any] = {}
    custom: dict[str, Any] = {}
    for name, (_, after) in record.fields.items():
        part, dot, _ = name.partition(".")
        if name in LINK_FIELDS or (dot and record.entity == "lead" and part in attributes):
            continue
        if dot and record.entity == "lead":
            attributes[part] = nested(catalog, record, part)
        elif name.startswith("cf_"):
            custom[name] = after
        elif name == "email" and record.entity == "contact":
            attributes["emails"] = _emails(record, after)
        else:
            attributes[name] = after
    if custom:
        attributes["custom_field"] = custom
    return attributes


def plain(attributes: dict[str, Any]) -> dict[str, Any] | None:
    """The attributes of a contact with its primary address as text; None where they hold no addresses as objects.

    Text takes the place of the primary address that is there.
    """
    emails = attributes.get("emails")
    primary = [one["value"] for one in emails if one["is_primary"]] if isinstance(emails, list) else []
    return {**attributes, "emails": primary[0]} if primary else None


def nested(catalog: Catalog, record: Record, part: str) -> dict[str, Any]:
    """The whole company or deal of a lead, as it is to be afterwards."""
    has = record.existing or {}
    whole: dict[str, Any] = {}
    own = [name.removeprefix(f"{part}.") for name in has if name.startswith(f"{part}.cf_")]
    for name in [*NESTED_FIELDS[part], *own]:
        value = has.get(f"{part}.{name}")
        if value is not None:
            whole[name] = _as_sent(catalog, f"{part}.{name}", value)
    for name, (_, after) in record.fields.items():
        owner, _, field = name.partition(".")
        if owner == part and field:
            whole[field] = after
    return {name: custom for name, custom in whole.items() if not name.startswith("cf_")} | _custom(whole)


def _custom(whole: dict[str, Any]) -> dict[str, Any]:
    custom = {name: value for name, value in whole.items() if name.startswith("cf_")}
    return {"custom_field": custom} if custom else {}


def _as_sent(catalog: Catalog, name: str, value: Any) -> Any:
    """A value that was read, as it is to be written: money is read as text, and goes without `.0`."""
    if not isinstance(value, str):
        return value
    sent = wire(field_of(catalog, "lead", name), value)
    return int(sent) if isinstance(sent, float) and sent.is_integer() else sent


def _emails(record: Record, after: Any) -> Any:
    """What is written of addresses: a new one is the primary one, and those that are there stay by their ids.

    A new contact's is an object, too; `plain` makes a text of it.
    """
    ids = (record.existing or {}).get("email_ids") or {}
    if after is not None and record.existing is None and record.remote_id is None:
        return [{"value": after, "is_primary": True}]
    if not ids or after is None:
        return after
    primary, dropped = email_key(str(after)), email_key(str(record.dropped))
    entries = []
    for address in (record.existing or {}).get("emails", []):
        folded = email_key(address)
        entry = {"id": ids.get(folded), "value": address, "is_primary": folded == primary}
        entries.append(entry | {"_destroy": True} if folded == dropped else entry)
    return entries if primary in ids else [*entries, {"value": after, "is_primary": True}]

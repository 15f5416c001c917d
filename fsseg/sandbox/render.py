"""Records as the API shows them: money as text, timestamps with the account's offset, ids where asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from fsseg.sandbox import values
from fsseg.sandbox.account import MONEY, NESTED, SINGULAR, Account, Row
from fsseg.sandbox.messages import Refusal
from fsseg.sandbox.records import Crm

SIGNED = "eyJhbGciOiJIUzI1NiJ9.eyJkZWFsIjoxfQ.c2VjcmV0"
"""A token that live accounts put into the rows of deals."""
LINKS = ("conversations", "timeline_feeds", "document_associations", "notes", "tasks", "appointments", "reminders",
         "duplicates", "connections")  # fmt: skip
PARTIAL = ("id", "first_name", "last_name", "display_name", "name", "email", "emails", "mobile_number", "work_number",
           "job_title", "website", "amount", "avatar", "updated_at", "created_at")  # fmt: skip

SELECTED = {
    "lifecycle_stage": ("lifecycle_stage_id", "lifecycle_stages"),
    "campaign": ("campaign_id", "campaigns"),
    "contact_status": ("contact_status_id", "contact_statuses"),
    "source": ("lead_source_id", "lead_sources"),
    "territory": ("territory_id", "territories"),
    "lead_stage": ("lead_stage_id", "lead_stages"),
    "lead_reason": ("lead_reason_id", "lead_reasons"),
    "business_type": ("business_type_id", "business_types"),
    "industry_type": ("industry_type_id", "industry_types"),
    "deal_stage": ("deal_stage_id", "deal_stages"),
    "deal_type": ("deal_type_id", "deal_types"),
    "deal_reason": ("deal_reason_id", "deal_reasons"),
    "deal_payment_status": ("deal_payment_status_id", "deal_payment_statuses"),
    "deal_product": ("deal_product_id", "deal_products"),
    "currency": ("currency_id", "currencies"),
}
USERS = {"owner": "owner_id", "creater": "creater_id", "updater": "updater_id"}
REVEALED_BY: dict[str, dict[str, str | None]] = {
    "contacts": {
        "owner_id": "owner", "lifecycle_stage_id": "lifecycle_stage", "contact_status_id": "contact_status",
        "territory_id": "territory", "lead_source_id": "source", "campaign_id": "campaign",
    },
    "leads": {
        "owner_id": "owner", "lead_stage_id": "lead_stage", "lead_reason_id": "lead_reason",
        "territory_id": "territory", "lead_source_id": "source", "campaign_id": "campaign",
    },
    "sales_accounts": {
        "territory_id": "territory", "business_type_id": "business_type", "industry_type_id": "industry_type",
    },
    "deals": {
        "sales_account_id": "sales_account", "owner_id": "owner", "currency_id": "currency", "lead_source_id": "source",
        "deal_type_id": "deal_type", "deal_product_id": "deal_product", "deal_reason_id": "deal_reason",
        "deal_payment_status_id": "deal_payment_status", "campaign_id": "campaign", "territory_id": None,
    },
}  # fmt: skip
"""The ids that a record shows only with this `include`; with None never."""
EMPTY = {"tasks": "tasks", "appointments": "appointments", "products": "products", "probability": "deal_stages"}
INCLUDES = {
    "contacts": "sales_accounts owner campaign contact_status lifecycle_stage creater updater source territory tasks"
    " appointments notes deals emails",
    "leads": "owner creater updater source campaign lead_stage lead_reason territory tasks appointments notes",
    "sales_accounts": "owner creater updater territory business_type industry_type tasks appointments contacts deals"
    " child_sales_accounts",
    "deals": "sales_account contacts owner creater updater source campaign deal_stage deal_type deal_reason"
    " deal_payment_status deal_product currency probability products",
}


def includes(crm: Crm, resource: str, given: str) -> list[str]:
    """The `include` parameter, split. Raises Refusal 400 for a value this resource doesn't have, or passes it over."""
    names = [name.strip() for name in given.split(",") if name.strip()]
    known = [name for name in names if name in INCLUDES[resource].split()]
    if crm.account.edition == "classic" and "lifecycle_stage" in known:
        known.remove("lifecycle_stage")
    unknown = [name for name in names if name not in known]
    if unknown and crm.options.unknown_includes == "refuse":
        raise Refusal(400, "unknown", name=f"include {unknown[0]}")
    return known


def whole(crm: Crm, resource: str, row: Any, *, custom: bool = True) -> Row:
    """One record with all its attributes, unset ones null; `custom` off leaves the custom fields out."""
    account = crm.account
    data = orjson.loads(row["data"])
    shown, fields = {"id": row["id"], **account.blank(resource)}, dict(account.blank_custom(resource))
    for name, value in data.items():
        if name in shown:
            shown[name] = value
        else:
            fields[name] = value
    as_number = resource == "sales_accounts" and crm.options.account_revenue == "number"
    for name in MONEY & data.keys():
        shown[name] = data[name] if as_number else values.money(data[name])
    shown["is_deleted"] = bool(row["deleted"])
    if "emails" in shown:
        shown["emails"] = [{**entry, "_destroy": False} for entry in shown["emails"]]
        shown["display_name"] = f"{data.get('first_name', '')} {data.get('last_name', '')}".strip() or shown["email"]
    if resource == "leads":
        _lead(account, shown)
    if resource == "deals":
        amount, currency = data.get("amount", 0), account.ids["currencies"].get(data.get("currency_id"), {})
        shown["base_currency_amount"] = values.money(round(amount / float(currency.get("exchange_rate", 1)), 2))
        shown["expected_deal_value"] = values.money(round(amount * (data.get("probability") or 100) / 100, 2))
        shown["fc_widget_collaboration"] = {"convo_token": SIGNED}
    prefix = "/crm/sales" if account.edition == "suite" else ""
    shown["links"] = {name: f"{prefix}/{resource}/{row['id']}/{name}" for name in LINKS}
    shown["created_at"] = values.timestamp(row["created_at"], crm.options)
    shown["updated_at"] = values.timestamp(row["updated_at"], crm.options)
    if custom:
        shown["custom_field"] = fields
    return shown


def _lead(account: Account, shown: Row) -> None:
    for name, model in NESTED.items():
        if (given := shown[name]) is None:
            continue
        known = account.by_model[model].items()
        nested = {"id": given["id"], **{key: given.get(key) for key, field in known if field["default"]}}
        if custom := {key: given.get(key) for key, field in known if not field["default"]}:
            nested["custom_field"] = custom
        for key in MONEY & nested.keys():
            nested[key] = values.money(nested[key])
        if name == "deal":
            currency = account.first("currencies")
            nested |= {"currency_id": currency and currency["id"], "base_currency_amount": nested.get("amount")}
        shown[name] = nested


def partial(record: Row) -> Row:
    """The few attributes that lists of linked records show."""
    return {"partial": True, **{name: record[name] for name in PARTIAL if name in record}}


def answer(crm: Crm, resource: str, rows: Sequence[Any], include: Sequence[str], *, custom: bool = True) -> tuple[
    list[Row], Row
]:  # fmt: skip
    """The records, and the arrays that `include` puts beside them."""
    records = [whole(crm, resource, row, custom=custom) for row in rows]
    beside: dict[str, Any] = {}
    for name in include:
        if name in USERS:
            known = crm.account.ids["owners"]
            beside.setdefault("users", {}).update(_chosen(known, (record[USERS[name]] for record in records)))
        elif name in SELECTED:
            attribute, selector = SELECTED[name]
            beside[selector] = _chosen(crm.account.ids[selector], (record.get(attribute) for record in records))
        elif name in EMPTY:
            beside.setdefault(EMPTY[name], {})
        elif name != "emails":  # which stand in the record anyway
            _linked(crm, resource, records, name, beside)
    _hide_ids(crm, resource, records, include)
    return records, {name: list(found.values()) for name, found in beside.items()}


def _hide_ids(crm: Crm, resource: str, records: list[Row], include: Sequence[str]) -> None:
    if crm.options.association_ids == "always":
        return
    for attribute, name in REVEALED_BY[resource].items():
        if name not in include:
            for record in records:
                record.pop(attribute, None)


def one(crm: Crm, resource: str, number: int, include: str = "") -> Row:
    """`{"contact": {…}}` with what is included. Raises Refusal 404."""
    names = includes(crm, resource, include)
    row = crm.store.record(resource, number)
    if row is None:
        raise Refusal(404, "not_found")
    records, beside = answer(crm, resource, [row], names)
    return {SINGULAR[resource]: records[0], **beside}


def _chosen(known: dict[int, Row], ids: Iterable[Any]) -> dict[int, Row]:
    return {number: known[number] for number in ids if number in known}


LINKED = {
    # (resource, include): SQL for (record, other, flag), the other's resource, the name of the list of ids
    ("contacts", "deals"): ("SELECT contact_id, deal_id, 0 FROM deal_link WHERE contact_id IN", "deals", "deal_ids"),
    ("deals", "contacts"): ("SELECT deal_id, contact_id, 0 FROM deal_link WHERE deal_id IN", "contacts", "contact_ids"),
    ("sales_accounts", "contacts"): (
        "SELECT account_id, contact_id, 0 FROM account_link WHERE account_id IN", "contacts", "contact_ids",
    ),
    ("contacts", "sales_accounts"): (
        "SELECT contact_id, account_id, is_primary FROM account_link WHERE contact_id IN", "sales_accounts", "",
    ),
}  # fmt: skip


def _linked(crm: Crm, resource: str, records: list[Row], name: str, beside: dict[str, Any]) -> None:
    by_id = {record["id"]: record for record in records}
    marks = f"({','.join('?' * len(by_id))})"
    if name == "notes":
        sql = f"SELECT * FROM entry WHERE kind = 'notes' AND target_id IN {marks} ORDER BY id"
        notes = {row["id"]: orjson.loads(row["data"]) | {"id": row["id"]} for row in crm.store.all(sql, list(by_id))}
        beside["notes"] = notes
        return
    if name == "sales_account":
        others = crm.store.records([record["sales_account_id"] for record in records if record["sales_account_id"]])
        beside["sales_accounts"] = {key: partial(whole(crm, "sales_accounts", row)) for key, row in others.items()}
        return
    if resource == "sales_accounts" and name in ("deals", "child_sales_accounts"):
        _owned(crm, by_id, name, beside)
        return
    sql, other, ids = LINKED[resource, name]
    pairs = crm.store.all(f"{sql} {marks}", list(by_id))
    others = crm.store.records(list({pair[1] for pair in pairs}))
    shown = {key: partial(whole(crm, other, row)) for key, row in others.items()}
    for record in records:
        record[ids or other] = []
    for number, linked, flag in sorted(pairs, key=lambda pair: (not pair[2], pair[1])):
        entry = linked if ids else {**shown[linked], "is_primary": bool(flag)}
        by_id[number][ids or other].append(entry)
    if ids:
        beside[other] = shown


def _owned(crm: Crm, by_id: dict[int, Row], name: str, beside: dict[str, Any]) -> None:
    """Deals or daughter accounts of accounts: found by the id that they hold."""
    other = "deals" if name == "deals" else "sales_accounts"
    attribute = "sales_account_id" if name == "deals" else "parent_sales_account_id"
    beside[name] = {}
    for number, record in by_id.items():
        rows = crm.store.having(other, attribute, number)
        record["deal_ids" if name == "deals" else "child_sales_account_ids"] = [row["id"] for row in rows]
        beside[name].update({row["id"]: partial(whole(crm, other, row)) for row in rows})

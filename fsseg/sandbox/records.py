"""Leads, contacts, accounts and deals: what may be written to them, and what one write does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from fsseg.sandbox import values
from fsseg.sandbox.account import MODELS, NESTED, SINGULAR, Account, Row
from fsseg.sandbox.messages import Refusal
from fsseg.sandbox.options import Options
from fsseg.sandbox.store import Store

SPECIAL = {
    "contacts": frozenset({"email", "emails", "sales_accounts", "sales_account_id"}),
    "leads": frozenset({"email", "company", "deal"}),
    "sales_accounts": frozenset[str](),
    "deals": frozenset({"sales_account", "contacts_added_list", "contacts_removed_list"}),
}
"""Attributes that are no plain fields."""

IDENTIFIERS = {
    "contacts": ("emails", "mobile_number"),
    "leads": ("emails",),
    "sales_accounts": ("name", "id"),
    "deals": ("name", "id"),
}
"""Keys that an upsert may identify a record by; bulk_upsert takes `id` for contacts too."""


@dataclass
class Crm:
    """One running account: its records and its switches."""

    store: Store
    options: Options

    @property
    def account(self) -> Account:
        """Fields and selectors."""
        return self.store.account


def find(crm: Crm, resource: str, key: str, value: Any) -> int | None:
    """The record that an upsert's identifier means; the oldest where several fit (names of deals, leads' e-mails).

    Raises Refusal: 400 for a value that can't identify, 404 for an id that doesn't exist.
    """
    if key == "id":
        number = values.record_id(key, value)
        if crm.store.record(resource, number) is None:
            raise Refusal(404, "no_record", name=key, value=number)
        return number
    if not isinstance(value, str) or not value.strip():
        raise Refusal(400, "bad_body", name=key)
    match key:
        case "emails":
            rows = crm.store.addressed(resource, values.email(value))
        case "name":
            rows = crm.store.named(resource, value)
        case _:
            rows = crm.store.having(resource, key, value)
    return int(rows[0]["id"]) if rows else None


def identified(resource: str, key: str, value: Any, given: Row) -> Row:
    """What an upsert creates: the attributes, and the identifier with them unless they say otherwise."""
    name = "email" if (resource, key) == ("leads", "emails") else key
    if key == "id" or name in given or (key == "emails" and "email" in given):
        return given
    return {**given, name: value}


def write(
    crm: Crm, resource: str, given: Any, number: int | None = None, *, bulk: bool = False, upsert: bool = False
) -> int:
    """Create (`number` None) or update one record with the attributes given; returns its id.

    `bulk` and `upsert` say by which request, as accounts treat them differently. Runs in the caller's
    transaction, which a Refusal must roll back.
    """
    if not isinstance(given, dict):
        raise Refusal(400, "bad_body", name=SINGULAR[resource])
    row = crm.store.record(resource, number) if number is not None else None
    if number is not None and row is None:
        raise Refusal(404, "not_found")
    old: Row = orjson.loads(row["data"]) if row else {}
    checked = values.attributes(crm.account, crm.options, MODELS[resource], given, also=SPECIAL[resource])
    if crm.options.null == "ignore":
        checked = {name: value for name, value in checked.items() if value is not None}
    data = _with_kept(crm, resource, old, given, checked, bulk=bulk)
    if upsert and row is not None and crm.options.upsert_owner == "reset" and "owner_id" not in checked:
        data["owner_id"] = crm.account.me()
    links, added, removed = None, list[int](), list[int]()
    addresses = _addresses(crm, resource, given, data, number)
    match resource:
        case "leads":
            _nested(crm, given, data)
        case "contacts":
            links = _accounts(crm, given)
            _stage(crm.account, old, checked, data)
        case "deals":
            loses_links = bulk and crm.options.deal_links_in_bulk == "lose"
            added = [] if loses_links else _contacts(crm, given, "contacts_added_list")
            removed = _contacts(crm, given, "contacts_removed_list")
            _deal(crm, given, data, new=row is None)
        case "sales_accounts":
            _parent(crm, checked)
    data = {name: value for name, value in data.items() if value is not None}
    _complete(crm, resource, data, number, given)
    data["updater_id"] = crm.account.me()
    name = str(data.get("name") or f"{data.get('first_name', '')} {data.get('last_name', '')}".strip())
    saved = crm.store.save(resource, number, name, data, addresses)
    if links is not None:
        _link_accounts(crm, saved, links)
    crm.store.many("INSERT OR IGNORE INTO deal_link VALUES (?, ?)", [(saved, contact) for contact in added])
    crm.store.many("DELETE FROM deal_link WHERE (deal_id, contact_id) = (?, ?)", [(saved, one) for one in removed])
    return saved


def _link_accounts(crm: Crm, contact: int, links: list[tuple[int, bool]]) -> None:
    """Give a contact these accounts, each with whether it is the primary one."""
    if crm.options.account_links == "replace":
        crm.store.run("DELETE FROM account_link WHERE contact_id = ?", (contact,))
    elif any(primary for _, primary in links):
        crm.store.run("UPDATE account_link SET is_primary = 0 WHERE contact_id = ?", (contact,))
    crm.store.many("INSERT OR REPLACE INTO account_link VALUES (?, ?, ?)", [(contact, *link) for link in links])


def restore(crm: Crm, resource: str, number: int) -> None:
    """Bring a deleted person back, without custom fields and links. Raises Refusal."""
    row = crm.store.deleted(resource, number)
    if row is None:
        raise Refusal(404, "not_found")
    known = crm.account.by_model[MODELS[resource]]
    data = {
        name: value for name, value in orjson.loads(row["data"]).items() if name not in known or known[name]["default"]
    }
    addresses = [entry["value"] for entry in data.get("emails", ())]
    for address in addresses if resource == "contacts" else ():
        if crm.store.addressed(resource, address):
            raise Refusal(400, "exists", value=address)
    crm.store.restore(resource, number, row["name"], data, addresses)


def _with_kept(crm: Crm, resource: str, old: Row, given: Row, checked: Row, *, bulk: bool) -> Row:
    """What is written, with what the write leaves of the record's values: all, or all but the custom fields where it
    names some of these.
    """
    how = crm.options.bulk_custom_fields if bulk else crm.options.custom_fields
    kept = old
    if how == "replace" and given.get("custom_field"):
        known = crm.account.by_model[MODELS[resource]]
        kept = {
            name: value
            for name, value in old.items()
            if name not in known or known[name]["default"] or known[name]["_read_only"]
        }
    data = {**kept, **checked}
    if checked.get("tags") and crm.options.tags == "add":
        data["tags"] = list(dict.fromkeys([*old.get("tags", ()), *checked["tags"]]))
    return data


def _complete(crm: Crm, resource: str, data: Row, number: int | None, given: Row) -> None:
    """Refuse a record that lacks something, or has what only one may; a new one gets its maker."""
    model, options = MODELS[resource], crm.options
    _required(crm.account.by_model[model], data, None if number is None else given)
    if number is None:
        wanted = {"contacts": options.required, "leads": options.required, "deals": options.required_of_deals}
        _demanded(crm, model, data, wanted.get(resource, ()))
        data["creater_id"] = crm.account.me()
    _unique(crm, resource, data, number)


def _demanded(crm: Crm, model: str, data: Row, names: Sequence[str]) -> None:
    """What this account wants of every new person or deal, whatever its metadata says."""
    for name in names:
        if data.get(name) in (None, ""):
            field = crm.account.by_model[model].get(name)
            label = field["label"] if field else name.capitalize()
            raise Refusal(400, "needed" if name == "email" else "empty", name=label)


def _required(known: dict[str, Row], data: Row, given: Row | None) -> None:
    touched = None if given is None else {*given, *(given.get("custom_field") or ())}
    for name, field in known.items():
        if field["required"] and (touched is None or name in touched) and data.get(name) in (None, "", []):
            raise Refusal(400, "blank", name=field["label"])


def _unique(crm: Crm, resource: str, data: Row, number: int | None) -> None:
    if resource == "sales_accounts" and any(row["id"] != number for row in crm.store.named(resource, data["name"])):
        raise Refusal(400, "taken")
    for name, field in crm.account.by_model[MODELS[resource]].items():
        if field["_unique"] and any(row["id"] != number for row in crm.store.having(resource, name, data.get(name))):
            raise Refusal(400, "not_unique", name=field["label"].title().replace(" ", ""))


# ── people ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _addresses(crm: Crm, resource: str, given: Row, data: Row, number: int | None) -> list[str] | None:
    """Merge the e-mail attributes into `data["emails"]`; all addresses where they were given, else None."""
    if resource not in ("contacts", "leads"):
        return None
    entries: list[Row] = data.get("emails", [])
    touched = [name for name in ("email", "emails") if name in given and name in SPECIAL[resource]]
    for name in touched:
        if name == "email" and not isinstance(given[name], str | None):
            raise Refusal(400, "bad_body", name=name)
        if name == "emails" and not _is_taken(crm.options.email_shape, given[name]):
            raise Refusal(400, "bad_body", name=name)
        entries = merged(crm.store, entries, given[name])
    folded = list(dict.fromkeys(entry["value"].casefold() for entry in entries))
    if touched:
        if resource == "contacts":
            for address in folded:
                if any(row["id"] != number for row in crm.store.addressed(resource, address)):
                    if crm.options.duplicates == "not_unique":
                        raise Refusal(400, "not_unique", name="Contact")
                    raise Refusal(400, "exists", value=address)
        data["emails"] = entries or None
        data["email"] = next((entry["value"] for entry in entries if entry["is_primary"]), None)
    if not entries and not data.get("mobile_number"):
        raise Refusal(400, "no_handle")
    return folded if touched else None


def _is_taken(shape: str, given: Any) -> bool:
    """Whether an account that wants this shape takes these addresses."""
    return shape == "any" or given is None or isinstance(given, list) == (shape == "objects")


def merged(store: Store, entries: list[Row], given: Any) -> list[Row]:
    """A person's addresses after an `emails` attribute of any of its shapes.

    One text replaces the primary address unless it is there already; a list of texts adds what is missing; objects add,
    change the entry of their `id`, or remove it with `_destroy`; null removes all.
    """
    entries = [dict(entry) for entry in entries]
    if given is None or given == "":
        return []
    if isinstance(given, str):
        address = values.email(given)
        same = next((entry for entry in entries if entry["value"].casefold() == address.casefold()), None)
        changed = same or next((entry for entry in entries if entry["is_primary"]), None)
        if changed is None:
            return [*entries, _entry(store, address, primary=True)]
        changed["value"] = address
        return entries
    if not isinstance(given, list):
        raise Refusal(400, "bad_body", name="emails")
    for item in given:
        if not isinstance(item, str | dict):
            raise Refusal(400, "bad_body", name="emails")
        entries = _with_entry(store, entries, {"value": item} if isinstance(item, str) else item)
    if entries and not any(entry["is_primary"] for entry in entries):
        entries[0]["is_primary"] = True
    return entries


def _with_entry(store: Store, entries: list[Row], item: Row) -> list[Row]:
    address = values.email(item["value"]) if "value" in item else None
    same = [
        entry
        for entry in entries
        if entry["id"] == item.get("id") or (address and entry["value"].casefold() == address.casefold())
    ]
    if item.get("_destroy"):
        return [entry for entry in entries if entry not in same]
    if not same:
        if address is None:
            raise Refusal(400, "bad_body", name="emails")
        same = [_entry(store, address, primary=False)]
        entries = entries + same
    same[0]["value"] = address or same[0]["value"]
    same[0]["label"] = item.get("label", same[0]["label"])
    if item.get("is_primary"):
        for entry in entries:
            entry["is_primary"] = entry is same[0]
    return entries


def _entry(store: Store, address: str, *, primary: bool) -> Row:
    return {"id": store.numbers(), "value": address, "is_primary": primary, "label": None}


def _nested(crm: Crm, given: Row, data: Row) -> None:
    for name, model in NESTED.items():
        if name not in given:
            continue
        if given[name] is None:
            data[name] = None
            continue
        if not isinstance(given[name], dict):
            raise Refusal(400, "bad_body", name=name)
        checked = values.attributes(crm.account, crm.options, model, given[name])
        nested = {"id": crm.store.numbers(), **(data.get(name) or {}), **checked}
        data[name] = {key: value for key, value in nested.items() if value is not None}
        _required(crm.account.by_model[model], data[name], None)


def _stage(account: Account, old: Row, checked: Row, data: Row) -> None:
    """Keep status and lifecycle stage a matching pair: a status belongs to one stage."""
    if account.edition != "suite":
        return
    status = account.ids["contact_statuses"].get(data.get("contact_status_id") or 0)
    stage = data.get("lifecycle_stage_id")
    if "contact_status_id" in checked and status is not None:
        if checked.get("lifecycle_stage_id") not in (None, status["lifecycle_stage_id"]):
            raise Refusal(400, "no_choice", name="contact status")
        data["lifecycle_stage_id"] = status["lifecycle_stage_id"]
    elif stage is not None and stage != old.get("lifecycle_stage_id"):
        data["contact_status_id"] = account.ids["lifecycle_stages"][stage]["contact_status_ids"][0]


# ── links ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _accounts(crm: Crm, given: Row) -> list[tuple[int, bool]] | None:
    """The accounts that replace a contact's, the primary one told; None where none were given."""
    if "sales_accounts" in given:
        listed = given["sales_accounts"]
    elif "sales_account_id" in given:
        listed = [{"id": given["sales_account_id"]}] if given["sales_account_id"] is not None else []
    else:
        return None
    if not isinstance(listed, list) or not all(isinstance(item, dict) and "id" in item for item in listed):
        raise Refusal(400, "bad_body", name="sales_accounts")
    flags = [item.get("is_primary", False) for item in listed]
    if not all(isinstance(flag, bool) for flag in flags) or sum(flags) > 1:
        raise Refusal(400, "bad_body", name="sales_accounts")
    links: dict[int, bool] = {}
    for item, flag in zip(listed, flags, strict=True):
        links[_existing(crm, "sales_accounts", item["id"])] = flag or not (any(flags) or links)
    return list(links.items())


def _contacts(crm: Crm, given: Row, name: str) -> list[int]:
    listed = given.get(name, [])
    if not isinstance(listed, list):
        raise Refusal(400, "bad_body", name=name)
    return [_existing(crm, "contacts", item) for item in listed]


def _existing(crm: Crm, resource: str, value: Any) -> int:
    number = values.record_id(resource, value)
    if crm.store.record(resource, number) is None:
        raise Refusal(400, "no_record", name=SINGULAR[resource], value=number)
    return number


def _parent(crm: Crm, checked: Row) -> None:
    if checked.get("parent_sales_account_id") is not None:
        _existing(crm, "sales_accounts", checked["parent_sales_account_id"])


def _deal(crm: Crm, given: Row, data: Row, *, new: bool) -> None:
    account = crm.account
    if given.get("sales_account") is not None:
        nested = given["sales_account"]
        if not isinstance(nested, dict) or not isinstance(nested.get("name"), str):
            raise Refusal(400, "bad_body", name="sales_account")
        found = crm.store.named("sales_accounts", nested["name"])
        data["sales_account_id"] = found[0]["id"] if found else write(crm, "sales_accounts", nested)
    elif given.get("sales_account_id") is not None:
        _existing(crm, "sales_accounts", given["sales_account_id"])
    for name, selector in (("deal_pipeline_id", "deal_pipelines"), ("currency_id", "currencies")):
        if data.get(name) is None and (row := account.first(selector)):
            data[name] = row["id"]
    stages = [
        row for row in account.selectors["deal_stages"] if row["deal_pipeline_id"] == data.get("deal_pipeline_id")
    ]
    if "deal_stage_id" not in given and ("deal_pipeline_id" in given or new) and stages:
        data["deal_stage_id"] = stages[0]["id"]
    if data.get("deal_stage_id") not in [row["id"] for row in stages]:
        raise Refusal(400, "mismatch", name="deal_stage_id", other="deal_pipeline_id")
    if not isinstance(data.get("probability", 0), int | float) or not 0 <= (data.get("probability") or 0) <= 100:
        raise Refusal(400, "bad_type", name="Probability", type="number")

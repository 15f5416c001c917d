"""Finding records: views and their pages, lookup, search and filtered search."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fsseg.sandbox import render, values
from fsseg.sandbox.account import MODELS, SINGULAR, Row
from fsseg.sandbox.defaults import VIEW_NAMES
from fsseg.sandbox.messages import Refusal
from fsseg.sandbox.options import Options
from fsseg.sandbox.records import Crm

RESOURCES = {singular: resource for resource, singular in SINGULAR.items()}
LOOKUP = {
    "contacts": ("email", "mobile_number", "work_number"),
    "leads": ("email", "mobile_number", "work_number"),
    "sales_accounts": ("name", "website"),
    "deals": ("name",),
}
"""Built-in fields that lookup finds by; custom fields come on top."""

COLUMNS = ("id", "created_at", "updated_at")
LAST_PAGE = 10**9
LAST = 2**62
OPERATORS = ("is_in", "is", "contains", "is_after", "is_before")


@dataclass(frozen=True)
class Page:
    """Which rows of a list: `page` from 1, `per_page` 25 or up to 100, `sort` and `sort_type`."""

    number: int
    size: int
    sort: str | None
    descending: bool

    @classmethod
    def of(cls, given: Mapping[str, Any], options: Options) -> Page:
        """From the query or a body. Raises Refusal 400."""
        try:
            number, size = int(given.get("page", 1)), int(given.get("per_page", 25))
        except (TypeError, ValueError):
            raise Refusal(400, "bad_type", name="page", type="number") from None
        sort = given.get("sort")
        if not 1 <= number <= LAST_PAGE or size < 1 or given.get("sort_type", "asc") not in ("asc", "desc"):
            raise Refusal(400, "bad_body", name="page")
        if not isinstance(sort, str | None):
            raise Refusal(400, "bad_body", name="sort")
        size = min(size, 100)
        if options.short_pages:
            size = max(1, size * 3 // 4)
        return cls(number, size, sort, given.get("sort_type") == "desc")

    def meta(self, total: int) -> Row:
        """`{"total_pages": n, "total": n}`."""
        return {"total_pages": math.ceil(total / self.size), "total": total}


def listed(
    crm: Crm, resource: str, where: Sequence[str], bound: Sequence[Any], page: Page, *, deleted: bool = False
) -> tuple[list[Any], Row]:
    """One page of the records that meet all conditions, and the list's meta. Raises Refusal 400 for an unknown sort."""
    condition = " AND ".join([f"resource = '{resource}'", f"deleted = {deleted:d}", *where])
    total = crm.store.count(condition, bound)
    order = _column(crm, resource, page.sort or "id")
    direction = "DESC" if page.descending else "ASC"
    rows = crm.store.all(
        f"SELECT * FROM record WHERE {condition} ORDER BY {order} {direction}, id {direction} LIMIT ? OFFSET ?",
        [*bound, page.size, (page.number - 1) * page.size],
    )
    return rows, page.meta(total)


def _column(crm: Crm, resource: str, attribute: str) -> str:
    if attribute in COLUMNS:
        return attribute
    if attribute not in crm.account.by_model[MODELS[resource]]:
        raise Refusal(400, "unknown", name=attribute)
    return f"""json_extract(data, '$."{attribute}"')"""


def view(crm: Crm, resource: str, number: int, query: Mapping[str, str]) -> Row:
    """GET /{resource}/view/{id}. Raises Refusal."""
    found = next((row for row in crm.account.views[resource] if row["id"] == number), None)
    if found is None:
        raise Refusal(crm.options.unknown_view, "forbidden" if crm.options.unknown_view == 403 else "not_found")
    include = render.includes(crm, resource, query.get("include", ""))
    kind = found["kind"]
    where, bound = (["json_extract(data, '$.owner_id') = ?"], [crm.account.me()]) if kind == "mine" else ([], [])
    rows, meta = listed(crm, resource, where, bound, Page.of(query, crm.options), deleted=kind == "recycled")
    records, beside = render.answer(crm, resource, rows, include, custom=crm.options.view_custom_fields)
    return {resource: records, **beside, "meta": meta}


def filters(crm: Crm, resource: str) -> Row:
    """GET /{resource}/filters: the views."""
    common = {
        "model_class_name": MODELS[resource], "user_id": 0, "is_default": True, "user_name": None,
        "updated_at": "2024-01-01T00:00:00Z", "current_user_permissions": [],
    }  # fmt: skip
    if crm.account.edition == "classic":
        common["is_public"] = True
    names, resources = VIEW_NAMES[crm.options.language]
    views = [
        {"id": row["id"], "name": names[row["kind"]].format(resources[resource]), **common}
        for row in crm.account.views[resource]
    ]
    return {"filters": views, "meta": {"total": len(views)}}


def lookup(crm: Crm, query: Mapping[str, str]) -> Row:
    """GET /lookup: exact on one field; e-mail and name in any case, phone numbers to the letter. Raises Refusal 400."""
    wanted, attribute, entities = (query.get(name, "") for name in ("q", "f", "entities"))
    if not (wanted and attribute and entities):
        raise Refusal(400, "blank", name="q, f, entities")
    found: Row = {}
    for entity in entities.split(","):
        resource = RESOURCES.get(entity.strip())
        if resource is None:
            raise Refusal(400, "unknown", name=f"entity {entity}")
        rows = _looked_up(crm, resource, attribute, wanted) if resource in crm.account.fields else []
        rows = [row for row in rows if row["created_at"] <= _indexed_until(crm)]
        include = render.includes(crm, resource, query.get("include", "")) if rows else []
        records, beside = render.answer(crm, resource, rows, include)
        if crm.options.lookup_rows == "partial":
            records = [render.partial(record) for record in records]
        found[resource] = {resource: records, **beside}
    return found


def _indexed_until(crm: Crm) -> int:
    """What was made later, lookup and search don't know yet."""
    return time.time_ns() // 1000 - round(crm.options.lookup_lag * 1_000_000) if crm.options.lookup_lag else LAST


def _looked_up(crm: Crm, resource: str, attribute: str, wanted: str) -> list[Any]:
    field = crm.account.by_model[MODELS[resource]].get(attribute)
    if attribute in LOOKUP[resource]:
        if attribute == "email":
            return crm.store.addressed(resource, wanted.strip())
        return (
            crm.store.named(resource, wanted) if attribute == "name" else crm.store.having(resource, attribute, wanted)
        )
    if field is None or field["default"]:
        return []
    if field["type"] in ("number", "decimal"):
        return crm.store.having(resource, attribute, float(wanted)) if wanted.replace(".", "", 1).isdigit() else []
    return crm.store.having(resource, attribute, wanted)


def search(crm: Crm, query: Mapping[str, str]) -> list[Row]:
    """GET /search: a bare array of whatever holds the text in its name or address; ids are text. Raises Refusal 400."""
    wanted, page = query.get("q", "").casefold(), Page.of(query, crm.options)
    if not wanted:
        raise Refusal(400, "blank", name="q")
    found: list[Row] = []
    for entity in query.get("include", "contact,lead,sales_account,deal").split(","):
        resource = RESOURCES.get(entity.strip(), "")
        if resource not in crm.account.resources:
            continue
        like = "%" + wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        where = "(name LIKE ?1 ESCAPE '\\' OR id IN (SELECT record_id FROM email WHERE folded LIKE ?1 ESCAPE '\\'))"
        sql = (
            f"SELECT * FROM record WHERE resource = '{resource}' AND deleted = 0 AND created_at <= ?3 AND {where}"
            " ORDER BY id LIMIT ?2"
        )
        for row in crm.store.all(sql, (like, page.size, _indexed_until(crm))):
            record = render.whole(crm, resource, row)
            name = record.get("display_name") or record.get("name")
            shown = {"id": str(row["id"]), "type": entity.strip(), "name": name, "avatar": None}
            found.append(shown | ({"email": record["email"], "company_name": None} if "email" in record else {}))
    return found[: page.size]


def filtered(crm: Crm, resource: str, query: Mapping[str, str], body: Any) -> Row:
    """POST /filtered_search/{entity}. Raises Refusal 400 for rules it doesn't know."""
    if not isinstance(body, dict) or not isinstance(body.get("filter_rule"), list):
        raise Refusal(400, "bad_body", name="filter_rule")
    where: list[str] = []
    bound: list[Any] = []
    if crm.options.lookup_lag:
        where, bound = ["created_at <= ?"], [_indexed_until(crm)]
    for rule in body["filter_rule"]:
        condition, more = _rule(crm, resource, rule)
        where.append(condition)
        bound += more
    page = Page.of({**query, **body}, crm.options)
    rows, meta = listed(crm, resource, where, bound, page)
    custom = crm.options.filtered_custom_fields or body.get("detail") is True
    include = render.includes(crm, resource, query.get("include", ""))
    found, beside = render.answer(crm, resource, rows, include, custom=custom)
    records = [{"partial": True, **record} for record in found]
    if not crm.options.filtered_emails:
        for record in records:
            record.pop("emails", None)
    return {resource: records, **beside, "meta": meta}


def _rule(crm: Crm, resource: str, rule: Any) -> tuple[str, list[Any]]:
    if not isinstance(rule, dict) or rule.keys() != {"attribute", "operator", "value"}:
        raise Refusal(400, "bad_body", name="filter_rule")
    attribute, operator, value = rule["attribute"], rule["operator"], rule["value"]
    if operator not in OPERATORS or value in (None, "", []):
        raise Refusal(400, "bad_body", name="operator")
    if isinstance(value, list):
        if operator != "is_in" or crm.options.is_in_list == "refused":
            raise Refusal(400, "bad_body", name="value")
        if crm.options.is_in_list == "text":
            value = str(value)
    wanted = value if isinstance(value, list) else [value]
    if not isinstance(attribute, str) or not all(isinstance(item, str | int | float) for item in wanted):
        raise Refusal(400, "bad_body", name="filter_rule")
    marks = ",".join("?" * len(wanted))
    if attribute == f"{SINGULAR[resource]}_email.email" and "emails" in crm.account.blank(resource):
        if operator not in ("is_in", "is"):
            raise Refusal(400, "bad_body", name="operator")
        sql = f"id IN (SELECT record_id FROM email WHERE resource = '{resource}' AND folded IN ({marks}))"
        return sql, [str(item).strip().casefold() for item in wanted]
    column = _column(crm, resource, attribute)
    if operator in ("is_after", "is_before"):
        moment = values.instant(attribute, value)
        bound = values.microseconds(moment) if attribute in COLUMNS else moment.date().isoformat()
        return f"{column} {'>' if operator == 'is_after' else '<'} ?", [bound]
    if operator == "contains":
        return f"instr(lower({column}), lower(?)) > 0", [str(value)]
    if attribute.endswith("_id") and not attribute.startswith("cf_"):
        wanted = [values.record_id(attribute, item) for item in wanted]
    return f"{column} IN ({marks})", wanted

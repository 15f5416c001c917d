"""What stands on a timeline: sales activities, notes, tracked events and page views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from fsseg.sandbox import records, values
from fsseg.sandbox.account import RESOURCE_OF, SINGULAR, Row
from fsseg.sandbox.messages import Refusal
from fsseg.sandbox.records import Crm
from fsseg.sandbox.search import Page

TARGET = frozenset({"targetable_type", "targetable_id", "targetables", "custom_field"})
SDKS = ("ruby", "php", "python", "java")
TRACKED = {"events": "event", "page_views": "page_view"}
LONGEST_EVENT_NAME = 50


def write(crm: Crm, kind: str, given: Any, number: int | None = None) -> int:
    """Create or update a sales activity or a note (`kind` `sales_activities` or `notes`). Raises Refusal."""
    if not isinstance(given, dict):
        raise Refusal(400, "bad_body", name=kind)
    row = entry(crm, kind, number) if number is not None else None
    old: Row = orjson.loads(row["data"]) if row else {}
    data = _activity(crm, given, old) if kind == "sales_activities" else _note(crm, given, old)
    target = _target(crm, given) or ((row["target_type"], row["target_id"]) if row else None)
    if target is None:
        raise Refusal(400, "blank", name="targetable")
    now, text = crm.store.now(), orjson.dumps(data).decode()
    if row is not None:
        crm.store.run(
            "UPDATE entry SET target_type = ?, target_id = ?, updated_at = ?, data = ? WHERE id = ?",
            (*target, now, text, number),
        )
        return int(row["id"])
    return insert(crm, kind, target, data, now)


def insert(crm: Crm, kind: str, target: tuple[str, int] | tuple[None, None], data: Row, now: int) -> int:
    """Add one entry; returns its id."""
    number = crm.store.numbers()
    text = orjson.dumps(data).decode()
    crm.store.run("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?)", (number, kind, *target, now, now, text))
    return number


def entry(crm: Crm, kind: str, number: int) -> Any:
    """One entry's row. Raises Refusal 404."""
    row = crm.store.one("SELECT * FROM entry WHERE id = ? AND kind = ?", (number, kind))
    if row is None:
        raise Refusal(404, "not_found")
    return row


def _activity(crm: Crm, given: Row, old: Row) -> Row:
    known = crm.account.by_model["SalesActivity"]
    checked = values.attributes(crm.account, crm.options, "SalesActivity", given, also=TARGET)
    for name, field in known.items():
        if field["type"] == "date_time_split" and checked.get(name):
            moment = values.instant(name, checked[name]).astimezone(crm.options.zone)
            checked[name] = moment.isoformat(timespec=crm.options.precision)
    data = {**old, **checked}
    for name, field in known.items():
        if field["required"] and not name.startswith("targetable") and data.get(name) in (None, ""):
            raise Refusal(400, "blank", name=field["label"])
    if values.instant("end_date", data["end_date"]) < values.instant("start_date", data["start_date"]):
        raise Refusal(400, "order", name="end_date", other="start_date")
    kind = crm.account.ids["sales_activity_types"][data["sales_activity_type_id"]]
    outcome = crm.account.ids["sales_activity_outcomes"].get(data.get("sales_activity_outcome_id") or 0)
    if outcome is None and kind["is_outcome_mandatory"]:
        raise Refusal(400, "blank", name="Sales activity outcome")
    if outcome is not None and outcome["sales_activity_type_id"] != kind["id"]:
        raise Refusal(400, "mismatch", name=outcome["name"], other=kind["name"])
    return data


def _note(crm: Crm, given: Row, old: Row) -> Row:
    for name in given:
        if name not in TARGET | {"description"} and crm.options.unknown_attributes == "refuse":
            raise Refusal(400, "unknown", name=name)
    text = given.get("description", old.get("description"))
    if not isinstance(text, str) or not text:
        raise Refusal(400, "blank", name="Description")
    return {"description": text}


def _target(crm: Crm, given: Row) -> tuple[str, int] | None:
    if "targetable_type" not in given and "targetable_id" not in given:
        return None
    model = given.get("targetable_type")
    resource = RESOURCE_OF.get(model) if isinstance(model, str) else None
    if resource not in crm.account.resources:
        raise Refusal(400, "bad_body", name="targetable_type")
    number = values.record_id("targetable_id", given.get("targetable_id"))
    if crm.store.record(resource, number) is None:
        raise Refusal(400, "no_record", name=model, value=number)
    return str(model), number


def shown(crm: Crm, row: Any) -> Row:
    """A sales activity or a note as the API shows it."""
    data = orjson.loads(row["data"])
    stamps = {name: values.timestamp(row[name], crm.options) for name in ("created_at", "updated_at")}
    targets = {"targetables": [{"id": row["target_id"], "type": row["target_type"]}]}
    if row["kind"] == "notes":
        more = {"url": None, "duration": None, "has_access": True, "collab_context": None}
        return {"id": row["id"], **data, **stamps, **more, "creater_id": crm.account.me(), **targets}
    blank = {field["name"]: None for field in crm.account.fields["sales_activities"]} | {"status": False}
    return {
        "id": row["id"], **blank, **data, "conversation_time": data["end_date"],
        "targetable_type": row["target_type"], "targetable_id": row["target_id"], **targets,
        "creater_id": crm.account.me(), "updater_id": crm.account.me(), "remote_id": None, "import_id": None,
        **stamps, "custom_field": {},
    }  # fmt: skip


def listed(crm: Crm, query: Mapping[str, str]) -> Row:
    """GET /sales_activities. Raises Refusal 400."""
    page = Page.of(query, crm.options)
    total = crm.store.one("SELECT count(*) FROM entry WHERE kind = 'sales_activities'")[0]
    if page.sort not in (None, "id", "created_at", "updated_at", "start_date", "end_date"):
        raise Refusal(400, "unknown", name=page.sort)
    column = page.sort or "id"
    if column.endswith("_date"):
        column = f"julianday(json_extract(data, '$.{column}'))"
    down = page.descending if page.sort else crm.options.activities_order == "newest"
    way = "DESC" if down else "ASC"
    sql = f"SELECT * FROM entry WHERE kind = 'sales_activities' ORDER BY {column} {way}, id {way} LIMIT ? OFFSET ?"
    rows = crm.store.all(sql, (page.size, (page.number - 1) * page.size))
    return {"sales_activities": [shown(crm, row) for row in rows], "meta": page.meta(total)}


def notes(crm: Crm, number: int, query: Mapping[str, str]) -> Row:
    """GET /{resource}/{id}/notes, newest first."""
    page = Page.of(query, crm.options)
    where = "FROM entry WHERE target_id = ? AND kind = 'notes'"
    total = crm.store.one(f"SELECT count(*) {where}", (number,))[0]
    sql = f"SELECT * {where} ORDER BY id DESC LIMIT ? OFFSET ?"
    rows = crm.store.all(sql, (number, page.size, (page.number - 1) * page.size))
    return {"notes": [shown(crm, row) for row in rows], "meta": page.meta(total)}


def timeline(crm: Crm, resource: str, number: int, query: Mapping[str, str]) -> Row:
    """GET /{resource}/{id}/activities: newest first; tracked events gathered by name. Raises Refusal."""
    try:
        limit = int(query.get("limit", 25))
    except ValueError:
        raise Refusal(400, "bad_type", name="limit", type="number") from None
    me = crm.account.ids["owners"][crm.account.me()]
    target = {"targetable_type": SINGULAR[resource].title(), "targetable_id": number, "targetable_name": None}
    items: list[Row] = []
    gathered: dict[tuple[str, str], Row] = {}
    for row in crm.store.all("SELECT * FROM entry WHERE target_id = ? ORDER BY id DESC", (number,)):
        data = orjson.loads(row["data"])
        created = values.timestamp(row["created_at"], crm.options)
        item = {
            "composite_id": f"{row['kind']}_{row['id']}", "id": row["id"], "created_at": created,
            "user_activity": row["kind"] not in TRACKED, **target, "actionable_type": None, "actionable_id": None,
            "user_id": me["id"],
        }  # fmt: skip
        if row["kind"] in TRACKED:
            name = data.get("name") or data.get("url")
            first = gathered.setdefault((row["kind"], name), {"name": name, "count": 0, "last_occurrence": created})
            first |= {"count": first["count"] + 1, "first_occurrence": created}
            if first["count"] > 1:
                continue
            items.append(item | {"action_type": row["kind"].upper()[:-1], "action_data": first})
        elif row["kind"] == "notes":
            items.append(item | _action("NOTE_ADD", "Note", row, {"description": data["description"]}))
        elif crm.account.ids["sales_activity_types"][data["sales_activity_type_id"]]["show_in_conversation"]:
            action = {key: data.get(key) for key in ("title", "start_date", "end_date", "sales_activity_type_id")}
            items.append(item | _action("SALES_ACTIVITY_ADD", "SalesActivity", row, action))
    beside = {"users": [me]} if query.get("include") == "user" else {}
    meta = {"has_next": len(items) > limit, "has_previous": False}
    return {**beside, "activities": items[:limit], "meta": meta}


def _action(kind: str, model: str, row: Any, data: Row) -> Row:
    return {"action_type": kind, "actionable_type": model, "actionable_id": row["id"], "action_data": data}


# ── the tracking API ────────────────────────────────────────────────────────────────────────────────────────────────


def track(crm: Crm, action: str, body: Row) -> None:
    """POST /track/{visitors|events|page_views}; stamped at receipt. Raises Refusal 400.

    Events of nobody known are taken and kept without a record.
    """
    identifier = body.get("identifier")
    if not isinstance(identifier, str) or not identifier.strip():
        raise Refusal(400, "blank", name="identifier")
    if body.get("sdk") not in SDKS:
        raise Refusal(400, "bad_body", name="sdk")
    if action == "visitors":
        _visitor(crm, identifier, body.get("visitor"))
        return
    item, needed = body.get(TRACKED[action]), "name" if action == "events" else "url"
    if not isinstance(item, dict) or not isinstance(item.get(needed), str) or not item[needed].strip():
        raise Refusal(400, "blank", name=needed)
    if action == "events" and crm.account.edition == "suite" and len(item["name"]) > LONGEST_EVENT_NAME:
        raise Refusal(400, "too_long", name="name")
    kept = item if action == "events" else {"url": item["url"]}
    person = _person(crm, identifier)
    insert(crm, action, person or (None, None), {**kept, "_identifier": identifier}, crm.store.now())


def _person(crm: Crm, identifier: str) -> tuple[str, int] | None:
    sql = "SELECT resource, id FROM visitor JOIN record ON id = record_id AND deleted = 0 WHERE identifier = ?"
    row = crm.store.one(sql, (identifier.casefold(),))
    found = [row] if row else crm.store.addressed("contacts", identifier) or crm.store.addressed("leads", identifier)
    return (SINGULAR[found[0]["resource"]].title(), int(found[0]["id"])) if found else None


def _visitor(crm: Crm, identifier: str, visitor: Any) -> None:
    """Create or update the person from attributes keyed by field label."""
    if not isinstance(visitor, dict):
        raise Refusal(400, "bad_body", name="visitor")
    address = next((value for key, value in visitor.items() if key.casefold() == "email"), None)
    if address is None and values.EMAIL.fullmatch(identifier):
        address = identifier
    person = _person(crm, identifier) or (_person(crm, address) if isinstance(address, str) else None)
    resource = RESOURCE_OF[person[0]] if person else ("leads" if crm.account.edition == "classic" else "contacts")
    given: Row = {"email": address} if address is not None else {}
    models = {"company": "LeadCompany", "deal": "LeadDeal"} if resource == "leads" else {}
    given |= _labelled(crm, "Lead" if resource == "leads" else "Contact", visitor)
    for name, model in models.items():
        if isinstance(visitor.get(name), dict):
            given[name] = _labelled(crm, model, visitor[name])
    number = records.write(crm, resource, given, person[1] if person else None)
    crm.store.run("INSERT OR REPLACE INTO visitor VALUES (?, ?)", (identifier.casefold(), number))


def _labelled(crm: Crm, model: str, given: Row) -> Row:
    names = {row["label"].casefold(): row for row in crm.account.by_model[model].values() if not row["_read_only"]}
    found: Row = {}
    for label, value in given.items():
        field = names.get(label.casefold())
        if field is None or field["name"] == "email":
            continue
        if field["default"]:
            found[field["name"]] = value
        else:
            found.setdefault("custom_field", {})[field["name"]] = value
    return found


def tracked(crm: Crm, kind: str) -> list[Row]:
    """All tracked events or page views, oldest first, each with the person it was tied to."""
    return [
        {**orjson.loads(row["data"]), "id": row["id"], "targetable_type": row["target_type"],
         "targetable_id": row["target_id"], "created_at": values.timestamp(row["created_at"], crm.options)}
        for row in crm.store.all("SELECT * FROM entry WHERE kind = ? ORDER BY id", (kind,))
    ]  # fmt: skip

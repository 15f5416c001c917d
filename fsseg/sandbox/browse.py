"""What a sales rep sees of the records: lists to search, a record with its fields and what is tied to it, a timeline.

What the last run changed is marked: it is handed in, as the sandbox knows no runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from fsseg.sandbox import render, values
from fsseg.sandbox.account import COMPUTED, MODELS, NESTED, SELECTOR_OF, Row
from fsseg.sandbox.messages import Refusal
from fsseg.sandbox.records import Crm

KINDS = {"leads": "leads", "contacts": "contacts", "accounts": "sales_accounts", "deals": "deals"}
"""The resource of each word in the page's addresses."""

PAGE = 50
COLUMNS = {
    "leads": ("Name", "E-mail", "Job title", "Company"),
    "contacts": ("Name", "E-mail", "Job title", "Accounts"),
    "sales_accounts": ("Name", "Website", "Employees", "Contacts"),
    "deals": ("Name", "Amount", "Stage", "Account"),
}
_UNSAID = frozenset({
    "id", "emails", "display_name", "avatar", "links", "is_deleted", "has_duplicates", "created_at", "updated_at",
    "custom_field", "sales_accounts", "sales_account_id", "contact_ids", "deal_ids", "fc_widget_collaboration",
    "partial",
})  # fmt: skip
"""Said elsewhere in the page, or of no interest to readers."""


@dataclass(frozen=True)
class LastRun:
    """What a run has changed: by the id of a record or timeline entry, its line of changes.jsonl."""

    id: str = ""
    finished_at: str = ""
    changes: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)


NO_RUN = LastRun()
LatestRun = Callable[[], LastRun]


def overview(crm: Crm, run: LastRun) -> Row:
    """How many records of each kind there are, and which run is marked."""
    kinds = {kind: resource for kind, resource in KINDS.items() if resource in crm.account.resources}

    def count(condition: str, *bound: str) -> int:
        return int(crm.store.one(f"SELECT count(*) FROM record WHERE {condition}", bound)[0])

    return {
        "edition": crm.account.edition,
        "kinds": [
            {"kind": kind, "count": count(_OF, resource),
             "changed": count(f"{_OF} AND {_CHANGED}", resource, _ids(run))}
            for kind, resource in kinds.items()
        ],
        "run": {"id": run.id, "finished_at": run.finished_at, "changes": len(run.changes)},
    }  # fmt: skip


_OF = "resource = ? AND deleted = 0"
_CHANGED = (
    "id IN (WITH marked AS (SELECT value FROM json_each(?)) SELECT value FROM marked"
    " UNION ALL SELECT target_id FROM entry WHERE id IN marked)"
)
_NAMED = (
    "(name LIKE ? ESCAPE '\\' OR CAST(id AS TEXT) = ?"
    " OR id IN (SELECT record_id FROM email WHERE folded LIKE ? ESCAPE '\\'))"
)


def _ids(run: LastRun) -> str:
    return orjson.dumps([*run.changes]).decode()


def listed(crm: Crm, kind: str, text: str, offset: int, run: LastRun, *, changed: bool) -> Row:
    """A page of a kind's records, the latest first: of those with the text in name, e-mail or id. Raises Refusal."""
    resource = _resource(crm, kind)
    where, bound = [_OF], [resource]
    if words := text.strip().casefold():
        pattern = "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        where.append(_NAMED)
        bound += [pattern, words.removeprefix("#"), pattern]
    if changed:
        where.append(_CHANGED)
        bound.append(_ids(run))
    condition = " AND ".join(where)
    total = crm.store.one(f"SELECT count(*) FROM record WHERE {condition}", bound)[0]
    rows = crm.store.all(
        f"SELECT * FROM record WHERE {condition} ORDER BY updated_at DESC, id DESC LIMIT {PAGE} OFFSET ?",
        (*bound, max(offset, 0)),
    )
    shown = [render.whole(crm, resource, row) for row in rows]
    return {
        "total": total,
        "columns": COLUMNS[resource],
        "rows": [
            {"id": row["id"], "cells": [_title(row), *_cells(crm, resource, row)],
             "mark": _mark(run, row["id"], new_entries=_has_new_entries(crm, row["id"], run))} for row in shown
        ],
    }  # fmt: skip


def _has_new_entries(crm: Crm, number: int, run: LastRun) -> bool:
    return any(id in run.changes for (id,) in crm.store.all("SELECT id FROM entry WHERE target_id = ?", (number,)))


def _mark(run: LastRun, number: int, *, new_entries: bool) -> str | None:
    """What the run has done with a record: its action, or `timeline` where that is all that is new."""
    return run.changes.get(number, {}).get("action") or ("timeline" if new_entries else None)


def record(crm: Crm, kind: str, number: int, run: LastRun) -> Row:
    """One record with its fields, what is tied to it, and its timeline, the latest first. Raises Refusal 404."""
    resource = _resource(crm, kind)
    row = crm.store.record(resource, number)
    if row is None:
        raise Refusal(404, "not_found")
    whole = render.whole(crm, resource, row)
    change = run.changes.get(number, {})
    new, timeline = change.get("action") == "create", [*_timeline(crm, number, run)]
    return {
        "id": number,
        "kind": kind,
        "title": _title(whole),
        "mark": _mark(run, number, new_entries=any(entry["new"] for entry in timeline)),
        "created_at": whole["created_at"],
        "updated_at": whole["updated_at"],
        "fields": [*_fields(crm, MODELS[resource], whole, {} if new else change.get("fields") or {})],
        "tied": [*_tied(crm, resource, number, whole)],
        "timeline": timeline,
    }


def _resource(crm: Crm, kind: str) -> str:
    resource = KINDS.get(kind, "")
    if resource not in crm.account.resources:
        raise Refusal(404, "not_found")
    return resource


def _title(row: Row) -> str:
    return str(row.get("display_name") or row.get("name") or row.get("email") or f"#{row['id']}")


def _cells(crm: Crm, resource: str, row: Row) -> list[str]:
    match resource:
        case "leads":
            cells = [row.get("email"), row.get("job_title"), (row.get("company") or {}).get("name")]
        case "contacts":
            cells = [
                row.get("email"),
                row.get("job_title"),
                ", ".join(name for _, name in _accounts_of(crm, row["id"])),
            ]
        case "sales_accounts":
            count = crm.store.one("SELECT count(*) FROM account_link WHERE account_id = ?", (row["id"],))[0]
            cells = [row.get("website"), row.get("number_of_employees"), count or ""]
        case _:
            account = crm.store.record("sales_accounts", row.get("sales_account_id") or 0)
            cells = [row.get("amount"), _chosen(crm, "deal_stage_id", row.get("deal_stage_id")),
                     orjson.loads(account["data"])["name"] if account else ""]  # fmt: skip
    return ["" if cell is None else str(cell) for cell in cells]


def _fields(
    crm: Crm, model: str, held: Row, changed: Mapping[str, Any], prefix: str = "", heading: str = ""
) -> Iterator[Row]:
    """What is set, by label, and what the run has changed of a record that was there, which may be cleared now."""
    known = crm.account.by_model.get(model, {})
    for name, value in {**held, **(held.get("custom_field") or {})}.items():
        cell = changed.get(f"{prefix}{name}")
        if name in NESTED and isinstance(value, dict):
            yield from _fields(crm, NESTED[name], value, changed, f"{name}.", f"{name.title()}: ")
        elif name not in _UNSAID and not COMPUTED.fullmatch(name) and (value not in (None, "", [], False) or cell):
            yield {
                "name": f"{prefix}{name}",
                "label": heading + str(known.get(name, {}).get("label") or name.replace("_", " ").capitalize()),
                "value": _chosen(crm, name, value),
                **({"changed": True, "before": cell.get("before")} if cell else {}),
            }


def _chosen(crm: Crm, name: str, value: Any) -> Any:
    """What people see of an id that stands for a choice."""
    choice = crm.account.ids.get(SELECTOR_OF.get(name, ""), {}).get(value, {}) if isinstance(value, int) else {}
    return choice.get("display_name") or choice.get("name") or choice.get("currency_code") or value


_LINKS = {
    "contacts": (("accounts", "SELECT account_id FROM account_link WHERE contact_id = ? ORDER BY is_primary DESC"),
                 ("deals", "SELECT deal_id FROM deal_link WHERE contact_id = ?")),
    "sales_accounts": (("contacts", "SELECT contact_id FROM account_link WHERE account_id = ?"),),
    "deals": (("contacts", "SELECT contact_id FROM deal_link WHERE deal_id = ?"),),
}  # fmt: skip


def _tied(crm: Crm, resource: str, number: int, whole: Row) -> Iterator[Row]:
    for kind, sql in _LINKS.get(resource, ()):
        yield from _named(crm, kind, [row[0] for row in crm.store.all(f"{sql} LIMIT 200", (number,))])
    if resource == "deals" and whole.get("sales_account_id"):
        yield from _named(crm, "accounts", [whole["sales_account_id"]])
    if resource == "sales_accounts":
        yield from _named(
            crm, "deals", [row["id"] for row in crm.store.having("deals", "sales_account_id", number)[:200]]
        )


def _named(crm: Crm, kind: str, numbers: list[int]) -> Iterator[Row]:
    found = crm.store.records(numbers)
    for number in numbers:
        if number in found:
            yield {"kind": kind, "id": number, "title": _title(render.whole(crm, KINDS[kind], found[number]))}


def _accounts_of(crm: Crm, number: int) -> Iterator[tuple[int, str]]:
    for row in _named(crm, "accounts", [row[0] for row in crm.store.all(_LINKS["contacts"][0][1], (number,))]):
        yield row["id"], row["title"]


def _timeline(crm: Crm, number: int, run: LastRun) -> Iterator[Row]:
    types = crm.account.ids["sales_activity_types"]
    rows = crm.store.all("SELECT * FROM entry WHERE target_id = ? ORDER BY id DESC LIMIT 2000", (number,))
    items = []
    for row in rows:
        data = orjson.loads(row["data"])
        created = values.timestamp(row["created_at"], crm.options)
        item = {"id": row["id"], "time": data.get("start_date") or created, "new": row["id"] in run.changes}
        match row["kind"]:
            case "sales_activities":
                kind = types.get(data.get("sales_activity_type_id"), {}).get("name", "")
                item |= {"what": kind, "title": data.get("title") or kind, "text": data.get("notes") or ""}
            case "notes":
                item |= {"what": "Note", "title": "Note", "text": data.get("description") or ""}
            case _:
                told = {name: held for name, held in data.items() if name not in ("name", "url", "_identifier")}
                lines = (f"{name}: {held}" for name, held in told.items())
                item |= {"what": "Tracked", "title": data.get("name") or data.get("url"), "text": "\n".join(lines)}
        items.append(item)
    yield from sorted(items, key=lambda item: str(item["time"]), reverse=True)

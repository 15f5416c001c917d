"""The records of a sandbox file from outside the API: begin anew, fill quickly, read all, count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from fsseg.sandbox import activities, render, values
from fsseg.sandbox.account import NESTED, SINGULAR, Row, build
from fsseg.sandbox.options import Options
from fsseg.sandbox.records import Crm
from fsseg.sandbox.store import Store

SEEDED_BEFORE = 60_000_000
"""Microseconds that seeded records are old: those that look-ups find."""


def reset(db: Path, edition: str, account: Mapping[str, Any] | None = None) -> None:
    """Empty the sandbox file, or make it, with the default account of `edition` changed by `account`.

    `account` is described at `fsseg.sandbox.account.build`, e.g.
    `{"selectors": {"sales_activity_types": {"remove": ["Segment event", "Page view"]}},
    "fields": {"contacts": {"add": [{"name": "cf_tier", "type": "dropdown", "choices": ["A", "B"]}]}}}`.
    A running server goes on with the new account. Raises ValueError for a description that can't be.
    """
    with closing(Store(db)) as store:
        store.clear(build(edition, account))


def seed(db: Path, edition: str, records: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list[int]]:
    """Insert many records straight into the file, unchecked but quick; returns their ids by resource.

    `records` by resource: `sales_accounts`, `contacts`, `leads`, `deals`, in any order. Each record is in the API's
    writing shape (`email` or `emails` texts, `custom_field`, leads' `company` and `deal`), plus: `id` to choose it,
    `created_at` and `updated_at` (ISO-8601), contacts' `sales_accounts` as ids, deals' `contacts` as ids. A file that
    is not there yet is made for `edition`. Raises sqlite3.IntegrityError for doubled contact e-mails or account names.
    """
    found: dict[str, list[int]] = {}
    with closing(Store(db, edition)) as store, store.transaction():
        for resource in ("sales_accounts", "contacts", "leads", "deals"):
            if rows := records.get(resource, ()):
                found[resource] = _seed(store, resource, rows)
    return found


def _seed(store: Store, resource: str, given: Sequence[Mapping[str, Any]]) -> list[int]:
    if resource not in store.account.resources:
        raise ValueError(f"no resource {resource} in {store.account.edition}")
    first = store.numbers(3 * len(given))
    rows, addresses, links = [], [], []
    defaults = _deal_defaults(store) if resource == "deals" else {}
    for number, record in zip(range(first, first + 3 * len(given), 3), given, strict=False):
        data = {**defaults, **record, **record.get("custom_field", {})}
        identity = data.pop("id", number)
        created, updated = (
            values.microseconds(values.instant(name, data.pop(name))) if name in data else store.now() - before
            for name, before in (("created_at", SEEDED_BEFORE), ("updated_at", 0))
        )
        texts = _texts(data.pop("emails", data.pop("email", None)))
        if texts:
            data["email"] = texts[0]
            data["emails"] = [
                {"id": number + 1 + place, "value": text, "is_primary": place == 0, "label": None}
                for place, text in enumerate(texts)
            ]
        for name in NESTED if resource == "leads" else ():
            if data.get(name):
                data[name] = {"id": number + 2, **data[name]}
        addresses += [(text.casefold(), resource, identity) for text in texts]
        other = {"contacts": "sales_accounts", "deals": "contacts"}.get(resource, "")
        links += [(identity, linked, place == 0) for place, linked in enumerate(data.pop(other, ()))]
        data.pop("custom_field", None)
        data = {name: value for name, value in data.items() if value is not None}
        name = data.get("name") or f"{data.get('first_name', '')} {data.get('last_name', '')}".strip()
        rows.append((identity, resource, name.casefold(), created, updated, orjson.dumps(data).decode()))
    store.many("INSERT INTO record VALUES (?, ?, ?, ?, ?, 0, ?)", rows)
    store.many("INSERT INTO email VALUES (?, ?, ?)", addresses)
    if resource == "contacts":
        store.many("INSERT INTO account_link VALUES (?, ?, ?)", links)
    else:
        store.many("INSERT INTO deal_link VALUES (?, ?)", [link[:2] for link in links])
    return [row[0] for row in rows]


def _texts(given: Any) -> list[str]:
    return [given] if isinstance(given, str) else list(given or ())


def _deal_defaults(store: Store) -> Row:
    account = store.account
    pipeline, currency = account.first("deal_pipelines"), account.first("currencies")
    stage = account.first("deal_stages")
    rows = {"deal_pipeline_id": pipeline, "deal_stage_id": stage, "currency_id": currency}
    return {name: row["id"] for name, row in rows.items() if row}


def dump(db: Path, options: Options | None = None) -> dict[str, list[Row]]:
    """Everything in the file as the API reads it, oldest first.

    Keys: `leads`, `contacts` (with `sales_accounts`), `sales_accounts`, `deals` (with `contact_ids`),
    `sales_activities`, `notes`, `events`, `page_views` (tracked ones, with the record they were tied to).
    Raises FileNotFoundError.
    """
    with closing(_existing(db)) as store:
        crm = Crm(store, replace(options or Options(), association_ids="always"))
        shown: dict[str, list[Row]] = {"leads": []}
        for resource in crm.account.resources:
            linked = {"contacts": ["sales_accounts"], "deals": ["contacts"]}.get(resource, [])
            shown[resource] = [
                record for rows in _pages(store, resource) for record in render.answer(crm, resource, rows, linked)[0]
            ]
        for kind in ("sales_activities", "notes"):
            entries = store.all("SELECT * FROM entry WHERE kind = ? ORDER BY id", (kind,))
            shown[kind] = [activities.shown(crm, row) for row in entries]
        for kind in ("events", "page_views"):
            shown[kind] = activities.tracked(crm, kind)
        return shown


def _existing(db: Path) -> Store:
    if not db.exists():
        raise FileNotFoundError(db)
    return Store(db)


def _pages(store: Store, resource: str, size: int = 500) -> Iterator[list[Any]]:
    sql = "SELECT * FROM record WHERE resource = ? AND deleted = 0 AND id > ? ORDER BY id LIMIT ?"
    last = 0
    while rows := store.all(sql, (resource, last, size)):
        yield rows
        last = rows[-1]["id"]


def counts(db: Path) -> dict[str, int]:
    """How many there are of each key of `dump`. Raises FileNotFoundError."""
    with closing(_existing(db)) as store:
        found = dict.fromkeys((*SINGULAR, "sales_activities", "notes", "events", "page_views"), 0)
        found |= {
            row[0]: row[1] for row in store.all("SELECT resource, count(*) FROM record WHERE deleted = 0 GROUP BY 1")
        }
        found |= {row[0]: row[1] for row in store.all("SELECT kind, count(*) FROM entry GROUP BY 1")}
        return found

"""Plans put together by hand."""

from __future__ import annotations

from typing import Any

import orjson

from fsseg.state.plan_store import Store


def add(store: Store, entity: str, action: str, status: str = "planned", **columns: Any) -> None:
    columns = {
        "kind": entity,
        "entity": entity,
        "key": "k",
        "match_key": "k",
        "action": action,
        "status": status,
    } | columns
    insert(store, "record", columns)


def add_entry(store: Store, name: str, action: str = "create", status: str = "planned", **columns: Any) -> None:
    payload = orjson.dumps({"kind": "track", "name": name, "via": "note", "properties": {}})
    columns = {"position": 0, "hash": 0, "time": "", "payload": payload, "action": action, "status": status} | columns
    insert(store, "entry", columns)


def insert(store: Store, table: str, columns: dict[str, Any]) -> None:
    values = [orjson.dumps(value).decode() if isinstance(value, dict | list) else value for value in columns.values()]
    store.db.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(values))})", values)

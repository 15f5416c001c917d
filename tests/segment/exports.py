"""The same events in every container that can hold them whole."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson
import zstandard

Events = Sequence[dict[str, Any]]
Files = dict[str, bytes]
"""By their names, which may have folders."""

ACTIONS = (
    "event_name", "event_type", "user_id", "anonymous_id", "email", "properties", "traits", "context", "timestamp",
    "message_id", "integrations", "audience_name", "audience_id", "audience_space_id", "audience_action", "batch_size",
)  # fmt: skip


def jsonl(events: Events) -> bytes:
    return b"".join(orjson.dumps(event) + b"\n" for event in events)


def table(columns: Iterable[str], rows: Iterable[Iterable[Any]], delimiter: str = ",", end: str = "\n") -> bytes:
    """CSV as a database or a spreadsheet writes it: quotes where they are needed."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


def actions_csv(events: Events, delimiter: str = ",") -> bytes:
    """As "Sync to S3" writes it: a bare header, all values quoted, no line end after the last row."""
    return "\n".join([delimiter.join(ACTIONS), *(delimiter.join(_actions_row(event)) for event in events)]).encode()


def _actions_row(event: dict[str, Any]) -> list[str]:
    context = event.get("context", {})
    traits = event.get("traits") or context.get("traits") or {}
    cells = {
        "event_name": event.get("event") or event.get("name"),
        "event_type": event["type"],
        "user_id": event.get("userId"),
        "anonymous_id": event.get("anonymousId"),
        "email": traits.get("email"),
        "properties": event.get("properties"),
        "traits": traits or None,
        "context": context,
        "timestamp": event["timestamp"],
        "message_id": event["messageId"],
        "integrations": {"All": False, "AWS S3 (Actions)": True},
    }
    texts = (json.dumps(cell) if isinstance(cell, dict) else cell or "" for cell in map(cells.get, ACTIONS))
    return ['"{}"'.format(text.replace('"', '""')) for text in texts]


def import_csv(events: Events) -> bytes:
    """Columns with dotted names; null is written as such."""
    rows = [dict(_flat(event)) for event in events]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return table(columns, ([row.get(name, "") for name in columns] for row in rows))


def _flat(value: Any, name: str = "") -> Iterable[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else key)
    else:
        yield name, "null" if value is None else str(value).lower() if isinstance(value, bool) else value


def source_csvs(events: Events) -> Files:
    """A file for each type, which its name begins with."""
    files = {}
    for kind in dict.fromkeys(event["type"] for event in events):
        of_kind = [{k: v for k, v in event.items() if k != "type"} for event in events if event["type"] == kind]
        files[f"{kind}_2024.csv"] = import_csv(of_kind)
    return files


_ENVELOPE = {
    "messageId": "id", "userId": "user_id", "anonymousId": "anonymous_id", "timestamp": "timestamp", "name": "name",
    "receivedAt": "received_at",
}  # fmt: skip


def warehouse_rows(events: Events) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table: `tracks` has no properties, an event's own table has."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        row = {column: event.get(name) for name, column in _ENVELOPE.items() if name in event}
        row["received_at"] = event.get("receivedAt", event["timestamp"])
        row |= {f"context_{name.replace('.', '_')}": value for name, value in _flat(event.get("context", {}))}
        body = event.get("traits" if event["type"] == "identify" else "properties", {})
        if event["type"] == "track":
            slug = re.sub(r"\W+", "_", event["event"]).lower()
            row |= {"event": slug, "event_text": event["event"]}
            tables.setdefault("tracks", []).append(row)
            tables.setdefault(slug, []).append(row | body)
        else:
            tables.setdefault({"identify": "identifies", "page": "pages"}[event["type"]], []).append(row | body)
    return tables


def warehouse_csvs(events: Events) -> Files:
    files = {}
    for name, rows in warehouse_rows(events).items():
        columns = list(dict.fromkeys(column for row in rows for column in row))
        files[f"{name}.csv"] = table(columns, ([_cell(row.get(column)) for column in columns] for row in rows))
    return files


def warehouse_lines(events: Events) -> Files:
    """The tables as JSON lines, as unloads have them."""
    return {f"{name}.jsonl": jsonl(rows) for name, rows in warehouse_rows(events).items()}


def audience_actions_csv(events: Events) -> bytes:
    """The older action's columns, with those that tell the type of an event; pages have no name there."""
    columns = [
        "email",
        "user_id",
        "anonymous_id",
        "timestamp",
        "message_id",
        "integrations_object",
        "properties_or_traits",
        "eventName",
        "eventType",
    ]
    rows = (
        {
            "email": (event.get("traits") or event.get("context", {}).get("traits") or {}).get("email"),
            "user_id": event["userId"], "anonymous_id": event["anonymousId"], "timestamp": event["timestamp"],
            "message_id": event["messageId"], "integrations_object": {"All": False, "AWS S3": True},
            "properties_or_traits": event.get("traits") or event.get("properties"), "eventName": event.get("event"),
            "eventType": event["type"],
        }
        for event in events
    )  # fmt: skip
    cells = ([json.dumps(cell) if isinstance(cell, dict) else cell for cell in map(row.get, columns)] for row in rows)
    return table(columns, cells)


def profile_api_pages(events: Events) -> Files:
    """The events of each user, as the Profile API tells them."""
    files: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        ids = [("user_id", event["userId"]), ("anonymous_id", event["anonymousId"])]
        told = {name: value for name, value in event.items() if name not in ("userId", "anonymousId", "messageId")}
        given = [{"collection": "users", "type": kind, "id": id, "encoding": "none"} for kind, id in ids]
        told |= {"external_ids": given, "message_id": f"{event['messageId']}-clean", "source_id": "src"}
        files.setdefault(f"{event['userId']}.json", []).append(told)
    cursor = {"url": "/v1/x", "has_more": False, "next": "", "limit": 100}
    return {name: json.dumps({"data": data, "cursor": cursor}).encode() for name, data in files.items()}


def _cell(value: Any) -> Any:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else value


def parquet(rows: Sequence[dict[str, Any]], rotate: int = 0) -> bytes:
    """A table with the columns of its rows, the first few of them last."""
    import pyarrow
    from pyarrow import parquet as writer

    columns = list(dict.fromkeys(column for row in rows for column in row))
    found = {column: [row.get(column) for row in rows] for column in columns[rotate:] + columns[:rotate]}
    held = io.BytesIO()
    writer.write_table(pyarrow.table(found), held)
    return held.getvalue()


def data_lake(events: Events) -> Files:
    """Files by type or event and hour of receipt; the second of each has its columns in another order."""
    files = {}
    for name, rows in warehouse_rows(events).items():
        if name == "tracks":
            continue
        kind = {"identifies": "identify", "pages": "page"}.get(name, name)
        for part, some in enumerate(half for half in (rows[::2], rows[1::2]) if half):
            written = [{k: v for k, v in row.items() if k != "event_text"} for row in some]
            for row, original in zip(written, some, strict=True):
                if "event_text" in original:
                    row["event"] = original["event_text"]
            files[f"data/src/segment_type={kind}/day=2025-05-05/hr=0{part}/part.parquet"] = parquet(written, part * 3)
    files["logs/run.json"] = b"not for us"
    return files


def zipped(files: Files) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


def tarred(files: Files) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return held.getvalue()


def gz(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gz, "zst": zstandard.compress, "bz2": bz2.compress, "xz": lzma.compress,
}  # fmt: skip

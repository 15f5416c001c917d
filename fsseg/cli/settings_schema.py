"""The JSON Schema of fsseg.toml, made from the settings' own model, for editors that complete and check it."""

from __future__ import annotations

from typing import Any

from fsseg.mapping.conditions import KEYS as CONDITION_KEYS
from fsseg.mapping.conditions import TYPES
from fsseg.mapping.event_rule import FIELD_KEYS, TAKES
from fsseg.mapping.field_rule import KEYS
from fsseg.mapping.steps import CASES, DECIMAL_MARKS
from fsseg.settings import FILE_KEYS, Settings

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_TEXTS: Schema = {"type": ["string", "array"], "items": _TEXT}
_TABLE: Schema = {"type": "object"}
_SCALARS: Schema = {"type": ["string", "number", "boolean", "array"]}
_PARTS: Schema = {
    "field": _TEXT,
    "from": _TEXTS,
    "of": _TEXTS,
    "take": {"enum": list(TAKES)},
    "value": _SCALARS,
    "template": {"type": "string", "pattern": r"\\{[^{}]+\\}"},
    "default": _SCALARS,
    "when": {"$ref": "#/$defs/condition"},
    "trim": {"type": "boolean"},
    "replace": {"type": "object", "additionalProperties": _TEXT},
    "split": _TEXT,
    "item": {"type": "integer"},
    "join": _TEXT,
    "case": {"enum": list(CASES)},
    "date": _TEXTS,
    "number": {"enum": [True, *DECIMAL_MARKS]},
    "values": _TABLE,
    "ignore": {"type": "boolean"},
}
_CONDITION: Schema = {
    "type": _TEXTS,
    "event": _TEXTS,
    "trait": _TEXT,
    "is": _SCALARS,
    "is_not": _SCALARS,
    "exists": {"type": "boolean"},
}


def settings_schema() -> Schema:
    """The schema of the whole file."""
    schema = Settings.model_json_schema()
    definitions: Schema = _plain(schema["$defs"])
    field_rule = {"anyOf": [_TEXT, {"const": False}, _closed({key: _PARTS[key] for key in KEYS})]}
    event_field = {"anyOf": [_TEXT, _closed({key: _PARTS[key] for key in FIELD_KEYS})]}
    event_rule = _closed({"type": _TEXT, "title": _TEXT, "ignore": {"type": "boolean"}, "fields": _many("event_field")})
    definitions |= {
        "rule": field_rule,
        "event_field": event_field,
        "event_rule": event_rule,
        "condition": _closed({key: _CONDITION[key] for key in CONDITION_KEYS}),
    }
    definitions["condition"]["properties"]["type"] = {"anyOf": [{"enum": list(TYPES)}, {"type": "array"}]}
    tables = definitions["MappingTables"]["properties"]
    for table in tables:
        tables[table] = _many("event_rule" if table == "event" else "rule")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "fsseg.toml",
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _plain(schema["properties"][name]) for name in schema["properties"] if name in FILE_KEYS},
        "$defs": definitions,
    }


def _closed(properties: Schema) -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _many(definition: str) -> Schema:
    return {"type": "object", "additionalProperties": {"$ref": f"#/$defs/{definition}"}}


def _plain(value: Any) -> Any:
    """Without nulls, which TOML has not, and with what may be written as text, as durations and shares are."""
    if isinstance(value, list):
        return [_plain(item) for item in value if item != {"type": "null"}]
    if not isinstance(value, dict):
        return value
    found = {key: _plain(inner) for key, inner in value.items() if key not in ("default", "title", "gt", "ge", "lt")}
    return {"type": ["string", "number"]} if found == {"type": "number"} else found

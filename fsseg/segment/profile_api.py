"""Answers of the Profile API, as they were saved: the traits, identifiers or events of one profile."""

from __future__ import annotations

from typing import Any

from fsseg.segment.event import Original

_CLEAN = "-clean"
"""What the API adds to the id of a message that it has tidied up."""


def profile_messages(answer: Original) -> list[Any] | None:
    """The messages that an answer amounts to; None where it is no answer of the Profile API."""
    if not isinstance(answer.get("cursor"), dict) or "type" in answer:
        return None
    if isinstance(traits := answer.get("traits"), dict):
        return [_identify(traits)]
    data = answer.get("data")
    if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
        return None
    if all("external_ids" in one for one in data):
        return [_event(one) for one in data]
    if all({"collection", "id", "type"} <= one.keys() for one in data):
        ids = _ids(data)
        return [ids | {"type": "identify", "traits": {"email": ids["email"]} if "email" in ids else {}}]
    return None


def _identify(traits: Original) -> Original:
    values = {name: _value(value) for name, value in traits.items()}
    user = next((values[name] for name in ("user_id", "userId", "email") if values.get(name)), None)
    return {"type": "identify", "userId": user, "traits": values}


def _value(value: Any) -> Any:
    """A trait's value; asked for in detail, it stands beside where it comes from."""
    return value["value"] if isinstance(value, dict) and {"value", "source_id"} <= value.keys() else value


def _event(event: Original) -> Original:
    given = event["external_ids"]
    ids = _ids([one for one in given if isinstance(one, dict)] if isinstance(given, list) else [])
    found = {name: value for name, value in event.items() if name not in ("external_ids", "related", "source_id")}
    if email := ids.pop("email", None):
        ids.setdefault("userId", email)
    if isinstance(id := found.get("message_id"), str):
        found["message_id"] = id.removesuffix(_CLEAN)
    return {**ids, **found}


def _ids(given: list[Any]) -> Original:
    """The first identifier of each type that is used, an e-mail in the place of a userId that isn't there."""
    found: Original = {}
    for type, name in (("user_id", "userId"), ("anonymous_id", "anonymousId"), ("email", "email")):
        value = next((one.get("id") for one in given if one.get("type") == type), None)
        if value:
            found[name] = value
    if "email" in found:
        found.setdefault("userId", found["email"])
    return found

"""Track and page calls as timeline entries: their name, their activity type and their way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from msgspec import UNSET
from orjson import dumps

from fsseg.mapping.catalog import ActivityType, Catalog
from fsseg.mapping.entry_text import title_maker
from fsseg.mapping.event_rule import EventRule
from fsseg.mapping.identity import address, person_key, user_id
from fsseg.mapping.intents import EntryIntent, Refused, Via
from fsseg.mapping.rules import Rules
from fsseg.mapping.warning_counter import MAX_LENGTH, MAX_NAMES
from fsseg.segment import json_codec
from fsseg.segment.event import Event, Message, body_of

_V1_NAMES = {
    "Viewed Product Category": "Product List Viewed",
    "Viewed Promotion": "Promotion Viewed",
    "Clicked Promotion": "Promotion Clicked",
    "Clicked Product": "Product Clicked",
    "Viewed Product": "Product Viewed",
    "Added Product": "Product Added",
    "Removed Product": "Product Removed",
    "Started Order": "Checkout Started",
    "Viewed Checkout Step": "Checkout Step Viewed",
    "Completed Checkout Step": "Checkout Step Completed",
    "Completed Order": "Order Completed",
    "Updated Order": "Order Updated",
}
_V2_BY_FOLDED = {v1.casefold(): v2 for v1, v2 in _V1_NAMES.items()}
_UNNAMED_PAGE = "Page"


def v2_name(name: str) -> str:
    """The name as the second e-commerce spec has it; any other name as it is, trimmed."""
    return _V2_BY_FOLDED.get(name.strip().casefold()) or name.strip()


def entry_name(message: Message) -> str:
    """What the entry is called: a track call's event, a page's name, title or path."""
    if message.type == "track":
        return v2_name(message.event)
    return _page_name(message) if not _named(message.name) else message.name.strip()


def _page_name(message: Message) -> str:
    properties, page = body_of(message.properties), body_of(message.context.page)
    given = (properties.name, properties.title, page.name, page.title)
    if name := next(filter(_named, given), None):
        return str(name).strip()
    url = next(filter(_named, (properties.url, page.url)), None)
    return (_path(url) if url else None) or _UNNAMED_PAGE


def _named(value: object) -> bool:
    return value.__class__ is str and not value.isspace() and value != ""


class _Way(NamedTuple):
    name: str
    via: Via
    type_id: int | None


class Timeline:
    """Maps track and page events; what depends on the event's name alone is worked out once a name."""

    def __init__(self, catalog: Catalog, rules: Rules, events: Mapping[str, EventRule]) -> None:
        self._types = catalog.activity_types
        self._rules = rules
        self._events = {v2_name(name): rule for name, rule in events.items()}
        self._tracks: dict[str, bytes | Refused] = {}
        self._pages: dict[str, bytes | Refused] = {}

    def map(self, event: Event) -> EntryIntent | Refused:
        """The entry of one event that has a person or at least an anonymousId."""
        message = event.message
        properties = bytes(message.properties)
        if message.type == "track":
            given = message.event
            way = self._tracks.get(given) or self._remember(self._tracks, given, v2_name(given), page=False)
        else:
            given = entry_name(message)
            way = self._pages.get(given) or self._remember(self._pages, given, given, page=True)
            if body_of(message.properties).url is UNSET and _named(url := body_of(message.context.page).url):
                properties = _with(properties, b'"url":' + dumps(url))
        if isinstance(way, Refused):
            return way
        key = person_key(user_id(message)) or f"?{message.anonymous_id}"
        return EntryIntent(key, b"".join((way, dumps(message.message_id), b',"properties":', properties, b"}")))

    def _remember(self, ways: dict[str, bytes | Refused], given: str, name: str, *, page: bool) -> bytes | Refused:
        """How the payload of entries of that name begins."""
        found = self._way(name, page=page)
        way: bytes | Refused
        if isinstance(found, Refused):
            way = found
        else:
            plain = not page and found.via != "tracking" and found.name == name  # else it says what the user wants
            titled = {"titled": True} if plain and title_maker(name) else {}
            begun = {"kind": "page" if page else "track", **found._asdict(), **titled}
            way = dumps(begun)[:-1] + b',"message_id":'
        if len(ways) < MAX_NAMES and len(given) <= MAX_LENGTH:
            ways[given] = way
        return way

    def _way(self, name: str, *, page: bool) -> _Way | Refused:
        rules, rule = self._rules, self._events.get(name, EventRule())
        named = rule.title or name
        if rules.via == "note":
            return _Way(named, "note", None)
        if rules.via == "tracking":
            if rules.application_token_set or rules.offline:
                return _Way(named, "tracking", None)
            return Refused("timeline_unavailable", "timeline.via is tracking, and no application token is set")
        default = rules.page_type if page else rules.event_type
        kind = self._type(rule.type) if rule.type else self._type_like(name, page=page) or self._type(default)
        if kind:
            return _Way(named, "sales_activity", kind.id)
        if rules.offline:
            return _Way(named, "sales_activity", None)
        if rule.type:
            return Refused("activity_type_missing", f"{self._lack(rule.type)}, which {name!r} is mapped to")
        if rules.via == "sales_activity":
            return Refused("activity_type_missing", self._lack(default))
        if rules.application_token_set:
            return _Way(named, "tracking", None)
        return Refused("timeline_unavailable", f"{self._lack(default)}, and no application token is set")

    def _type(self, name: str) -> ActivityType | None:
        kind = self._types.get(name.strip().casefold())
        # An outcome means something to salespeople; no event can tell it.
        return None if kind is None or kind.outcome_mandatory else kind

    def _type_like(self, name: str, *, page: bool) -> ActivityType | None:
        kind = self._type(name)
        # A page named Chat or Appointment is no chat and no appointment.
        return None if page and kind and kind.builtin else kind

    def _lack(self, name: str) -> str:
        known = self._types.get(name.strip().casefold())
        if known:
            return f"the sales activity type {known.name!r} demands an outcome"
        return f"there is no sales activity type {name!r}: create it in the admin settings"


def entry_email(traits: bytes, payload: bytes) -> str | None:
    """The best address that a call itself gives, by the `traits` of its context, else by its properties."""
    given = address(body_of(traits).email)
    return given or address(json_codec.loads(payload)["properties"].get("email"))


def email_of_call(message: Message) -> str | None:
    """The best address that a track or page call itself gives, as `entry_email`."""
    given = (address(body_of(body).email) for body in (message.context.traits, message.properties))
    return next(filter(None, given), None)


def _with(properties: bytes, member: bytes) -> bytes:
    inner = properties[1:-1].strip()
    return b"{%b%b%b}" % (inner, b"," * bool(inner), member)


def _path(url: str) -> str | None:
    try:
        return urlsplit(url).path
    except ValueError:
        return None

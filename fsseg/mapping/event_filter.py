"""Which events are not for us, in a fixed order, so that each has one reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fsseg.mapping.catalog import Edition
from fsseg.mapping.identity import user_id
from fsseg.mapping.rules import Rules
from fsseg.mapping.suppression_list import identity_text, identity_texts
from fsseg.mapping.timeline import entry_name, v2_name
from fsseg.segment import json_codec
from fsseg.segment.destination import NAMES
from fsseg.segment.event import Event, Message, body_of

_ALL = {"All": True}
_SUPPORTED = frozenset({"identify", "track", "page"})
_ENTRIES = frozenset({"track", "page"})


class EventFilter:
    """Gives the skip reason of an event, or None to let it through."""

    def __init__(self, edition: Edition, rules: Rules, ignored_events: frozenset[str]) -> None:
        self._supported = _SUPPORTED | {"group"} if rules.with_group else _SUPPORTED
        self._name = NAMES[edition]
        self._other_names = tuple(name for name in NAMES.values() if name != self._name)
        self._consent = rules.consent
        self._stitch = rules.stitch_anonymous
        self._suppress = frozenset(map(identity_text, rules.suppress))
        self._only = rules.only
        self._events = frozenset(map(v2_name, rules.events))
        self._ignored = ignored_events
        self._since, self._until = rules.since or "", rules.until or "~"
        self._filters = bool(self._only or self._events or self._ignored or rules.since or rules.until)
        self.always_allowed = frozenset() if self._consent or self._suppress or self._filters else self._supported
        """The types whose events with a userId and no integrations pass in any case."""

    def __call__(self, event: Event) -> str | None:
        message, kind = event.message, event.type
        if kind not in self._supported:
            return "unsupported_type"
        integrations = message.integrations
        if integrations and integrations != _ALL and not self._enabled(integrations):
            return "integrations"
        if self._consent and not self._consented(message):
            return "consent"
        if not message.user_id and not self._welcome(message, kind):
            return "anonymous"
        if self._suppress and self._is_suppressed(message):
            return "suppressed"
        if self._filters and self._is_filtered(event):
            return "filtered"
        return None

    def _enabled(self, integrations: Mapping[str, Any]) -> bool:
        """The account's own edition decides, else the other one's name, else `All` in any case, else yes.

        An object holds options and means yes; what is neither that nor a boolean says nothing.
        """
        for name in (self._name, *self._other_names):
            value = integrations.get(name)
            if isinstance(value, bool):
                return value
            if isinstance(value, dict):
                return True
        for name, value in integrations.items():
            if isinstance(value, bool) and name.lower() == "all":
                return value
        return True

    def _consented(self, message: Message) -> bool:
        """No `consent`, no enforcement; no preferences in it counts as refusal where `integrations` is given.

        Documented for consent in Segment connections: with several categories, all must be true.
        """
        consent = json_codec.loads(bytes(message.context.consent) or b"null")
        if not isinstance(consent, dict):
            return True
        preferences = consent.get("categoryPreferences")
        if not isinstance(preferences, dict):
            return not message.integrations
        return all(preferences.get(category) is True for category in self._consent)

    def _welcome(self, message: Message, kind: str) -> bool:
        """Whether an event without a user may pass: to be stitched, or to tell of an account."""
        return kind == "group" or (self._stitch and kind in _ENTRIES and bool(message.anonymous_id))

    def _is_suppressed(self, message: Message) -> bool:
        mentioned = identity_texts([body_of(message.traits).email, body_of(message.properties).email])
        return not self._suppress.isdisjoint([*self._identities(message), *mentioned])

    def ties(self, event: Event, skip: str) -> tuple[str, ...]:
        """The ids and addresses that a skipped event tells to be of one person, as far as the suppression list cares.

        An address among the properties may be that of somebody else, such as a guest.
        """
        if not self._suppress or not (skip == "suppressed" or event.type == "identify"):
            return ()
        message = event.message
        found = self._identities(message)
        if skip == "suppressed" and self._suppress.isdisjoint(found):
            found = identity_texts([body_of(message.traits).email, body_of(message.properties).email])
            return tuple(text for text in found if text in self._suppress)
        return tuple(found)

    def _identities(self, message: Message) -> list[str]:
        emails = [body_of(message.context.traits).email]
        if message.type == "identify":
            emails.append(body_of(message.traits).email)
        return identity_texts([user_id(message), *emails])

    def _is_filtered(self, event: Event) -> bool:
        if (self._only and event.type not in self._only) or not self._since <= event.time < self._until:
            return True
        if not (self._events or self._ignored):
            return False
        name = entry_name(event.message) if event.type in _ENTRIES else ""
        return name in self._ignored or bool(self._events and name not in self._events)

"""Names of track and page calls: those in the user's settings, and which of them the events have."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from fsseg.mapping.event_rule import ANY, read_event_rule
from fsseg.mapping.names import did_you_mean
from fsseg.mapping.rules import Rules
from fsseg.mapping.timeline import entry_name, v2_name
from fsseg.mapping.warning_counter import MAX_LENGTH, MAX_NAMES
from fsseg.segment.event import Message


class EventsInSettings(NamedTuple):
    """The names of events that the settings speak of; `folded` are those in conditions, where case means nothing."""

    names: frozenset[str]
    folded: frozenset[str]

    def unmet(self, met: Collection[str]) -> Mapping[str, str]:
        """The names that no event has, each with the closest that there is as a hint."""
        folded = {name.casefold() for name in met}
        missing = sorted({*(self.names - set(met)), *(self.folded - folded)})
        return {name: did_you_mean(name, met) for name in missing}


def events_in_settings(rules: Rules) -> EventsInSettings:
    """The names of the mapping's events, of the filter, and of conditions."""
    entries = rules.mapping.get("event", {})
    told = [read_event_rule(entry, ("mapping", "event", name), []) for name, entry in entries.items()]
    conditions = (field.rule.when.events for rule in told for field in rule.fields.values())
    names = frozenset(v2_name(name) for name in (*entries, *rules.events) if name != ANY)
    return EventsInSettings(names, frozenset[str]().union(*conditions))


class EventNames:
    """Notes the names that events have, as long as one in the settings is not among them."""

    def __init__(self, wanted: EventsInSettings) -> None:
        self._names, self._folded = set(wanted.names), set(wanted.folded)
        self._known: set[str] = set()
        self._new: list[str] = []

    def __bool__(self) -> bool:
        return bool(self._names or self._folded)

    def note(self, message: Message) -> None:
        """Note the name of one track or page call."""
        given = message.event if message.type == "track" else entry_name(message)
        if given in self._known:
            return
        name = v2_name(given) if message.type == "track" else given
        folded = name.casefold()
        if len(self._known) < MAX_NAMES and len(given) <= MAX_LENGTH:
            self._known.add(given)
        elif name not in self._names and folded not in self._folded:
            return
        self._names.discard(name)
        self._folded.discard(folded)
        self._new.append(name)

    def new(self) -> list[str]:
        """The names that were noted since this was asked last."""
        names, self._new = self._new, []
        return names

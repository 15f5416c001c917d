"""One event in, its intent out: the destination's rules and the user's, compiled once a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fsseg.mapping.catalog import Catalog
from fsseg.mapping.event_fields import EventFields
from fsseg.mapping.event_filter import EventFilter
from fsseg.mapping.event_names import events_in_settings
from fsseg.mapping.identity import address, person_key, user_id
from fsseg.mapping.intents import EVENTS, OF_COMPANY, AccountIntent, Cells, Mapped, Parts, PersonIntent, Refused
from fsseg.mapping.nesting import nest
from fsseg.mapping.object_targets import named_part
from fsseg.mapping.rules import Rules, compile_rules
from fsseg.mapping.schema import companies, people
from fsseg.mapping.targets import COMPANY, DEAL, Warnings, misfit
from fsseg.mapping.timeline import Timeline, v2_name
from fsseg.mapping.warning_counter import MappingWarning, WarningCounter
from fsseg.segment import json_codec
from fsseg.segment.email_key import email_key
from fsseg.segment.event import Event, Message, body_of
from fsseg.segment.placeholders import PlaceholderIds

_BAD_EMAIL = MappingWarning(
    "bad_value", "email", "the userId is the e-mail here; traits.email is another one or none at all"
)


class Mapper:
    """The map stage. Raises `MappingError` if the rules don't fit the account; mapping itself raises nothing.

    An identify call whose userId is an e-mail keeps that as the person's e-mail, whatever `traits.email` says: it is
    what the person is found by, now and in the next run. A differing `traits.email` is a `bad_value`.
    """

    def __init__(self, catalog: Catalog, rules: Rules, counter: WarningCounter) -> None:
        compiled = compile_rules(rules, catalog)
        self.owner_id = compiled.owner_id
        """The user of `timeline.owner`."""
        self._strict = rules.strict
        self.placeholder_ids = PlaceholderIds(rules.placeholder_ids)
        self._counter = counter
        ignored = frozenset(v2_name(name) for name, rule in compiled.events.items() if rule.ignore)
        self.event_filter = EventFilter(catalog.edition, rules, ignored)
        """`event_filter(event)` gives the reason to skip it, or None."""
        self.events_in_settings = events_in_settings(rules)
        self._nested = compiled.nested
        self._people = people(catalog, rules, compiled)
        self._groups = companies(catalog, rules, compiled, label="group.")
        self._id_target = self._people.to_field(rules.id_field, rules.id_field) if rules.id_field else None
        self.entry = Timeline(catalog, rules, compiled.events).map
        """`entry(event)` gives the intent of a track or page call."""
        self.event_fields = EventFields(compiled.events, self._people.to_field, self._people.resolve)
        """What track and page calls set by the user's rules; those of Engage do so without any."""

    def map(self, event: Event) -> Mapped:
        """The intent of an event that has passed the filter.

        An import doesn't ask so: it maps track, page and group calls as it reads them, and identify calls only where
        their person is folded, once duplicates are gone.
        """
        if event.type not in ("identify", "group"):
            entry = self.entry(event)
            told = None if isinstance(entry, Refused) else self.fields_of(event, entry.key)
            if told is None:
                return entry
            if isinstance(told, Refused):
                return told
            self._counter.add(told[1])
            return entry
        user, traits = user_id(event.message), bytes(event.message.traits)
        mapped: PersonIntent | AccountIntent | Refused
        if event.type == "identify":
            mapped = self.person(person_key(user), user, json_codec.loads(traits))
        else:
            mapped = self.account(user, traits)
        if not isinstance(mapped, Refused):
            self._counter.add(mapped.warnings)
        return mapped

    def name_by_email(self, event: Event) -> None:
        """Where an event's userId is a placeholder, let its e-mail say who it is, if it has one."""
        message = event.message
        if message.user_id is None and any(note == ("placeholder_id", "userId") for note in event.notes):
            message.user_id = self._email_of(message)

    def _email_of(self, message: Message) -> str | None:
        if message.type == "identify":
            given = [self._people.cells(json_codec.loads(bytes(message.traits)), []).get("email")]
        else:
            given = [body_of(body).email for body in (message.context.traits, message.properties)]
        found = filter(None, map(address, given))
        return next((email for email in found if email not in self.placeholder_ids), None)

    def person(self, key: str, user: str, traits: Mapping[str, Any]) -> PersonIntent | Refused:
        """The intent of an identify call, by its key, its userId, trimmed, and its traits; warnings are not counted."""
        warnings: Warnings = []
        cells = self._people.cells(nest(traits, self._nested) if self._nested else traits, warnings)
        email = cells.get("email")
        if key[0] == "@":
            if email is not None:
                told = address(email)
                if told is None or email_key(told) != key[1:]:
                    misfit(_BAD_EMAIL, email, cells, warnings)
            cells["email"] = address(user)
        elif email is None:
            return Refused("missing_email", "the userId is no e-mail, and traits.email is missing")
        else:
            cells["email"] = address(email)
            if cells["email"] is None:
                return Refused("bad_email", f"traits.email is no address: {json_codec.shown(email)}"[:200])
            if self._id_target:
                own: Cells = {}
                self._id_target.put(user, own, warnings)
                cells.update(own)
        if warnings and (refused := self._refused(warnings)):
            return refused
        parts: Parts = {"": cells}
        if company := cells.pop(COMPANY, None):
            parts[company[0]] = company[1]
        if deal := cells.pop(DEAL, None):
            parts[deal[0]] = deal[1] | {OF_COMPANY: company[0]} if company else deal[1]
        return PersonIntent(key, parts, warnings)

    def equivalence_key(self, traits: Mapping[str, Any]) -> tuple[tuple[str, ...], bytes] | None:
        """What of an identify call's traits matters beside texts; see `Resolver`."""
        return self._people.equivalence_key(nest(traits, self._nested) if self._nested else traits)

    def fields_of(self, event: Event, key: str) -> tuple[Parts, Warnings] | Refused | None:
        """What a track or page call says of the person with this key, by the user's rules, and the warnings."""
        setters = self.event_fields.setters(event.message)
        if setters is None:
            return None
        warnings: Warnings = []
        cells = self.event_fields.cells(event, setters, key, warnings)
        if warnings and (refused := self._refused(warnings)):
            return refused
        return ({EVENTS: cells} if cells else {}, warnings) if cells or warnings else None

    def account(self, user: str, traits: bytes) -> AccountIntent | Refused:
        """The intent of a group call; warnings are not counted."""
        warnings: Warnings = []
        part = named_part("company", self._groups.cells(json_codec.loads(traits), warnings))
        if part is None:
            return Refused("bad_value", "an account needs a name, and traits.name is missing or blank")
        if warnings and (refused := self._refused(warnings)):
            return refused
        return AccountIntent(dict([part]), person_key(user) or None, warnings)

    def _refused(self, warnings: Warnings) -> Refused | None:
        if self._strict and (
            bad := min((warning for warning in warnings if warning.code == "bad_value"), default=None)
        ):
            return Refused("bad_value", f"traits.{bad.name} does not fit: {bad.hint}")
        return None

"""What is in event files and how it would map, counted in one pass and in constant memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec import Struct, field
from xxhash import xxh3_64_intdigest

from fsseg.mapping.counts import Distinct, LocatedWarnings, Place, Tops, moved, told
from fsseg.mapping.explain import Destination, Explainer
from fsseg.mapping.identity import person_key, user_id
from fsseg.mapping.intents import Refused
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.profiles import Profiles
from fsseg.mapping.timeline import entry_name
from fsseg.mapping.warning_counter import REST, MappingWarning, WarningCounter
from fsseg.segment import json_codec
from fsseg.segment.event import Event, Message, Rejected
from fsseg.segment.key import event_key
from fsseg.segment.open import Input, UnreadableInput
from fsseg.segment.read import Reader

TICK = 5_000
"""Events between two calls of the progress callback."""

_WITH_MEMBERS = ("company", "deal", "address")


class InputStats(Struct):
    """One input: its container, which table that is, its items, how many are no events, and the times of the others."""

    path: str
    container: str = ""
    table: str = ""
    events: int = 0
    bad: int = 0
    unreadable: str = ""
    earliest: str = ""
    latest: str = ""

    def add_all(self, following: InputStats) -> None:
        """Count what is in the next part of the input."""
        self.events, self.bad = self.events + following.events, self.bad + following.bad
        self.unreadable = self.unreadable or following.unreadable
        if following.earliest:
            self.earliest = min(self.earliest or following.earliest, following.earliest)
        self.latest = max(self.latest, following.latest)


class TraitStats(Struct):
    """A trait (or a member of one that is an object), where it goes, and how often its value doesn't fit."""

    trait: str
    member: str
    count: int
    destination: Destination
    misfits: int = 0
    hint: str = ""
    first: str = ""

    @property
    def name(self) -> str:
        return f"{self.trait}.{self.member}" if self.member else self.trait


class FileStats(Struct):
    """What was counted in all files. `reasons` by (outcome, code); times as `Event.time` has them.

    `first` and `causes` are where the first event of a code stands, and what is wrong with it.
    """

    files: list[InputStats] = field(default_factory=list)
    by_type: Counter[str] = field(default_factory=Counter)
    earliest: str = ""
    latest: str = ""
    emails: Distinct = field(default_factory=Distinct)
    database_ids: Distinct = field(default_factory=Distinct)
    visitors: Distinct = field(default_factory=Distinct)
    names: Tops = field(default_factory=Tops)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    first: dict[str, Place] = field(default_factory=dict)
    causes: dict[str, str] = field(default_factory=dict)
    passed: int = 0
    messages: Distinct = field(default_factory=Distinct)

    @property
    def read(self) -> int:
        """Everything that was read, bad lines too."""
        return sum(file.events for file in self.files)

    def add_all(self, other: FileStats, lines: int) -> None:
        """Count what another one has counted, whose reader began so many lines further on."""
        for file in other.files:
            if lines and self.files and self.files[-1].path == file.path:
                self.files[-1].add_all(file)
            else:
                self.files.append(file)
        for mine, theirs in ((self.by_type, other.by_type), (self.reasons, other.reasons)):
            mine.update(theirs)  # type: ignore[arg-type]  # both by the same kind of key
        if other.earliest:
            self.earliest = min(self.earliest or other.earliest, other.earliest)
        self.latest = max(self.latest, other.latest)
        for name in ("emails", "database_ids", "visitors", "messages", "names"):
            getattr(self, name).add_all(getattr(other, name))
        for code, place in other.first.items():
            self.first.setdefault(code, moved(place, lines))
        for code, cause in other.causes.items():
            self.causes.setdefault(code, cause)
        self.passed += other.passed

    @property
    def duplicates(self) -> int:
        """Events that came more than once, as far as it can be told."""
        return max(self.passed - len(self.messages), 0)

    @property
    def exact(self) -> bool:
        """Whether people and duplicates were counted, not estimated."""
        return all(one.exact for one in (self.emails, self.database_ids, self.visitors, self.messages))

    def note(self, outcome: str, code: str, place: Place, cause: str = "") -> None:
        """Count one event with its outcome and reason."""
        self.reasons[outcome, code] += 1
        if code not in self.first:
            self.first[code], self.causes[code] = place, cause


class Taken(NamedTuple):
    """All that an inspection has counted, as plain values, so that another inspection can add it."""

    stats: FileStats
    warnings: LocatedWarnings
    traits: Tops
    profiles: Profiles | None


class Inspection:
    """Takes in any number of inputs; `stats` and `traits` tell what was in them."""

    def __init__(
        self, make: Callable[[WarningCounter], Mapper], explain: Explainer, profiles: Profiles | None = None
    ) -> None:
        self.stats = FileStats()
        self._warnings = LocatedWarnings()
        self._mapper = make(self._warnings)
        self._explain = explain
        self._traits = Tops()
        self.mapped_events = explain.events
        """The names of events that the user's mapping speaks of."""
        self.mapped_traits = explain.mapped
        """The traits that it has a rule for."""
        self.profiles = profiles
        """What the traits' values are like, where that is asked for."""

    @property
    def taken(self) -> Taken:
        """All that was counted."""
        return Taken(self.stats, self._warnings, self._traits, self.profiles)

    def add_all(self, taken: Taken, lines: int) -> None:
        """Count what was taken elsewhere, of an input of which so many lines come before."""
        self.stats.add_all(taken.stats, lines)
        self._warnings.add_all(taken.warnings, lines)
        self._traits.add_all(taken.traits)
        if self.profiles is not None and taken.profiles is not None:
            self.profiles.add_all(taken.profiles)

    def take(self, input: Input, reader: Reader, tick: Callable[[int], None]) -> None:
        """Read one input to its end. `tick` is told how many more items were read."""
        file = InputStats(input.path)
        self.stats.files.append(file)
        told = 0
        try:
            for item in reader:
                file.events += 1
                place = input.path, item.line
                if isinstance(item, Rejected):
                    file.bad += 1
                    self.stats.note("rejected", item.code, place, item.detail)
                else:
                    file.earliest = min(file.earliest or item.time, item.time)
                    file.latest = max(file.latest, item.time)
                    self._event(item, place)
                if file.events - told >= TICK:
                    tick(file.events - told)
                    told = file.events
        except UnreadableInput as error:
            file.unreadable = error.reason
        tick(file.events - told)
        file.container, file.table = reader.container, reader.table

    def _event(self, event: Event, place: Place) -> None:
        stats, message = self.stats, event.message
        stats.by_type[event.type] += 1
        stats.earliest = min(stats.earliest or event.time, event.time)
        stats.latest = max(stats.latest, event.time)
        self._warnings.here = place
        self._mapper.name_by_email(event)
        self._warnings.add(MappingWarning(*note) for note in event.notes)
        self._person(message)
        if event.type in ("track", "page"):
            stats.names.note(event.type, entry_name(message))
        elif event.type == "identify":
            traits = json_codec.loads(bytes(message.traits))
            if self.profiles is not None:
                self.profiles.take(traits)
            for trait, value in traits.items():
                for member in value if isinstance(value, dict) and value else ("",):
                    self._traits.note(trait, member)
        skip = self._mapper.event_filter(event)
        if skip is not None:
            stats.note("skipped", skip, place)
            return
        stats.passed += 1
        stats.messages.add(event_key(message.message_id.encode()))
        mapped = self._mapper.map(event)
        if isinstance(mapped, Refused):
            stats.note("rejected", mapped.code, place, mapped.detail)

    def _person(self, message: Message) -> None:
        stats = self.stats
        if key := person_key(user_id(message)):
            (stats.emails if key[0] == "@" else stats.database_ids).add(_hash(key))
        elif visitor := message.anonymous_id:
            stats.visitors.add(_hash(visitor))

    def traits(self) -> list[TraitStats]:
        """The traits of identify calls, most frequent first."""
        rows = {(row["code"], row["name"]): row for row in self._warnings.rows()}
        found = []
        for (trait, member), count in sorted(self._traits.items(), key=lambda one: (-one[1], one[0])):
            one = TraitStats(trait, member, count, self._explain(trait, member) if trait != REST else Destination(()))
            warned = ("bad_value", one.name)
            if warned not in rows and trait not in _WITH_MEMBERS:
                warned = ("bad_value", trait)  # an object where the field takes none
            if warned in rows:
                one.misfits, one.hint = int(rows[warned]["count"]), str(rows[warned]["hint"])
                where = self._warnings.first.get(warned)
                one.first = told(where) if where else ""
            found.append(one)
        return found

    def unmet_events(self) -> Mapping[str, str]:
        """The names of events in the settings that no event has, each with the closest that there is as a hint."""
        return self._mapper.events_in_settings.unmet({name for _, name in self.stats.names})

    def other_warnings(self) -> list[dict[str, str | int]]:
        """What there is to say beside the traits: `{code, name, count, hint}`."""
        return [row for row in self._warnings.rows() if row["code"] not in ("ignored_trait", "bad_value")]


def _hash(text: str) -> int:
    return xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))

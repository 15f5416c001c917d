"""Track and page calls that set fields of their person: what one event says, before all of them are folded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from fsseg.mapping.coerce import BAD, as_number
from fsseg.mapping.event_rule import ADDED_UP, ANY, EVENT, TIME, EventField, EventRule
from fsseg.mapping.intents import EVENT_EMAIL, Cells
from fsseg.mapping.paths import MISSING
from fsseg.mapping.targets import Ignored, Target, ToBoth, Warnings, fields_of, misfit, misfit_of_one
from fsseg.mapping.timeline import email_of_call, entry_name, v2_name
from fsseg.mapping.warning_counter import MAX_LENGTH, MAX_NAMES, MappingWarning
from fsseg.segment import json_codec
from fsseg.segment.event import Event, Message

AUDIENCES = {"Audience Entered": True, "Audience Exited": False}
COMPUTED = "Trait Computed"
ENGAGE = frozenset({*AUDIENCES, COMPUTED})
"""The names of Engage's track calls, which tell a trait of the person as its identify calls do."""


_Put = Callable[[Mapping[str, Any], Cells, Warnings], None]


class _Setters(NamedTuple):
    """What sets fields by the events of one name, which is the present one; `engage`: as Engage's calls do, too."""

    event: str
    engage: bool
    puts: list[_Put]


class EventFields:
    """The fields that track and page calls set, by the user's rules and in Engage's calls."""

    def __init__(
        self,
        events: Mapping[str, EventRule],
        field: Callable[[str, str], Target],
        resolve: Callable[[str], tuple[int, Target]],
    ) -> None:
        self._rules = {v2_name(name): [*rule.fields.values()] for name, rule in events.items() if rule.fields}
        self._field = field
        self._resolve = resolve
        self._tracks: dict[str, _Setters | None] = {}
        self._pages: dict[str, _Setters | None] = {}

    def setters(self, message: Message) -> _Setters | None:
        """What a track or page call of this name sets; None where no rule speaks of it, as of nearly all."""
        if message.type == "track":
            given, known = message.event, self._tracks
        elif self._rules:
            given, known = entry_name(message), self._pages
        else:
            return None
        try:
            return known[given]
        except KeyError:
            setters = self._setters(message.type, given)
            if len(known) < MAX_NAMES and len(given) <= MAX_LENGTH:
                known[given] = setters
            return setters

    def cells(self, event: Event, setters: _Setters, key: str, warnings: Warnings) -> Cells:
        """The cells of one event of the person with this key: `take` and the field."""
        message = event.message
        values = json_codec.loads(bytes(message.properties))
        values[TIME], values[EVENT] = event.time or None, setters.event
        cells = self._engage(setters.event, values, warnings) if setters.engage else {}
        for put in setters.puts:
            put(values, cells, warnings)
        if cells and key[0] == "#" and (email := email_of_call(message)):
            cells[EVENT_EMAIL] = email
        return cells

    def _setters(self, type: str, given: str) -> _Setters | None:
        name = v2_name(given) if type == "track" else given
        told = [*self._rules.get(name, ()), *self._rules.get(ANY, ())]
        holding = [one for one in told if one.rule.when.is_of(type, name)]
        engage = type == "track" and given in ENGAGE
        if not holding and not engage:
            return None
        puts = [_put(one, self._field(str(one.rule.field), one.rule.key)) for one in holding]
        return _Setters(name, engage, puts)

    def _engage(self, name: str, properties: Mapping[str, Any], warnings: Warnings) -> Cells:
        """The field of an audience, whether the person is in it, or that of a computed trait."""
        key = properties.get("trait_key" if name == COMPUTED else "audience_key")
        if not isinstance(key, str) or not key:
            return {}
        value = AUDIENCES.get(name, properties.get(key, MISSING))
        target = self._resolve(key)[1]
        if value is MISSING or not (fields_of(target) or isinstance(target, Ignored)):
            return {}
        if isinstance(target, Ignored):
            kind = "a checkbox" if name in AUDIENCES else "of its type"
            warnings.append(MappingWarning("ignored_trait", key, f"create the custom field cf_{key}, {kind}"))
            return {}
        own: Cells = {}
        target.put(value, own, warnings)
        return {cell if cell.startswith("$") else f"last {cell}": told for cell, told in own.items()}


def _put(field: EventField, target: Target) -> _Put:
    """What puts a field of an event's properties into its cells; made once a rule."""
    targets, one_may_fit = fields_of(target), isinstance(target, ToBoth) and not target.all_must_fit
    (take, rule), is_added_up = field, field.take in ADDED_UP
    read, convert, source = rule.read, rule.convert, f"{rule.sources[0] if rule.sources else rule.key}"
    cells_of = [(f"{take} {target.cell}", target) for target in targets]

    def count(values: Mapping[str, Any], cells: Cells, warnings: Warnings) -> None:
        value = read(values)
        if value is not MISSING and value is not None:
            for cell, _ in cells_of:
                cells[cell] = 1

    def put(values: Mapping[str, Any], cells: Cells, warnings: Warnings) -> None:
        value = read(values)
        if value is MISSING or (value is None and take != "last"):
            return
        converted = convert(value) if convert is not None and value is not None else value
        bad = []
        for cell, target in cells_of:
            fit = converted if converted is None or converted is BAD else target.coerce(converted)
            if take == "sum" and fit is not BAD:
                fit = as_number(fit)  # which fields of unknown types don't see to
            if fit is BAD or (fit is None and is_added_up):
                bad.append(target)
            else:
                cells[cell] = fit
        if bad and one_may_fit and len(bad) < len(targets):
            for target in bad:
                misfit_of_one(target, value, cells, source)
        elif bad:
            misfit(MappingWarning("bad_value", source, bad[0].bad.hint), value, cells, warnings)

    return count if take == "count" else put

"""Track and page calls that set fields of their person: what one event says, before all of them are folded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fsseg.mapping.coerce import BAD
from fsseg.mapping.event_rule import ADDED_UP, ANY, EVENT, TIME, EventField, EventRule
from fsseg.mapping.field_rule import FieldRule
from fsseg.mapping.intents import EVENT_EMAIL, Cells
from fsseg.mapping.paths import MISSING
from fsseg.mapping.targets import Ignored, Target, ToField, Warnings, fields_of, misfit
from fsseg.mapping.timeline import email_of_call, entry_name, v2_name
from fsseg.mapping.warning_counter import MAX_LENGTH, MAX_NAMES, MappingWarning
from fsseg.segment import json_codec
from fsseg.segment.event import Event

AUDIENCES = {"Audience Entered": True, "Audience Exited": False}
COMPUTED = "Trait Computed"
ENGAGE = frozenset({*AUDIENCES, COMPUTED})
"""The names of Engage's track calls, which tell a trait of the person as its identify calls do."""


class EventFields:
    """What events say of their people by the user's rules, worked out once a name; False where there are no rules."""

    def __init__(
        self,
        events: Mapping[str, EventRule],
        field: Callable[[str, str], Target],
        resolve: Callable[[str], tuple[int, Target]],
    ) -> None:
        self._rules = {v2_name(name): [*rule.fields.values()] for name, rule in events.items() if rule.fields}
        self._field = field
        self._resolve = resolve
        self._by_name: dict[tuple[str, str], list[tuple[EventField, list[ToField]]]] = {}

    def __bool__(self) -> bool:
        return bool(self._rules)

    def cells(self, event: Event, key: str, warnings: Warnings) -> Cells:
        """The cells of one event of the person with this key: `take` and the field; none where no rule speaks of it."""
        message = event.message
        given = message.event if event.type == "track" else entry_name(message)
        rules = self._of(event.type, given)
        if not rules and given not in ENGAGE:
            return {}
        name = entry_name(message)
        values = json_codec.loads(bytes(message.properties))
        values[TIME], values[EVENT] = event.time or None, name
        cells = self._engage(name, values, warnings) if given in ENGAGE and event.type == "track" else {}
        for (take, rule), targets in rules:
            value = rule.read(values)
            if take == "count" and value is not MISSING and value is not None:
                cells |= {f"{take} {target.cell}": 1 for target in targets}
            elif take != "count" and value is not MISSING and not (value is None and take != "last"):
                _put(take, rule, targets, value, cells, warnings)
        if cells and key[0] == "#" and (email := email_of_call(message)):
            cells[EVENT_EMAIL] = email
        return cells

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

    def _of(self, type: str, given: str) -> list[tuple[EventField, list[ToField]]]:
        key = type, given
        known = self._by_name.get(key)
        if known is None:
            name = v2_name(given) if type == "track" else given.strip()
            told = [*self._rules.get(name, ()), *self._rules.get(ANY, ())]
            holding = [one for one in told if one.rule.when.is_of(type, name)]
            known = [(one, fields_of(self._field(str(one.rule.field), one.rule.key))) for one in holding]
            if len(self._by_name) < MAX_NAMES and len(given) <= MAX_LENGTH:
                self._by_name[key] = known
        return known


def _put(take: str, rule: FieldRule, targets: list[ToField], value: Any, cells: Cells, warnings: Warnings) -> None:
    converted = rule.convert(value) if rule.convert is not None and value is not None else value
    for target in targets:
        fit = converted if converted is None or converted is BAD else target.coerce(converted)
        if fit is BAD or (fit is None and take in ADDED_UP):
            bad = MappingWarning("bad_value", f"{rule.sources[0] if rule.sources else rule.key}", target.bad.hint)
            misfit(bad, value, cells, warnings)
            return
        cells[f"{take} {target.cell}"] = fit

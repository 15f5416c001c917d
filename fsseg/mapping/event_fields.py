"""Track and page calls that set fields of their person: what one event says, before all of them are folded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fsseg.mapping.coerce import BAD
from fsseg.mapping.event_rule import ADDED_UP, ANY, EVENT, TIME, EventField, EventRule
from fsseg.mapping.field_rule import FieldRule
from fsseg.mapping.intents import EVENT_EMAIL, Cells
from fsseg.mapping.paths import MISSING
from fsseg.mapping.targets import Target, ToField, Warnings, fields_of, misfit
from fsseg.mapping.timeline import email_of_call, entry_name, v2_name
from fsseg.mapping.warning_counter import MAX_LENGTH, MAX_NAMES, MappingWarning
from fsseg.segment import json_codec
from fsseg.segment.event import Event


class EventFields:
    """What events say of their people by the user's rules, worked out once a name; False where there are no rules."""

    def __init__(self, events: Mapping[str, EventRule], field: Callable[[str, str], Target]) -> None:
        self._rules = {v2_name(name): [*rule.fields.values()] for name, rule in events.items() if rule.fields}
        self._field = field
        self._by_name: dict[tuple[str, str], list[tuple[EventField, list[ToField]]]] = {}

    def __bool__(self) -> bool:
        return bool(self._rules)

    def cells(self, event: Event, key: str, warnings: Warnings) -> Cells:
        """The cells of one event of the person with this key: `take` and the field; none where no rule speaks of it."""
        message = event.message
        given = message.event if event.type == "track" else entry_name(message)
        rules = self._of(event.type, given)
        if not rules:
            return {}
        name = entry_name(message)
        values = json_codec.loads(bytes(message.properties))
        values[TIME], values[EVENT] = event.time or None, name
        cells: Cells = {}
        for (take, rule), targets in rules:
            value = rule.read(values)
            if take == "count" and value is not MISSING and value is not None:
                cells |= {f"{take} {target.cell}": 1 for target in targets}
            elif take != "count" and value is not MISSING and not (value is None and take != "last"):
                _put(take, rule, targets, value, cells, warnings)
        if cells and key[0] == "#" and (email := email_of_call(message)):
            cells[EVENT_EMAIL] = email
        return cells

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

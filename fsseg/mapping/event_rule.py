"""What the user says about one name of track and page calls: its timeline entry, and the fields that it sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, cast, get_args

from fsseg.mapping.conditions import TYPES
from fsseg.mapping.field_rule import FieldRule, read_field_rule
from fsseg.mapping.mistakes import Mistake, Path, unknown_key
from fsseg.mapping.steps import STEPS

Take = Literal["first", "last", "count", "sum"]
TAKES: Final[tuple[Take, ...]] = get_args(Take)
ADDED_UP: Final = ("count", "sum")
"""What all events of a person make together."""

ANY: Final = "*"
"""The name that stands for all events."""

TIME, EVENT = "$time", "$event"
"""What stands for the event's time and its name, among the paths of its properties."""

KEYS = ("type", "title", "ignore", "fields")
FIELD_KEYS = ("of", "take", "template", "value", "default", "when", *STEPS, "values")


class EventField(NamedTuple):
    """A field of the person that events of a name set: by the first, the last, all of them counted or added up."""

    take: Take
    rule: FieldRule


def fields_added_up(events: Mapping[str, Any]) -> frozenset[str]:
    """The fields in which the `[mapping.event]` tables count or add up."""
    rules = (read_event_rule(entry, (name,), []) for name, entry in events.items())
    return frozenset(name for rule in rules for name, told in rule.fields.items() if told.take in ADDED_UP)


class EventRule(NamedTuple):
    """What the user says about one event name; `fields` by the name of the field."""

    type: str | None = None
    title: str | None = None
    ignore: bool = False
    fields: Mapping[str, EventField] = {}


def read_event_rule(entry: Any, path: Path, mistakes: list[Mistake]) -> EventRule:
    """The rule of an event name; what is wrong with it is added to `mistakes`."""
    if not isinstance(entry, Mapping):
        mistakes.append(Mistake(path, "it is no table", f"keys: {', '.join(KEYS)}"))
        return EventRule()
    mistakes += [unknown_key(path, key, KEYS) for key in entry if key not in KEYS]
    for key in ("type", "title"):
        if not isinstance(entry.get(key, ""), str):
            mistakes.append(Mistake((*path, key), f"it can't be {entry[key]!r}", f"{key} is text"))
    if not isinstance(entry.get("ignore", False), bool):
        mistakes.append(Mistake((*path, "ignore"), f"it can't be {entry['ignore']!r}", "ignore is true or false"))
    fields = entry.get("fields", {})
    if not isinstance(fields, Mapping):
        mistakes.append(Mistake((*path, "fields"), "it is no table", 'it reads like { cf_trial_started = "$time" }'))
        fields = {}
    if entry.get("ignore") is True and fields:
        mistakes.append(Mistake((*path, "fields"), "these events are left out, so they set nothing", "drop ignore"))
    given = [key for key in ("type", "title", "ignore") if key in entry]
    if path[-1] == ANY and given:
        mistakes.append(Mistake((*path, given[0]), "all events together have fields only", "name the event"))
    read = {name: _read_field(field, name, (*path, "fields", name), mistakes) for name, field in fields.items()}
    return EventRule(entry.get("type"), entry.get("title"), entry.get("ignore", False), read)


def _read_field(entry: Any, name: str, path: Path, mistakes: list[Mistake]) -> EventField:
    given = {"of": entry} if isinstance(entry, str) else entry
    if not isinstance(given, Mapping):
        hint = 'a rule reads like "$time" or { take = "sum", of = "total" }'
        mistakes.append(Mistake(path, f"it can't be {entry!r}", hint))
        given = {}
    mistakes += [unknown_key(path, key, FIELD_KEYS) for key in given if key not in FIELD_KEYS]
    take = given.get("take", "last")
    if take not in TAKES:
        mistakes.append(Mistake((*path, "take"), f"it can't be {take!r}", f"take is one of: {', '.join(TAKES)}"))
    sources = given.keys() & {"of", "template", "value"}
    if not sources and take == "sum":
        mistakes.append(Mistake(path, "it doesn't say what is added up", 'name the property: of = "total"'))
    of = given.get("of", TIME)
    for one in of if isinstance(of, list) else [of]:
        if isinstance(one, str) and one.startswith("$") and one not in (TIME, EVENT):
            mistakes.append(Mistake((*path, "of"), f"there is no {one}", f"there are {TIME} and {EVENT}"))
    rest = {key: value for key, value in given.items() if key in FIELD_KEYS and key not in ("of", "take")}
    rule = read_field_rule(
        {**rest, "field": name} | ({} if sources & {"template", "value"} else {"from": of}), name, path, mistakes
    )
    if rule.when.types - {"track", "page"}:
        hint = f"track or page, and not {', '.join(one for one in TYPES if one in rule.when.types)}"
        mistakes.append(Mistake((*path, "when", "type"), "events are calls of other types", hint))
    return EventField(cast("Take", take), rule)

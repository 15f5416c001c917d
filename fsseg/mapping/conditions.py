"""When a rule holds: by the type of the event, its name, and what a trait or property says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from fsseg.mapping.coerce import as_text
from fsseg.mapping.mistakes import Mistake, Path, unknown_key
from fsseg.mapping.paths import MISSING, lookup

KEYS = ("type", "event", "trait", "is", "is_not", "exists")
TYPES = ("identify", "group", "track", "page")


class Condition(Struct, frozen=True):
    """All that is given must hold; texts are compared in any case. `types` and `events` none: any."""

    types: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    trait: str = ""
    wanted: frozenset[str] | None = None
    unwanted: frozenset[str] = frozenset()
    exists: bool | None = None

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether traits or properties fulfil the condition; type and name of the event are looked at by `is_of`."""
        if not self.trait:
            return True
        value = lookup(values, self.trait)
        is_there = value is not MISSING and value is not None and value != ""
        if self.exists is not None and is_there != self.exists:
            return False
        text = _folded(value) if is_there else ""
        return (self.wanted is None or (is_there and text in self.wanted)) and text not in self.unwanted

    def is_of(self, type: str, event: str = "") -> bool:
        """Whether it may hold of calls of this type and name."""
        return (not self.types or type in self.types) and (not self.events or event.casefold() in self.events)


ALWAYS = Condition()


def _folded(value: object) -> str:
    return str(as_text(value)).strip().casefold()


def read_condition(given: Any, path: Path, mistakes: list[Mistake]) -> Condition:
    """The condition of a rule; what is wrong with it is added to `mistakes`."""
    if not isinstance(given, Mapping) or not given:
        mistakes.append(Mistake(path, "it is no condition", 'a condition reads like { trait = "plan", is = "pro" }'))
        return ALWAYS
    mistakes += [unknown_key(path, key, KEYS) for key in given if key not in KEYS]
    found = {key: _texts(given, key, path, mistakes) for key in ("type", "event", "is", "is_not")}
    if wrong := (found["type"] or frozenset()) - set(TYPES):
        mistakes.append(Mistake((*path, "type"), f"there is no type {min(wrong)!r}", f"types: {', '.join(TYPES)}"))
    trait, exists = given.get("trait", ""), given.get("exists")
    if not isinstance(trait, str):
        mistakes.append(Mistake((*path, "trait"), f"it can't be {trait!r}", "it is the name of a trait or property"))
        trait = ""
    if exists is not None and not isinstance(exists, bool):
        mistakes.append(Mistake((*path, "exists"), f"it can't be {exists!r}", "exists is true or false"))
    if trait and not given.keys() & {"is", "is_not", "exists"}:
        mistakes.append(Mistake(path, f"it doesn't say what {trait} must be", "give is, is_not or exists"))
    if not trait and (named := given.keys() & {"is", "is_not", "exists"}):
        mistakes.append(Mistake((*path, min(named)), "it says of no trait", 'name the trait: trait = "plan"'))
    return Condition(
        found["type"] or frozenset(), found["event"] or frozenset(), trait, found["is"], found["is_not"] or frozenset(),
        exists,
    )  # fmt: skip


def _texts(given: Mapping[str, Any], key: str, path: Path, mistakes: list[Mistake]) -> frozenset[str] | None:
    if key not in given:
        return None
    values = given[key] if isinstance(given[key], list) else [given[key]]
    if not values or any(isinstance(value, list | dict) for value in values):
        mistakes.append(Mistake((*path, key), f"it can't be {given[key]!r}", "it is a text or a list of texts"))
    return frozenset(map(_folded, values))

"""Where a trait's value goes. A target puts it into the cells of a record; what doesn't fit becomes a warning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from orjson import JSONEncodeError, dumps

from fsseg.mapping.coerce import BAD, Coercer
from fsseg.mapping.intents import Cells
from fsseg.mapping.warning_counter import MappingWarning

CONTACT = "$contact"
COMPANY, DEAL = "$company", "$deal"
"""Cells of the person that the mapper takes out again: (part key, cells) of its company and its deal."""

Warnings = list[MappingWarning]
Part = tuple[str, Cells]

_MEMORY = 10_000
_MEMORABLE = 1_000


class Target(Protocol):
    """Takes a value unless its cells are taken already; then it leaves them and returns False."""

    def put(self, value: Any, cells: Cells, warnings: Warnings) -> bool: ...


class Ignored:
    """A trait without a home."""

    def __init__(self, warning: MappingWarning) -> None:
        self.warning = warning

    def put(self, value: Any, cells: Cells, warnings: Warnings) -> bool:
        warnings.append(self.warning)
        return True


class Silent:
    """A trait that the user wants nothing to be said about."""

    def put(self, value: Any, cells: Cells, warnings: Warnings) -> bool:
        return True


class ToField:
    """One field, in a single cell. Null clears."""

    def __init__(self, cell: str, coerce: Coercer, bad: MappingWarning) -> None:
        self.cell = cell
        self.coerce = coerce
        self.bad = bad

    def put(self, value: Any, cells: Cells, warnings: Warnings) -> bool:
        fit = None if value is None else self.coerce(value)
        if fit is BAD:
            warnings.append(self.bad)
            return True
        if self.cell in cells:
            return False
        cells[self.cell] = fit
        return True


class ToBoth:
    """A field that leads and contacts take differently: a cell each, and one warning."""

    def __init__(self, targets: Sequence[ToField]) -> None:
        self.targets = targets

    def put(self, value: Any, cells: Cells, warnings: Warnings) -> bool:
        free, mark = True, len(warnings)
        for target in self.targets:
            free &= target.put(value, cells, warnings)
        del warnings[mark + 1 :]
        return free


class ToEmail:
    """The person's e-mail, judged later with the userId. Null and blank leave it: an identity is never cleared."""

    def put(self, value: Any, cells: Cells, warnings: Warnings) -> bool:
        if value is None or (isinstance(value, str) and not value.strip()):
            return True
        if "email" in cells:
            return False
        cells["email"] = value
        return True


class ToName:
    """A full name: its first word and the rest, each only where the event doesn't give it otherwise."""

    def __init__(self, first: Target, last: Target, bad: MappingWarning) -> None:
        self.first = first
        self.last = last
        self.bad = bad

    def put(self, value: Any, cells: Cells, warnings: Warnings) -> bool:
        if value is None:
            self.first.put(None, cells, warnings)
            self.last.put(None, cells, warnings)
        elif isinstance(value, str):
            first, *rest = value.split(maxsplit=1) or [""]
            if first:
                self.first.put(first, cells, warnings)
            if rest:
                self.last.put(rest[0].rstrip(), cells, warnings)
        else:
            warnings.append(self.bad)
        return True


class ToContact:
    """Whether the person is a contact. Of both spellings in one event, either true wins."""

    def put(self, value: Any, cells: Cells, warnings: Warnings) -> bool:
        if value is not None:
            asked = value.strip().lower() in ("true", "1") if isinstance(value, str) else value in (True, 1)
            cells[CONTACT] = asked or cells.get(CONTACT, False)
        return True


class ToMembers:
    """An object whose members have targets of their own, earlier ones first; the rest of it goes to `rest`."""

    def __init__(self, trait: str, members: Mapping[str, Target], rest: Target, *, keep_nulls: bool) -> None:
        self.trait = trait
        self.members = members
        self.rest = rest
        self.keep_nulls = keep_nulls

    def put(self, value: Any, cells: Cells, warnings: Warnings) -> bool:
        if not isinstance(value, dict):
            return self.rest.put(value, cells, warnings)
        own: Cells = {}
        for member, target in self.members.items():
            if member in value and not (self.keep_nulls and value[member] is None):
                target.put(value[member], own, warnings)
        free = own.keys().isdisjoint(cells)
        cells.update({cell: fit for cell, fit in own.items() if cell not in cells})
        others = {member: inner for member, inner in value.items() if member not in self.members}
        if isinstance(self.rest, ToMembers | ToPart):
            return self.rest.put(others, cells, warnings) and free
        warnings.extend(MappingWarning("ignored_trait", f"{self.trait}.{member}") for member in others)
        return free


class TraitResolver(Protocol):
    """Knows where the traits of an object go."""

    def resolve(self, trait: str) -> tuple[int, Target]:
        """The rank of the rule that decides, and the target."""

    def cells(self, traits: Mapping[str, Any], warnings: Warnings) -> Cells:
        """What all the traits of an object become; `warnings` is told of what doesn't fit."""


class ToPart:
    """The company or the deal: an object, its name as text, or a list whose first item counts.

    Many people share a company, so what an object gave is remembered.
    """

    def __init__(self, kind: str, resolver: TraitResolver) -> None:
        self.kind = kind
        self.cell = f"${kind}"
        self.resolver = resolver
        self.bad = MappingWarning("bad_value", kind, f"{kind} takes an object with a name")
        self.nameless = MappingWarning("incomplete", f"{kind}.name", f"a {kind} without a name is left out")
        self._memory: dict[bytes, tuple[Part | None, Warnings]] = {}

    def put(self, value: Any, cells: Cells, warnings: Warnings) -> bool:
        if value.__class__ is not dict:
            if isinstance(value, list):
                value = value[0] if value else None
            if isinstance(value, str):
                value = {"name": value}
            if value is None:
                return True
            if not isinstance(value, dict):
                warnings.append(self.bad)
                return True
        part, said = self._part(value)
        if said:
            warnings.extend(said)
        if part:
            if self.cell in cells:
                return False
            cells[self.cell] = part[0], part[1].copy()
        return True

    def _part(self, value: dict[str, Any]) -> tuple[Part | None, Warnings]:
        try:
            key = dumps(value)
        except JSONEncodeError:  # nested too deeply to be written, though it could be read
            return self._map(value)
        known = self._memory.get(key)
        if known is None:
            known = self._map(value)
            if len(self._memory) < _MEMORY and len(key) < _MEMORABLE:
                self._memory[key] = known
        return known

    def _map(self, value: dict[str, Any]) -> tuple[Part | None, Warnings]:
        warnings: Warnings = []
        part = named_part(self.kind, self.resolver.cells(value, warnings))
        if part is None and value.keys() - {"name"}:
            warnings.append(self.nameless)
        return part, warnings


def named_part(kind: str, cells: Cells) -> Part | None:
    """The part's key and its cells, or None if these hold no name. Case and inner spaces don't tell names apart."""
    name = cells.get("name")
    if not isinstance(name, str) or not (words := name.split()):
        return None
    cells["name"] = name.strip()
    return f"{kind}:{' '.join(words).casefold()}", cells

"""Where values go that are more than one field: a full name, an address, an object's members, a company or a deal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from orjson import JSONEncodeError, dumps

from fsseg.mapping.intents import BY_ID, Cells
from fsseg.mapping.names import fold
from fsseg.mapping.storable import storable
from fsseg.mapping.targets import Ignored, Silent, Target, Warnings, fields_of, is_blank, misfit
from fsseg.mapping.warning_counter import MappingWarning
from fsseg.segment.json_codec import compact, loads

Part = tuple[str, Cells]

_MEMORY = 10_000
_MEMORABLE = 1_000
_SILENT = Silent()


def _cells_of(target: Target) -> list[str]:
    return [field.cell for field in fields_of(target)]


def _read(text: str) -> Any:
    """The object that a text holds as JSON, as it stands in cells of tables; any other text as it is."""
    try:
        return loads(text.encode()) if text.startswith("{") else text
    except ValueError:
        return text


def _fill(cells: Cells, given: Cells, gone: Iterable[str], nothing: Any) -> None:
    """Put what was given where nothing outright stands; what isn't told of any more is gone, unless it is outright."""
    for cell, value in given.items():
        if is_blank(cells.get(cell)):
            cells[cell] = value
    for cell in gone:
        if cell not in given:
            cells.setdefault(cell, nothing)


class ToName:
    """A full name: its first word and the rest, each only where the event doesn't give it otherwise.

    It replaces an earlier one as a whole: of a name of one word the rest is `nothing`.
    """

    def __init__(self, first: Target, last: Target, bad: MappingWarning, nothing: Any) -> None:
        self.first = first
        self.last = last
        self.bad = bad
        self.nothing = nothing

    def put(self, value: Any, cells: Cells, warnings: Warnings) -> bool:
        gone = [*_cells_of(self.first), *_cells_of(self.last)]
        if value is None:
            _fill(cells, {}, gone, None)
        elif isinstance(value, str):
            first, *rest = value.split(maxsplit=1) or [""]
            given: Cells = {}
            if first:
                self.first.put(first, given, warnings)
                if rest:
                    self.last.put(rest[0].rstrip(), given, warnings)
                _fill(cells, given, gone, self.nothing)
        elif not is_blank(value):
            misfit(self.bad, value, cells, warnings)
        return True


class ToAddress:
    """An object of an address's lines, by any case of their names; a text is `rest`'s.

    It replaces an earlier one as a whole: what it doesn't tell is `nothing`. A trait that names a field outright wins.
    """

    def __init__(
        self, trait: str, members: Mapping[str, Target], rest: Target, nothing: Any, ruled: Iterable[str] = ()
    ) -> None:
        self.trait = trait
        self.members = members
        self.rest = rest
        self._nothing = nothing
        self._by_name = {fold(member): target for member, target in members.items()}
        elsewhere = {cell for member in ruled for cell in _cells_of(self._by_name.get(fold(member), _SILENT))}
        self._lines = {cell for target in members.values() for cell in _cells_of(target)} - elsewhere
        """The cells that an address tells of, but what the user's rules have of it."""

    def without(self, ruled: Iterable[str]) -> ToAddress:
        """The same target without these members, which the user's rules send elsewhere."""
        return ToAddress(self.trait, self.members, self.rest, self._nothing, ruled)

    def member(self, name: str) -> Target:
        """The target of a line of the address."""
        found = self._by_name.get(fold(name))
        return found or Ignored(MappingWarning("ignored_trait", f"{self.trait}.{name}"))

    def put(self, value: Any, cells: Cells, warnings: Warnings) -> bool:
        if isinstance(value, str):
            value = _read(value)
        if value is None:
            _fill(cells, {}, self._lines, None)
        elif isinstance(value, dict):
            self._put_lines(value, cells, warnings)
        elif not is_blank(value):
            given: Cells = {}
            self.rest.put(value, given, warnings)
            _fill(cells, given, (), None)
        return True

    def _put_lines(self, value: dict[str, Any], cells: Cells, warnings: Warnings) -> None:
        given: Cells = {}
        told: set[str] = set()
        for member, line in value.items():
            target = self.member(member)
            if not (self._nothing is not None and is_blank(line)):
                target.put(line, given, warnings)
                told.update(_cells_of(target))
        if told:
            _fill(cells, given, self._lines - told, self._nothing)


class ToMembers:
    """An object whose members have targets of their own, by the user's rules; the rest of it goes to `rest`."""

    def __init__(self, trait: str, members: Mapping[str, Target], rest: Target, *, keep_nulls: bool) -> None:
        self.trait = trait
        self.members = members
        self.rest = rest.without(members) if isinstance(rest, ToAddress) else rest
        self.keep_nulls = keep_nulls

    def put(self, value: Any, cells: Cells, warnings: Warnings) -> bool:
        free = self.put_members(value, cells, warnings)
        return self.put_rest(value, cells, warnings) and free

    def put_members(self, value: Any, cells: Cells, warnings: Warnings) -> bool:
        """Put the members that have a target of their own."""
        if not isinstance(value, dict):
            return True
        own: Cells = {}
        for member, target in self.members.items():
            if member in value and not (self.keep_nulls and is_blank(value[member])):
                target.put(value[member], own, warnings)
        free = own.keys().isdisjoint(cells)
        cells.update({cell: fit for cell, fit in own.items() if cell not in cells})
        return free

    def put_rest(self, value: Any, cells: Cells, warnings: Warnings) -> bool:
        """Put the members that have none of their own."""
        if not isinstance(value, dict):
            if isinstance(value, list) and isinstance(self.rest, Ignored) and any(map(str.isdecimal, self.members)):
                return True  # its items are named one by one
            return self.rest.put(value, cells, warnings)
        others = {member: inner for member, inner in value.items() if member not in self.members}
        if isinstance(self.rest, ToMembers | ToPart | ToAddress):
            return self.rest.put(others, cells, warnings)
        warnings.extend(MappingWarning("ignored_trait", f"{self.trait}.{member}") for member in others)
        return True


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

    def __init__(self, kind: str, resolver: TraitResolver, id_field: str | None = None) -> None:
        self.kind = kind
        self.id_field = id_field
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
                value = _read(value)
            if isinstance(value, str):
                value = {"name": value}
            if value is None:
                return True
            if not isinstance(value, dict):
                misfit(self.bad, value, cells, warnings)
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
            key = compact(dumps(value))
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
        part = named_part(self.kind, self.resolver.cells(value, warnings), self.id_field)
        if part is None and value.keys() - {"name"}:
            warnings.append(self.nameless)
        return part, warnings


def named_part(kind: str, cells: Cells, id_field: str | None = None) -> Part | None:
    """The part's key and its cells, or None if these hold no name. Case and inner spaces don't tell names apart.

    Where `id_field` holds something, that is what tells it from others; no folded name begins with a space.
    """
    name = storable(cells.get("name"))
    if not isinstance(name, str) or not (words := name.split()):
        return None
    cells["name"] = name.strip()
    own = cells.get(id_field, cells.get(f"contact:{id_field}")) if id_field else None
    if own not in (None, ""):
        return f"{kind}:{BY_ID}{own}", cells
    return f"{kind}:{' '.join(words).casefold()}", cells

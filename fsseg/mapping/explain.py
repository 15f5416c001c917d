"""Where traits go, said for people: what the mapper does, without an event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from fsseg.mapping.catalog import LEAD_COMPANY, LEAD_DEAL, PARTS, Catalog
from fsseg.mapping.field_rule import FieldRule
from fsseg.mapping.field_types import UNKNOWN
from fsseg.mapping.object_targets import ToAddress, ToMembers, ToName, ToPart
from fsseg.mapping.rules import Rules, compile_rules
from fsseg.mapping.schema import ADDRESS, COMPANY_ALIASES, PERSON_ALIASES, people
from fsseg.mapping.targets import Ignored, Silent, Target, ToBoth, ToContact, ToEmail, ToField
from fsseg.mapping.warning_counter import MappingWarning

_IN_LEAD = {"company": LEAD_COMPANY, "deal": LEAD_DEAL}


class Place(NamedTuple):
    """A field that a trait is written into; its entity is `lead.company` or `lead.deal` where it is nested."""

    entity: str
    name: str
    type: str


class Destination(NamedTuple):
    """Where a trait goes: `places`, or none, and why in `hint`."""

    places: tuple[Place, ...]
    hint: str = ""


class Explainer:
    """Answers for one account and the user's rules. Raises `MappingError` as the mapper does."""

    def __init__(self, catalog: Catalog, rules: Rules) -> None:
        self._catalog = catalog
        compiled = compile_rules(rules, catalog)
        self.events = tuple(compiled.events)
        """The names of events that have rules."""
        self._people = people(catalog, rules, compiled)
        self._nested = {path: nested for nested in compiled.nested.values() for path in nested.rule.taken}
        self._rules = compiled.fields
        self._ruled = {table: tuple(given) for table, given in compiled.fields.items()}
        members = (f"{part}.{trait}" for part, table in PARTS.items() for trait in self._ruled[table])
        own = (self._ruled[table] for table in ("person", "lead", "contact"))
        self.mapped = frozenset({*chain.from_iterable(own), *members})
        """The traits that have a rule of their own, members of the company and the deal by their path."""

    def __call__(self, trait: str, member: str = "") -> Destination:
        """The destination of a trait of identify calls, or of a member of it where its value is an object."""
        if nested := self._nested.get(f"{trait}.{member}" if member else trait):
            return self(nested.part, nested.member)
        part, target = "", self._people.resolve(trait)[1]
        if member:
            part, target = _member(part, target, member)
        if isinstance(target, Ignored):
            return Destination((), target.warning.hint)
        if isinstance(target, Silent):
            name = f"{trait}.{member}" if member else trait
            if derived := [place for one in self._people.derived_from(name) for place in self._places("", one)]:
                return Destination(tuple(derived))
            return Destination((), "left out by the mapping")
        return Destination(tuple(self._places(part, target)))

    def composed(self, name: str, tables: Iterable[str]) -> FieldRule | None:
        """The rule of this name in these tables whose value is put together, else one that the trait is put into."""
        rules = [rule for table in tables for rule in self._rules[table].values() if rule.derived]
        named = [rule for rule in rules if rule.key == name]
        return next(iter(named + [rule for rule in rules if name in rule.filled_in]), None)

    def traits(self, entity: str) -> dict[str, list[str]]:
        """Internal field name → the traits that reach it by the user's mapping or by a documented name of their own."""
        part = next((part for part in PARTS if entity in (PARTS[part], _IN_LEAD[part])), "")
        if part:
            known = [*self._ruled[PARTS[part]], *(COMPANY_ALIASES if part == "company" else ())]
            asked = [(trait, self(part, trait)) for trait in dict.fromkeys(known)]
        else:
            known = [*self._ruled["person"], *self._ruled[entity], *PERSON_ALIASES, "name"]
            asked = [(trait, self._ruled_place(trait)) for trait in dict.fromkeys(known)]
            # Of several names of a member the first is the documented one.
            documented = {field: member for member, field in reversed(ADDRESS.items())}
            asked += [(f"address.{member}", self("address", member)) for member in documented.values()]
        found: dict[str, list[str]] = {}
        for trait, destination in asked:
            for place in destination.places:
                if place.entity == entity:
                    found.setdefault(place.name, []).append(trait)
        return found

    def _ruled_place(self, trait: str) -> Destination:
        head, _, member = trait.partition(".")
        return self(head, member)

    def _places(self, part: str, target: Target) -> Iterator[Place]:
        match target:
            case ToField():
                yield from self._of_cell(part, target.cell)
            case ToBoth():
                for one in target.targets:
                    yield from self._of_cell(part, one.cell)
            case ToEmail():
                yield from (Place(entity, "email", "e-mail") for entity in self._catalog.people)
            case ToContact():
                yield Place("contact", "", "lead or contact")
            case ToName():
                yield from (*self._places(part, target.first), *self._places(part, target.last))
            case ToMembers() | ToAddress():
                yield from self._places(part, target.rest)
            case ToPart():
                yield from self._places(target.kind, target.resolver.resolve("name")[1])

    def _of_cell(self, part: str, cell: str) -> Iterator[Place]:
        prefix, _, name = cell.rpartition(":")
        for person in [prefix] if prefix else self._catalog.people:
            entity = person
            if part:
                entity = _IN_LEAD[part] if person == "lead" else PARTS[part]
            field = self._catalog.fields(entity).get(name)
            yield Place(entity, name, field.type if field else UNKNOWN.name)


def _member(part: str, target: Target, name: str) -> tuple[str, Target]:
    """The target of a member of an object, and the part (company or deal) that it belongs to."""
    match target:
        case ToPart():
            return target.kind, target.resolver.resolve(name)[1]
        case ToMembers() if name in target.members:
            return part, target.members[name]
        case ToAddress():
            return part, target.member(name)
        case ToMembers() if isinstance(target.rest, ToMembers | ToPart | ToAddress):
            return _member(part, target.rest, name)
        case ToMembers():
            return part, Ignored(MappingWarning("ignored_trait", f"{target.trait}.{name}"))
    return part, target

"""From trait names to targets: the order of rules, compiled as names turn up and remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeGuard

from orjson import JSONEncodeError, dumps

from fsseg.mapping.catalog import EMAILS, Catalog
from fsseg.mapping.coerce import TAKE_TEXT, Coercer, as_text
from fsseg.mapping.field_types import coercer, expectation
from fsseg.mapping.fields import Field
from fsseg.mapping.intents import Cells
from fsseg.mapping.names import did_you_mean, fold, snake
from fsseg.mapping.rules import FieldRule, field_in
from fsseg.mapping.tally import MAX_LENGTH, MAX_NAMES, Note
from fsseg.mapping.targets import Ignored, Notes, Silent, Target, ToBoth, ToField, ToMembers, ToName

MAPPED, DOCUMENTED, EXACT, SNAKE, FOLDED, CUSTOM, NOWHERE = range(1, 8)
"""The order of the rules. Where traits of one event meet in a field, the earlier rule wins, then the earlier name."""

_MAX_SHAPES = 10_000
_MAX_SHAPE = 1_000
"""Characters of all its names; the events of an application have few shapes, and hostile ones must not fill memory."""

_MAX_HINTS = 200
"""Hints take milliseconds each; nobody reads more of them."""


class Side:
    """One entity that the record may turn out to be, and the user's rules for it."""

    def __init__(self, catalog: Catalog, entity: str, prefix: str, rules: Mapping[str, FieldRule]) -> None:
        self.prefix = prefix
        self.rules = rules
        self._catalog = catalog
        self._entity = entity
        self._taken = EMAILS if entity in catalog.people else frozenset()
        fields = catalog.fields(entity)
        self.names = {name: True for name, field in fields.items() if field.writable and name not in self._taken}
        self.kept = fields.keys() - self.names.keys() - self._taken
        self._folded = {fold(name): name for name in reversed(self.names)}
        self._coercers: dict[str, Coercer] = {}

    def field(self, name: str | None) -> Field | None:
        """The writable field of that name."""
        return field_in(self._catalog, self._entity, name) if name and name not in self._taken else None

    def named(self, trait: str) -> tuple[int, Field] | None:
        """The field that the trait names by rules 3 and 4, with the rule."""
        for rank, name in ((EXACT, trait), (SNAKE, snake(trait))):
            if field := self.field(name):
                return rank, field
        return None

    def folded(self, trait: str) -> Field | None:
        """The field of that name but for case and separators."""
        return self.field(self._folded.get(fold(trait)))

    def custom(self, trait: str) -> Field | None:
        """The custom field named after the trait, among those known to exist."""
        names = (f"cf_{trait}", f"cf_{snake(trait)}", self._folded.get(f"cf{fold(trait)}"))
        return self.field(next((name for name in names if name in self.names), None))

    def coercer(self, field: Field) -> Coercer:
        """The field's coercer, made once."""
        return self._coercers.get(field.name) or self._coercers.setdefault(field.name, coercer(field))


class _Hit(NamedTuple):
    side: Side
    field: Field
    values: Mapping[str, Any] | None


class _Shape(NamedTuple):
    """What is known of an object by its traits' names: `plain` go into `cells` as they are if they are texts."""

    plain: tuple[str, ...]
    cells: tuple[str, ...]
    others: tuple[tuple[str, Target], ...]
    rest: tuple[str, ...]
    """The traits of `others`."""


class Resolver:
    """Maps the traits of one object to cells.

    `sides` are the entities it may be (lead and contact, say); `aliases` (trait → field) and `specials` (trait →
    target) are rule 2; `label` is put before trait names in warnings.
    """

    def __init__(
        self,
        sides: Sequence[Side],
        aliases: Mapping[str, str],
        specials: Callable[[Resolver], Mapping[str, Target]],
        *,
        keep_nulls: bool,
        label: str = "",
    ) -> None:
        self._sides = sides
        self._aliases = aliases
        self._keep_nulls = keep_nulls
        self.label = label
        self._hints = 0
        self._folded_aliases = {fold(trait): name for trait, name in aliases.items()}
        self._ruled = {trait for side in sides for trait in side.rules}
        # A field that a rule fills for one side only is kept apart for both, or the two cells would race.
        self._split: set[str] = set()
        for trait in self._ruled:
            if any(side.rules.get(trait) != sides[0].rules.get(trait) for side in sides):
                self._split |= {hit.field.name for hit in self._hits(trait)[1]}
        self._specials = specials(self)
        self._folded_specials = {fold(trait): target for trait, target in self._specials.items()}
        self._resolved: dict[str, tuple[int, Target]] = {}
        self._shapes: dict[tuple[str, ...], _Shape] = {}

    def cells(self, traits: Mapping[str, Any], notes: Notes) -> Cells:
        """The cells of an object's traits; what there is to say about them is appended to `notes`."""
        names = tuple(traits)
        shape = self._shapes.get(names) or self._shape(names)
        values = [*map(traits.__getitem__, shape.plain)]
        try:
            "".join(values)  # the quickest way to see that all are texts
        except TypeError:
            return self._ranked(traits, notes)
        cells: Cells = dict(zip(shape.cells, values, strict=True))
        mark, keep_nulls = len(notes), self._keep_nulls
        for trait, target in shape.others:
            value = traits[trait]
            if not ((value is None and keep_nulls) or target.put(value, cells, notes)):
                del notes[mark:]
                return self._ranked(traits, notes)
        return cells

    def signature(self, traits: Mapping[str, Any]) -> tuple[tuple[str, ...], bytes] | None:
        """What of an object's traits matters beside texts that go into fields as they are; None where it can't be told.

        Where two objects have the same, each fills every cell that the other fills, and there is the same to say about
        them.
        """
        names = tuple(traits)
        shape = self._shapes.get(names)
        if shape is None:
            return None
        try:
            "".join(map(traits.__getitem__, shape.plain))
            return names, dumps([*map(traits.__getitem__, shape.rest)])
        except (TypeError, JSONEncodeError):
            return None

    def _shape(self, traits: tuple[str, ...]) -> _Shape:
        """Where traits of these names go if those that text fields take are texts."""
        targets = {trait: self.resolve(trait)[1] for trait in traits}
        fields = {trait: target for trait, target in targets.items() if _takes_text(target)}
        cells = {trait: target.cell for trait, target in fields.items()}
        distinct = len(set(cells.values())) == len(cells)
        plain = cells if distinct else {}
        others = tuple((trait, target) for trait, target in targets.items() if trait not in plain)
        shape = _Shape(tuple(plain), tuple(plain.values()), others, tuple(dict(others)))
        if len(self._shapes) < _MAX_SHAPES and sum(map(len, traits)) <= _MAX_SHAPE:
            self._shapes[traits] = shape
        return shape

    def _ranked(self, traits: Mapping[str, Any], notes: Notes) -> Cells:
        """As `cells`, where traits meet in one field: the better rule comes first and stays."""
        cells: Cells = {}
        for trait in sorted(traits, key=lambda trait: (self.resolve(trait)[0], trait)):
            value = traits[trait]
            if not (value is None and self._keep_nulls):
                self.resolve(trait)[1].put(value, cells, notes)
        return cells

    def resolve(self, trait: str) -> tuple[int, Target]:
        """The place of the trait among others, by the rule that finds its target, and the target."""
        known = self._resolved.get(trait)
        if known is None:
            rank, target = self._find(trait)
            members = {
                rule[len(trait) + 1 :]: self._find(rule)[1] for rule in self._ruled if rule.startswith(f"{trait}.")
            }
            if members:
                target = ToMembers(self.label + trait, members, target, keep_nulls=self._keep_nulls)
            known = NOWHERE if isinstance(target, ToName) else rank, target
            if len(self._resolved) < MAX_NAMES and len(trait) <= MAX_LENGTH:
                self._resolved[trait] = known
        return known

    def to_field(self, name: str, trait: str) -> Target:
        """The target for a field given by its name, wherever the sides have it."""
        return self._target(trait, [_Hit(side, field, None) for side in self._sides if (field := side.field(name))])

    def _find(self, trait: str) -> tuple[int, Target]:
        if trait in self._ruled:
            rules = [side.rules[trait] for side in self._sides if trait in side.rules]
            if any(rule.field in EMAILS for rule in rules) and "email" in self._specials:
                return MAPPED, self._specials["email"]
            hits = self._hits(trait)[1]
            return MAPPED, self._target(trait, hits) if hits else Silent()
        if trait in self._specials:
            return DOCUMENTED, self._specials[trait]
        rank, hits = self._hits(trait)
        if rank >= FOLDED and (special := self._folded_specials.get(fold(trait))):
            return FOLDED, special
        return rank, self._target(trait, hits)

    def _hits(self, trait: str) -> tuple[int, list[_Hit]]:
        """The field each side has for the trait, with the best rule that found one."""
        best, hits = NOWHERE, []
        for side in self._sides:
            rank, field, values = self._hit(side, trait)
            if field:
                best = min(best, rank)
                hits.append(_Hit(side, field, values))
        return best, hits

    def _hit(self, side: Side, trait: str) -> tuple[int, Field | None, Mapping[str, Any] | None]:
        if rule := side.rules.get(trait):
            return MAPPED, side.field(rule.field), rule.values
        if field := side.field(self._aliases.get(trait)):
            return DOCUMENTED, field, None
        if named := side.named(trait):
            return *named, None
        if field := side.field(self._folded_aliases.get(fold(trait))) or side.folded(trait):
            return FOLDED, field, None
        return CUSTOM, side.custom(trait), None

    def _target(self, trait: str, hits: Sequence[_Hit]) -> Target:
        if (
            len(hits) == len(self._sides)
            and len({h.field.name for h in hits}) == 1
            and self._shared(hits[0].field.name)
        ):
            return self._cell(trait, hits[0], prefix="")
        # A field shared by both is never filled for one alone: where it could be, the other has a better one.
        apart = [self._cell(trait, hit, hit.side.prefix) for hit in hits if not self._shared(hit.field.name)]
        if apart:
            return apart[0] if len(apart) == 1 else ToBoth(apart)
        return Ignored(Note("ignored_trait", self.label + trait, self._hint(trait)))

    def _cell(self, trait: str, hit: _Hit, prefix: str) -> ToField:
        hint = f"{hit.field.name} takes {expectation(hit.field)}"
        return ToField(prefix + hit.field.name, _coercer_of(hit), Note("bad_value", self.label + trait, hint))

    def _shared(self, name: str) -> bool:
        """Whether the field is the same for all sides, so that its cell needs no prefix."""
        first, *others = (side.field(name) for side in self._sides)
        return name not in self._split and first is not None and all(o and o.takes_like(first) for o in others)

    def _hint(self, trait: str) -> str:
        if any(side.kept & {trait, snake(trait)} for side in self._sides):
            return f"{snake(trait)} is kept by Freshsales itself"
        if self._hints == _MAX_HINTS:
            return ""
        self._hints += 1
        return did_you_mean(trait, dict.fromkeys(name for side in self._sides for name in side.names))


def _takes_text(target: Target) -> TypeGuard[ToField]:
    return isinstance(target, ToField) and target.coerce in TAKE_TEXT


def _coercer_of(hit: _Hit) -> Coercer:
    coerce, values = hit.side.coercer(hit.field), hit.values
    if not values:
        return coerce
    return lambda value: coerce(values.get(str(as_text(value)), value))

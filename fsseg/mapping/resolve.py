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
from fsseg.mapping.targets import (
    Ignored,
    Silent,
    Target,
    ToAddress,
    ToBoth,
    ToField,
    ToMembers,
    ToName,
    Warnings,
    is_empty,
)
from fsseg.mapping.warning_counter import MAX_LENGTH, MAX_NAMES, MappingWarning

MAPPED, DOCUMENTED, EXACT, SNAKE, FOLDED, CUSTOM, NOWHERE = range(1, 8)
"""The order of the rules. Where traits of one event meet in a field, the earlier rule wins, then the earlier name."""

_MAX_LAYOUTS = 10_000
_MAX_LAYOUT = 1_000
"""Characters of all its names; the events of an application have few layouts, and hostile ones must not fill memory."""

_MAX_HINTS = 200
"""Hints take milliseconds each; nobody reads more of them."""


class EntityFields:
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


class _Candidate(NamedTuple):
    entity: EntityFields
    field: Field
    values: Mapping[str, Any] | None


class _TraitLayout(NamedTuple):
    """What is known of an object by its traits' names: `plain` go into `cells` as they are if they are texts."""

    plain: tuple[str, ...]
    cells: tuple[str, ...]
    others: tuple[tuple[str, Target], ...]
    rest: tuple[str, ...]
    """The traits of `others`."""


class Resolver:
    """Maps the traits of one object to cells.

    `entities` are the entities it may be (lead and contact, say); `aliases` (trait → field) and `specials` (trait →
    target) are rule 2; `label` is put before trait names in warnings.
    """

    def __init__(
        self,
        entities: Sequence[EntityFields],
        aliases: Mapping[str, str],
        specials: Callable[[Resolver], Mapping[str, Target]],
        *,
        keep_nulls: bool,
        label: str = "",
    ) -> None:
        self._entities = entities
        self._aliases = aliases
        self._keep_nulls = keep_nulls
        self.label = label
        self._hints = 0
        self._folded_aliases = {fold(trait): name for trait, name in aliases.items()}
        self._ruled = {trait for entity in entities for trait in entity.rules}
        # A field that a rule fills for one entity only is kept apart for both, or the two cells would race.
        self._split: set[str] = set()
        for trait in self._ruled:
            if any(entity.rules.get(trait) != entities[0].rules.get(trait) for entity in entities):
                self._split |= {candidate.field.name for candidate in self._candidates(trait)[1]}
        self._specials = specials(self)
        self._folded_specials = {fold(trait): target for trait, target in self._specials.items()}
        self._resolved: dict[str, tuple[int, Target]] = {}
        self._layouts: dict[tuple[str, ...], _TraitLayout] = {}

    def cells(self, traits: Mapping[str, Any], warnings: Warnings) -> Cells:
        """The cells of an object's traits; what there is to say about them is appended to `warnings`."""
        names = tuple(traits)
        layout = self._layouts.get(names) or self._layout(names)
        values = [*map(traits.__getitem__, layout.plain)]
        try:
            "".join(values)  # the quickest way to see that all are texts
        except TypeError:
            return self._by_precedence(traits, warnings)
        mark, keep_nulls = len(warnings), self._keep_nulls
        if keep_nulls and not all(map(str.strip, values)):
            return self._by_precedence(traits, warnings)
        cells: Cells = dict(zip(layout.cells, values, strict=True))
        for trait, target in layout.others:
            value = traits[trait]
            if not ((keep_nulls and is_empty(value)) or target.put(value, cells, warnings)):
                del warnings[mark:]
                return self._by_precedence(traits, warnings)
        return cells

    def equivalence_key(self, traits: Mapping[str, Any]) -> tuple[tuple[str, ...], bytes] | None:
        """What of an object's traits matters beside texts that go into fields as they are; None where it can't be told.

        Where two objects have the same, each fills every cell that the other fills, and there is the same to say about
        them.
        """
        names = tuple(traits)
        layout = self._layouts.get(names)
        if layout is None:
            return None
        try:
            texts = [*map(traits.__getitem__, layout.plain)]
            "".join(texts)
            if self._keep_nulls and not all(map(str.strip, texts)):
                return None  # empty texts fill nothing
            return names, dumps([*map(traits.__getitem__, layout.rest)])
        except (TypeError, JSONEncodeError):
            return None

    def _layout(self, traits: tuple[str, ...]) -> _TraitLayout:
        """Where traits of these names go if those that text fields take are texts."""
        targets = {trait: self.resolve(trait)[1] for trait in traits}
        fields = {trait: target for trait, target in targets.items() if _takes_text(target)}
        cells = {trait: target.cell for trait, target in fields.items()}
        distinct = len(set(cells.values())) == len(cells)
        plain = cells if distinct else {}
        others = tuple((trait, target) for trait, target in targets.items() if trait not in plain)
        layout = _TraitLayout(tuple(plain), tuple(plain.values()), others, tuple(dict(others)))
        if len(self._layouts) < _MAX_LAYOUTS and sum(map(len, traits)) <= _MAX_LAYOUT:
            self._layouts[traits] = layout
        return layout

    def _by_precedence(self, traits: Mapping[str, Any], warnings: Warnings) -> Cells:
        """As `cells`, where traits meet in one field: the better rule comes first and stays."""
        cells: Cells = {}
        late: list[tuple[ToMembers, Any]] = []
        for trait in sorted(traits, key=lambda trait: (self.resolve(trait)[0], trait)):
            value, target = traits[trait], self.resolve(trait)[1]
            if self._keep_nulls and is_empty(value):
                continue
            if isinstance(target, ToMembers) and isinstance(target.rest, ToAddress):
                target.put_members(value, cells, warnings)
                late.append((target, value))
            else:
                target.put(value, cells, warnings)
        for members, value in late:
            members.put_rest(value, cells, warnings)
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
            known = NOWHERE if isinstance(target, ToName | ToAddress) else rank, target
            if len(self._resolved) < MAX_NAMES and len(trait) <= MAX_LENGTH:
                self._resolved[trait] = known
        return known

    def to_field(self, name: str, trait: str) -> Target:
        """The target for a field given by its name, wherever the entities have it."""
        return self._target(
            trait, [_Candidate(entity, field, None) for entity in self._entities if (field := entity.field(name))]
        )

    def _find(self, trait: str) -> tuple[int, Target]:
        if trait in self._ruled:
            rules = [entity.rules[trait] for entity in self._entities if trait in entity.rules]
            if any(rule.field in EMAILS for rule in rules) and "email" in self._specials:
                return MAPPED, self._specials["email"]
            candidates = self._candidates(trait)[1]
            return MAPPED, self._target(trait, candidates) if candidates else Silent()
        if trait in self._specials:
            return DOCUMENTED, self._specials[trait]
        rank, candidates = self._candidates(trait)
        if rank >= FOLDED and (special := self._folded_specials.get(fold(trait))):
            return FOLDED, special
        return rank, self._target(trait, candidates)

    def _candidates(self, trait: str) -> tuple[int, list[_Candidate]]:
        """The field each entity has for the trait, with the best rule that found one."""
        best, candidates = NOWHERE, []
        for entity in self._entities:
            rank, field, values = self._candidate(entity, trait)
            if field:
                best = min(best, rank)
                candidates.append(_Candidate(entity, field, values))
        return best, candidates

    def _candidate(self, entity: EntityFields, trait: str) -> tuple[int, Field | None, Mapping[str, Any] | None]:
        if rule := entity.rules.get(trait):
            return MAPPED, entity.field(rule.field), rule.values
        if field := entity.field(self._aliases.get(trait)):
            return DOCUMENTED, field, None
        if named := entity.named(trait):
            return *named, None
        if field := entity.field(self._folded_aliases.get(fold(trait))) or entity.folded(trait):
            return FOLDED, field, None
        return CUSTOM, entity.custom(trait), None

    def _target(self, trait: str, candidates: Sequence[_Candidate]) -> Target:
        if (
            len(candidates) == len(self._entities)
            and len({candidate.field.name for candidate in candidates}) == 1
            and self._shared(candidates[0].field.name)
        ):
            return self._cell(trait, candidates[0], prefix="")
        # A field shared by both is never filled for one alone: where it could be, the other has a better one.
        apart = [
            self._cell(trait, candidate, candidate.entity.prefix)
            for candidate in candidates
            if not self._shared(candidate.field.name)
        ]
        if apart:
            return apart[0] if len(apart) == 1 else ToBoth(apart)
        return Ignored(MappingWarning("ignored_trait", self.label + trait, self._hint(trait)))

    def _cell(self, trait: str, candidate: _Candidate, prefix: str) -> ToField:
        hint = f"{candidate.field.name} takes {expectation(candidate.field)}"
        return ToField(
            prefix + candidate.field.name, _coercer_of(candidate), MappingWarning("bad_value", self.label + trait, hint)
        )

    def _shared(self, name: str) -> bool:
        """Whether the field is the same for all entities, so that its cell needs no prefix."""
        first, *others = (entity.field(name) for entity in self._entities)
        return name not in self._split and first is not None and all(o and o.takes_like(first) for o in others)

    def _hint(self, trait: str) -> str:
        if any(entity.kept & {trait, snake(trait)} for entity in self._entities):
            return f"{snake(trait)} is kept by Freshsales itself"
        if self._hints == _MAX_HINTS:
            return ""
        self._hints += 1
        return did_you_mean(trait, dict.fromkeys(name for entity in self._entities for name in entity.names))


def _takes_text(target: Target) -> TypeGuard[ToField]:
    return isinstance(target, ToField) and target.coerce in TAKE_TEXT


def _coercer_of(candidate: _Candidate) -> Coercer:
    coerce, values = candidate.entity.coercer(candidate.field), candidate.values
    if not values:
        return coerce
    folded = {text.strip().casefold(): meant for text, meant in reversed([*values.items()])}

    def replaced(value: object) -> object:
        text = str(as_text(value))
        meant = values[text] if text in values else folded.get(text.strip().casefold(), value)
        return None if meant is None else coerce(meant)

    return replaced

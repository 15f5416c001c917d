"""From trait names to targets: the order of rules, compiled as names turn up and remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from orjson import JSONEncodeError, dumps

from fsseg.mapping.candidates import Candidate, takes_text
from fsseg.mapping.catalog import EMAILS
from fsseg.mapping.coerce import as_phone, is_shortened
from fsseg.mapping.conditions import ALWAYS
from fsseg.mapping.entity_fields import CUSTOM, DOCUMENTED, FOLDED, MAPPED, NOWHERE, EntityFields
from fsseg.mapping.field_rule import FieldRule
from fsseg.mapping.fields import Field
from fsseg.mapping.intents import Cells
from fsseg.mapping.names import did_you_mean, fold, snake
from fsseg.mapping.object_targets import ToAddress, ToMembers, ToName
from fsseg.mapping.paths import MISSING
from fsseg.mapping.storable import storable
from fsseg.mapping.targets import Ignored, Silent, Target, ToBoth, ToEmail, ToField, Warnings, is_blank
from fsseg.mapping.warning_counter import MAX_LENGTH, MAX_NAMES, MappingWarning
from fsseg.segment.items import items_at

_MAX_LAYOUTS = 10_000
_MAX_LAYOUT = 1_000
"""Characters of all its names; the events of an application have few layouts, and hostile ones must not fill memory."""

_MAX_HINTS = 200
"""Hints take milliseconds each; nobody reads more of them."""


_Values = Callable[[Mapping[str, Any]], tuple[Any, ...]]
"""Gives the values of some of an object's traits."""


class _TraitLayout(NamedTuple):
    """What is known of an object by its traits' names: `plain` go into `cells` as they are if they are texts."""

    plain: _Values
    cells: tuple[str, ...]
    others: tuple[tuple[str, Target], ...]
    texts: _Values
    """The traits that fill their cells by whatever text they hold."""
    phones: tuple[str, ...]
    """Those of the plain ones that are phone numbers, which spreadsheets may have shortened."""
    rest: _Values
    """The other traits, and those that rules fill into templates."""


class Resolver:
    """Maps the traits of one object to cells.

    `entities` are the entities it may be (lead and contact, say); `aliases` (trait → field) and `specials` (trait →
    target) are rule 2; `label` is put before trait names in warnings, `all_must_fit` as in `ToBoth`.
    """

    def __init__(
        self,
        entities: Sequence[EntityFields],
        aliases: Mapping[str, str],
        specials: Callable[[Resolver], Mapping[str, Target]],
        *,
        keep_nulls: bool,
        all_must_fit: bool,
        label: str = "",
    ) -> None:
        self._entities = entities
        self._aliases = aliases
        self._keep_nulls = keep_nulls
        self._all_must_fit = all_must_fit
        self.label = label
        self._hints = 0
        self._folded_aliases = {fold(trait): name for trait, name in aliases.items()}
        self._ruled = {trait for entity in entities for trait in entity.rules}
        mentioned = {trait for entity in entities for rule in entity.derived.values() for trait in rule.mentioned}
        self._mentioned = mentioned - self._ruled
        filled_in = [path for entity in entities for rule in entity.derived.values() for path in rule.filled_in]
        self._filled_in = {*filled_in, *(path.partition(".")[0] for path in filled_in)}
        rules = self._derived_rules()
        # A field that a rule fills for one entity only is kept apart for both, or the two cells would race.
        self._split: set[str] = set()
        for trait in self._ruled:
            if any(entity.rules.get(trait) != entities[0].rules.get(trait) for entity in entities):
                self._split |= {candidate.field.name for candidate in self._candidates(trait)[1]}
        for _, candidates in rules:
            if len(candidates) < len(entities):
                self._split |= {candidate.field.name for candidate in candidates}
        self._specials = specials(self)
        self._derived = [
            (rule, ToEmail(rule.convert) if self._is_email(rule) else self._target(rule.key, candidates))
            for rule, candidates in rules
            if candidates or self._is_email(rule)
        ]
        self._conditions = [rule.when for rule, _ in self._derived if rule.when is not ALWAYS]
        self._folded_specials = {fold(trait): target for trait, target in self._specials.items()}
        self._resolved: dict[str, tuple[int, Target]] = {}
        self._layouts: dict[tuple[str, ...], _TraitLayout] = {}

    def _derived_rules(self) -> list[tuple[FieldRule, list[Candidate]]]:
        """The rules whose values are put together, with the field that each entity has for them, by their names."""
        found: dict[tuple[str, str], tuple[FieldRule, list[Candidate]]] = {}
        for entity in self._entities:
            for rule in entity.derived.values():
                _, candidates = found.setdefault((rule.key, rule.spelled), (rule, []))
                if field := entity.field(rule.field):
                    candidates.append(Candidate(entity, field, rule))
        return [found[name] for name in sorted(found)]

    def derived_from(self, trait: str) -> list[Target]:
        """Where the rules put the trait that make more of it than its value."""
        return [target for rule, target in self._derived if trait in rule.taken]

    def _is_email(self, rule: FieldRule) -> bool:
        return rule.field in EMAILS and "email" in self._specials

    def cells(self, traits: Mapping[str, Any], warnings: Warnings) -> Cells:
        """The cells of an object's traits; what there is to say about them is appended to `warnings`."""
        cells = self._cells(traits, warnings)
        if self._derived:
            own: Cells = {}
            for rule, target in self._derived:
                value = rule.read(traits)
                if value is not MISSING and not (self._keep_nulls and is_blank(value)):
                    target.put(value, own, warnings)
            cells.update(own)
        return cells

    def _cells(self, traits: Mapping[str, Any], warnings: Warnings) -> Cells:
        names = tuple(traits)
        layout = self._layouts.get(names) or self._layout(names)
        values = layout.plain(traits)
        try:
            joined = "".join(values)  # the quickest way to see that all are texts
        except TypeError:
            return self._by_precedence(traits, warnings)
        mark, keep_nulls = len(warnings), self._keep_nulls
        if (keep_nulls and _has_empty(values, joined)) or (layout.phones and _has_shortened(traits, layout.phones)):
            return self._by_precedence(traits, warnings)
        cells: Cells = dict(zip(layout.cells, values, strict=True))
        for trait, target in layout.others:
            value = traits[trait]
            if not ((keep_nulls and is_blank(value)) or target.put(value, cells, warnings)):
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
            texts = layout.texts(traits)
            joined = "".join(texts)
            if self._keep_nulls and _has_empty(texts, joined):
                return None  # empty texts fill nothing
            if layout.phones and _has_shortened(traits, layout.phones):
                return None  # nor do these
            rest = layout.rest(traits)
            if self._conditions:
                rest += tuple([when.holds(traits) for when in self._conditions])
            return names, dumps(rest)
        except (TypeError, JSONEncodeError):
            return None

    def _layout(self, traits: tuple[str, ...]) -> _TraitLayout:
        """Where traits of these names go if those that text fields take are texts."""
        targets = {trait: self.resolve(trait)[1] for trait in traits}
        fields = {trait: target for trait, target in targets.items() if takes_text(target)}
        cells = {trait: target.cell for trait, target in fields.items()}
        distinct = len(set(cells.values())) == len(cells)
        plain = cells if distinct else {}
        others = tuple((trait, target) for trait, target in targets.items() if trait not in plain)
        converted = [trait for trait, target in others if isinstance(target, ToField) and target.takes_any_text]
        texts = (*plain, *(converted if distinct else ()))
        rest = tuple(trait for trait in traits if trait not in texts or trait in self._filled_in)
        phones = tuple(trait for trait in plain if fields[trait].coerce is as_phone)
        layout = _TraitLayout(items_at(plain), tuple(plain.values()), others, items_at(texts), phones, items_at(rest))
        if len(self._layouts) < _MAX_LAYOUTS and sum(map(len, traits)) <= _MAX_LAYOUT:
            self._layouts[traits] = layout
        return layout

    def _by_precedence(self, traits: Mapping[str, Any], warnings: Warnings) -> Cells:
        """As `cells`, where traits meet in one field: the better rule comes first and stays."""
        cells: Cells = {}
        late: list[tuple[ToMembers, Any]] = []
        for trait in sorted(traits, key=lambda trait: (self.resolve(trait)[0], trait)):
            value, target = traits[trait], self.resolve(trait)[1]
            if self._keep_nulls and is_blank(value):
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
            if members := self._members(trait):
                target = ToMembers(self.label + trait, members, target, keep_nulls=self._keep_nulls)
            known = NOWHERE if isinstance(target, ToName | ToAddress) else rank, target
            if len(self._resolved) < MAX_NAMES and len(trait) <= MAX_LENGTH:
                self._resolved[trait] = known
        return known

    def _members(self, outer: str) -> dict[str, Target]:
        """The targets of an object's members that rules speak of, at any depth."""
        inner = [rule[len(outer) + 1 :] for rule in (*self._ruled, *self._mentioned) if rule.startswith(f"{outer}.")]
        members: dict[str, Target] = {}
        for name in dict.fromkeys(rule.partition(".")[0] for rule in inner):
            path = f"{outer}.{name}"
            ruled = path in self._ruled
            if not ruled and outer in self._specials and path in self._mentioned:
                continue  # it has a home of its own
            ignored = Ignored(MappingWarning("ignored_trait", self.label + path))
            target = self._find(path)[1] if ruled else Silent() if path in self._mentioned else ignored
            if deeper := self._members(path):
                target = ToMembers(self.label + path, deeper, target, keep_nulls=self._keep_nulls)
            members[name] = target
        return members

    def to_field(self, name: str, trait: str) -> Target:
        """The target for a field given by its name, wherever the entities have it."""
        return self._target(
            trait, [Candidate(entity, field, None) for entity in self._entities if (field := entity.field(name))]
        )

    def _find(self, trait: str) -> tuple[int, Target]:
        if trait in self._ruled:
            rules = [entity.rules[trait] for entity in self._entities if trait in entity.rules]
            if emails := [rule for rule in rules if self._is_email(rule)]:
                return MAPPED, ToEmail(emails[0].convert)
            candidates = self._candidates(trait)[1]
            return MAPPED, self._target(trait, candidates) if candidates else Silent()
        if trait in self._specials:
            return DOCUMENTED, self._specials[trait]
        rank, candidates = self._candidates(trait)
        if rank >= FOLDED and (special := self._folded_specials.get(fold(trait))):
            return FOLDED, special
        target = self._target(trait, candidates)
        return rank, Silent() if trait in self._mentioned and isinstance(target, Ignored) else target

    def _candidates(self, trait: str) -> tuple[int, list[Candidate]]:
        """The field each entity has for the trait, with the best rule that found one."""
        best, candidates = NOWHERE, []
        for entity in self._entities:
            rank, field, rule = self._candidate(entity, trait)
            if field:
                best = min(best, rank)
                candidates.append(Candidate(entity, field, rule))
        return best, candidates

    def _candidate(self, entity: EntityFields, trait: str) -> tuple[int, Field | None, FieldRule | None]:
        if rule := entity.rules.get(trait):
            return MAPPED, entity.field(rule.field), rule
        if field := entity.field(self._aliases.get(trait)):
            return DOCUMENTED, field, None
        if named := entity.named(trait):
            return *named, None
        if field := entity.field(self._folded_aliases.get(fold(trait))) or entity.folded(trait):
            return FOLDED, field, None
        return CUSTOM, entity.custom(trait), None

    def _target(self, trait: str, candidates: Sequence[Candidate]) -> Target:
        if (
            len(candidates) == len(self._entities)
            and len({candidate.field.name for candidate in candidates}) == 1
            and self._shared(candidates[0].field.name)
        ):
            return candidates[0].cell(self.label + trait)
        # A field shared by both is never filled for one alone: where it could be, the other has a better one.
        apart = [
            candidate.cell(self.label + trait, candidate.entity.prefix)
            for candidate in candidates
            if not self._shared(candidate.field.name)
        ]
        if apart:
            return apart[0] if len(apart) == 1 else ToBoth(apart, all_must_fit=self._all_must_fit)
        return Ignored(MappingWarning("ignored_trait", self.label + trait, self._hint(trait)))

    def _shared(self, name: str) -> bool:
        """Whether the field is the same for all entities, so that its cell needs no prefix."""
        first, *others = (entity.field(name) for entity in self._entities)
        return name not in self._split and first is not None and all(o and o.takes_like(first) for o in others)

    def _hint(self, trait: str) -> str:
        if any(entity.kept & {trait, snake(trait)} for entity in self._entities):
            return f"{snake(trait)} is kept by Freshsales itself"
        if self.label == "deal." and fold(trait) in ("id", "dealid"):
            return "two names are two deals, unless a custom field holds their id: identity.deal_id_field"
        if self._hints == _MAX_HINTS:
            return ""
        self._hints += 1
        return did_you_mean(trait, dict.fromkeys(name for entity in self._entities for name in entity.names))


def _has_shortened(traits: Mapping[str, Any], phones: Iterable[str]) -> bool:
    """Whether one of these traits, which are texts, is a phone number that a spreadsheet has shortened."""
    return any(map(is_shortened, map(traits.__getitem__, phones)))


def _has_empty(texts: Iterable[str], joined: str) -> bool:
    """Whether one of the texts shows nothing; most are told at once by what all of them are, joined."""
    return not (all(map(str.strip, texts)) and (joined.isprintable() or all(map(storable, texts))))

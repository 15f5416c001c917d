"""What new records hold that no event says anything of: the `[defaults.…]` tables of the settings. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fsseg.mapping.catalog import Catalog
from fsseg.mapping.coerce import BAD
from fsseg.mapping.explain import Explainer
from fsseg.mapping.field_types import coercer, expectation
from fsseg.mapping.mistakes import MappingError, Mistake
from fsseg.mapping.names import did_you_mean
from fsseg.mapping.rules import Rules, compile_rules, field_in

OF_TRAIT = "$"
"""Begins a default that is the value of another trait."""


PART_OF = {"account": "company", "deal": "deal"}
"""The object among a person's traits that tells of the entity."""


class Defaults:
    """The tables by entity, checked against the account and where `rules` put traits. Raises `MappingError`."""

    def __init__(self, catalog: Catalog, tables: Mapping[str, Mapping[str, Any]], rules: Rules) -> None:
        self._catalog = catalog
        self._constants: dict[str, dict[str, Any]] = {}
        self._traits: dict[str, dict[str, list[str]]] = {}
        """The fields that a trait reaches, by the field whose default it is."""
        explain = Explainer(catalog, rules) if any(map(_of_traits, tables.values())) else None
        mistakes: list[Mistake] = []
        for entity, table in tables.items():
            held = _entity(catalog, entity)
            for name, value in table.items():
                self._read(entity, held, name, value, explain, mistakes)
        if mistakes:
            raise MappingError(mistakes)

    def _read(
        self, entity: str, held: str, name: str, value: Any, explain: Explainer | None, mistakes: list[Mistake]
    ) -> None:
        field, path = field_in(self._catalog, held, name), ("defaults", entity, name)
        if field is None and self._catalog.assumed and name.startswith("cf_"):
            return  # which custom fields there are isn't known yet
        if field is None or not field.writable:
            hint = did_you_mean(name, self._catalog.fields(held))
            mistakes.append(Mistake(path, f"{held}s have no field {name} that can be written", hint))
        elif explain is not None and _is_trait(value):
            trait = value.removeprefix(OF_TRAIT)
            told = explain(PART_OF[entity], trait) if entity in PART_OF else explain(*trait.partition(".")[::2])
            reached = [place.name for place in told.places if place.entity == held]
            if reached or self._catalog.assumed:
                self._traits.setdefault(entity, {})[name] = reached
            else:
                hint = _hint(explain, entity, trait)
                mistakes.append(Mistake(path, f"trait {trait} reaches no field of {held}s, which would keep it", hint))
        elif (written := coercer(field)(value)) is BAD:
            choices = [choice.text for choice in field.choices or ()]
            hint = did_you_mean(str(value), choices) or f"it takes {expectation(field)}"
            mistakes.append(Mistake(path, f"{value!r} doesn't fit {name}", hint))
        else:
            self._constants.setdefault(entity, {})[name] = written

    def __bool__(self) -> bool:
        return bool(self._constants or self._traits)

    def fill(self, entity: str, desired: dict[str, Any], *, is_lead: bool = False) -> dict[str, Any]:
        """What is desired of a new record, and the defaults of what isn't. `is_lead`: a contact that stands for one."""
        filled = dict(desired)
        for table in ("lead", entity) if is_lead else (entity,):
            for name, value in self._constants.get(table, {}).items():
                filled.setdefault(name, value)
            for name, reached in self._traits.get(table, {}).items():
                field = field_in(self._catalog, _entity(self._catalog, table), name)
                value = next((desired[one] for one in reached if desired.get(one) is not None), None)
                if field is not None and value is not None and (written := coercer(field)(value)) is not BAD:
                    filled.setdefault(name, written)
        return filled


def _hint(explain: Explainer, entity: str, trait: str) -> str:
    """What to write for a trait that reaches no field."""
    table = entity if entity in PART_OF else "person"
    rule = explain.composed(trait, [table] if entity in PART_OF else [table, "lead", "contact"])
    where = f'say under [mapping.{table}] which field takes it, as in {trait} = "cf_region"'
    if rule is None:
        return where
    made = f'"{OF_TRAIT}{rule.field}" is what the rule {rule.key} puts together'
    return made if rule.key == trait else f"{made}; for {trait} alone {where}"


def check_settings(catalog: Catalog, rules: Rules, defaults: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise `MappingError` with all that this Freshsales lacks of what the mapping and the defaults name."""
    mistakes: list[Mistake] = []
    for check in (lambda: compile_rules(rules, catalog), lambda: Defaults(catalog, defaults, rules)):
        try:
            check()
        except MappingError as error:
            mistakes += [mistake for mistake in error.mistakes if mistake not in mistakes]
    if mistakes:
        raise MappingError(mistakes)


def _entity(catalog: Catalog, entity: str) -> str:
    """The entity that a table of the settings is about: a suite account has no leads, so contacts stand for them."""
    return "contact" if entity == "lead" and catalog.edition == "suite" else entity


def _of_traits(table: Mapping[str, Any]) -> bool:
    return any(map(_is_trait, table.values()))


def _is_trait(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(OF_TRAIT)

"""What new records hold that no event says anything of: the `[defaults.…]` tables of the settings. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fsseg.mapping.catalog import Catalog
from fsseg.mapping.coerce import BAD
from fsseg.mapping.field_types import coercer, expectation
from fsseg.mapping.fields import Field
from fsseg.mapping.mistakes import MappingError, Mistake
from fsseg.mapping.names import did_you_mean, snake
from fsseg.mapping.rules import Rules, compile_rules, field_in

OF_TRAIT = "$"
"""Begins a default that is the value of another trait."""


class Defaults:
    """The tables by entity, checked against what the account has. Raises `MappingError`."""

    def __init__(self, catalog: Catalog, tables: Mapping[str, Mapping[str, Any]]) -> None:
        self._catalog = catalog
        self._constants: dict[str, dict[str, Any]] = {}
        self._traits: dict[str, dict[str, str]] = {}
        mistakes: list[Mistake] = []
        for entity, table in tables.items():
            held = _entity(catalog, entity)
            for name, value in table.items():
                self._read(entity, held, name, value, mistakes)
        if mistakes:
            raise MappingError(mistakes)

    def _read(self, entity: str, held: str, name: str, value: Any, mistakes: list[Mistake]) -> None:
        field, path = field_in(self._catalog, held, name), ("defaults", entity, name)
        if field is None or not field.writable:
            hint = did_you_mean(name, self._catalog.fields(held))
            mistakes.append(Mistake(path, f"{held}s have no field {name} that can be written", hint))
        elif isinstance(value, str) and value.startswith(OF_TRAIT):
            self._traits.setdefault(entity, {})[name] = value.removeprefix(OF_TRAIT)
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
            for name, trait in self._traits.get(table, {}).items():
                field = field_in(self._catalog, _entity(self._catalog, table), name)
                value = _of_trait(desired, trait)
                if field is not None and value is not None and (written := coercer(field)(value)) is not BAD:
                    filled.setdefault(name, written)
        return filled

    def covers(self, entity: str, field: Field) -> bool:
        """Whether a new record of this entity gets something for the field."""
        return any(field.name in tables.get(entity, {}) for tables in (self._constants, self._traits))


def check_settings(catalog: Catalog, rules: Rules, defaults: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise `MappingError` with all that this Freshsales lacks of what the mapping and the defaults name."""
    mistakes: list[Mistake] = []
    for check in (lambda: compile_rules(rules, catalog), lambda: Defaults(catalog, defaults)):
        try:
            check()
        except MappingError as error:
            mistakes += error.mistakes
    if mistakes:
        raise MappingError(mistakes)


def _entity(catalog: Catalog, entity: str) -> str:
    """A suite account has no leads: its contacts stand for them."""
    return "contact" if entity == "lead" and catalog.edition == "suite" else entity


def _of_trait(desired: dict[str, Any], trait: str) -> Any:
    """The value of a trait, by the field that it has reached."""
    names = (trait, snake(trait), f"cf_{snake(trait)}")
    return next((desired[name] for name in names if desired.get(name) is not None), None)

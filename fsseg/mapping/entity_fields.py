"""The fields of one entity that a record may turn out to be, as traits find them."""

from __future__ import annotations

from collections.abc import Mapping

from fsseg.mapping.catalog import EMAILS, Catalog
from fsseg.mapping.coerce import Coercer
from fsseg.mapping.field_rule import SILENT, FieldRule
from fsseg.mapping.field_types import coercer
from fsseg.mapping.fields import Field
from fsseg.mapping.names import fold, snake
from fsseg.mapping.rules import field_in

MAPPED, DOCUMENTED, EXACT, SNAKE, FOLDED, CUSTOM, NOWHERE = range(1, 8)
"""The order of the rules. Where traits of one event meet in a field, the earlier rule wins, then the earlier name."""


class EntityFields:
    """One entity that the record may turn out to be, and the user's rules for it."""

    def __init__(self, catalog: Catalog, entity: str, prefix: str, rules: Mapping[str, FieldRule]) -> None:
        self.prefix = prefix
        self.derived = {key: rule for key, rule in rules.items() if rule.derived}
        """The rules whose values are put together, by their names."""
        taken = {path: SILENT for rule in self.derived.values() for path in rule.taken}
        self.rules = taken | {trait: rule for trait, rule in rules.items() if not rule.derived}
        """The rules of one trait each, by it."""
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

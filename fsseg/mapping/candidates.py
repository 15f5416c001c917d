"""Fields that a trait may go into, and the targets that they become."""

from __future__ import annotations

from typing import NamedTuple, TypeGuard

from fsseg.mapping.coerce import BAD, TAKE_TEXT, Coercer, as_phone, remembering
from fsseg.mapping.entity_fields import EntityFields
from fsseg.mapping.field_rule import FieldRule
from fsseg.mapping.field_types import expectation
from fsseg.mapping.fields import Field
from fsseg.mapping.intents import UNITED
from fsseg.mapping.targets import Target, ToField, ToUnited
from fsseg.mapping.warning_counter import MappingWarning


class Candidate(NamedTuple):
    """The field that one entity has for a trait, and the user's rule that says so, if one does."""

    entity: EntityFields
    field: Field
    rule: FieldRule | None

    def cell(self, told_as: str, prefix: str = "") -> ToField:
        """The target that puts a value into this field; warnings call the trait `told_as`."""
        coerce = self.entity.coercer(self.field)
        keeps_text = self.rule is None or (self.rule.keeps_text and coerce is not as_phone)
        takes_any = coerce in TAKE_TEXT and keeps_text
        bad = MappingWarning("bad_value", told_as, f"{self.field.name} takes {expectation(self.field)}")
        kind = ToUnited if self.field.name in UNITED else ToField
        return kind(prefix + self.field.name, self._coercer(), bad, takes_any_text=takes_any)

    def _coercer(self) -> Coercer:
        coerce, convert = self.entity.coercer(self.field), self.rule.convert if self.rule else None
        if convert is None:
            return coerce

        def converted(value: object) -> object:
            value = convert(value)
            return value if value is BAD or value is None else coerce(value)

        return remembering(converted)


def takes_text(target: Target) -> TypeGuard[ToField]:
    """Whether the target takes texts as they are."""
    return isinstance(target, ToField) and target.coerce in TAKE_TEXT

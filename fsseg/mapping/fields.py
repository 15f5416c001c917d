"""One field of an entity, and the choices that it may offer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from msgspec import Struct

Row = Mapping[str, Any]
Id = int | str


def id_of(value: Any) -> Any:
    """The id that a value is: a number, also where it came as digits; time zones have names for ids."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


class Choice(NamedTuple):
    """One choice of a dropdown. Owners are found by `email` too."""

    id: Id
    text: str
    email: str = ""


class Field(Struct, frozen=True):
    """`choices` is None where there are none to choose from, or where only the account knows them."""

    name: str
    label: str
    type: str
    required: bool = False
    custom: bool = False
    choices: tuple[Choice, ...] | None = None
    writable: bool = True

    @property
    def by_id(self) -> bool:
        """Built-in dropdowns take a choice's id, custom ones its text (documented in the custom field reference)."""
        return not self.custom

    def takes_like(self, other: Field) -> bool:
        """Whether any value would be written the same into both."""
        return (self.type, self.custom, self.choices, self.writable) == (
            other.type,
            other.custom,
            other.choices,
            other.writable,
        )


def choice_table(choices: Iterable[Choice], *, by_id: bool) -> dict[str, Id]:
    """Folded text, e-mail or id of each choice → what is written for it. Of equal texts the first counts."""
    table: dict[str, Id] = {}
    for spelled in (lambda choice: choice.text, lambda choice: choice.email, lambda choice: str(choice.id)):
        for choice in choices:
            if key := spelled(choice).strip().casefold():
                table.setdefault(key, choice.id if by_id else choice.text)
    return table

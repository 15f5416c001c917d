"""Where a trait's value goes. A target puts it into the cells of a record; what doesn't fit becomes a warning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from fsseg.mapping.coerce import BAD, Coercer
from fsseg.mapping.intents import MISFIT, MISFIT_OF, ONE_OF, Cells
from fsseg.mapping.storable import storable
from fsseg.mapping.warning_counter import MAX_LENGTH, MappingWarning
from fsseg.segment import json_codec

CONTACT = "$contact"
COMPANY, DEAL = "$company", "$deal"
"""Cells of the person that the mapper takes out again: (part key, cells) of its company and its deal."""

Warnings = list[MappingWarning]

_ASKED = {"true": True, "1": True, "false": False, "0": False, "": False}


class Target(Protocol):
    """Takes a value unless its cells are taken already; then it leaves them and returns False."""

    def put(self, value: Any, cells: Cells, warnings: Warnings) -> bool: ...


def is_blank(value: Any) -> bool:
    """Whether a value is null, blank, or holds nothing."""
    if isinstance(value, str):
        return not storable(value)
    if isinstance(value, list):
        return all(item is None for item in value)
    return value is None or value == {}


def misfit(warning: MappingWarning, value: Any, cells: Cells, warnings: Warnings) -> None:
    """Warn of a value that doesn't fit, and keep it with the cells, so that it can be traced to its event."""
    warnings.append(warning)
    _keep_misfit(MISFIT, warning, value, cells)


def misfit_of_one(target: ToField, value: Any, cells: Cells, trait: str) -> None:
    """Keep a trait's value that doesn't fit one of the kinds that its record may turn out to be."""
    cell = MISFIT_OF.format(target.cell.partition(":")[0])
    _keep_misfit(cell, MappingWarning("bad_value", trait, target.bad.hint), value, cells)


def _keep_misfit(cell: str, warning: MappingWarning, value: Any, cells: Cells) -> None:
    shown = value if isinstance(value, str) else json_codec.dumps(value).decode()
    cells[cell + warning.name[:MAX_LENGTH]] = [shown[:MAX_LENGTH], warning.hint]


class Ignored:
    """A trait that no field takes; the warning says so."""

    def __init__(self, warning: MappingWarning) -> None:
        self.warning = warning

    def put(self, value: Any, cells: Cells, warnings: Warnings) -> bool:
        warnings.append(self.warning)
        return True


class Silent:
    """A trait that the user wants nothing to be said about."""

    def put(self, value: Any, cells: Cells, warnings: Warnings) -> bool:
        return True


class ToField:
    """One field, in a single cell. Null clears."""

    def __init__(self, cell: str, coerce: Coercer, bad: MappingWarning, *, takes_any_text: bool = False) -> None:
        self.takes_any_text = takes_any_text
        """Whether it is filled by whatever text there is."""
        self.cell = cell
        self.coerce = coerce
        self.bad = bad

    def put(self, value: Any, cells: Cells, warnings: Warnings) -> bool:
        fit = None if value is None else self.coerce(value)
        if fit is BAD:
            if not _says_nothing(value):
                misfit(self.bad, value, cells, warnings)
            return True
        if self.cell in cells:
            return False
        cells[self.cell] = fit
        return True


class ToUnited(ToField):
    """A field that is only added to: a cell for each that it holds, so that no later event overrides another one."""

    def put(self, value: Any, cells: Cells, warnings: Warnings) -> bool:
        begin, own = f"{ONE_OF}{self.cell} ", Cells()
        if self.cell in cells or any(cell.startswith(begin) for cell in cells):
            return False
        super().put(value, own, warnings)
        if isinstance(held := own.get(self.cell), list):
            del own[self.cell]
            own |= {begin + str(one).casefold(): one for one in held}
        cells.update(own)
        return True


def _says_nothing(value: Any) -> bool:
    """What holds nothing, as PHP writes even an empty object, says nothing of a field that is no list."""
    return isinstance(value, list | dict) and is_blank(value)


class ToBoth:
    """A field that leads and contacts take differently: a cell each.

    There is one warning where neither takes the value; `all_must_fit`: where one of them doesn't.
    """

    def __init__(self, targets: Sequence[ToField], *, all_must_fit: bool) -> None:
        self.targets = targets
        self.all_must_fit = all_must_fit

    def put(self, value: Any, cells: Cells, warnings: Warnings) -> bool:
        fits = [None if value is None else target.coerce(value) for target in self.targets]
        free = True
        for target, fit in zip(self.targets, fits, strict=True):
            if fit is not BAD and target.cell in cells:
                free = False
            elif fit is not BAD:
                cells[target.cell] = fit
        bad = [target for target, fit in zip(self.targets, fits, strict=True) if fit is BAD]
        if bad and not _says_nothing(value):
            if self.all_must_fit or len(bad) == len(fits):
                misfit(bad[0].bad, value, cells, warnings)
            else:
                for target in bad:
                    misfit_of_one(target, value, cells, target.bad.name)
        return free


def fields_of(target: Target) -> list[ToField]:
    """The single fields that a target fills; none where it is none of a field."""
    if isinstance(target, ToBoth):
        return [*target.targets]
    return [target] if isinstance(target, ToField) else []


class ToEmail:
    """The person's e-mail, judged later with the userId. What is empty leaves it: an identity is never cleared."""

    def __init__(self, convert: Callable[[Any], Any] | None = None) -> None:
        self._convert = convert

    def put(self, value: Any, cells: Cells, warnings: Warnings) -> bool:
        if not value.strip() if isinstance(value, str) else is_blank(value):
            return True
        if "email" in cells:
            return False
        if self._convert is not None and (value := self._convert(given := value)) in (BAD, None):
            value = given
        cells["email"] = value
        return True


class ToContact:
    """Whether the person is a contact. Of both spellings in one event, either true wins."""

    def __init__(self, trait: str) -> None:
        self.bad = MappingWarning("bad_value", trait, f"{trait} takes true or false")

    def put(self, value: Any, cells: Cells, warnings: Warnings) -> bool:
        asked = _ASKED.get(value.strip().lower() if isinstance(value, str) else str(value).removesuffix(".0").lower())
        if asked is None and not is_blank(value):
            misfit(self.bad, value, cells, warnings)
        elif asked is not None:
            cells[CONTACT] = asked or cells.get(CONTACT, False)
        return True

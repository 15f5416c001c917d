"""Trait names against internal names: snake_case, camelCase, folded, and the closest one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_HUMP = re.compile(r"_+([^_])")
_LONGEST = 60


def snake(name: str) -> str:
    """`cfAlternateNumber` → `cf_alternate_number`; what is snake_case already stays."""
    return _HUMPS.sub("_", name).lower()


def camel(name: str) -> str:
    """`cf_alternate_number` → `cfAlternateNumber`, the spelling of Segment traits."""
    return _HUMP.sub(lambda hump: hump[1].upper(), name)


def fold(name: str) -> str:
    """The name without case and separators: `cf_no-go_types`, `cfNoGoTypes` and `CF no go types` are one."""
    return "".join(filter(str.isalnum, name.casefold()))


def closest(name: str, options: Iterable[str]) -> str | None:
    """The option that `name` probably meant, or None. Far too slow for every event: once a name."""
    if len(name) > _LONGEST:
        return None
    folded = {option.casefold(): option for option in reversed([*options])}
    found = difflib.get_close_matches(snake(name), reversed(folded), n=1, cutoff=0.72)
    return folded[found[0]] if found else None


def did_you_mean(name: str, options: Iterable[str]) -> str:
    """A hint that names the closest option, or empty text."""
    option = closest(name, options)
    return f"did you mean {option}?" if option else ""


def fold_name(name: Any) -> str:
    """A company's or deal's name as it is compared: without regard to case and runs of blanks."""
    return " ".join(str(name or "").split()).casefold()

"""What may stand in a field: text without the characters that only machines see.

Text of blanks alone empties a field as empty text does, so that it is counted as such.
"""

from __future__ import annotations

import re
from typing import Any
from unicodedata import category

_BREAKS = re.compile("[\x0b\x0c\x1c-\x1f\x85]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")


def shows(character: str) -> bool:
    """Whether there is something to see; so it is of what is newer than Python's own tables, such as new emoji."""
    return character != " " and (character.isprintable() or category(character) == "Cn")


def storable(value: Any) -> Any:
    """The value without NUL and other control characters, but for line ends and tabs; what shows nothing is empty."""
    if isinstance(value, str):
        if value.isprintable():
            return "" if value.isspace() else value
        text = _CONTROLS.sub("", _BREAKS.sub(" ", value))
        return text if any(map(shows, text)) else ""
    if isinstance(value, dict):
        return {storable(name): storable(item) for name, item in value.items()}
    return [storable(item) for item in value] if isinstance(value, list) else value

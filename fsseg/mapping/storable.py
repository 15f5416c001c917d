"""What may stand in a field: text without the characters that only machines see."""

from __future__ import annotations

import re
from typing import Any

_BREAKS = re.compile("[\x0b\x0c\x1c-\x1f\x85]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")


def storable(value: Any) -> Any:
    """The value without NUL and other control characters, but for line ends and tabs."""
    if isinstance(value, str):
        return value if value.isprintable() else _CONTROLS.sub("", _BREAKS.sub(" ", value))
    if isinstance(value, dict):
        return {storable(name): storable(item) for name, item in value.items()}
    return [storable(item) for item in value] if isinstance(value, list) else value

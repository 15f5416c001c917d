"""Several items of a row or an object at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any


def items_at(keys: Iterable[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """What takes the items at these keys or places, however few they are; it raises what the look-up of one does."""
    several = tuple(keys)
    if len(several) > 1:
        return itemgetter(*several)
    return lambda holder: tuple([holder[key] for key in several])

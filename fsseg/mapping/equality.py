"""Whether a field that reads `before` already holds `after`: one way for each kind of value.

What is read differs in its spelling from what was written: money comes as text, choices in an order of their own, times
with other offsets. A comparison too strict would write the same change again in every run.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

_HUGE, _FINEST = Decimal("1e15"), 12
"""Beyond it a number has no cents that JSON could tell; with so many places, what is below still has all of them."""

_TRUTH = {"true": True, "1": True, "false": False, "0": False}


def is_empty(value: Any) -> bool:
    """Whether a field with that value holds nothing."""
    return value is None or value == "" or value == [] or value == {}


def same_text(before: Any, after: Any) -> bool:
    """Texts are compared without the blanks around them."""
    return str(before).strip() == str(after).strip()


def same_number(before: Any, after: Any) -> bool:
    """Numbers are compared as such, however they are written."""
    return bool(_number(before) == _number(after))


def same_truth(before: Any, after: Any) -> bool:
    """`true`, `"true"` and `1` are one."""
    return bool(_truth(before) == _truth(after))


def same_time(before: Any, after: Any) -> bool:
    """Instants are compared as such; where one of the two is only a day, days are."""
    before, after = str(before), str(after)
    if len(before) <= 10 or len(after) <= 10:
        return bool(before[:10] == after[:10])
    try:
        one, other = datetime.fromisoformat(before), datetime.fromisoformat(after)
    except ValueError:
        return bool(before == after)
    return _aware(one) == _aware(other)


def same_items(before: Any, after: Any) -> bool:
    """Several choices or tags are compared in any order, as a list or joined with `;`."""
    return _items(before) == _items(after)


def rounded_number(before: Any, after: Any) -> bool:
    """Whether `before` may be `after`, rounded: to a whole number, or to cents and what is finer.

    Whether Freshsales rounds isn't documented; and where `after` was never written, this proves nothing.
    """
    has, wanted = _number(before), _number(after)
    if not (_is_finite(has) and _is_finite(wanted)):
        return False
    places = min(-int(has.as_tuple().exponent), _FINEST)
    step = Decimal(1).scaleb(-max(2, places) if "." in str(before) else 0)
    return any(wanted.quantize(step, way) == has for way in (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN))


def never_rounded(before: Any, after: Any) -> bool:
    """For fields that keep a value as it was written."""
    return False


def _is_finite(value: Any) -> bool:
    return isinstance(value, Decimal) and value.is_finite() and abs(value) < _HUGE


def _number(value: Any) -> Any:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return str(value)


def _truth(value: Any) -> Any:
    return _TRUTH.get(str(value).strip().lower(), value)


def _items(value: Any) -> set[str]:
    parts = value if isinstance(value, list) else str(value).split(";")
    return {str(part).strip() for part in parts if str(part).strip()}


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)

"""What a rule makes of a value before the field's type is applied: a closed set of steps, in one order.

A step takes any JSON value but null and gives another one, or `BAD` where it can't; of a list it takes each item.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from fsseg.mapping.coerce import BAD, as_text
from fsseg.mapping.mistakes import Mistake, Path

Step = Callable[[Any], Any]

CASES: Mapping[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "title": lambda text: _titled(text),
}
DECIMAL_MARKS = {"point": (",", "."), "comma": (".", ",")}
"""What separates thousands, and what begins the fraction."""

_WORD = re.compile(r"\w[\w'’]*")
_AMOUNT = re.compile(
    r"\s*(?P<sign>[-+−]?)\s*(?:[^\W\d_]{1,4}\s+|[^\W\d_]{3}|[^\w\s.,()+-]{1,3}\s*)?(?P<minus>[-−]?)"
    r"(?P<number>\d[\d.,'’\s]*)\s*(?P<unit>[^\d]{0,30})"
)
_MULTIPLES = re.compile(r"(k|m|mm|mn|mio|mill?ion|b|bn|bill?ion|t|tn|thousand|tsd|hundred)\b", re.IGNORECASE)
"""Units that multiply; what they stand for is not guessed."""
_LONGEST = 200


def _titled(text: str) -> str:
    return _WORD.sub(lambda word: word[0][:1].upper() + word[0][1:].lower(), text)


def _on_texts(change: Callable[[str], object]) -> Step:
    """The step that changes text, and each text of a list."""

    def step(value: Any) -> Any:
        if isinstance(value, str):
            return change(value)
        if isinstance(value, list):
            return [change(item) if isinstance(item, str) else item for item in value]
        return value

    return step


def _trim(given: Any) -> Step | str:
    if not isinstance(given, bool):
        return "trim is true or false"
    return _on_texts(lambda text: " ".join(text.split())) if given else _same


def _same(value: Any) -> Any:
    return value


def _replace(given: Any) -> Step | str:
    if not (
        isinstance(given, Mapping) and given and all(isinstance(to, str) for to in given.values()) and "" not in given
    ):
        return 'replace is a table of texts: { "old" = "new" }'
    # All at once, the longest first, so that what was put in is not replaced again.
    wanted = re.compile("|".join(re.escape(text) for text in sorted(given, key=len, reverse=True)))
    return _on_texts(lambda text: wanted.sub(lambda found: given[found[0]], text))


def _split(given: Any) -> Step | str:
    if not (isinstance(given, str) and given):
        return 'split is the text between the items, such as ","'

    def step(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return [item for item in map(str.strip, value.split(given)) if item]

    return step


def _item(given: Any) -> Step | str:
    if not isinstance(given, int) or isinstance(given, bool):
        return "item is the number of an item: 0 is the first, -1 the last"

    def step(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return value[given] if -len(value) <= given < len(value) else []

    return step


def _join(given: Any) -> Step | str:
    if not isinstance(given, str):
        return 'join is the text to put between the items, such as ", "'

    def step(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        texts = [as_text(item) for item in value if item is not None]
        return BAD if BAD in texts else given.join(map(str, texts))

    return step


def _case(given: Any) -> Step | str:
    if not isinstance(given, str) or given not in CASES:
        return f"case is one of: {', '.join(CASES)}"
    return _on_texts(CASES[given])


def _date(given: Any) -> Step | str:
    formats = [given] if isinstance(given, str) else given
    if not (isinstance(formats, list) and formats and all(map(_is_format, formats))):
        return 'date is how the dates are written, or a list of ways: "%d/%m/%Y"'

    def read(text: str) -> object:
        for way in formats:
            try:
                time = datetime.strptime(text.strip(), way)
            except ValueError:
                continue
            if time.tzinfo is not None:
                return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
            return time.date().isoformat() if (time.hour, time.minute, time.second) == (0, 0, 0) else time.isoformat()
        return BAD

    def step(value: Any) -> Any:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        return read(text) if isinstance(text, str) and len(text) <= _LONGEST else BAD

    return step


def _is_format(given: Any) -> bool:
    """Whether a day can be read back from how it is written so."""
    day = datetime(1999, 10, 28, 13, 14, 15, tzinfo=UTC)
    try:
        if not isinstance(given, str) or day.strftime(given) == day.replace(year=2000).strftime(given):
            return False  # a day without a year isn't even to be read, which Python is about to forbid
        return datetime.strptime(day.strftime(given), given).date() == day.date()
    except (ValueError, re.error):
        return False


def _number(given: Any) -> Step | str:
    mark = "point" if given is True else given
    if not isinstance(mark, str) or mark not in DECIMAL_MARKS:
        return f"number is true, or how fractions begin: {', '.join(DECIMAL_MARKS)}"
    thousands, fraction = DECIMAL_MARKS[mark]
    digits = re.compile(rf"\d{{1,3}}(?:(?:[{re.escape(thousands)}'’]|\s)\d{{3}})+|\d+")

    def read(text: str) -> object:
        found = _AMOUNT.fullmatch(text) if len(text) <= _LONGEST else None
        if not found or _MULTIPLES.match(found["unit"]) or (found["sign"] and found["minus"]):
            return BAD
        whole, dot, rest = found["number"].strip().partition(fraction)
        if not digits.fullmatch(whole) or (dot and not rest.isdecimal()):
            return BAD
        sign = "-" if {found["sign"], found["minus"]} & {"-", "−"} else ""
        return f"{sign}{''.join(filter(str.isdecimal, whole))}{'.' + rest if dot else ''}"

    return _on_texts(read)


STEPS: Mapping[str, Callable[[Any], Step | str]] = {
    "trim": _trim,
    "replace": _replace,
    "split": _split,
    "item": _item,
    "join": _join,
    "case": _case,
    "date": _date,
    "number": _number,
}
"""The steps, in their order: each makes a step of what the rule gives, or says what would be right."""


KEEP_TEXT = frozenset({"trim", "replace", "case"})
"""The steps that make text of any text."""


def read_steps(entry: Mapping[str, Any], path: Path, mistakes: list[Mistake]) -> list[Step]:
    """The steps of a rule in their order; what is wrong with them is added to `mistakes`."""
    steps = list(_read(entry, path, mistakes))
    if "date" in entry and "number" in entry:
        mistakes.append(Mistake((*path, "number"), "a value is a date or a number, not both"))
    return steps


def _read(entry: Mapping[str, Any], path: Path, mistakes: list[Mistake]) -> Iterator[Step]:
    for name, read in STEPS.items():
        if name in entry:
            step = read(entry[name])
            if isinstance(step, str):
                mistakes.append(Mistake((*path, name), f"it can't be {entry[name]!r}", step))
            else:
                yield step


def replaced_by(values: Mapping[str, Any]) -> Step:
    """The step that replaces a value by what the table has for its text, in any case; other values stay."""
    folded = {text.strip().casefold(): meant for text, meant in reversed([*values.items()])}

    def step(value: Any) -> Any:
        text = str(as_text(value))
        return values[text] if text in values else folded.get(text.strip().casefold(), value)

    return step


def chained(steps: list[Step]) -> Step | None:
    """All the steps as one; null and what doesn't fit go no further. None where there are none."""
    if not steps:
        return None

    def convert(value: Any) -> Any:
        for step in steps:
            value = step(value)
            if value is BAD or value is None:
                break
        return value

    return convert

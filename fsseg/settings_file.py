"""The settings file as text: what can't be read of it, and in which line a setting stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

Names = Sequence[str]
"""The names that lead to a setting: of tables, and its own."""


class Wrong(NamedTuple):
    """A setting that can't be used: what is wrong with it, with its place, and what would be right."""

    text: str
    hint: str = ""


def parse(path: Path, text: str) -> dict[str, Any] | Wrong:
    """What the file says, or where it can't be read."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+), column (\d+)", str(error))
        line, column = (int(found[1]), int(found[2])) if found else (text.count("\n") + 1, 1)
        lines = text.splitlines()
        told = lines[line - 1].strip() if line <= len(lines) else "the end"
        twice = re.search(r"overwrite|twice|redefine|Cannot declare", str(error), re.IGNORECASE)
        hint = "it stands there a second time: keep one of them" if twice else _advice(told)
        return Wrong(f"{path} line {line}: this can't be read, from column {column} on: {told[:80]}", hint)


def _advice(line: str) -> str:
    if line.count('"') % 2 or line.count("'") % 2:
        return "a quotation mark has no partner"
    if line.count("[") != line.count("]") or line.count("{") != line.count("}"):
        return "a bracket has no partner"
    return 'a line reads like name = "text", a table begins like [timeline]; names with blanks or dots are quoted'


def lines_of(text: str, settings: Sequence[Names]) -> list[int | None]:
    """The line in which each setting stands, or the innermost table around it; None where not even that does.

    TOML readers don't tell lines, so the file is read anew up to each of them: a setting stands in the statement with
    which it first is there.
    """
    whole, lines = tomllib.loads(text), text.splitlines(keepends=True)
    wanted = [_innermost(whole, names) for names in settings]
    found: list[int | None] = [None] * len(wanted)
    begin = 1
    for end, line in enumerate(lines, 1):
        if begin == end and (not line.strip() or line.lstrip().startswith("#")):
            begin = end + 1
            continue
        try:
            told = tomllib.loads("".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue  # a value goes on in the next line
        for index, names in enumerate(wanted):
            if found[index] is None and names and _holds(told, names):
                found[index] = begin
        begin = end + 1
    return found


def _innermost(values: Any, names: Names) -> Names:
    while names and not _holds(values, names):
        names = names[:-1]
    return names


def _holds(values: Any, names: Names) -> bool:
    for name in names:
        if isinstance(values, list) and name.isdecimal() and int(name) < len(values):
            values = values[int(name)]
        elif isinstance(values, dict) and name in values:
            values = values[name]
        else:
            return False
    return True


def placed(mistakes: Iterable[tuple[Names, str, str]], path: Path | None) -> list[Wrong]:
    """The mistakes (names, what is wrong, hint) with file and line, as far as the setting stands in the file."""
    text = ""
    if path is not None:
        try:
            text = path.read_text("utf-8")
            tomllib.loads(text)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            text = ""
    told = list(mistakes)
    lines = lines_of(text, [names for names, _, _ in told]) if text else [None] * len(told)
    found = [
        (line or 0, Wrong((f"{path} line {line}: " if line else "") + f"{'.'.join(names)}: {what}", hint))
        for line, (names, what, hint) in zip(lines, told, strict=True)
    ]
    return [wrong for _, wrong in sorted(found, key=lambda one: one[0])]

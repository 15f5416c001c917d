"""What is wrong with a setting, in words of our own."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, get_args

from pydantic import BaseModel

from fsseg.mapping.names import did_you_mean

Said = tuple[tuple[str, ...], str, str]
"""The names that lead to a setting, what is wrong with it, and what would be right."""

_TAKES = {
    "bool": "it is true or false",
    "int": "it is a whole number",
    "float": "it is a number",
    "string": "it is text",
    "path": "it is a path, as text",
    "tuple": "it is a list",
    "list": "it is a list",
    "dict": "it is a table",
    "model": "it is a table",
}
"""What a setting takes, by how the kind of an error begins."""

_OF_TABLES = ("mapping", "defaults")
"""Tables that hold nothing but tables."""


def no_such(model: type[BaseModel], tops: Collection[str], names: tuple[str, ...]) -> Said:
    """There is no setting of that name; where one of the name stands, else the closest that there is, or all of them.

    `tops` are the names that the file has outside of its tables, those of tables among them.
    """
    options = _known(model, names[:-1]) if names[:-1] else sorted(tops)
    hint = _home(model, tops, names[-1]) or did_you_mean(names[-1], options)
    if not hint and names[0] in _OF_TABLES:
        hint = f"it goes into one of {', '.join(f'[{names[0]}.{table}]' for table in options)}"
    return names, "there is no such setting", hint or f"there are {', '.join(options)}"


def _home(model: type[BaseModel], tops: Collection[str], name: str) -> str:
    """Where a setting of that name stands; nothing where there is none, or only tables are called so."""
    tables = [section for section in tops if (inner := _known(model, (section,))) and name in inner]
    if name in tops and not _known(model, (name,)):
        return "it stands at the top of the file, before the first [table]"
    return f"it stands in [{tables[0]}]" if len(tables) == 1 else ""


def said(model: type[BaseModel], tops: Collection[str], error: Any) -> Said:
    """One error of the model's, as people are told it."""
    names = tuple(map(str, error["loc"])) or ("settings",)
    kind, context = str(error["type"]), error.get("ctx", {})
    if kind == "extra_forbidden":
        return no_such(model, tops, names)
    what = f"it can't be {error['input']!r}"
    if kind == "literal_error":
        options = [part.strip(" '") for part in str(context["expected"]).replace(" or ", ", ").split(",")]
        hint = did_you_mean(str(error["input"]), options) or f"it is one of: {', '.join(options)}"
    elif kind == "value_error":
        hint = str(context["error"])
    elif kind.startswith(("greater", "less")):
        sign, limit = next(iter(context.items()))
        words = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}
        hint = f"it is {words.get(sign, sign)} {limit}"
    else:
        hint = next((takes for begin, takes in _TAKES.items() if kind.startswith(begin)), "it is of another kind")
    return names, what, hint


def _known(model: type[BaseModel], names: Iterable[str]) -> list[str]:
    """The settings of a section."""
    for name in names:
        kind = model.model_fields[name].annotation if name in model.model_fields else None
        kinds = [one for one in (kind, *get_args(kind)) if isinstance(one, type) and issubclass(one, BaseModel)]
        if not kinds:
            return []
        model = kinds[0]
    return list(model.model_fields)

"""One rule of the user's for a field: where its value comes from, when it holds, and what is made of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from functools import partial
from typing import Any

from fsseg.mapping.coerce import BAD, as_text
from fsseg.mapping.conditions import ALWAYS, Condition, read_condition
from fsseg.mapping.mistakes import Mistake, Path, unknown_key
from fsseg.mapping.paths import MISSING, getter
from fsseg.mapping.steps import KEEP_TEXT, STEPS, Step, chained, read_steps, replaced_by

SOURCES = ("from", "value", "template")
KEYS = ("field", *SOURCES, "default", "when", *STEPS, "values", "ignore")

_HOLE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class FieldRule:
    """Where the user sends a trait; nowhere if `field` is None.

    A rule is `derived` unless its value is that of one trait, whatever that is. `taken` are the traits that go nowhere
    else, `mentioned` those that may.
    """

    field: str | None
    key: str = ""
    sources: tuple[str, ...] = ()
    constant: Any = MISSING
    template: str = ""
    default: Any = MISSING
    when: Condition = ALWAYS
    convert: Step | None = attribute(default=None, compare=False)
    keeps_text: bool = False
    """Whether any text becomes some text, or null, by it."""
    spelled: str = ""
    """The rule as it is written, by which rules are compared."""
    read: Callable[[Mapping[str, Any]], Any] = attribute(init=False, compare=False, repr=False)
    """`read(traits)` gives the value before it is converted, or `MISSING` where the rule says nothing of them."""

    @property
    def derived(self) -> bool:
        """Whether there is more to it than one trait of that name."""
        is_plain = self.default is MISSING and self.when is ALWAYS and self.sources == (self.key,)
        is_plain = is_plain and not any(map(str.isdecimal, self.key.split(".")))  # an item of a list
        return self.field is not None and not is_plain

    @property
    def taken(self) -> tuple[str, ...]:
        """The traits whose value it takes, which go nowhere else."""
        return self.sources

    @property
    def filled_in(self) -> tuple[str, ...]:
        """The traits that the template has."""
        return tuple(_HOLE.findall(self.template))

    @property
    def mentioned(self) -> tuple[str, ...]:
        """The traits that it looks at, so that nobody need be told that they are ignored."""
        return (*self.filled_in, *((self.when.trait,) if self.when.trait else ()))

    def __post_init__(self) -> None:
        object.__setattr__(self, "read", _reader(self))


def _reader(rule: FieldRule) -> Callable[[Mapping[str, Any]], Any]:
    """Made once a rule, since it is called for every event."""
    when, constant, default = rule.when, rule.constant, rule.default
    if constant is not MISSING:
        read: Callable[[Mapping[str, Any]], Any] = lambda traits: constant  # noqa: E731
    else:
        read = _template_reader(rule.template) if rule.template else _source_reader(rule.sources)
    if default is not MISSING:
        bare = read

        def read_or_default(traits: Mapping[str, Any]) -> Any:
            value = bare(traits)
            return default if _is_nothing(value) else value

        read = read_or_default
    if when is ALWAYS:
        return read
    return lambda traits: read(traits) if when.holds(traits) else MISSING


def _source_reader(paths: tuple[str, ...]) -> Callable[[Mapping[str, Any]], Any]:
    """Gives the first value that isn't empty; if all are, the first there is."""
    getters = [getter(path) for path in paths]
    if len(getters) == 1:
        return getters[0]

    def read(traits: Mapping[str, Any]) -> Any:
        empty: Any = MISSING
        for get in getters:
            value = get(traits)
            if value is not MISSING:
                if not _is_nothing(value):
                    return value
                empty = value if empty is MISSING else empty
        return empty

    return read


def _template_reader(template: str) -> Callable[[Mapping[str, Any]], Any]:
    """Gives the template, filled, with single blanks; nothing where all its traits are empty or one is no text."""
    begin, *texts = _HOLE.split(template)[::2]
    holes = [*zip(map(getter, _HOLE.findall(template)), texts, strict=True)]

    def read(traits: Mapping[str, Any]) -> Any:
        filled, found = begin, False
        for get, text in holes:
            value = get(traits)
            if not _is_nothing(value):
                shown = value if value.__class__ is str else as_text(value)
                if shown is BAD:
                    return MISSING
                filled, found = f"{filled}{shown}", True
            filled += text
        return " ".join(filled.split()) if found else MISSING

    return read


SILENT = FieldRule(None)
"""The rule of a trait of which nothing is to be said."""


def _is_nothing(value: Any) -> bool:
    if value.__class__ is str:
        return not value or value.isspace()
    return value is MISSING or value is None


def read_field_rule(entry: Any, key: str, path: Path, mistakes: list[Mistake]) -> FieldRule:
    """The rule of a trait, or of a name of its own where `from`, `value` or `template` says where the value is from.

    What is wrong with it is added to `mistakes`; whether there is such a field isn't asked.
    """
    if entry is False:
        return SILENT
    given = entry if isinstance(entry, Mapping) else {"field": entry}
    mistakes += [unknown_key(path, name, KEYS) for name in given if name not in KEYS]
    if given.get("ignore") is True:
        return SILENT
    tell = partial(_tell, mistakes, path)
    name = given.get("field")
    if not isinstance(name, str):
        mistakes.append(Mistake(path, "names no field", 'a rule reads like "cf_plan" or { field = "cf_plan" }'))
        return SILENT
    if len(given.keys() & set(SOURCES)) > 1:
        mistakes.append(Mistake(path, "its value comes from two places", f"give one of {', '.join(SOURCES)}"))
    steps = read_steps(given, path, mistakes)
    if (values := given.get("values")) is not None:
        if isinstance(values, Mapping) and values:
            steps.append(replaced_by(values))
        else:
            tell("values", values, 'values is a table: { gold = "Business", silver = "Pro" }')
    sources = _sources(given, key, tell)
    template = given.get("template", "")
    if "template" in given and not (isinstance(template, str) and _HOLE.search(template) and _is_whole(template)):
        tell("template", template, 'a template is text with traits in braces: "{first_name} {last_name}"')
    for of in ("value", "default"):
        if isinstance(given.get(of, ""), dict):
            tell(of, given[of], "it is a text, a number, true, false or a list")
    when = read_condition(given["when"], (*path, "when"), mistakes) if "when" in given else ALWAYS
    return FieldRule(
        name, key, sources, given.get("value", MISSING), template if isinstance(template, str) else "",
        given.get("default", MISSING), when, chained(steps), _keeps_text(given), repr(given),
    )  # fmt: skip


def _keeps_text(given: Mapping[str, Any]) -> bool:
    values = given.get("values") or {}
    is_text = isinstance(values, Mapping) and all(value is None or isinstance(value, str) for value in values.values())
    return is_text and not given.keys() & (STEPS.keys() - KEEP_TEXT)


def _tell(mistakes: list[Mistake], path: Path, name: str, given: Any, hint: str) -> None:
    mistakes.append(Mistake((*path, name), f"it can't be {given!r}", hint))


def _sources(given: Mapping[str, Any], key: str, tell: Any) -> tuple[str, ...]:
    if given.keys() & {"value", "template"}:
        return ()
    told = given.get("from", key)
    paths = told if isinstance(told, list) else [told]
    if not paths or not all(isinstance(path, str) and path for path in paths):
        tell("from", told, 'from is a trait or a list of them: ["plan", "subscription.plan"]')
        return ()
    return tuple(paths)


def _is_whole(template: str) -> bool:
    """Whether every brace is one of a hole with a name in it."""
    return not set("{}") & set(_HOLE.sub("", template)) and all(_HOLE.findall(template))

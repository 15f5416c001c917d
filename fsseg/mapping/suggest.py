"""The mapping line that would take a trait: the field whose name is closest, and whose type its values fit. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson
from rapidfuzz import fuzz

from fsseg.mapping.catalog import EMAILS, PARTS, Catalog
from fsseg.mapping.coerce import BAD, Coercer
from fsseg.mapping.field_types import coercer, expectation
from fsseg.mapping.fields import Field
from fsseg.mapping.names import snake
from fsseg.mapping.profiles import Profile
from fsseg.mapping.steps import Step, chained, read_steps, replaced_by

LEAST = 72
"""The likeness, of 100, from which a field is suggested."""

_FITTING = 0.8
"""The share of a trait's values that must fit."""

_CLOSE = 80
"""The likeness from which a value is taken for a choice."""

_SAME = (
    "plan tier subscription package edition",
    "signup signed registered registration joined created",
    "job_title role position function occupation jobtitle",
    "mobile_number mobile cell cellphone cell_phone mobile_phone handy msisdn",
    "work_number phone telephone landline phone_number",
    "zipcode zip postcode postal plz",
    "company organisation organization org employer firm business",
    "employees headcount staff size",
    "website url site homepage web domain",
    "lifetime_value ltv clv",
    "source origin channel referrer",
    "owner rep salesrep seller",
    "seats licences licenses users",
    "region area territory geo market",
    "interests topics",
    "country nation land",
    "city town",
    "state province",
    "last_name surname family_name",
    "first_name forename given_name",
    "amount value price",
    "active enabled live",
    "industry sector vertical",
    "revenue turnover arr",
    "department team division",
    "tags labels keywords segments",
)
"""Words that mean one thing to people who keep customers."""

_NOISE = {
    "cf",
    "id",
    "at",
    "on",
    "is",
    "has",
    "the",
    "date",
    "count",
    "number",
    "of",
    "usd",
    "eur",
    "name",
    "customer",
    "user",
}
_MEANING = {word: group.split()[0].replace("_", "-") for group in _SAME for word in group.split()}
_STEPS: tuple[dict[str, Any], ...] = (
    {},
    {"number": True},
    {"number": "comma"},
    {"date": "%d/%m/%Y"},
    {"date": "%m/%d/%Y"},
    {"date": "%d.%m.%Y"},
    {"date": "%d-%m-%Y"},
    {"date": "%Y/%m/%d"},
    {"split": ","},
    {"split": "|"},
)


class Suggestion(NamedTuple):
    """A line of the settings file; `table` is the `[mapping.…]` table that it belongs to."""

    trait: str
    table: str
    field: str
    line: str
    likeness: int


def words(name: str) -> list[str]:
    """The words of a name, those that mean the same as one word."""
    parts = [part for part in re.split(r"[^0-9a-z]+", snake(name)) if part]
    joined = "_".join(parts)
    for alias, meaning in _MEANING.items():
        if "_" in alias and alias in joined:
            joined = joined.replace(alias, meaning)
    found = [_MEANING.get(part, part) for part in joined.split("_")]
    return [word for word in found if word not in _NOISE] or found


def likeness(trait: str, field: Field, of: str = "") -> float:
    """How much a trait's name is like that of a field, or its label, of 100; `of` is a word before both."""
    given = " ".join(sorted({*words(trait)}))
    names = (" ".join(sorted({*words(f"{of}_{name}" if of else name)})) for name in (field.name, field.label))
    return max((0.5 * fuzz.token_set_ratio(given, name) + 0.5 * fuzz.ratio(given, name) for name in names), default=0)


class Suggester:
    """Suggests by one account's fields; `reached` are those that other traits reach already."""

    def __init__(self, catalog: Catalog, reached: Iterable[str] = ()) -> None:
        self._reached = set(reached)
        self._tables = {
            "person": [*_fields(catalog, catalog.people, ""), *_fields(catalog, ("account",), "company.")],
            "account": _fields(catalog, ("account",), ""),
            "deal": _fields(catalog, ("deal",), ""),
        }

    def suggest(self, trait: str, profile: Profile) -> Suggestion | None:
        """The best line for a trait, or None where no field is like it and takes its values."""
        table, key = _table_and_key(trait)
        ranked = sorted(
            ((likeness(key, field, path.rpartition(".")[0]) - 15 * (path in self._reached), path, field)
             for path, field in self._tables[table]),
            key=lambda one: (-one[0], one[2].name != snake(key), one[1]),
        )  # fmt: skip
        for score, path, field in ranked[:5]:
            if score >= LEAST and (rule := _rule(path, field, profile)) is not None:
                return Suggestion(trait, table, path, f"{_key(key)} = {toml(rule)}", round(score))
        return None


def to_fill(trait: str, profile: Profile, field: Field) -> Suggestion | None:
    """The commented line that names each value that is no choice of the trait's field, for the user to say which it is.

    None where the field offers no choices, or the values are too many to be named.
    """
    coerce = coercer(field)
    strange = [text for text in profile.choices if coerce(text) is BAD]
    if not field.choices or not strange:
        return None
    table, key = _table_and_key(trait)
    rule = {"field": field.name, "values": dict.fromkeys(strange, "")}
    line = f"# {_key(key)} = {toml(rule)}  # fill in what each is, {expectation(field)}"
    return Suggestion(trait, table, field.name, line, 0)


def _table_and_key(trait: str) -> tuple[str, str]:
    """The `[mapping.…]` table of a trait, and its key there."""
    outer, _, member = trait.partition(".")
    return (PARTS[outer], member) if member and outer in PARTS else ("person", trait)


def closest_type(event: str, types: Iterable[str]) -> str | None:
    """The activity type whose name is most like the event's, if one is like it at all."""
    scored = sorted(
        ((fuzz.token_sort_ratio(" ".join(words(event)), " ".join(words(name))), name) for name in types), reverse=True
    )
    return scored[0][1] if scored and scored[0][0] >= LEAST else None


def _fields(catalog: Catalog, entities: Iterable[str], prefix: str) -> list[tuple[str, Field]]:
    found: dict[str, Field] = {}
    for entity in entities:
        for name, field in catalog.fields(entity).items():
            if field.writable and name not in EMAILS:
                found.setdefault(prefix + name, field)
    return [*found.items()]


def _rule(path: str, field: Field, profile: Profile) -> str | dict[str, Any] | None:
    """The rule by which the field takes most of the values, with as little done to them as need be."""
    coerce = coercer(field)
    fitting: list[tuple[float, int, dict[str, Any]]] = []
    for order, steps in enumerate(_STEPS):
        share = _share(profile.sample, chained(read_steps(steps, (), [])), coerce)
        fitting.append((share, -order, steps))
    best, _, steps = max(fitting, key=lambda one: one[:2])
    twins = [one for share, _, one in fitting if share == best and one.keys() == steps.keys()]
    if best >= _FITTING and len(twins) > 1 and "date" in steps:
        return None  # day or month may come first, and nothing tells which
    if best >= _FITTING and best - fitting[0][0] > 0:
        return {"field": path, **steps}
    if best >= _FITTING:
        return path
    values = _values(profile, field, coerce)
    if values and _share(profile.sample, replaced_by(values), coerce) >= _FITTING:
        return {"field": path, "values": values}
    return None


def _share(sample: list[Any], convert: Step | None, coerce: Coercer) -> float:
    fits = 0
    for value in sample:
        converted = value if convert is None else convert(value)
        fits += converted is not BAD and converted is not None and coerce(converted) is not BAD
    return fits / len(sample) if sample else 0.0


def _values(profile: Profile, field: Field, coerce: Coercer) -> dict[str, Any]:
    """What the values are in the field: the one choice that is most like each, or whether it says yes."""
    if coerce(True) is True and coerce("?") is BAD:  # it holds true or false
        truth = {"yes": True, "y": True, "on": True, "active": True, "no": False, "n": False, "off": False}
        return {text: truth[text.strip().lower()] for text in profile.values if text.strip().lower() in truth}
    found: dict[str, Any] = {}
    for text in profile.values:
        scored = sorted(
            ((fuzz.token_set_ratio(text.lower(), one.text.lower()), one.text) for one in field.choices or ()),
            reverse=True,
        )
        (best, choice), (next_best, _) = [*scored, (0.0, ""), (0.0, "")][:2]
        if coerce(text) is BAD and best >= _CLOSE and best > next_best:
            found[text] = choice
    return found


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else toml(name)


def toml(value: Any) -> str:
    """A value as TOML has it; what can't be seen of a text, some of which mayn't stand there, is written out."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(name)} = {toml(inner)}" for name, inner in value.items()) + " }"
    return re.sub(r"[^ -~]", _written_out, orjson.dumps(value).decode())


def _written_out(match: re.Match[str]) -> str:
    char, code = match[0], ord(match[0])
    return char if char.isprintable() else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def toml_lines(suggestions: Iterable[Suggestion]) -> Iterator[str]:
    """The tables with their lines, ready to paste."""
    by_table: dict[str, list[str]] = {}
    for one in suggestions:
        by_table.setdefault(one.table, []).append(one.line)
    for table, lines in by_table.items():
        yield from (f"[mapping.{table}]", *lines, "")

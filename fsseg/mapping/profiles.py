"""What the values of a trait are like: how many, of which kind, some of them masked, and those of a choice."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from msgspec import Struct, field

from fsseg.mapping.identity import address
from fsseg.segment.times import canonical

MOST_VALUES = 30
"""Different values of a trait that are kept; more are no choice."""

SAMPLED = 200
"""Values of a trait that are looked at more closely."""

_LONGEST = 60
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?", re.ASCII).fullmatch
_DAY = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b.*", re.ASCII | re.DOTALL).fullmatch
_PHONE = re.compile(r"(\+\d|00\d|0\d+[ /-]|\(\d)[\d ()/.-]+|\d{3}([-. ])\d{3}\2\d{4}", re.ASCII).fullmatch
_DIGITS = range(8, 16)
"""How many a telephone number has."""
_AMOUNT = re.compile(r"\D{0,4}\s?\d[\d.,' ]*\s?\D{0,12}", re.ASCII).fullmatch
_EXAMPLES = 3


def kind_of(value: Any) -> str:
    """The kind of a value, in one word."""
    if isinstance(value, bool) or (isinstance(value, str) and value.strip().lower() in ("true", "false", "yes", "no")):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list | dict):
        return "list" if isinstance(value, list) else "object"
    text = str(value).strip()
    if _PHONE(text) and sum(map(str.isdigit, text)) in _DIGITS and not _DAY(text):
        return "phone"
    if _NUMBER(text):
        return "number"
    if canonical(text) or _DAY(text):
        return "date"
    if address(text):
        return "e-mail"
    return "amount" if _AMOUNT(text) else "text"


def masked(value: Any) -> str:
    """The shape of a value without what it says: letters are x, digits 9."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    shape = re.sub(r"[^\W\d_]", lambda letter: "X" if letter[0].isupper() else "x", text[:40])
    return re.sub(r"\d", "9", shape) + ("…" if len(text) > 40 else "")


class Profile(Struct):
    """What there is to know of one trait's values."""

    count: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)
    """Texts of scalars, by how often they came; too many are cut at `MOST_VALUES`."""
    sample: list[Any] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)

    def add(self, value: Any) -> None:
        """Take in one value; empty ones count for nothing."""
        if value is None or value in ("", [], {}):
            return
        self.count += 1
        if len(self.sample) >= SAMPLED:
            return
        self.sample.append(value)
        self.kinds[kind_of(value)] += 1
        text = str(value)
        if not isinstance(value, list | dict) and len(text) <= _LONGEST and len(self.values) <= MOST_VALUES:
            self.values[text] += 1
        if len(self.examples) < _EXAMPLES and (shape := masked(value)) not in self.examples:
            self.examples.append(shape)

    def add_all(self, following: Profile) -> None:
        """Take in the values that another one has."""
        for value in following.sample:
            self.add(value)
        self.count += following.count - len(following.sample)

    @property
    def kind(self) -> str:
        """The kind of most values."""
        return self.kinds.most_common(1)[0][0] if self.kinds else "empty"

    @property
    def choices(self) -> list[str]:
        """The values of what looks like a choice, most frequent first: few, and each again and again."""
        looked = sum(self.values.values())
        few = 1 < len(self.values) <= 12 and looked >= 3 * len(self.values)
        return [text for text, _ in self.values.most_common()] if few and self.kind in ("text", "boolean") else []


class Profiles:
    """The profiles of traits, and of members of those that are objects, by both names."""

    def __init__(self, most: int = 2_000) -> None:
        self.of: dict[tuple[str, str], Profile] = {}
        self.calls = 0
        self._most = most

    def take(self, traits: dict[str, Any]) -> None:
        """Take in the traits of one call."""
        self.calls += 1
        for trait, value in traits.items():
            members = value.items() if isinstance(value, dict) and value else (("", value),)
            for member, inner in members:
                profile = self.of.get((trait, member))
                if profile is None:
                    if len(self.of) >= self._most:
                        continue
                    profile = self.of[trait, member] = Profile()
                profile.add(inner)

    def add_all(self, following: Profiles) -> None:
        """Take in the calls that another one has."""
        self.calls += following.calls
        for name, profile in following.of.items():
            if name in self.of or len(self.of) < self._most:
                self.of.setdefault(name, Profile()).add_all(profile)

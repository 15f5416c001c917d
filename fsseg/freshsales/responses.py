"""Answers checked for the shape their call is known to have; anything else is BadAnswer, never "nothing found"."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from fsseg.freshsales.errors import BadAnswer

Row = dict[str, Any]


class Page(Struct, frozen=True):
    """One page of a list. `total` records on `total_pages` pages, None where the answer doesn't say."""

    rows: list[Row]
    total: int | None
    total_pages: int | None


class Answer(Struct, frozen=True):
    """The JSON of a successful answer, with the call it came from. All methods raise BadAnswer."""

    body: Any
    method: str
    path: str

    def bad(self, missing: str) -> BadAnswer:
        return BadAnswer(f"the answer has no {missing}", method=self.method, path=self.path)

    def object(self) -> Row:
        if not isinstance(self.body, dict):
            raise self.bad("JSON object")
        return self.body

    def record(self, key: str) -> Row:
        """The record under its wrapper key, its id an int."""
        return self._row(self.object().get(key), key)

    def rows(self, key: str) -> list[Row]:
        """The list under a key, its ids ints."""
        return self.rows_of(self.object().get(key), key)

    def objects(self, key: str) -> list[Row]:
        """The list under a key, of objects that need no id."""
        value = self.object().get(key)
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise self.bad(f"list of {key}")
        return value

    def rows_of(self, value: Any, key: str) -> list[Row]:
        if not isinstance(value, list):
            raise self.bad(f"list of {key}")
        return [self._row(row, key) for row in value]

    def page(self, key: str) -> Page:
        meta = self.object().get("meta")
        meta = meta if isinstance(meta, dict) else {}
        return Page(self.rows(key), _count(meta.get("total")), _count(meta.get("total_pages")))

    def _row(self, value: Any, key: str) -> Row:
        """The row, its id an int: some calls give it as digits, as it is far beyond 32 bits."""
        number = value.get("id") if isinstance(value, dict) else None
        if isinstance(number, int) and not isinstance(number, bool):
            return dict(value)
        if isinstance(number, str) and re.fullmatch(r"[0-9]+", number):
            return {**value, "id": int(number)}
        raise self.bad(f"{key} with an id")


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None

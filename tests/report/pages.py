"""A page taken apart: its tags, attributes and words, and the rows that are packed into it."""

from __future__ import annotations

import zlib
from base64 import b64decode
from html.parser import HTMLParser
from typing import Any

import orjson


class Page(HTMLParser):
    """Complains of tags that are not closed in order."""

    VOID = frozenset({"meta", "br", "link", "img", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        """What is there to read; not what scripts and styles hold."""
        self.held: dict[str, str] = {}
        """By id, or by name: what scripts and styles hold."""
        self._open: list[str] = []
        self._id = ""
        self.feed(text)
        assert not self._open

    def rows(self, id: str) -> list[Any]:
        """The rows that are packed into an element."""
        packed = zlib.decompress(b64decode(self.held[id]), wbits=-zlib.MAX_WBITS)
        return [orjson.loads(line) for line in packed.splitlines()]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self._id = dict(attrs).get("id") or tag
        if tag not in self.VOID:
            self.words += " " if tag in ("dt", "dd", "td", "th", "li", "p") else ""
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in ("script", "style"):
            self.held[self._id] = self.held.get(self._id, "") + data
        else:
            self.words += data

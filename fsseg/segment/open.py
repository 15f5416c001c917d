"""From paths to bytes: which files are meant, and what is in them once unzipped."""

from __future__ import annotations

import glob
import os
import stat
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import BinaryIO, NamedTuple

from fsseg.segment.hints import NO_HINTS, Hints

CHUNK = 1 << 18
STDIN = "-"
BESIDE = (".toml", ".md")
"""Endings of what people keep beside their events."""
_HEAD = 1 << 20
GZIP = b"\x1f\x8b"
_UTF8_BOM = b"\xef\xbb\xbf"
_GZIP_LAYERS = 3
"""Downloaders add a layer or take one off, as archives are served with `Content-Encoding: gzip`; none adds more."""


@dataclass(frozen=True)
class Input:
    """One file to read, or the lines of a plain one that begin within the bytes [start, end)."""

    path: str
    """`-` is standard input."""
    number: int
    """Makes positions unique and ordered among the inputs of a run."""
    start: int = 0
    end: int | None = None
    hints: Hints = NO_HINTS


class Unreadable(NamedTuple):
    """A path that names nothing readable, and why."""

    path: str
    reason: str


class UnreadableInput(Exception):
    """An input that could not be opened, or not be read to its end."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def expand(paths: Sequence[str]) -> tuple[list[str], list[Unreadable]]:
    """The files that the paths name, each once, in the order given, and the paths that name nothing readable.

    A path is a file, a directory (all files below it, in order of their names, without hidden ones and those that are
    plainly no export, such as a settings file beside the events), a pattern with `*`, `**`, `?` or `[…]`, or `-`.
    """
    files: dict[str, str] = {}
    unreadable: list[Unreadable] = []
    visited: set[str] = set()

    def add(path: str) -> None:
        if not path.isprintable() and (shown := os.fsencode(path).decode("utf-8", "replace")) != path:
            unreadable.append(Unreadable(shown, "its name is not UTF-8: rename it"))
            return
        real = os.path.realpath(path)
        try:
            mode = os.stat(path).st_mode
            if stat.S_ISDIR(mode):
                if real not in visited:  # links may lead in circles
                    visited.add(real)
                    add_all(path)
                return
            if stat.S_ISREG(mode):
                open(path, "rb").close()
        except OSError as error:
            unreadable.append(Unreadable(path, error.strerror or str(error)))
            return
        files.setdefault(real, path)

    def add_all(directory: str) -> None:
        for name in sorted(os.listdir(directory)):
            path = os.path.join(directory, name)
            if name.startswith(".") or name.endswith(BESIDE):
                continue
            # A pipe or socket lying about in a directory is no export, and opening it could wait for ever.
            if os.path.isfile(path) or os.path.isdir(path) or os.path.islink(path):
                add(path)

    for path in paths:
        if path == STDIN and sys.stdin is None:
            unreadable.append(Unreadable(STDIN, "standard input is closed"))
        elif path == STDIN:
            files.setdefault(STDIN, STDIN)
        elif glob.has_magic(path) and not os.path.lexists(path):
            found = sorted(_matches(path))
            if not found:
                unreadable.append(Unreadable(path, "no file matches"))
            for match in found:
                add(match)
        else:
            add(path)
    return list(files.values()), unreadable


def _matches(pattern: str) -> set[str]:
    """The paths that a pattern names; `**` is any number of folders, each once, whatever links lead to it."""
    parts = pattern.split("/")
    if "**" not in parts:
        return set(glob.glob(pattern))
    at = parts.index("**")
    before, after = "/".join(parts[:at]) or "/" * (at > 0), "/".join(parts[at + 1 :]) or "*"
    starts = glob.glob(before) if before else [""]
    return {
        found
        for start in starts
        for folder in _folders(start)
        for found in _matches(os.path.join(glob.escape(folder), after))
    }


def _folders(start: str) -> Iterator[str]:
    """A folder and all below it, without hidden ones; those that links lead to a second time are left out."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        folder = waiting.pop()
        real = os.path.realpath(folder or ".")
        if real in seen:
            continue
        seen.add(real)
        yield folder
        with suppress(OSError):
            names = sorted(os.listdir(folder or "."), reverse=True)
            paths = [os.path.join(folder, name) for name in names if not name.startswith(".")]
            waiting += filter(os.path.isdir, paths)


def open_bytes(path: str, stdin: BinaryIO | None = None) -> AbstractContextManager[BinaryIO]:
    """The file, or standard input, which stays open. Raises OSError."""
    if path == STDIN:
        return nullcontext(stdin or sys.stdin.buffer)
    return open(path, "rb", buffering=0)


def blocks_of(file: BinaryIO, size: int = CHUNK) -> Iterator[bytes]:
    """The bytes as they come, at most `size` at a time."""
    return iter(partial(file.read, size), b"")


class Source:
    """The content of an input in blocks, the first of a MiB and more: unzipped, without a UTF-8 byte order mark.

    Gzip is told by content, never by name. Once the blocks are used up, `fault` says why the content ended too early
    or was not read (empty where it was), `code` is the reason code of that, and `rest` the unfinished line or item.
    """

    def __init__(self, blocks: Iterator[bytes], inside: bool = False) -> None:
        """`inside` says that the blocks don't begin where the file does, so that their first bytes mean nothing."""
        self.code = "truncated"
        self.fault = ""
        self.rest = b""
        self.gzip = False
        head = _gather(blocks)
        for _ in range(0 if inside else _GZIP_LAYERS):
            if not head.startswith(GZIP):
                break
            self.gzip = True
            blocks = inflate(chain([head], blocks), self.cut)
            head = _gather(blocks)
        self.head = head if inside else head.removeprefix(_UTF8_BOM)
        """The beginning, up to a MiB, for a look before the blocks are used; it is their first one too."""
        self.whole = len(head) < _HEAD
        self.blocks: Iterator[bytes] = chain([self.head], blocks)

    def cut(self, fault: str, rest: bytes = b"", code: str = "truncated") -> None:
        """Note why there is no more; the first fault stands."""
        if not self.fault:
            self.code, self.fault, self.rest = code, fault, rest


def _gather(blocks: Iterator[bytes]) -> bytes:
    parts: list[bytes] = []
    size = 0
    while size < _HEAD and (block := next(blocks, b"")):
        parts.append(block)
        size += len(block)
    return b"".join(parts)


def inflate(blocks: Iterator[bytes], cut: Callable[[str], None]) -> Iterator[bytes]:
    """The content of gzip members, one after another, in blocks of at most 256 KiB however well they were packed.

    Zero padding after a member is allowed. Where a member is damaged or ends too early, all that came before is
    given, `cut` is told why, and nothing follows.
    """
    member = zlib.decompressobj(31)
    for data in blocks:
        while data:
            if member.eof:
                data = data.lstrip(b"\0")
                if not data:
                    break
                member = zlib.decompressobj(31)
            before = member.copy()
            try:
                content = member.decompress(data, CHUNK)
            except zlib.error as error:
                yield _before_fault(before, data)
                return cut(f"the gzip data is damaged ({error})")
            data = member.unused_data if member.eof else member.unconsumed_tail
            if content:
                yield content
    if not member.eof:
        yield member.flush()
        cut("the gzip data ends too early")


def _before_fault(member: zlib._Decompress, data: bytes) -> bytes:
    """What zlib throws away of a failing call: all that the bytes before the damaged one unpack to."""
    content, size = bytearray(), len(data)
    while size:
        try:
            ahead = member.copy()  # a call that fails leaves its object unusable
            content += ahead.decompress(data[:size])
            member, data = ahead, data[size:]
        except zlib.error:
            size //= 2
        size = min(size, len(data))
    return bytes(content)

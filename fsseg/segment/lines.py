"""Lines of files of any size, and byte ranges of big files that can be read apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import chain
from typing import BinaryIO, NamedTuple

from fsseg.segment.json_codec import is_json
from fsseg.segment.open import Input, Source, blocks_of, open_bytes
from fsseg.segment.packing import CHUNK

LINE_LIMIT = 1 << 20
KEEP = 4_000
"""Bytes kept of what is too large: enough for 1,000 characters of any script."""


class Oversized(NamedTuple):
    """A line or item over its limit: only how it begins."""

    start: bytes


Piece = bytes | Oversized


def lines_of(source: Source) -> Iterator[Piece]:
    """All lines of a source, with their line ends; a line over a MiB is never held whole.

    Where the source ends too early, an unfinished last line becomes `Source.rest` instead.
    """
    return chain.from_iterable(line_blocks(source))


def line_blocks(source: Source) -> Iterator[Iterable[Piece]]:
    """All lines of a source as `lines_of` gives them, in lists: those of a block at a time."""
    tail: Piece = b""
    for block in source.blocks:
        end = block.rfind(b"\n") + 1
        if not end:
            tail = _joined(tail, block)
            continue
        if isinstance(tail, Oversized) or len(tail) + end > LINE_LIMIT:
            first, *others = BytesIO(block[:end])
            yield chain([_joined(tail, first)], (_joined(b"", line) for line in others))
        else:
            # Makes one line at a time, which stays in the processor's cache until it is parsed.
            yield BytesIO(b"".join((tail, memoryview(block)[:end])))
        tail = _joined(b"", block[end:])
    if tail and source.fault and not is_json(tail):
        source.rest = tail.start if isinstance(tail, Oversized) else tail[:KEEP]
    elif tail:
        yield [tail]


def range_blocks(file: BinaryIO, start: int, end: int | None) -> Iterator[bytes]:
    """The lines that begin within [start, end), in blocks; of a last line as much as there is."""
    file.seek(max(start - 1, 0))
    return _range_of(blocks_of(file), start, end)


def cut_source(source: Source, start: int, end: int | None) -> None:
    """Leave of a source the lines that begin within [start, end), and its fault only where that is among them."""

    def blocks(all: Iterator[bytes]) -> Iterator[bytes]:
        left = max(start - 1, 0)
        for block in all:
            if left < len(block):
                yield block[left:]
            left = max(left - len(block), 0)
        ended.append(True)

    def lines(all: Iterator[bytes]) -> Iterator[bytes]:
        begun = start == 0
        for block in _range_of(blocks(all), start, end):
            begun = True
            yield block
        if not (begun and ended):
            source.fault = ""

    ended: list[bool] = []
    source.blocks = lines(source.blocks)


def _range_of(blocks: Iterator[bytes], start: int, end: int | None) -> Iterator[bytes]:
    """As `range_blocks`; the blocks begin one byte before the start, to tell whether a line begins there."""
    if end is not None and end <= start:
        return
    at, begun = max(start - 1, 0), start == 0
    for block in blocks:
        if not begun:
            first = block.find(b"\n") + 1
            at += first or len(block)
            if not first:
                continue
            begun = True
            block = block[first:]
            if end is not None and at >= end:
                return
        if end is not None and at + len(block) >= end:
            last = block.find(b"\n", max(end - 1 - at, 0)) + 1
            if last:
                yield block[:last]
                return
        yield block
        at += len(block)


def cut_ranges(path: str, size: int, parts: int, number: int = 0) -> list[Input]:
    """A plain file of lines as up to `parts` inputs of about the same size, numbered from `number` on.

    Whether the file is one of plain lines is for the caller to know.
    """
    cuts = sorted({size * part // parts for part in range(parts)})
    ends: list[int | None] = [*cuts[1:], None]
    return [Input(path, number + at, start, end) for at, (start, end) in enumerate(zip(cuts, ends, strict=True))]


def count_lines(part: Input) -> int:
    """How many lines of the file begin before `part`, blank ones too: what to add to its line numbers.

    Raises OSError.
    """
    if part.start == 0:
        return 0
    left, lines = part.start - 1, 1
    with open_bytes(part.path) as file:
        while left > 0 and (block := file.read(min(left, CHUNK))):
            lines += block.count(b"\n")
            left -= len(block)
    return lines


def _joined(start: Piece, more: Piece) -> Piece:
    if isinstance(start, Oversized) or isinstance(more, Oversized):
        return start
    line = start + more
    return line if len(line) <= LINE_LIMIT + 1 else Oversized(line[:KEEP])  # and the line end

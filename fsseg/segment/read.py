"""The read stage: any export of Segment messages, as a stream of events and of what is none."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, BinaryIO

import orjson
from msgspec.structs import replace

from fsseg.segment import json_codec
from fsseg.segment.archives import split_member
from fsseg.segment.batches import is_batch, messages_in
from fsseg.segment.containers import (
    LINES,
    Container,
    CsvTable,
    ForeignContent,
    ParquetTable,
    TableContainer,
    container_of,
)
from fsseg.segment.documents import objects_in
from fsseg.segment.envelope import ODD, event_of, read_message
from fsseg.segment.event import POSITION_BITS, Event, Rejected
from fsseg.segment.file_time import file_time
from fsseg.segment.lines import KEEP, Oversized, cut_ranges, cut_source, range_blocks
from fsseg.segment.objects import read_ahead
from fsseg.segment.open import Input, Source, UnreadableInput, blocks_of, open_bytes
from fsseg.segment.placeholders import PLACEHOLDER_IDS, PlaceholderIds
from fsseg.segment.places import stamp
from fsseg.segment.stores import is_remote, use_endpoint
from fsseg.segment.tables.events import RAW, RowEvents
from fsseg.segment.tables.parquet import MAGIC
from fsseg.segment.times import FoundTime, latest_time

Jumps = list[tuple[int, int]]

MOST_JUMPS = 10_000


_SAMPLE = 1 << 22
"""Bytes of a packed file that tell how much it unpacks to."""
_UNREADABLE = frozenset({"not_json", "not_utf8", "not_an_object", "too_large", "truncated", "bad_row"})
_EARLIER = "in an earlier run"


class Reader:
    """The events of one input, in their order; every non-blank line or item gives at least one Event or Rejected.

    It opens its input when iterated over, and raises UnreadableInput if that, or reading on, fails. Afterwards
    `container` says what the content was (`jsonl`, `json`, `batch`, `csv` or `unknown`, with `.gz` or the like
    where it was packed); what is no export of events is unreadable, too; `events` how many events and rejects there
    were, and `lines` how many lines.
    """

    def __init__(
        self, input: Input, stdin: BinaryIO | None = None, placeholder_ids: PlaceholderIds = PLACEHOLDER_IDS
    ) -> None:
        self.input = input
        self.container = ""
        self.table = ""
        """Which table the content was, if it was one."""
        self.events = 0
        self.lines = 0
        self.jumps: Jumps | None = [(0, 1)]
        """From which event on the lines go with the events from which line on; None where that isn't simple."""
        self._stdin = stdin
        self._ids = placeholder_ids
        self._latest = latest_time()

    def __iter__(self) -> Iterator[Event | Rejected]:
        part = self.input.start, self.input.end
        use_endpoint(self.input.hints.endpoint)
        try:
            with open_bytes(self.input.path, self._stdin) as file:
                if part == (0, None) or self.input.has_rows:
                    source = Source(blocks_of(file))
                    self.container = "unknown" + source.packing
                    container = container_of(source, self.input)
                elif self.input.is_packed:
                    source = Source(blocks_of(file))
                    cut_source(source, *part)
                    container = LINES
                else:
                    source = Source(range_blocks(file, *part), inside=part[0] > 0)
                    container = LINES
                self.container = container.name + source.packing
                if not isinstance(container, Container):
                    self.table = container.table.name
                    yield from self._rows(source, container)
                else:
                    yield from self._events(source, container)
        except OSError as error:
            raise UnreadableInput(self.input.path, error.strerror or str(error)) from error
        except ForeignContent as error:
            raise UnreadableInput(self.input.path, str(error)) from None

    def _events(self, source: Source, container: Container) -> Iterator[Event | Rejected]:
        position = first = self.input.number << POSITION_BITS
        line, ids, latest = 0, self._ids, self._latest
        try:
            for piece, line in container.pieces(source):
                try:
                    message, time = read_message(piece, ids, latest)  # type: ignore[arg-type]  # an Oversized is none
                except ODD:
                    pass
                else:
                    yield Event(position, line, message.type, time, message, piece)  # type: ignore[arg-type]  # as above
                    position += 1
                    continue
                if isinstance(piece, Oversized):
                    yield Rejected(position, line, "too_large", "too large for a message", raw=_text(piece.start))
                    position += 1
                    continue
                if piece.isspace():
                    self._jump(position - first, line + 1)
                    continue
                try:
                    value = json_codec.loads(piece)
                except orjson.JSONDecodeError as error:
                    for item in self._objects(piece, line, position) or [_unreadable(piece, line, position, error)]:
                        self._jump(position - first, item.line)
                        yield item
                        position += 1
                    self._jump(position - first, line + 1)
                    continue
                if position == first and is_batch(value):
                    self.container = "batch" + source.packing
                items = messages_in(value)
                for item in items:
                    if len(items) > 1:
                        self._jump(position - first, line)
                    yield self._of_item(item, line, position, piece)
                    position += 1
                if len(items) > 1:
                    self._jump(position - first, line + 1)
            if source.fault:
                yield Rejected(position, line + 1, source.code, source.fault, raw=_text(source.rest))
                position += 1
        finally:
            self.events, self.lines = position - first, line
            if container is not LINES:
                self.jumps = None

    def _rows(self, source: Source, container: TableContainer) -> Iterator[Event | Rejected]:
        first = self.input.number << POSITION_BITS
        self.jumps = []
        events = RowEvents(container.table, first, self._ids, self._latest, lambda: self._file_time, self._jump)
        try:
            yield from events.of(container.rows(source))
            if source.fault:
                self._jump(events.count, events.number + 1)
                at = first + events.count
                yield Rejected(at, events.number + 1, source.code, source.fault, raw=_text(source.rest))
                events.count += 1
        finally:
            self.events, self.lines = events.count, events.number
            self.jumps = [(0, 1)] if self.jumps == [] else self.jumps

    def _jump(self, event: int, line: int) -> None:
        """From this event on, counted from 0, the lines go on from this one."""
        if self.jumps is not None:
            self.jumps.append((event, line))
            if len(self.jumps) > MOST_JUMPS:
                self.jumps = None

    def _objects(self, piece: bytes, line: int, position: int) -> list[Event | Rejected]:
        """What stands in a line that several objects share, or that begins or ends as no JSON does."""
        items: list[Event | Rejected] = []
        for part, below in objects_in(piece):
            place, at = line + below - 1, position + len(items)
            try:
                found = messages_in(json_codec.loads(part))
            except orjson.JSONDecodeError as error:
                items.append(_unreadable(part, place, at, error))
            else:
                items += (self._of_item(item, place, at + index, part) for index, item in enumerate(found))
        return items

    def _of_item(self, item: Any, line: int, position: int, piece: bytes) -> Event | Rejected:
        if not isinstance(item, dict):
            return Rejected(position, line, "not_an_object", "JSON, but no message", raw=_text(piece[:KEEP]))
        note = item.pop("_fsseg", None)  # a line of failures.jsonl: what an earlier run noted is no part of the event
        if not item and isinstance(note, dict):
            if "key" in note:
                told = "an earlier run could not give this line"
                return Rejected(position, line, "not_json", told, raw=str(note["key"]))
            return _unreadable_before(note, line, position)
        return event_of(item, line, position, self._ids, self._latest, lambda: self._file_time)

    @cached_property
    def _file_time(self) -> FoundTime:
        return file_time(self.input.path, self._latest)


def _unreadable_before(note: dict[str, Any], line: int, position: int) -> Rejected:
    """What an earlier run could not read stays what it was then, with the place in which it stood."""
    code, told = note.get("code"), str(note.get("message") or "an earlier run could not read this line")
    if note.get("file") and _EARLIER not in told:
        told += f" ({_EARLIER}: {note['file']} line {note.get('line')})"
    known = code if code in _UNREADABLE else "not_json"
    return Rejected(position, line, str(known), told, raw=str(note.get("raw")))


def read(input: Input, stdin: BinaryIO | None = None, placeholder_ids: PlaceholderIds = PLACEHOLDER_IDS) -> Reader:
    """The events of one input; `stdin` stands in for standard input, which `-` names."""
    return Reader(input, stdin, placeholder_ids)


def read_next(inputs: Sequence[Input]) -> None:
    """Say what is read next, in this order, so that objects are begun before their turn; nothing ends that."""
    whole = [input.path for input in inputs if (input.start, input.end) == (0, None)]
    read_ahead([path for path in whole if is_remote(path) and not split_member(path)[1]])


def split(path: str, parts: int, number: int = 0, jobs: int = 1) -> list[Input]:
    """The file as up to `parts` inputs of about the same size, numbered from `number` on, that can be read apart.

    Only files of lines or CSV, plain files of Parquet, and plain objects of lines, can be split; any other is one
    input. Where a row of CSV begins, depends on all quotes before it, and what is packed can only be unpacked from its
    beginning on: who reads a part goes through all that is before, but makes no events of it. So there are no more
    such parts than `jobs`. Raises UnreadableInput.
    """
    known = stamp(path)
    if parts < 2 or known is None or not (os.path.isfile(path) or (is_remote(path) and not split_member(path)[1])):
        return [Input(path, number)]
    try:
        with open_bytes(path) as file:
            source = Source(blocks_of(file))
            few = 1 if is_remote(path) else min(parts, jobs)
            is_parquet = source.head.startswith(MAGIC)
            if (source.packing and (few == 1 or is_parquet)) or (is_parquet and is_remote(path)):
                return [Input(path, number)]
            container = container_of(source, Input(path, number))
            size = _unpacked_size(source, file, known.size) if source.packing else known.size
        if container is LINES and source.packing:
            return [replace(part, is_packed=True) for part in cut_ranges(path, size, few, number)]
        if container is LINES:
            return cut_ranges(path, size, parts, number)
        if isinstance(container, ParquetTable) and container.can_be_split():
            return [replace(part, has_rows=True) for part in cut_ranges(path, known.size, parts, number)]
        if isinstance(container, CsvTable) and few > 1 and not container.table.one_event:
            rows = container.rows_in(source.head) * size // len(source.head)
            return [replace(part, has_rows=True) for part in cut_ranges(path, rows, few, number)]
        return [Input(path, number)]
    except ForeignContent:
        return [Input(path, number)]  # the one who reads it will say so
    except OSError as error:
        raise UnreadableInput(path, error.strerror or str(error)) from error


def _unpacked_size(source: Source, file: BinaryIO, size: int) -> int:
    """About how many bytes a file of this size unpacks to, by its beginning."""
    unpacked = 0
    for block in source.blocks:
        unpacked += len(block)
        if file.tell() >= min(_SAMPLE, size):
            break
    return size * unpacked // file.tell()


def _unreadable(piece: bytes, line: int, position: int, error: orjson.JSONDecodeError) -> Rejected:
    try:
        piece.decode()
    except UnicodeDecodeError as fault:
        return Rejected(position, line, "not_utf8", f"byte {fault.start + 1} is not UTF-8", raw=_text(piece[:KEEP]))
    return Rejected(position, line, "not_json", json_codec.fault(error), raw=_text(piece[:KEEP]))


def _text(start: bytes) -> str:
    return start.rstrip(b"\r\n").decode("utf-8", "replace")[:RAW]

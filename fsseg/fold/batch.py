"""Read, pass or skip, and map what can be, a batch of events at a time: all that needs no knowledge of other events.

Batches are plain values, which are soon carried from process to process.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple

from fsseg.fold.partitions import ROW, Row
from fsseg.mapping.event_names import EventNames
from fsseg.mapping.identity import person_key, user_id
from fsseg.mapping.intents import EntryIntent, Refused
from fsseg.mapping.mapper import Mapper
from fsseg.segment import json_codec
from fsseg.segment.event import Event, Rejected
from fsseg.segment.key import event_key
from fsseg.segment.open import Input, UnreadableInput
from fsseg.segment.read import Reader, read
from fsseg.state.actions import Code

SIZE = 1_000
"""Events a batch: few enough to be still in the processor's cache when they are stored."""

_DAY = len("2025-03-04")

Reject = tuple[int, int, str, str, str | None, str | None]


class Batch(NamedTuple):
    """What some consecutive events of one input amount to. Positions and lines count from where their reader began.

    `passed` and `positions` have the event key and position of every event that passed the filter. An identify call is
    mapped only where its person is folded, since most of them repeat others; `people` has also what group calls say.
    `ties` are ids and addresses of one person that skipped events have told, and whether they were suppressed.
    A reject is position, line, code, detail, the event as JSON and the beginning of the line where that isn't one.
    `warnings` are those of group calls, by position. `size` is how many bytes its rows take.
    `marks` are the types and days that occur, such as `track2025-03-04`, and `marked` has for each event which of them
    is its own, as unsigned 16-bit numbers; what is no event has the empty one. `names` are event names that no earlier
    batch of its reader had, as long as the settings speak of one that is still missing.
    """

    read: int
    types: dict[str, int]
    passed: list[int]
    positions: list[int]
    people: list[Row]
    entries: list[Row]
    anonymous: list[tuple[int, tuple[str, str, str]]]
    rejects: list[Reject]
    warnings: list[tuple[int, list[tuple[str, str, str]]]]
    skipped: dict[str, int]
    size: int
    ties: list[tuple[bool, tuple[str, ...]]]
    marks: list[str]
    marked: bytes
    names: list[str]


def usable(batch: Batch) -> tuple[list[int], list[int]]:
    """Keys and positions of the events that can be used; one that can't makes no other one a repetition."""
    keys, positions = batch.passed, batch.positions
    if batch.rejects:
        bad = {reject[0] for reject in batch.rejects}
        taken = [index for index, position in enumerate(positions) if position not in bad]
        keys, positions = [keys[index] for index in taken], [positions[index] for index in taken]
    return keys, positions


def without(batch: Batch, gone: list[int]) -> None:
    """Make the batch as if the events at some positions had said nothing."""
    for rows in (batch.people, batch.entries):
        _drop(rows, gone, itemgetter(1))
    for others in (batch.anonymous, batch.rejects, batch.warnings):
        _drop(others, gone, itemgetter(0))


def _drop(rows: list[Any], gone: list[int], position: Callable[[Any], int]) -> None:
    """Take out the rows at the positions that are gone: few, where rows are in the order of their positions."""
    for lost in gone:
        begin = end = bisect_left(rows, lost, key=position)
        while end < len(rows) and position(rows[end]) == lost:
            end += 1
        del rows[begin:end]


def moved(batch: Batch, by: int, lines: int) -> Batch:
    """The batch, without its rows, as if its reader had begun some events and lines earlier."""
    return batch._replace(
        positions=[position + by for position in batch.positions],
        anonymous=[(at + by, row) for at, row in batch.anonymous],
        rejects=[(row[0] + by, row[1] + lines, *row[2:]) for row in batch.rejects],
        warnings=[(at + by, warnings) for at, warnings in batch.warnings],
    )


class Batcher:
    """Takes what readers give; one for each process."""

    def __init__(self, mapper: Mapper, *, stitch: bool) -> None:
        self.fault = ""
        """Why the latest input could not be read to its end."""
        self._mapper = mapper
        self._stitch = stitch
        self._names = EventNames(mapper.events_in_settings)

    def reader(self, input: Input) -> Reader:
        """Reads an input as the rules have it."""
        return read(input, placeholder_ids=self._mapper.placeholder_ids)

    def batches(self, items: Iterable[Event | Rejected], limit: int | None = None) -> Iterator[Batch]:
        """All that `items` hold, up to and with the event that is the `limit`th to pass the filter."""
        self.fault = ""
        rest = iter(items if limit is None else self._first(items, limit))
        while (batch := self._batch(islice(rest, SIZE))).read:
            yield batch

    def _first(self, items: Iterable[Event | Rejected], limit: int) -> Iterator[Event | Rejected]:
        for item in items:
            yield item
            limit -= isinstance(item, Event) and self._mapper.event_filter(item) is None  # the batch has seen it by now
            if not limit:
                return

    def _batch(self, items: Iterable[Event | Rejected]) -> Batch:
        batch = Batch(0, {}, [], [], [], [], [], [], [], {}, 0, [], [], b"", [])
        _, _, passed, positions, people, entries, *_ = batch
        event_filter, map_entry, stitch = self._mapper.event_filter, self._mapper.entry, self._stitch
        always_allowed = event_filter.always_allowed
        setters_of = self._mapper.event_fields.setters
        names, noting = self._names, bool(self._names)
        marks: list[str] = []
        skipped: list[str] = []
        read = 0
        try:
            for read, item in enumerate(items, 1):  # noqa: B007  # counted to the end
                if not isinstance(item, Event):
                    batch.rejects.append(_rejected(item))
                    marks.append("")
                    continue
                message, kind = item.message, item.type
                marks.append(kind + item.time[:_DAY])
                if noting and (kind == "track" or kind == "page"):
                    names.note(message)
                if item.notes:
                    batch.warnings.append((item.position, [(code, name, "") for code, name in item.notes]))
                    self._mapper.name_by_email(item)
                if (not message.user_id or message.integrations or kind not in always_allowed) and (
                    skip := event_filter(item)
                ):
                    skipped.append(skip)
                    if ties := event_filter.ties(item, skip):
                        batch.ties.append((skip == Code.SUPPRESSED, ties))
                    continue
                key = event_key(message.message_id.encode())
                position = item.position
                passed.append(key)
                positions.append(position)
                if kind == "track" or kind == "page":
                    mapped = map_entry(item)
                    if isinstance(mapped, EntryIntent):
                        traits = bytes(message.context.traits)
                        if setters_of(message) is not None and not self._add_fields(batch, item, mapped.key, key):
                            continue
                        entries.append((mapped.key, position, item.time, key, traits, mapped.payload))
                    else:
                        batch.rejects.append(_refused(item, mapped))
                    continue
                if kind == "group":
                    self._add_group(batch, item, key)
                    continue
                user = user_id(message)
                person = person_key(user)
                people.append((person, position, item.time, key, user, bytes(message.traits)))
                if stitch and message.anonymous_id:
                    batch.anonymous.append((position, (message.anonymous_id, person, item.time)))
        except UnreadableInput as error:
            self.fault = str(error)
        return _counted(batch._replace(read=read, names=names.new()), marks, skipped)

    def _add_fields(self, batch: Batch, event: Event, person: str, key: int) -> bool:
        """Add what a track or page call says of its person, if it does; False where the event is refused for that."""
        told = self._mapper.fields_of(event, person)
        if isinstance(told, Refused):
            batch.rejects.append(_refused(event, told))
            return False
        if told is not None:
            parts, warnings = told
            if warnings:
                batch.warnings.append((event.position, [(code, name, hint) for code, name, hint in warnings]))
            if parts:
                batch.people.append((person, event.position, event.time, key, None, _packed(parts)))
        return True

    def _add_group(self, batch: Batch, event: Event, key: int) -> None:
        """A group call speaks of an account, and of the person who belongs to it: a row for each."""
        mapped = self._mapper.account(user_id(event.message), bytes(event.message.traits))
        if isinstance(mapped, Refused):
            batch.rejects.append(_refused(event, mapped))
            return
        if mapped.warnings:
            batch.warnings.append((event.position, [(code, name, hint) for code, name, hint in mapped.warnings]))
        parts = _packed(mapped.parts)
        for whom in filter(None, (*mapped.parts, mapped.person_key)):
            batch.people.append((whom, event.position, event.time, key, None, parts))


def _counted(batch: Batch, marks: list[str], skipped: list[str]) -> Batch:
    """A batch that has all of its events, with what is counted of them."""
    tally = Counter(marks)
    numbers = {mark: number for number, mark in enumerate(tally)}
    types: Counter[str] = Counter()
    for mark, count in tally.items():
        types[mark[:-_DAY]] += count
    del types[""]  # of what is no event
    rows = [*batch.people, *batch.entries]
    return batch._replace(
        types=dict(types), skipped=dict(Counter(skipped)), marks=[*numbers],
        marked=array("H", map(numbers.__getitem__, marks)).tobytes(),
        size=ROW * len(rows) + sum(map(len, map(itemgetter(5), rows))),
    )  # fmt: skip


def _packed(parts: Any) -> bytes:
    """The parts of an intent, as a row keeps them."""
    return json_codec.compact(json_codec.dumps(parts))


def _rejected(item: Rejected) -> Reject:
    event = None if item.original is None else json_codec.dumps(item.original).decode()
    return item.position, item.line, item.code, item.detail, event, item.raw


def _refused(event: Event, why: Refused) -> Reject:
    return event.position, event.line, why.code, why.detail, json_codec.dumps(event.original).decode(), None

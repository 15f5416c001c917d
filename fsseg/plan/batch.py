"""Read and map, a batch of events at a time: all that needs no knowledge of other events.

Batches are plain values, so that `marshal` carries them from process to process.
"""

from __future__ import annotations

import marshal
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import orjson

from fsseg.mapping.catalog import Catalog
from fsseg.mapping.intents import AccountIntent, EntryIntent, PersonIntent, Refused, Skipped
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.rules import Rules
from fsseg.mapping.tally import Note, Tally
from fsseg.plan.ledger import signed
from fsseg.plan.spool import Row, heap_of
from fsseg.segment import deep
from fsseg.segment.event import Event, Rejected
from fsseg.segment.key import event_key
from fsseg.segment.open import UnreadableInput

SIZE = 2_000
"""Events a batch: few enough to be still in the processor's cache when they are stored."""

Reject = tuple[int, int, str, str, bytes, str | None]


class Batch(NamedTuple):
    """What some consecutive events of one input amount to. Positions and lines count from where their reader began.

    `passed`, `positions` and `lines` have the event key, position and line of every event that passed the gate.
    In `marshal`'s format, people say (time, event key, parts as JSON) and entries (event key, time, e-mail, payload).
    A reject is position, line, code, detail, the event as JSON and the beginning of the line where that isn't one.
    """

    read: int
    types: dict[str, int]
    passed: list[int]
    positions: list[int]
    lines: list[int]
    people: list[Row]
    entries: list[Row]
    anonymous: list[tuple[int, tuple[str, str, str]]]
    rejects: list[Reject]
    skipped: list[tuple[str, int]]
    notes: list[tuple[int, list[tuple[str, str, str]]]]


def without(batch: Batch, gone: set[int]) -> Batch:
    """The batch as if the events at some positions had said nothing."""
    return batch._replace(
        people=[row for row in batch.people if row[2] not in gone],
        entries=[row for row in batch.entries if row[2] not in gone],
        anonymous=[row for row in batch.anonymous if row[0] not in gone],
        rejects=[row for row in batch.rejects if row[0] not in gone],
        notes=[row for row in batch.notes if row[0] not in gone],
    )


def moved(batch: Batch, by: int, lines: int) -> Batch:
    """The batch as if its reader had begun some events and lines earlier."""
    return batch._replace(
        positions=[position + by for position in batch.positions],
        lines=[line + lines for line in batch.lines],
        people=[(heap, key, at + by, said) for heap, key, at, said in batch.people],
        entries=[(heap, key, at + by, said) for heap, key, at, said in batch.entries],
        anonymous=[(at + by, row) for at, row in batch.anonymous],
        rejects=[(row[0] + by, row[1] + lines, *row[2:]) for row in batch.rejects],
        skipped=[(code, line + lines) for code, line in batch.skipped],
        notes=[(at + by, notes) for at, notes in batch.notes],
    )


class _Latest(Tally):
    """The notes of the latest event: only once it is known to be no repetition do they count."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[tuple[str, str, str]] = []

    def add(self, notes: Iterable[Note], count: int = 1) -> None:
        self.notes = [(code, name, hint) for code, name, hint in notes]


class Batcher:
    """Maps what readers give; one for each process."""

    def __init__(self, catalog: Catalog, rules: Rules) -> None:
        self.fault = ""
        """Why the latest input could not be read to its end."""
        self._latest = _Latest()
        self._mapper = Mapper(catalog, rules, self._latest)
        self._stitch = rules.stitch_anonymous

    def batches(self, items: Iterable[Event | Rejected], limit: int | None = None) -> Iterator[Batch]:
        """All that `items` hold, up to and with the event that is the `limit`th to pass the gate."""
        self.fault = ""
        rest = iter(items if limit is None else self._first(items, limit))
        while (batch := self._batch(islice(rest, SIZE))).read:
            yield batch

    def _first(self, items: Iterable[Event | Rejected], limit: int) -> Iterator[Event | Rejected]:
        for item in items:
            yield item
            limit -= isinstance(item, Event) and self._mapper.gate(item) is None
            if not limit:
                return

    def _batch(self, items: Iterable[Event | Rejected]) -> Batch:
        batch = Batch(0, {}, [], [], [], [], [], [], [], [], [])
        _, _, passed, positions, lines, people, entries, *_ = batch
        gate, map_event, latest, stitch = self._mapper.gate, self._mapper.map, self._latest, self._stitch
        # What orjson gives takes 4 KiB however short it is, so it must not be kept as it is.
        dumps, pack = orjson.dumps, marshal.dumps
        kinds: list[str] = []
        read = 0
        try:
            for read, item in enumerate(items, 1):  # noqa: B007  # counted to the end
                if not isinstance(item, Event):
                    event = deep.dumps(item.original)
                    batch.rejects.append((item.position, item.line, item.code, item.detail, event, item.raw))
                    continue
                position, line, kind, time, message, _ = item
                kinds.append(kind)
                if skip := gate(item):
                    batch.skipped.append((skip, line))
                    continue
                key = event_key(message)
                passed.append(key)
                positions.append(position)
                lines.append(line)
                mapped = map_event(item)
                if isinstance(mapped, EntryIntent):
                    said = pack((signed(key), time, mapped.email, _payload(mapped)))
                    entries.append((heap_of(mapped.key), mapped.key, position, said))
                elif isinstance(mapped, PersonIntent):
                    said = pack((time, key, dumps(mapped.parts)))
                    people.append((heap_of(mapped.key), mapped.key, position, said))
                    if stitch and mapped.anonymous_id:
                        batch.anonymous.append((position, (mapped.anonymous_id, mapped.key, time)))
                else:
                    _other(batch, item, key, mapped)
                if latest.notes:
                    batch.notes.append((position, latest.notes))
                    latest.notes = []
        except UnreadableInput as error:
            self.fault = str(error)
        return batch._replace(read=read, types=dict(Counter(kinds)))


def _other(batch: Batch, event: Event, key: int, mapped: AccountIntent | Refused | Skipped) -> None:
    """The rarer kinds of intent."""
    if isinstance(mapped, AccountIntent):
        parts = mapped.parts
        for name in [*parts, *filter(None, [mapped.person_key])]:
            said = orjson.dumps({name: parts[name]} if name in parts else parts)
            batch.people.append((heap_of(name), name, event.position, marshal.dumps((event.time, key, said))))
    elif isinstance(mapped, Refused):
        reject = event.position, event.line, mapped.code, mapped.detail, deep.dumps(event.original), None
        batch.rejects.append(reject)
    else:
        batch.skipped.append((mapped.code, event.line))


def _payload(entry: EntryIntent) -> bytes:
    return deep.dumps(
        {
            "kind": entry.kind, "name": entry.name, "via": entry.via, "type_id": entry.type_id,
            "properties": entry.properties, "message_id": entry.message_id,
        }
    )  # fmt: skip

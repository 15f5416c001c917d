"""The first three stages in one pass: read events, map them to intents, fold the intents into the run's store."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from fsseg.mapping.intents import EntryIntent, PersonIntent, Refused, Skipped
from fsseg.mapping.mapper import Mapper
from fsseg.plan.fold import Said, dump, fold
from fsseg.plan.ledger import signed
from fsseg.plan.seen import Seen
from fsseg.plan.store import Store
from fsseg.segment.event import Event
from fsseg.segment.key import event_key
from fsseg.segment.open import Input, UnreadableInput
from fsseg.segment.read import Reader

SPILL = 100_000
"""Intents kept in memory before they are folded and written out; bounds memory whatever the size of the input."""

TICK = 5_000
"""Events between two calls of the progress callback."""


@dataclass
class Counts:
    """How the events read fared before any record was looked at. `reasons` counts (outcome, code)."""

    read: int = 0
    by_type: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    passed: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    def note(self, outcome: str, code: str, where: str) -> None:
        """One event ended here."""
        self.reasons[outcome, code] += 1
        self.examples.setdefault(code, where)


class Gatherer:
    """Feeds events of any number of inputs into `store`; `finish` writes out what is still in memory."""

    def __init__(self, store: Store, mapper: Mapper, seen: Seen, limit: int | None = None) -> None:
        self.counts = Counts()
        self._store = store
        self._mapper = mapper
        self._seen = seen
        self._limit = limit
        self._people: defaultdict[str, list[Said]] = defaultdict(list)
        self._entries: list[tuple[Any, ...]] = []
        self._anonymous: list[tuple[str, str, str]] = []
        self._rejects: list[tuple[int, str]] = []
        self._held = 0

    def read(self, input: Input, reader: Reader, tick: Callable[[int], None]) -> None:
        """Take in one input, and note in the store what it was. `tick` is told how many more items were read."""
        before, told = self.counts.read, self.counts.read
        try:
            for item in reader:
                self.counts.read += 1
                if isinstance(item, Event):
                    self._event(item, input)
                else:
                    self._reject(item.position, item.line, input, item.code, item.detail, item.original, item.raw)
                if self.counts.read - told >= TICK:
                    tick(self.counts.read - told)
                    told = self.counts.read
                if self._limit is not None and self.counts.passed >= self._limit:
                    break
        except UnreadableInput as error:
            self.counts.unreadable.append((input.path, str(error)))
        tick(self.counts.read - told)
        self._store.db.execute(
            "UPDATE input SET container = ?, events = ? WHERE number = ?",
            (reader.container, self.counts.read - before, input.number),
        )

    @property
    def full(self) -> bool:
        """Whether `--limit` events have passed, so that further inputs need not be opened."""
        return self._limit is not None and self.counts.passed >= self._limit

    def _event(self, event: Event, input: Input) -> None:
        counts = self.counts
        counts.by_type[event.type] += 1
        skip = self._mapper.gate(event)
        if skip is not None:
            counts.note("skipped", skip, f"{input.path} line {event.line}")
            return
        counts.passed += 1
        key = event_key(event.message)
        if not self._seen.add(key):
            counts.note("skipped", "duplicate", f"{input.path} line {event.line}")
            return
        mapped = self._mapper.map(event)
        if isinstance(mapped, PersonIntent):
            self._people[mapped.key].append(Said(event.time, event.position, key, mapped.parts))
            if mapped.anonymous_id:
                self._anonymous.append((mapped.anonymous_id, mapped.key, event.time))
        elif isinstance(mapped, EntryIntent):
            payload = {
                "kind": mapped.kind, "name": mapped.name, "via": mapped.via, "type_id": mapped.type_id,
                "properties": mapped.properties, "message_id": mapped.message_id,
            }  # fmt: skip
            self._entries.append(
                (mapped.key, event.position, signed(key), event.time, mapped.email, orjson.dumps(payload))
            )
        elif isinstance(mapped, Skipped):
            counts.note("skipped", mapped.code, f"{input.path} line {event.line}")
            return
        elif isinstance(mapped, Refused):
            self._reject(event.position, event.line, input, mapped.code, mapped.detail, event.original, None)
            return
        else:
            for part, cells in mapped.parts.items():
                self._people[part].append(Said(event.time, event.position, key, {part: cells}))
            if mapped.person_key:
                self._people[mapped.person_key].append(Said(event.time, event.position, key, mapped.parts))
        self._held += 1
        if self._held >= SPILL:
            self.flush()

    def _reject(
        self, position: int, line: int, input: Input, code: str, detail: str, original: Any, raw: str | None
    ) -> None:
        self.counts.note("rejected", code, f"{input.path} line {line}")
        found = {"event": original, "raw": raw, "file": input.path, "line": line, "code": code, "message": detail}
        self._rejects.append((position, orjson.dumps(found, option=orjson.OPT_NON_STR_KEYS).decode()))
        if len(self._rejects) >= 1000:
            self.flush()

    def flush(self) -> None:
        """Fold what is in memory and write it out."""
        with self._store.transaction() as db:
            db.executemany("INSERT INTO fragment VALUES (?, ?)", self._fragments())
            db.executemany(
                "INSERT INTO entry (key, position, hash, time, email, payload) VALUES (?, ?, ?, ?, ?, ?)", self._entries
            )
            db.executemany("INSERT OR REPLACE INTO anonymous VALUES (?, ?, ?)", self._anonymous)
            db.executemany("INSERT INTO reject (position, line) VALUES (?, ?)", self._rejects)
        self._people.clear()
        self._entries.clear()
        self._anonymous.clear()
        self._rejects.clear()
        self._held = 0

    def _fragments(self) -> Iterable[tuple[str, bytes]]:
        for key, said in self._people.items():
            yield key, orjson.dumps(dump(fold(said)))

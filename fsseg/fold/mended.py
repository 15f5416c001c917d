"""An event that repeats one that was rejected is no repetition: a mended event has the messageId of its original."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from fsseg.fold.fold_partition import FoldedPartition, PartitionFold
from fsseg.fold.partitions import Row
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.identity import person_key, user_id
from fsseg.mapping.intents import EntryIntent, Parts, Refused
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.rules import Rules
from fsseg.mapping.warning_counter import WarningCounter
from fsseg.segment import json_codec
from fsseg.segment.event import Event
from fsseg.state.plan_store import Store
from fsseg.state.source_events import reread


class MendedEntry(NamedTuple):
    """A track or page call as a row of its entry, and what it says of its person."""

    row: Row
    parts: Parts


class Mended:
    """Reads events again that were left out as repetitions: their event keys by position, wherever that is `wanted`."""

    def __init__(self, store: Store, catalog: Catalog, rules: Rules) -> None:
        self._store = store
        self._catalog = catalog
        self._rules = rules

    def fold(self, wanted: dict[int, int]) -> tuple[FoldedPartition, int]:
        """The states that the first usable identify call of each event key makes, and how many such calls there are."""
        mapper = Mapper(self._catalog, self._rules, WarningCounter())
        rows = list(self._usable(mapper, wanted))
        return PartitionFold(self._catalog, mapper).fold([rows], []), len(rows)

    def entries(self, wanted: dict[int, int]) -> Iterator[MendedEntry]:
        """The track and page calls that can be used, in the order of their positions."""
        mapper = Mapper(self._catalog, self._rules, WarningCounter())
        for position, item in reread(self._store, wanted, mapper.placeholder_ids):
            if isinstance(item, Event) and item.type in ("track", "page"):
                mapper.name_by_email(item)
                mapped = mapper.entry(item)
                if not isinstance(mapped, EntryIntent):
                    continue
                told = mapper.fields_of(item, mapped.key)
                if isinstance(told, Refused):
                    continue
                traits = bytes(item.message.context.traits)
                row = mapped.key, position, item.time, wanted[position], traits, mapped.payload
                yield MendedEntry(row, told[0] if told else {})

    def _usable(self, mapper: Mapper, wanted: dict[int, int]) -> Iterable[Row]:
        taken: set[int] = set()
        for position, item in reread(self._store, wanted, mapper.placeholder_ids):
            key = wanted[position]
            if not isinstance(item, Event) or item.type != "identify" or key in taken:
                continue
            mapper.name_by_email(item)
            user, traits = user_id(item.message), bytes(item.message.traits)
            person = person_key(user)
            if isinstance(mapper.person(person, user, json_codec.loads(traits)), Refused):
                continue
            taken.add(key)
            if self._rules.stitch_anonymous and item.message.anonymous_id:
                self._store.add_read([], [(item.message.anonymous_id, person, item.time)])
            yield person, position, item.time, key, user, traits

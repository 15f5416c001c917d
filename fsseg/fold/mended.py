"""An event that repeats one that was refused is no repetition: a mended event has the messageId of its original."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fsseg.fold.fold_partition import FoldedPartition, PartitionFold
from fsseg.fold.partitions import Row
from fsseg.fold.repeats import Repeats
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.identity import person_key, user_id
from fsseg.mapping.intents import EntryIntent, Refused
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.rules import Rules
from fsseg.mapping.warning_counter import WarningCounter
from fsseg.segment import json_codec
from fsseg.segment.event import Event
from fsseg.state.plan_store import Store
from fsseg.state.source_events import reread


class Mended:
    """Takes the first usable event of each key whose events before it were refused."""

    def __init__(self, store: Store, catalog: Catalog, rules: Rules, repeats: Repeats) -> None:
        self._store = store
        self._catalog = catalog
        self._rules = rules
        self._repeats = repeats

    def fold(self, refused: set[int]) -> tuple[FoldedPartition, int] | None:
        """What the events amount to that repeat refused ones, read again from their files, and how many are taken."""
        wanted = self._repeats.of(refused)
        if not wanted:
            return None
        mapper = Mapper(self._catalog, self._rules, WarningCounter())
        rows = list(self._usable(mapper, wanted))
        return PartitionFold(self._catalog, mapper).fold([rows], []), len(rows)

    def entries(self, unknown: set[int]) -> Iterator[Row]:
        """The track and page calls that repeat those of which nobody knows whose they are, read again."""
        wanted = self._repeats.of(unknown)
        if not wanted:
            return
        mapper = Mapper(self._catalog, self._rules, WarningCounter())
        for position, item in reread(self._store, wanted, mapper.placeholder_ids):
            if isinstance(item, Event) and item.type in ("track", "page"):
                mapper.name_by_email(item)
                mapped = mapper.entry(item)
                if isinstance(mapped, EntryIntent):
                    traits = bytes(item.message.context.traits)
                    yield mapped.key, position, item.time, wanted[position], traits, mapped.payload

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

"""Reading, mapping and folding in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from fsseg.fold.batch import Batcher
from fsseg.fold.collect import Collector
from fsseg.fold.engines import Note, Tick, silent
from fsseg.fold.fold_partition import FoldedPartition, PartitionFold
from fsseg.fold.partitions import Blocks, PartitionedBuffer, together
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.rules import Rules
from fsseg.mapping.warning_counter import WarningCounter
from fsseg.segment.open import Input
from fsseg.segment.read import read_next


class LocalEngine:
    """One process. With a `limit` it reads up to and with the event that is the `limit`th to pass the filters.

    `directory` is where what is too much for memory may be put for a while.
    """

    def __init__(self, directory: Path, catalog: Catalog, rules: Rules, limit: int | None = None) -> None:
        mapper = Mapper(catalog, rules, WarningCounter())
        self._batcher = Batcher(mapper, stitch=rules.stitch_anonymous)
        self._partition_fold = PartitionFold(catalog, mapper)
        self._limit = limit
        self._people, self._entries = PartitionedBuffer.nameless(directory), PartitionedBuffer.nameless(directory)

    def close(self) -> None:
        read_next([])
        self._people.close()
        self._entries.close()

    def read(self, inputs: Sequence[Input], collector: Collector, tick: Tick, note: Note = silent) -> None:
        """See `FoldEngine`."""
        left = self._limit
        read_next(inputs)
        for input in inputs:
            reader, before = self._batcher.reader(input), collector.counts.read
            for batch in self._batcher.batches(reader, left):
                collector.take(batch)
                self._people.add(batch.people)
                self._entries.add(batch.entries)
                left = None if left is None else left - len(batch.passed)
                tick(batch.read)
            read = collector.counts.read - before
            collector.end(input, reader.container, read, self._batcher.fault, reader.jumps)
            if left == 0:
                return

    def fold(self, size: int, note: Note = silent) -> Iterator[FoldedPartition]:
        """See `FoldEngine`."""
        for hashes in together(size):
            yield self._partition_fold.fold(self.people(hashes), self._entries.blocks(hashes))

    def people(self, hashes: range) -> Blocks:
        """The rows of people with these hashes."""
        return Blocks(partial(self._people.blocks, hashes))

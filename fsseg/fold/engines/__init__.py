"""Fold engines: where reading, mapping and folding take place. All of them give the same result, to the last row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from fsseg.fold.collect import Collector
from fsseg.fold.fold_partition import FoldedPartition
from fsseg.segment.open import Input

Tick = Callable[[int], None]
"""Told how many more events were read; what it raises ends the reading."""

Note = Callable[[str], None]
"""Told a few words on how far the work is, beside the counts."""


def silent(text: str) -> None:
    """Tells nobody."""


class FoldEngine(Protocol):
    """Reads all inputs, then folds what they say, partition by partition."""

    def read(self, inputs: Sequence[Input], collector: Collector, tick: Tick, note: Note = silent) -> None:
        """Read and map every event.

        Every batch goes through `collector.take` in the order of the inputs, and `collector.end` is called once for
        each input. The rows at the positions that `take` returns, which repeat earlier events, are left out of `fold`.
        Raises `Halted` where a process that reads along is ended from outside, and what `tick` raises. `note` is for
        what works in parts.
        """

    def fold(self, size: int, note: Note = silent) -> Iterator[FoldedPartition]:
        """What was read, folded, in an order that depends on the input alone: `size` is the collector's."""

    def close(self) -> None:
        """Give back processes, memory and temporary files."""

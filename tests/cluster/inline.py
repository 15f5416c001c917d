"""A cluster without workers, for laws: what it is asked for is done at once and here, and shuffled in any order."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from fsseg.fold.engines import Tick


class Done:
    """A future of the past."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.key = id(self)

    def release(self) -> None:
        """Nobody asks for it again."""
        del self.value


class InlineCluster:
    """Stands in for `fsseg.cluster.Cluster`."""

    address = "local:1"

    def __init__(self, seed: int, threads: int) -> None:
        self.threads = threads
        self.closed = False
        self._chance = random.Random(seed)

    def close(self) -> None:
        """It is not asked for anything any more."""
        self.closed = True

    def submit(self, work: Callable[..., Any], *values: Any) -> Done:
        return Done(work(*map(_value, values)))

    def map(self, work: Callable[..., Any], tasks: Sequence[Any], *values: Any) -> list[Done]:
        return [self.submit(work, task, *values) for task in tasks]

    def shuffled(self, made: Iterable[tuple[Any, int]], like: Any, column: str, divisions: list[int]) -> list[Any]:
        whole = pd.concat([like, *(one.value[at] for one, at in made)])
        whole = whole.sample(frac=1, random_state=self._chance.randrange(1 << 32)).set_index(column)
        places = np.searchsorted(divisions, whole.index.to_numpy(), side="right") - 1
        found = dict(iter(whole.groupby(places)))
        return [found.get(place, whole[:0]) for place in range(len(divisions) - 1)]

    def made(self, work: Callable[..., Any], parts: Sequence[Any], *values: Sequence[Any]) -> list[Done]:
        return [self.submit(work, *each) for each in zip(parts, *values, strict=True)]

    def completed(self, futures: Sequence[Done], tick: Tick) -> Iterator[Done]:
        yield from self._chance.sample(futures, len(futures))

    def value(self, future: Done, name: str, tick: Tick, tries: int = 1) -> Any:
        return future.value

    def release(self, futures: Sequence[Done]) -> None:
        """Everything is done already."""


def _value(given: Any) -> Any:
    return given.value if isinstance(given, Done) else given

"""Reading in this process, or in several: over files, and over byte ranges of big plain ones.

What the processes have read is put together in the order of the files and their lines. So the result is the same
however many they are: which of two equal events is the first, for one, none of them needs to know.
"""

from __future__ import annotations

import gc
import marshal
import os
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import NamedTuple

from fsseg.fold.batch import Batch, Batcher, moved
from fsseg.fold.collect import Gatherer
from fsseg.freshsales.errors import Halted
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.rules import Rules
from fsseg.segment.open import Input, UnreadableInput
from fsseg.segment.read import split

PART = 32 << 20
"""Bytes of a big file that are read at a time; there are two parts a process, so that none has to wait."""

Tick = Callable[[int], None]


def gather(gatherer: Gatherer, inputs: Sequence[Input], batcher: Batcher, limit: int | None, tick: Tick) -> None:
    """Read all inputs here, up to and with the event that is the `limit`th to pass the filters.

    `tick` is told how many more events were read; what it raises ends the reading.
    """
    left = limit
    for input in inputs:
        reader, before = batcher.reader(input), gatherer.counts.read
        for batch in batcher.batches(reader, left):
            gatherer.take(batch)
            left = None if left is None else left - len(batch.passed)
            tick(batch.read)
        gatherer.end(input, reader.container, gatherer.counts.read - before, batcher.fault)
        if left == 0:
            return


class Part(NamedTuple):
    """What one process has read: container, events, lines, why it could not be read to its end, and its batches.

    These are in a file of that name, each of so many bytes.
    """

    container: str
    events: int
    lines: int
    fault: str
    path: str
    sizes: list[int]


def gather_apart(
    gatherer: Gatherer, inputs: Sequence[Input], catalog: Catalog, rules: Rules, jobs: int, tick: Tick
) -> None:
    """Read all inputs in `jobs` processes, with the result that `gather` has without a limit.

    Raises `Halted` where one of them was ended from outside.
    """
    with _pool(gatherer.folder, catalog, rules, jobs) as pool:
        tasks = ((input, pool.submit(_read_part, part)) for input in inputs for part in _parts(input))
        under_way: deque[tuple[Input, Future[Part]]] = deque(islice(tasks, 2 * jobs))
        container, events, lines, fault = "", 0, 0, ""
        while under_way:
            input, future = under_way.popleft()
            part = future.result()
            under_way.extend(islice(tasks, 1))
            for batch in _batches(part):
                gatherer.take(moved(batch, events, lines) if events or lines else batch)
                tick(batch.read)
            container, fault = container or part.container, fault or part.fault
            events, lines = events + part.events, lines + part.lines
            if not under_way or under_way[0][0] is not input:
                gatherer.end(input, container, events, fault)
                container, events, lines, fault = "", 0, 0, ""


@contextmanager
def _pool(folder: Path, catalog: Catalog, rules: Rules, jobs: int) -> Iterator[ProcessPoolExecutor]:
    with tempfile.TemporaryDirectory(dir=folder) as shared:
        pool = ProcessPoolExecutor(
            jobs, get_context("spawn"), initializer=_begin, initargs=(catalog.to_json(), rules, shared)
        )
        try:
            yield pool
        except BrokenProcessPool:
            raise Halted("a process that read along was ended from outside, perhaps for want of memory") from None
        finally:
            pool.shutdown(cancel_futures=True)


def _parts(input: Input) -> list[Input]:
    """The input, or byte ranges of it; all have its number."""
    try:
        parts = split(input.path, os.stat(input.path).st_size // PART + 1, input.number)
    except (OSError, UnreadableInput):
        return [input]  # the one who reads it will say why it can't be
    return [replace(part, number=input.number) for part in parts]


def _batches(part: Part) -> Iterator[Batch]:
    with open(part.path, "rb") as file:
        os.unlink(part.path)
        for size in part.sizes:
            yield Batch._make(marshal.loads(file.read(size)))  # noqa: S302  # what we wrote ourselves


_batcher: Batcher
_shared: str
"""What a process of the pool is given when it begins."""


def _begin(catalog: bytes, rules: Rules, shared: str) -> None:
    global _batcher, _shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interruption is for the first process to handle
    threading.Thread(target=_end_with_parent, daemon=True).start()
    gc.disable()
    _batcher, _shared = Batcher(Catalog.from_json(catalog), rules), shared


def _end_with_parent() -> None:
    """A process that was killed can't tell its pool to end."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _read_part(part: Input) -> Part:
    reader = _batcher.reader(part)
    descriptor, path = tempfile.mkstemp(dir=_shared)
    with open(descriptor, "wb") as file:
        sizes = [file.write(marshal.dumps(tuple(batch))) for batch in _batcher.batches(reader)]
    return Part(reader.container, reader.events, reader.lines, _batcher.fault, path, sizes)

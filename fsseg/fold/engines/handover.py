"""How batches and folded partitions go from process to process: as MessagePack."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from mmap import ACCESS_READ, mmap
from typing import IO, TypeVar

from msgspec.msgpack import Decoder, Encoder

from fsseg.fold.batch import Batch
from fsseg.fold.fold_partition import FoldedPartition

T = TypeVar("T")

pack = Encoder().encode
"""The bytes of a batch or a folded partition, or of lists of them."""

to_batch = Decoder(Batch).decode
to_batches = Decoder(list[list[Batch]]).decode
to_folded = Decoder(FoldedPartition).decode
to_partitions = Decoder(list[FoldedPartition]).decode

_SIZE = 8
"""Bytes that say how long the value is that follows."""


def keep(file: IO[bytes], value: Batch | FoldedPartition) -> None:
    """Write a value into a file, for `kept`."""
    content = pack(value)
    file.write(len(content).to_bytes(_SIZE))
    file.write(content)


def kept(path: str, decode: Callable[[memoryview], T]) -> Iterator[T]:
    """The values that were written into a file, which goes."""
    with open(path, "rb") as file:
        os.unlink(path)
        if not os.fstat(file.fileno()).st_size:
            return
        # Mapped, as memory for so large values costs more than what is read into it.
        with mmap(file.fileno(), 0, access=ACCESS_READ) as mapped, memoryview(mapped) as content:
            at = 0
            while at < len(content):
                begin = at + _SIZE
                at = begin + int.from_bytes(content[at:begin])
                yield decode(content[begin:at])

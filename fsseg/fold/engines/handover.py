"""How batches and folded partitions go from process to process: as MessagePack."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
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


def kept(path: str, decode: Callable[[bytes], T]) -> Iterator[T]:
    """The values that were written into a file, which goes."""
    with open(path, "rb") as file:
        os.unlink(path)
        while size := int.from_bytes(file.read(_SIZE)):
            yield decode(file.read(size))

"""Blocks of bytes as a file: read once from the beginning on, or put on disk to be read from anywhere."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from typing import IO

_MOST_SPOOLED = 4 << 30
"""Bytes that may go to disk for a while."""


class BlockFile:
    """Reads blocks as if they were a file."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes; fewer only at the end. Raises what the blocks raise."""
        parts, left = [self._rest], size - len(self._rest)
        while left > 0 or size < 0:
            block = next(self._blocks, b"")
            if not block:
                break
            parts.append(block)
            left -= len(block)
        content = b"".join(parts)
        self._rest = b"" if size < 0 else content[size:]
        return content if size < 0 else content[:size]


def spooled(blocks: Iterator[bytes], too_large: Exception) -> IO[bytes]:
    """A file on disk with this content, which goes when it is closed. Raises `too_large` beyond 4 GiB."""
    spool = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
    size = 0
    for block in blocks:
        size += len(block)
        if size > _MOST_SPOOLED:
            spool.close()
            raise too_large
        spool.write(block)
    spool.seek(0)
    return spool

"""Writing a file for its owner's eyes only (mode 0600), never half."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

BUFFER = 1 << 18
"""Bytes gathered before they are written."""


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Write to a sibling of `path` that takes its place at the end; on an exception `path` stays as it was."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb", buffering=BUFFER, opener=private) as file:
            os.fchmod(file.fileno(), 0o600)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """`text` as UTF-8; what UTF-8 cannot hold is written as an escape."""
    write_texts(path, [text])


def write_texts(path: Path, texts: Iterable[str]) -> None:
    """Several texts, one after the other, as `write_text` writes one."""
    with replacing(path) as file:
        file.writelines(text.encode("utf-8", "backslashreplace") for text in texts)


def private(path: str, flags: int) -> int:
    """Open a file with mode 0600; an `opener` for `open`."""
    return os.open(path, flags, 0o600)

"""The files of a run, for the owner's eyes only (mode 0600) and never half written."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from fsseg.segment.json_codec import dumps
from fsseg.state.private_file import BUFFER, private, replacing


def write_summary(path: Path, summary: Mapping[str, Any]) -> None:
    """Write summary.json, indented for readers."""
    with replacing(path) as file:
        file.write(orjson.dumps(dict(summary), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


class JsonLines:
    """Adds JSON lines to a file: `with JsonLines(path) as lines: lines.write({...})`.

    A last line that an earlier, killed process left half written is cut off first. `fresh` empties the file.
    """

    def __init__(self, path: Path, *, fresh: bool = False) -> None:
        self.path = path
        self.written = 0
        """Lines written by this object."""
        self._file = open(path, "wb" if fresh else "ab", buffering=BUFFER, opener=private)  # noqa: SIM115 (kept open)
        os.fchmod(self._file.fileno(), 0o600)
        if not fresh:
            self._file.truncate(_whole_lines(path))

    def write(self, row: Mapping[str, Any]) -> None:
        """Add a line, which reaches the disk by `flush` or `close` at the latest."""
        self._file.write(dumps(row, orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS))
        self.written += 1

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> JsonLines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON lines file without a half-written last line, one at a time; none if there is no file.

    Raises `orjson.JSONDecodeError` on a damaged line elsewhere.
    """
    if not path.exists():
        return
    with open(path, "rb", buffering=BUFFER) as file:
        for line in file:
            if line.endswith(b"\n") and not line.isspace():
                yield orjson.loads(line)


def _whole_lines(path: Path) -> int:
    """Bytes up to and including the last line feed."""
    with open(path, "rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(end - BUFFER, 0)
            file.seek(start)
            line_feed = file.read(end - start).rfind(b"\n")
            if line_feed >= 0:
                return start + line_feed + 1
            end = start
    return 0

"""The files of a run, for the owner's eyes only (mode 0600) and never half written."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from fsseg.segment.json_codec import dumps, loads
from fsseg.state.private_file import BUFFER, private, replacing


def write_summary(path: Path, summary: Mapping[str, Any]) -> None:
    """Write summary.json, indented for readers."""
    with replacing(path) as file:
        file.write(orjson.dumps(dict(summary), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


class JsonLines:
    """Writes a file of JSON lines anew: `with JsonLines(path) as lines: lines.write({...})`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = 0
        """Lines written by this object."""
        self._file = open(path, "wb", buffering=BUFFER, opener=private)  # noqa: SIM115 (kept open)
        os.fchmod(self._file.fileno(), 0o600)

    def write(self, row: Mapping[str, Any]) -> None:
        """Add a line, which reaches the disk by `close` at the latest."""
        self._file.write(dumps(row, orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS))
        self.written += 1

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> JsonLines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class JsonLinesFile:
    """The objects of a JSON lines file, one at a time, without a half-written last line; none if there is no file.

    People mend failures.jsonl where it stands: a line that is no object any more is passed over.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __iter__(self) -> Iterator[dict[str, Any]]:
        if not self.path.exists():
            return
        with open(self.path, "rb", buffering=BUFFER) as file:
            for line in file:
                if line.endswith(b"\n") and (found := _object(line)) is not None:
                    yield found

    def blocks(self, most: int) -> Iterator[bytes]:
        """The whole lines of its first `most` bytes, many at a time, as they stand there."""
        if not self.path.exists():
            return
        begun = b""
        with open(self.path, "rb", buffering=0) as file:
            while most > 0 and (piece := file.read(min(BUFFER, most))):
                most -= len(piece)
                lines, end, rest = piece.rpartition(b"\n")
                if end:
                    yield begun + lines + end
                    begun = rest
                else:
                    begun += piece


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = loads(line)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def read_lines(path: Path) -> JsonLinesFile:
    """The objects of a JSON lines file; see `JsonLinesFile`."""
    return JsonLinesFile(path)


def email_of(failure: dict[str, Any]) -> Any:
    """The e-mail an event carries: in its traits, its context's traits or its properties; None without one."""
    context = failure.get("context")
    places = (failure.get("traits"), context.get("traits") if isinstance(context, dict) else None)
    for place in (*places, failure.get("properties")):
        if isinstance(place, dict) and place.get("email"):
            return place["email"]
    return None

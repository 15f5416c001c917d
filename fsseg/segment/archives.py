"""Zip and tar archives, packed or not and one in another: each file in them is an input, named `archive.zip!path`."""

from __future__ import annotations

import atexit
import lzma
import os
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from itertools import chain
from typing import Any, NamedTuple

from fsseg.segment.block_file import BlockFile, spooled
from fsseg.segment.objects import RemoteFile, open_remote
from fsseg.segment.packing import CHUNK, LAYERS, packing_of, unpacked
from fsseg.segment.stores import is_remote

SEPARATOR = "!"
DEPTH = 4
"""Archives in archives that are looked into."""
_FIRST = 1 << 14
"""Bytes that are read of a file for a look at it; blocks of some packings take more."""
_LOOK = 512
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_NAMES = r"\.(?:zip|tar|tgz|tbz2?|txz|tar\.(?:gz|bz2|xz|zst))"
_ARCHIVE = re.compile(rf"{_NAMES}(?={SEPARATOR}){SEPARATOR}", re.IGNORECASE)
_ARCHIVE_NAME = re.compile(rf".+{_NAMES}", re.IGNORECASE)
_DAMAGED = "the archive is damaged"
_ENCRYPTED = "it is encrypted: unpack it first"
_UNKNOWN_METHOD = "it is packed in a way that isn't known here, such as Deflate64: unpack it first"
_MORE = f"{_DAMAGED}, or another one begins behind its end: what follows is not read, unpack it first"
_BEFORE = "another archive stands before it in the file, which is not read: part the two first"
_OFFICE = "[Content_Types].xml"
_FAULTS = (
    OSError, EOFError, RuntimeError, NotImplementedError, ValueError, zipfile.BadZipFile, zlib.error, lzma.LZMAError,
    tarfile.TarError,
)  # fmt: skip


class Member(NamedTuple):
    """A file in an archive, until the next is asked for; or what is wrong with it, or with the archive."""

    path: str
    file: BlockFile | None
    fault: str = ""


def _beginning(blocks: Iterator[bytes]) -> bytes:
    """Whole blocks, until there is enough to look at."""
    start = b""
    while len(start) < _LOOK and (block := next(blocks, b"")):
        start += block
    return start


def is_archive(path: str) -> bool:
    """Whether the file is an archive, however it is packed; an object is taken by its name. Raises OSError."""
    if is_remote(path):
        return _ARCHIVE_NAME.fullmatch(path) is not None
    with open(path, "rb", buffering=0) as file:
        return bool(_Peeked(file).kind)


def members(path: str) -> Iterator[Member]:
    """The files in an archive, in their order there."""
    with open_remote(path) if is_remote(path) else open(path, "rb") as file:
        yield from _within(file, path, 0)


def split_member(path: str) -> tuple[str, str]:
    """The file that holds what the path names, and what it names within that: nothing, where it is the file itself."""
    if is_remote(path):
        found = _ARCHIVE.search(path)
        return (path[: found.end() - 1], path[found.end() :]) if found else (path, "")
    at = path.find(SEPARATOR)
    while at >= 0 and not os.path.lexists(path):
        if os.path.isfile(path[:at]):
            return path[:at], path[at + 1 :]
        at = path.find(SEPARATOR, at + 1)
    return path, ""


class _Peeked:
    """How a file begins, once it is unpacked; nothing of it is lost by looking."""

    def __init__(self, file: Any) -> None:
        self.faults: list[str] = []
        self._taken: list[bytes] | None = []
        self._blocks = self._recorded(_blocks(file))
        content: Iterator[bytes] = self._blocks
        for layer in range(LAYERS + 1):
            start = _beginning(content)
            content, name = chain([start], content), packing_of(start)
            if not name or layer == LAYERS:
                break
            content = unpacked(name, content, self.faults.append)
        self.is_packed = layer > 0
        self.kind = "zip" if start.startswith(_ZIP) else "tar" if start[257:262] == b"ustar" else ""
        self.content = content
        """The blocks once they are unpacked; of this and `raw`, only one can be read."""

    def _recorded(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            if self._taken is not None:
                self._taken.append(block)
            yield block

    def raw(self) -> Iterator[bytes]:
        """The blocks as they are."""
        taken = self._begun()
        return chain(taken, self._blocks)

    def unpacked(self) -> Iterator[bytes]:
        """The blocks once they are unpacked."""
        self._begun()
        return self.content

    def _begun(self) -> list[bytes]:
        taken, self._taken = self._taken or [], None
        return taken


def _within(file: Any, path: str, depth: int) -> Iterator[Member]:
    peeked = _Peeked(file)
    if not peeked.kind or depth > DEPTH:
        yield Member(path, BlockFile(peeked.raw()))
        return
    is_plain = depth == 0 and not peeked.is_packed and not (peeked.kind == "tar" and isinstance(file, RemoteFile))
    try:
        if is_plain:
            file.seek(0)
        content = file if is_plain else BlockFile(peeked.unpacked())
        yield from _of_zip(content, path, depth) if peeked.kind == "zip" else _of_tar(content, path, depth, is_plain)
        if peeked.faults:
            yield Member(path, None, f"{_DAMAGED}: {peeked.faults[0]}")
    except _FAULTS as error:
        fault = (peeked.faults or [_why(error)])[0]
        yield Member(path, None, fault if fault.startswith(_DAMAGED) else f"{_DAMAGED}: {fault}")


def _of_zip(content: Any, path: str, depth: int) -> Iterator[Member]:
    with _seekable(content) as file, zipfile.ZipFile(file) as archive:
        names = archive.infolist()
        if any(info.filename == _OFFICE for info in names):
            yield Member(path, None, "an Office document: save its sheet as CSV")
            return
        if names and min(info.header_offset for info in names) > 0:
            yield Member(path, None, _BEFORE)
        for info in names:
            if info.is_dir():
                continue
            inner = f"{path}{SEPARATOR}{info.filename}"
            try:
                with archive.open(info) as member:
                    yield from _within(member, inner, depth + 1)
            except NotImplementedError:
                yield Member(inner, None, _UNKNOWN_METHOD)
            except _FAULTS as error:
                yield Member(inner, None, _ENCRYPTED if info.flag_bits & 1 else _why(error))


def _of_tar(content: Any, path: str, depth: int, is_plain: bool) -> Iterator[Member]:
    with tarfile.open(fileobj=content, mode="r:" if is_plain else "r|") as archive:
        for info in archive:
            if info.isfile() and (member := archive.extractfile(info)) is not None:
                with member:
                    yield from _within(member, f"{path}{SEPARATOR}{info.name}", depth + 1)
            archive.members = []  # type: ignore[attr-defined]  # all of them would be kept
        rest: Any = archive.fileobj
        if any(block.strip(b"\0") for block in iter(lambda: rest.read(CHUNK), b"")):
            raise tarfile.ReadError(_MORE)
        if 0 < rest.tell() - archive.offset < tarfile.BLOCKSIZE:
            raise tarfile.ReadError("it ends too early")


def _seekable(content: Any) -> AbstractContextManager[Any]:
    """The file itself, where it is one; a zip archive within another archive goes to disk for a while."""
    if isinstance(content, RemoteFile):
        return nullcontext(content)
    if not isinstance(content, BlockFile):
        return open(os.dup(content.fileno()), "rb")  # the caller closes it
    whole = iter(lambda: content.read(CHUNK), b"")
    return spooled(whole, ValueError("it is too large to be read within another archive: unpack it first"))


def _blocks(file: Any) -> Iterator[bytes]:
    size = _FIRST
    try:
        while block := file.read(size):
            yield block
            size = CHUNK
    except _FAULTS as error:
        raise OSError(None, f"{_DAMAGED}: {_why(error)}") from None


def _why(error: Exception) -> str:
    """An error in its own words."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


class _Place:
    """Where the reading of an archive has come to: who reads all its members in order reads the archive once."""

    def __init__(self, key: tuple[Any, ...], path: str) -> None:
        self.key = key
        self.passed: set[str] = set()
        self.rest = members(path)

    def find(self, path: str) -> Member | None:
        for member in self.rest:
            self.passed.add(member.path)
            if member.path == path:
                return member
        return None


_places: list[_Place] = []


def open_member(path: str) -> BlockFile:
    """A file in an archive, until another is opened. Raises OSError."""
    archive, _ = split_member(path)
    stat = None if is_remote(archive) else os.stat(archive)
    key = (archive, stat and (stat.st_size, stat.st_mtime_ns), os.getpid())
    if not _places or _places[0].key != key or path in _places[0].passed:
        close_archive()
        _places.append(_Place(key, archive))
    member = _places[0].find(path)
    if member is None:
        close_archive()
        raise FileNotFoundError(None, "it is not in the archive any more")
    if member.file is None:
        raise OSError(None, member.fault)
    return member.file


def close_archive() -> None:
    """Give the archive back that was read last."""
    with suppress(IndexError):
        place = _places.pop()
        if place.key[-1] == os.getpid():
            place.rest.close()  # type: ignore[attr-defined]  # it is a generator


atexit.register(close_archive)  # a generator that is closed later finds nothing any more

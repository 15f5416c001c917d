"""Objects in a store as files: streamed, never kept whole, and several begun ahead."""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from functools import partial
from itertools import pairwise
from typing import Any

from fsseg.segment.beside import beside, interruptible
from fsseg.segment.block_file import BlockFile
from fsseg.segment.packing import CHUNK
from fsseg.segment.stores import NO_LENGTH, failed, is_unpacked, note, parted, refuse_down, stamp, store_of, told

AHEAD = 4
"""Objects that are begun while one is read."""
FIRST = 1 << 20
"""Bytes of each that are fetched then."""
_ATTEMPTS = 5
_PAUSE = 0.2
"""Seconds before a broken transfer is taken up again; twice as many each further time."""
CHANGED = "it was changed while it was read: import it again"


class RemoteFile(io.RawIOBase):
    """An object, read from where it is wanted on; a broken transfer is taken up where it broke."""

    def __init__(self, path: str, begun: Future[Iterator[bytes]] | None = None) -> None:
        self._path = path
        self._begun = begun
        self._at = 0
        self._file: BlockFile | None = None

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        found = stamp(self._path) if whence == 2 else None
        at = offset + {0: 0, 1: self._at, 2: found.size if found else 0}[whence]
        if at != self._at:
            self._file, self._begun = None, None
        self._at = at
        return at

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes; fewer only at the end. Raises OSError."""
        if self._file is None:
            self._file = BlockFile(self._begun.result() if self._begun else blocks_from(self._path, self._at))
        content = self._file.read(size)
        self._at += len(content)
        return content


def blocks_from(path: str, at: int) -> Iterator[bytes]:
    """The bytes of an object from here on. Raises OSError, also where it is changed meanwhile."""
    import obstore

    store, root, key = parted(path)
    refuse_down(root)
    version, seen, attempt, size, has_ranges = "", None, 0, at + 1, True
    while at < size:
        options: Any = {"range": {"offset": at}} if at and has_ranges else {}
        if version and not version.startswith("W/"):  # a weak one matches nothing
            options["if_match"] = version
        try:
            answer = interruptible(partial(obstore.get, store, key, options=options))
            failed[root] = 0
            note(path, answer.meta)
            now = [answer.meta[name] for name in ("e_tag", "size", "last_modified")]
            if seen not in (None, now):
                raise OSError(None, CHANGED)
            seen, version, size = now, answer.meta["e_tag"] or "", answer.meta["size"]
            for chunk in _beyond(0 if has_ranges else at, _chunks(answer)):
                at, attempt = at + len(chunk), 0
                yield chunk
        except obstore.exceptions.NotSupportedError as error:
            if not has_ranges:
                raise told(error) from None
            has_ranges = False  # it is fetched from the beginning again
        except obstore.exceptions.PreconditionError:
            raise OSError(None, CHANGED) from None
        except FileNotFoundError:
            raise FileNotFoundError(
                None, "it isn't there, or not any more, or its name begins or ends with a slash"
            ) from None
        except OSError:
            raise
        except Exception as error:
            if is_unpacked(root, error) and store is not (as_stored := store_of(root, as_stored=True)):
                store = as_stored
                continue
            attempt += 1
            known = obstore.exceptions
            refusals = known.PermissionDeniedError | known.UnauthenticatedError | known.InvalidPathError
            is_final = isinstance(error, refusals) or NO_LENGTH in str(error)
            if is_final or attempt == _ATTEMPTS:
                if seen is None and not is_final:
                    failed[root] += 1
                raise told(error) from None
            time.sleep(_PAUSE * 2**attempt)


def _chunks(answer: Any) -> Iterator[Any]:
    stream = answer.stream(min_chunk_size=CHUNK)
    while chunk := interruptible(partial(next, stream, b"")):
        yield chunk


def _beyond(size: int, chunks: Iterable[Any]) -> Iterator[bytes]:
    """What comes after the first so many bytes."""
    for chunk in chunks:
        content = bytes(chunk)
        if rest := content[size:]:
            yield rest
        size = max(0, size - len(content))


class _ReadAhead:
    """Begins with the next objects while one is read; of each so much as most of them have."""

    def __init__(self, paths: list[str]) -> None:
        self._next = dict(pairwise(paths))
        self._under_way: dict[str, Future[Iterator[bytes]]] = {}

    def open(self, path: str) -> RemoteFile:
        begun = self._under_way.pop(path, None)
        following = path
        for _ in range(AHEAD):
            following = self._next.get(following, "")
            if not following:
                break
            if following not in self._under_way:
                self._under_way[following] = beside(partial(_begin, following))
        return RemoteFile(path, begun)


def _begin(path: str) -> Iterator[bytes]:
    """The blocks of an object, the first of which are here already."""
    blocks, held, size = blocks_from(path, 0), list[bytes](), 0
    while size < FIRST and (block := next(blocks, b"")):
        held.append(block)
        size += len(block)
    return _on(held, blocks)


def _on(held: list[bytes], blocks: Iterator[bytes]) -> Iterator[bytes]:
    yield from held
    yield from blocks


_ahead: list[_ReadAhead] = []


def read_ahead(paths: list[str]) -> None:
    """Say which objects are to be read, in this order; none ends the reading ahead."""
    _ahead.clear()
    if len(paths) > 1:
        _ahead.append(_ReadAhead(paths))


def open_remote(path: str) -> RemoteFile:
    """An object, begun before where it was known that it would be read. Raises OSError."""
    return _ahead[0].open(path) if _ahead else RemoteFile(path)

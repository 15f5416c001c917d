"""Objects in S3, Google Cloud Storage, Azure and behind https: listed by prefix, streamed, never kept whole.

`obstore` does the talking and takes the credentials as it documents them; it comes with the extra `cloud`.
"""

from __future__ import annotations

import io
import os
import re
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import unquote

from fsseg.segment.beside import beside, interruptible
from fsseg.segment.block_file import BlockFile
from fsseg.segment.folder_time import folder_day
from fsseg.segment.packing import CHUNK

SCHEMES = ("s3://", "gs://", "az://", "https://", "http://127.0.0.1", "http://localhost")
MISSING = "takes the extra cloud: pip install 'fsseg[cloud]', or fetch it first, as with aws s3 sync {} events/"
AHEAD = 4
"""Objects that are begun while one is read."""
FIRST = 1 << 20
"""Bytes of each that are fetched then."""
_ATTEMPTS = 5
_PAUSE = 0.2
"""Seconds before a broken transfer is taken up again; twice as many each further time."""
_PATIENCE = timedelta(seconds=30)
"""How long a store may send nothing, and go on failing, before a request is given up."""
_OF_THE_WEB = {"read_timeout": _PATIENCE, "timeout": timedelta(days=1)}
"""A transfer is else given up after half a minute: in vain where the server can't go on with it."""
CHANGED = "it was changed while it was read: import it again"
_MOST_FAILED = 3
"""Objects that a store may fail to give, one after another, before it is asked for no more of them."""
_DOWN = "not asked for, as its store answered for none of the objects before it: import again once it does"
_MAGIC = re.compile(r"[*?\[]")
_ODD_KEY = re.compile(r'invalid path: Path "(.+?)"')
_NO_LENGTH = "Content-Length Header missing"
_AS_STORED = {"Accept-Encoding": "gzip"}
_OWN_ROLE = re.compile(r"//(169\.254\.169\.254|metadata\.google\.internal)/")
NO_CREDENTIALS = "there are no credentials for it in the environment"


class Stamp(NamedTuple):
    """What tells whether a file or object was changed: its size, and when that was or which version it is.

    The version is empty where a web server tells none.
    """

    size: int
    version: int | str


class Window(NamedTuple):
    """The times that events are wanted of, as `Event.time` has them; None is no bound."""

    since: str | None = None
    until: str | None = None

    def has(self, day: str) -> bool:
        """Whether a folder of this day of receipt is wanted."""
        return (self.since or "")[:10] <= day[:10] and (self.until is None or day < self.until)


EVER = Window()

_endpoint: list[str] = []
_stamps: dict[str, Stamp] = {}
"""Objects as they were when they were listed or last read."""
modified: dict[str, int] = {}
"""When they were last changed, in microseconds since 1970."""
_failed: Counter[str] = Counter()
"""By root, how many objects a store has failed to give since it last answered."""


def is_remote(path: str) -> bool:
    """Whether a path is the address of an object, or the beginning of some."""
    return path.startswith(SCHEMES)


def use_endpoint(endpoint: str | None) -> None:
    """Let S3 be at this address from now on."""
    if endpoint and _endpoint != [endpoint]:
        _endpoint[:] = [endpoint]
        _store.cache_clear()


@lru_cache(maxsize=16)
def _store(root: str, *, as_stored: bool = False) -> Any:
    """The store that a root such as `s3://bucket` names. Raises OSError.

    Google's unpacks what it stores as gzip, and then tells neither size nor version, unless it is asked for all
    `as_stored`; lists and tokens would then be packed, too.
    """
    try:
        from obstore.store import from_url
    except ImportError:
        raise OSError(None, MISSING.format(root)) from None
    try:
        options, config = dict[str, Any](), None
        if root.startswith("s3://") and _endpoint:
            options = {"allow_http": _endpoint[0].startswith("http://")}
            config = {"endpoint": _endpoint[0], "virtual_hosted_style_request": False}
        elif root.startswith("http"):
            options = {"allow_http": root.startswith("http://"), **_OF_THE_WEB}
        elif as_stored:
            options = {"allow_http": bool(os.environ.get("GOOGLE_ALLOW_HTTP")), "default_headers": _AS_STORED}
        # Where nothing is given, the environment says whether plain http will do, as with AWS_ALLOW_HTTP.
        given: Any = {"config": config, "client_options": options or None}
        return from_url(root, **given, retry_config={"retry_timeout": _PATIENCE})
    except Exception as error:
        raise _told(error) from None


def _parted(path: str) -> tuple[Any, str, str]:
    """The store, its root and the key. Raises OSError."""
    scheme, _, rest = path.partition("://")
    bucket, _, key = rest.partition("/")
    if "?" in key and scheme in ("http", "https"):
        raise OSError(
            None, "what stands behind ? would be kept with the run: fetch the file and give it, or pipe it in"
        )
    root = f"{scheme}://{bucket}"
    return _store(root), root, unquote(key) if root.startswith("http") else key


def _told(error: Exception) -> OSError:
    """A store's error as one line."""
    if isinstance(error, FileNotFoundError):
        return FileNotFoundError(None, "there is no such object")
    text = str(error).split("\n", 1)[0]
    if found := _ODD_KEY.search(text):
        told = f"an object is called {found[1]}, and none with empty parts, or . or .. for one, can be listed"
        return OSError(None, f"{told}: rename it, or fetch them all first, as with aws s3 sync")
    if _NO_LENGTH in text:
        return OSError(None, "its server doesn't say how long it is: fetch it and give the file, or pipe it in")
    if _OWN_ROLE.search(text):  # asked last, where nothing else has been given
        return OSError(None, f"{NO_CREDENTIALS}, and this machine has no role of its own")
    if "Account must be specified" in text:
        return OSError(None, "AZURE_STORAGE_ACCOUNT_NAME, whose container it is, isn't set")
    code = re.search(r"<Code>(\w+)</Code>", str(error))
    return OSError(None, f"{code[1]}: {text}"[:300] if code else text[:300])


def listed(path: str, window: Window) -> Iterator[str]:
    """The objects that an address means: itself, all below it, or those that match its `*`, `?` and `[…]`.

    Folders of days outside the window are not listed. Raises OSError.
    """
    store, root, key = _parted(path)
    if root.startswith("http"):
        yield path
        return

    try:
        if found := _MAGIC.search(key):
            prefix = key[: key.rfind("/", 0, found.start()) + 1]
            pattern = f"{root}/{key}"  # or the name of an object, as it is printed
            yield from (one for one in _below(store, root, prefix, window) if one == pattern or _matches(one, pattern))
            return
        if key and not key.endswith("/"):
            with suppress(FileNotFoundError):
                yield _noted(root, _head(root, key))
                return
        yield from _below(store, root, key, window)
    except OSError as error:
        raise error if error.strerror else _told(error) from None
    except Exception as error:
        raise _told(error) from None


def _head(root: str, key: str) -> Any:
    """What is known of an object."""
    import obstore

    _refuse_down(root)
    try:
        found = interruptible(partial(obstore.head, _store(root), key))
    except obstore.exceptions.GenericError as error:
        if not _is_unpacked(root, error):
            _failed[root] += 1
            raise
        found = interruptible(partial(obstore.head, _store(root, as_stored=True), key))
    _failed[root] = 0
    return found


def _refuse_down(root: str) -> None:
    """Raise OSError where a store answers no more: each object would be waited for in vain, for minutes."""
    if _failed[root] >= _MOST_FAILED:
        raise OSError(None, _DOWN)


def _is_unpacked(root: str, error: Exception) -> bool:
    """Whether an answer lacked what Google's store leaves out where it unpacks."""
    return root.startswith("gs://") and "Header missing from response" in str(error)


def _matches(path: str, pattern: str) -> bool:
    """As in a shell, `*` doesn't go over a slash, but `**` does; by itself it is any number of folders."""
    patterns = pattern.split("/")
    if "**" in pattern and "**" not in patterns:
        return fnmatchcase(path, pattern)
    return _fits(path.split("/"), patterns)


def _fits(parts: list[str], patterns: list[str]) -> bool:
    if not parts or not patterns:
        return not parts and patterns in ([], ["**"])
    if patterns[0] == "**":
        return any(_fits(parts[at:], patterns[1:]) for at in range(len(parts) + 1))
    return fnmatchcase(parts[0], patterns[0]) and _fits(parts[1:], patterns[1:])


def _below(store: Any, root: str, prefix: str, window: Window) -> Iterator[str]:
    """All objects below a prefix, in the order of their keys; folder by folder only where days are to be left out."""
    import obstore

    if window == EVER or folder_day(f"/{prefix.strip('/')}/"):
        pages = obstore.list(store, prefix or None, chunk_size=1_000)
        found = [one for page in iter(lambda: interruptible(lambda: next(pages, None)), None) for one in page]
        found.sort(key=lambda one: one["path"])
        paths = [one["path"] for one in found]
        yield from (_noted(root, one) for one in found if not _is_folder(root, one, prefix, paths))
        return
    level = interruptible(lambda: obstore.list_with_delimiter(store, prefix or None))
    folders: list[tuple[str, Any]] = [(name, None) for name in level["common_prefixes"]]
    for name, one in sorted([*folders, *((one["path"], one) for one in level["objects"])], key=lambda pair: pair[0]):
        if one is not None:
            if not _is_folder(root, one, prefix, []):
                yield _noted(root, one)
        elif (day := folder_day(f"/{name}/")) is None or window.has(day):
            yield from _below(store, root, f"{name}/", window)


def _is_folder(root: str, meta: Any, prefix: str, paths: list[str]) -> bool:
    """Whether an object is what consoles make of a folder: empty, and with a slash at its end, which no list tells.

    So it is the beginning of others among these sorted paths, or not there by the name that the list has.
    """
    if meta["size"]:
        return False
    folder = f"{meta['path']}/"
    at = bisect_left(paths, folder)
    if folder == prefix or (at < len(paths) and paths[at].startswith(folder)):
        return True
    try:
        _head(root, meta["path"])
    except FileNotFoundError:
        return True
    return False


def _noted(root: str, meta: Any) -> str:
    """Keep what is known of an object; its address."""
    path = f"{root}/{meta['path']}"
    _note(path, meta)
    return path


def _note(path: str, meta: Any) -> None:
    changed = int(meta["last_modified"].timestamp() * 1_000_000)  # 0 where the server doesn't say when
    _stamps[path] = Stamp(meta["size"], meta["e_tag"] or (meta["last_modified"].isoformat() if changed else ""))
    modified[path] = changed


def stamp(path: str) -> Stamp | None:
    """The object as it was last seen, or as it is; None where it is gone."""
    if path not in _stamps:
        with suppress(Exception):
            _, root, key = _parted(path)
            _note(path, _head(root, key))
    return _stamps.get(path)


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

    store, root, key = _parted(path)
    _refuse_down(root)
    version, seen, attempt, size, has_ranges = "", None, 0, at + 1, True
    while at < size:
        options: Any = {"range": {"offset": at}} if at and has_ranges else {}
        if version and not version.startswith("W/"):  # a weak one matches nothing
            options["if_match"] = version
        try:
            answer = interruptible(partial(obstore.get, store, key, options=options))
            _failed[root] = 0
            _note(path, answer.meta)
            now = [answer.meta[name] for name in ("e_tag", "size", "last_modified")]
            if seen not in (None, now):
                raise OSError(None, CHANGED)
            seen, version, size = now, answer.meta["e_tag"] or "", answer.meta["size"]
            for chunk in _beyond(0 if has_ranges else at, _chunks(answer)):
                at, attempt = at + len(chunk), 0
                yield chunk
        except obstore.exceptions.NotSupportedError as error:
            if not has_ranges:
                raise _told(error) from None
            has_ranges = False  # it is fetched from the beginning again
        except obstore.exceptions.PreconditionError:
            raise OSError(None, CHANGED) from None
        except FileNotFoundError:
            raise FileNotFoundError(None, "it isn't there, or not any more") from None
        except OSError:
            raise
        except Exception as error:
            if _is_unpacked(root, error) and store is not (as_stored := _store(root, as_stored=True)):
                store = as_stored
                continue
            attempt += 1
            known = obstore.exceptions
            is_final = isinstance(
                error, known.PermissionDeniedError | known.UnauthenticatedError | known.InvalidPathError
            )
            if is_final or attempt == _ATTEMPTS or _NO_LENGTH in str(error):
                _failed[root] += seen is None and not is_final and _NO_LENGTH not in str(error)
                raise _told(error) from None
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

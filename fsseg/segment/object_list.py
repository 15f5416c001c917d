"""The objects that an address means: one, all below it, or those that a pattern matches."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from fsseg.segment.beside import interruptible
from fsseg.segment.folder_time import folder_day
from fsseg.segment.stores import head, noted, parted, told

_MAGIC = re.compile(r"[*?\[]")


class Window(NamedTuple):
    """The times that events are wanted of, as `Event.time` has them; None is no bound."""

    since: str | None = None
    until: str | None = None

    def has(self, day: str) -> bool:
        """Whether a folder of this day of receipt is wanted."""
        return (self.since or "")[:10] <= day[:10] and (self.until is None or day < self.until)


EVER = Window()


def listed(path: str, window: Window) -> Iterator[str]:
    """The objects that an address means: itself, all below it, or those that match its `*`, `?` and `[…]`.

    Folders of days outside the window are not listed. Raises OSError.
    """
    store, root, key = parted(path)
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
                yield from _at(store, root, key, window)
                return
        yield from _below(store, root, key, window)
    except OSError as error:
        raise error if error.strerror else told(error) from None
    except Exception as error:
        raise told(error) from None


def _at(store: Any, root: str, key: str, window: Window) -> list[str]:
    """The object of this key; where asking for it is refused, all below it, as rights may begin there."""
    import obstore

    try:
        return [noted(root, head(root, key))]
    except obstore.exceptions.PermissionDeniedError:
        with suppress(Exception):
            if below := [*_below(store, root, key, window)]:
                return below
        raise


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
        yield from (noted(root, one) for one in found if not _is_folder(root, one, prefix, paths))
        return
    level = interruptible(lambda: obstore.list_with_delimiter(store, prefix or None))
    folders: list[tuple[str, Any]] = [(name, None) for name in level["common_prefixes"]]
    for name, one in sorted([*folders, *((one["path"], one) for one in level["objects"])], key=lambda pair: pair[0]):
        if one is not None:
            if not _is_folder(root, one, prefix, []):
                yield noted(root, one)
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
        return bool(head(root, meta["path"])["size"])  # which is then another object, beside a folder of this name
    except FileNotFoundError:
        return True

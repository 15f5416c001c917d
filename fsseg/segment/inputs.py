"""From what is typed to the inputs that are meant: files, directories, patterns, archives and standard input."""

from __future__ import annotations

import glob
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from fsseg.segment.archives import SEPARATOR, is_archive, members, split_member
from fsseg.segment.object_list import EVER, Window, listed
from fsseg.segment.open import STDIN, Source, Unreadable, blocks_of, open_bytes
from fsseg.segment.stores import is_remote
from fsseg.segment.tables.kinds import holds_bare_tracks

BESIDE = (".toml", ".md")
"""Endings of what people keep beside their events."""
_MARKS = frozenset({"_SUCCESS", "dummy-object.txt", "__MACOSX", "_temporary"})
"""What Segment and those who copy files leave among them."""
_MARKED = ("_committed_", "_started_")
_NAMED_TRACKS = re.compile(r"(?<![a-z])tracks(?![a-z])", re.IGNORECASE)
_BEGINNING = 1 << 12
_FIXED = re.compile(r"[^*?\[]*/")
"""The folder that a pattern stands in."""
_ADDRESS = re.compile(r"[\w.+-]+://|(s3|gs|az|https?):", re.IGNORECASE)
"""What is meant as the address of objects, if only nearly."""
_LAKE = re.compile(r"/data/[^/]+/segment_type=")
_OF_A_LAKE = frozenset({"logs", "segment-stage", "segment-logs"})
"""Folders beside the `data` of a data lake that Segment keeps for itself."""


def passed_over(name: str) -> bool:
    """Whether a file or folder of this name is hidden, or plainly no export, where nobody has named it."""
    return name.startswith((".", *_MARKED)) or name.endswith(BESIDE) or name in _MARKS


def expand(paths: Sequence[str], window: Window = EVER) -> tuple[list[str], list[Unreadable]]:
    """The inputs that the paths name, each once, in the order given, and the paths that name nothing readable.

    A path is a file, an archive, a directory (all files below it, in order of their names, without those that are
    passed over), a pattern with `*`, `**`, `?` or `[…]`, a file in an archive, or `-`; or the address of objects, of
    which folders of days outside the window are left out.
    """
    found = _Found()
    for path in paths:
        if path == STDIN and sys.stdin is None:
            found.unreadable.append(Unreadable(STDIN, "standard input is closed"))
        elif is_remote(path):
            found.add_objects(path, window)
        elif path == STDIN:
            found.files.setdefault(STDIN, STDIN)
        elif _ADDRESS.match(path) and not os.path.lexists(path):
            told = "an address begins with s3://, gs://, az:// or https://, in small letters"
            found.unreadable.append(Unreadable(path, told))
        elif glob.has_magic(path) and not os.path.lexists(path) and not split_member(path)[1]:
            named = (match for match in _matches(path) if not passed_over(os.path.basename(match)))
            matches = sorted(filter(_is_no_pipe, named))
            if not matches:
                found.unreadable.append(Unreadable(path, "no file matches"))
            for match in matches:
                found.add(match)
        else:
            found.add(path)
    return sorted(found.files.values(), key=_is_bare_tracks), found.unreadable


def _is_no_pipe(path: str) -> bool:
    """Whether it is no pipe, socket or device: one that lies about is no export, and may never end."""
    return not os.path.exists(path) or os.path.isfile(path) or os.path.isdir(path)


def _is_bare_tracks(path: str) -> bool:
    """Whether it is a table of track calls without properties: an event's own table says more, so it goes first."""
    is_named = _NAMED_TRACKS.search("/".join(path.split("/")[-2:])) is not None
    if is_remote(path):
        return is_named  # to look into it would take a request
    if not is_named and not _begins_with_columns_of_tracks(path):
        return False
    with suppress(OSError), open_bytes(path) as file:
        return holds_bare_tracks(Source(blocks_of(file)))
    return False


def _begins_with_columns_of_tracks(path: str) -> bool:
    """Whether a plain file is worth a closer look, whatever it is called; all files of a run are looked at so."""
    with suppress(OSError):
        if path != STDIN and os.path.isfile(path):
            with open(path, "rb", buffering=0) as file:
                return b"event_text" in file.read(_BEGINNING).lower()
    return False


def can_be_told(path: str) -> bool:
    """Whether the path is UTF-8, as what we write is."""
    return path.isprintable() or shown(path) == path


def shown(path: str) -> str:
    """The path, with a sign for what is not UTF-8 in it."""
    return os.fsencode(path).decode("utf-8", "replace")


def _beside_lakes(paths: Iterable[str]) -> tuple[str, ...]:
    """Where data lakes among these paths have the folders that Segment keeps for itself."""
    lakes = {path[: found.start() + 1] for path in paths if (found := _LAKE.search(path))}
    return tuple(f"{lake}{name}/" for lake in lakes for name in _OF_A_LAKE)


class _Found:
    """What was found so far."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.unreadable: list[Unreadable] = []
        self._visited: set[str] = set()

    def add(self, path: str) -> None:
        """Add what one path names."""
        if not can_be_told(path):
            self.unreadable.append(Unreadable(shown(path), "its name is not UTF-8: rename it"))
            return
        archive, member = split_member(path)
        real = os.path.realpath(archive)
        try:
            mode = os.stat(archive).st_mode
            if stat.S_ISDIR(mode):
                if real not in self._visited:  # links may lead in circles
                    self._visited.add(real)
                    self._add_all(path)
                return
            if stat.S_ISREG(mode) and is_archive(archive):
                self._add_members(archive, real, path if member else "")
                return
        except OSError as error:
            self.unreadable.append(Unreadable(path, error.strerror or str(error)))
            return
        self.files.setdefault(real, path)

    def add_objects(self, address: str, window: Window) -> None:
        """Add what an address names, or what is below it."""
        count, (holder, member) = 0, split_member(address)
        try:
            objects = [holder] if member else [*listed(address, window)]
            named = address if not glob.has_magic(address) else _FIXED.match(address)[0]  # type: ignore[index]  # of any
            reserved = _beside_lakes(objects)
            seen = set[str]()
            for path in objects:
                if path in seen:
                    told = "two objects are listed by this name: one begins or ends with a slash, and is left out"
                    self.unreadable.append(Unreadable(path, told))
                    continue
                seen.add(path)
                if not member and any(map(passed_over, path.removeprefix(named).split("/"))):
                    continue
                if path.startswith(reserved):
                    continue
                count += 1
                if is_archive(path):
                    self._add_members(path, path, address if member else "")
                else:
                    self.files.setdefault(path, path)
        except OSError as error:
            self.unreadable.append(Unreadable(address, error.strerror or str(error)))
        else:
            if not count and window == EVER:
                self.unreadable.append(Unreadable(address, "there is no object"))

    def _add_all(self, directory: str) -> None:
        names = sorted(os.listdir(directory))
        if "data" in names and glob.glob(os.path.join(glob.escape(directory), "data", "*", "segment_type=*")):
            names = [name for name in names if name not in _OF_A_LAKE]
        for name in names:
            path = os.path.join(directory, name)
            if passed_over(name):
                continue
            if _is_no_pipe(path):
                self.add(path)

    def _add_members(self, archive: str, real: str, wanted: str) -> None:
        count, seen = 0, set[str]()
        found = [(member.path, member.fault) for member in members(archive)]
        reserved = _beside_lakes(path.replace(SEPARATOR, "/") for path, _ in found)
        for path, fault in found:
            inner = path.removeprefix(archive)
            folders = [name for name in inner.replace(SEPARATOR, "/").split("/") if name not in (".", "..")]
            if wanted and path != wanted and not path.startswith(f"{wanted}{SEPARATOR}"):
                continue
            if not wanted and (any(map(passed_over, folders)) or path.replace(SEPARATOR, "/").startswith(reserved)):
                continue
            count += 1
            if fault:
                self.unreadable.append(Unreadable(path, fault))
            elif not path.isprintable():
                self.unreadable.append(Unreadable(ascii(path)[1:-1], "its name has control characters"))
            elif path in seen:
                self.unreadable.append(Unreadable(path, "the archive has another file of this name: unpack it"))
            else:
                seen.add(path)
                self.files.setdefault(real + inner, path)
        if wanted and not count:
            self.unreadable.append(Unreadable(wanted, "the archive has no such file"))


def _matches(pattern: str) -> set[str]:
    """The paths that a pattern names; `**` is any number of folders, each once, whatever links lead to it."""
    parts = pattern.split("/")
    if "**" not in parts:
        return set(glob.glob(pattern))
    at = parts.index("**")
    before, after = "/".join(parts[:at]) or "/" * (at > 0), "/".join(parts[at + 1 :]) or "*"
    starts = glob.glob(before) if before else [""]
    return {
        found
        for start in starts
        for folder in _folders(start)
        for found in _matches(os.path.join(glob.escape(folder), after))
    }


def _folders(start: str) -> Iterator[str]:
    """A folder and all below it, without hidden ones; those that links lead to a second time are left out."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        folder = waiting.pop()
        real = os.path.realpath(folder or ".")
        if real in seen:
            continue
        seen.add(real)
        yield folder
        with suppress(OSError):
            names = sorted(os.listdir(folder or "."), reverse=True)
            paths = [os.path.join(folder, name) for name in names if not name.startswith(".")]
            waiting += filter(os.path.isdir, paths)

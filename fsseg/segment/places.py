"""Where an input is: a file here, an object in a store, or a member of an archive in one of these."""

from __future__ import annotations

import os

from fsseg.segment import stores
from fsseg.segment.archives import split_member
from fsseg.segment.stores import Stamp, is_remote


def absolute(path: str) -> str:
    """The path from the root on; addresses are that already."""
    return path if is_remote(path) else os.path.abspath(path)


def stamp(path: str) -> Stamp | None:
    """What an input is like now, an object as it was last seen; None where it is gone."""
    holder, _ = split_member(path)
    if is_remote(holder):
        return stores.stamp(holder)
    try:
        stat = os.stat(holder)
    except OSError:
        return None
    return Stamp(stat.st_size, stat.st_mtime_ns)


def exists(path: str) -> bool:
    """Whether it is still there, as far as can be told without asking a store."""
    holder, _ = split_member(path)
    return is_remote(holder) or os.path.exists(holder)


def changed_at(path: str) -> int | None:
    """When it was last changed, in microseconds since 1970."""
    holder, _ = split_member(path)
    if is_remote(holder):
        return stores.modified.get(holder)
    found = stamp(path)
    return int(found.version) // 1_000 if found else None

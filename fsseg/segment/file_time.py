"""When events without a time of their own happened, as nearly as their file tells it."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime

from fsseg.segment.archives import split_member
from fsseg.segment.times import EARLIEST, FoundTime, canonical

_DAY_MS = 86_400_000
_FOLDERS = re.compile(
    r"/(?:[a-z_]+=)?(?P<year>\d{4})(?:-|/(?:month=)?)(?P<month>\d\d)(?:-|/(?:day=)?)(?P<day>\d\d)"
    r"(?:/(?:(?:hr|hour|h)=)?(?P<hour>[01]\d|2[0-3]))?/|/(?P<epoch>1\d{12})/",
    re.ASCII | re.IGNORECASE,
)
"""Segment's archives have a folder for each day of receipt: its midnight in milliseconds, or its date."""


def now() -> FoundTime:
    """The time of reading."""
    return FoundTime(str(canonical(datetime.now(UTC).isoformat())), "now")


def file_time(path: str, latest: str) -> FoundTime:
    """The time that the folders of an archive tell, else when the file was last changed, else now."""
    absolute = os.path.abspath(path)
    holder, member = split_member(absolute)
    for found in reversed([*_FOLDERS.finditer(f"{os.path.dirname(f'{holder}/{member}' if member else holder)}/")]):
        time = _of_folder(found)
        if time is not None and EARLIEST <= time <= latest:
            return FoundTime(time, "folder")
    try:
        changed = canonical(os.stat(holder).st_mtime_ns // 1_000)
    except OSError:
        changed = None
    if changed is not None and EARLIEST <= changed <= latest:
        return FoundTime(changed, "file")
    return now()


def _of_folder(found: re.Match[str]) -> str | None:
    if epoch := found["epoch"]:
        return canonical(int(epoch)) if int(epoch) % _DAY_MS == 0 else None
    return canonical(f"{found['year']}-{found['month']}-{found['day']}T{found['hour'] or '00'}:00:00Z")

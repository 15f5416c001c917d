"""The day, or hour, of receipt that a folder of an archive is called after."""

from __future__ import annotations

import re

from fsseg.segment.times import canonical

_DAY_MS = 86_400_000
_FOLDERS = re.compile(
    r"/(?:[a-z_]+=)?(?P<year>\d{4})(?:-|/(?:month=)?)(?P<month>\d\d)(?:-|/(?:day=)?)(?P<day>\d\d)"
    r"(?:/(?:(?:hr|hour|h)=)?(?P<hour>[01]\d|2[0-3]))?/|/(?P<epoch>1\d{12})/",
    re.ASCII | re.IGNORECASE,
)
"""Segment's archives have a folder for each day of receipt: its midnight in milliseconds, or its date."""


def folder_day(path: str) -> str | None:
    """The time that the last folder of a path tells, as `Event.time` has it; None where it tells none."""
    return next(iter(folder_times(path)), None)


def folder_times(path: str) -> list[str]:
    """The times that the folders of a path tell, the last first."""
    return [time for found in reversed([*_FOLDERS.finditer(path)]) if (time := _of_folder(found))]


def _of_folder(found: re.Match[str]) -> str | None:
    if epoch := found["epoch"]:
        return canonical(int(epoch)) if int(epoch) % _DAY_MS == 0 else None
    return canonical(f"{found['year']}-{found['month']}-{found['day']}T{found['hour'] or '00'}:00:00Z")

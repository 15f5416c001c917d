"""When events without a time of their own happened, as nearly as their file tells it."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from fsseg.segment.archives import split_member
from fsseg.segment.folder_time import folder_times
from fsseg.segment.places import absolute, changed_at
from fsseg.segment.times import EARLIEST, FoundTime, canonical


def now() -> FoundTime:
    """The time of reading."""
    return FoundTime(str(canonical(datetime.now(UTC).isoformat())), "now")


def file_time(path: str, latest: str) -> FoundTime:
    """The time that the folders of an archive tell, else when the file was last changed, else now."""
    holder, member = split_member(absolute(path))
    for time in folder_times(f"{os.path.dirname(f'{holder}/{member}' if member else holder)}/"):
        if EARLIEST <= time <= latest:
            return FoundTime(time, "folder")
    changed = canonical(changed_at(path))
    if changed is not None and EARLIEST <= changed <= latest:
        return FoundTime(changed, "file")
    return now()

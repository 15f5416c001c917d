"""What happens to records that are there already: what of a change is made, and what is held back. Pure.

`update` makes all of it, `newer` what events later than the record's last change say, `fill` what fills empty fields,
`keep` none. Records that are made anew are none of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from fsseg.fold.event_fields import real_time
from fsseg.mapping.catalog import PARTS
from fsseg.mapping.equality import is_empty
from fsseg.match.remote_record import EARLIEST, WHOLE, Existing, silent, updated
from fsseg.plan.diff import Fields
from fsseg.segment.times import microseconds
from fsseg.state.actions import Mode


class Held(NamedTuple):
    """The fields and links that are changed all the same, and the names of those that were held back."""

    fields: Fields
    links: Fields
    kept: list[str]


def hold_back(mode: Mode, fields: Fields, links: Fields, times: Mapping[str, int], existing: Existing) -> Held:
    """What of a change of an existing record is made; `times` are the event times of its fields."""
    if mode is Mode.UPDATE:
        return Held(fields, links, [])
    since = _changed_at(existing)
    latest = max((real_time(time) for time in times.values()), default=0)
    kept = [
        name
        for name, (before, _) in fields.items()
        if _is_kept(mode, before, real_time(times.get(name, 0)), since)
        or (mode is Mode.FILL and _is_unknown(existing, name))
    ]
    kept += [name for name in _of_other_parts(fields, kept) if name not in kept]
    held_links = [name for name in links if _is_kept(mode, links[name][0], latest, since)]
    return Held(
        {name: change for name, change in fields.items() if name not in kept},
        {name: change for name, change in links.items() if name not in held_links},
        [*kept, *held_links],
    )


def _is_kept(mode: Mode, before: object, time: int, since: int | None) -> bool:
    match mode:
        case Mode.NEWER:
            return since is None or time <= since
        case Mode.FILL:
            return not is_empty(before)
    return True


def _is_unknown(existing: Existing, name: str) -> bool:
    """Whether it can't be told if the field is empty, which is no reason to fill it."""
    return silent(existing, name) and not (name.startswith("cf_") and WHOLE in existing)


def _of_other_parts(fields: Fields, kept: list[str]) -> Iterator[str]:
    """The other fields of a lead's company or deal whose name is held back: they would be those of another one."""
    for part in PARTS:
        if f"{part}.name" in kept:
            yield from (name for name in fields if name.startswith(f"{part}."))


def _changed_at(existing: Existing) -> int | None:
    """When the record was last changed, in microseconds; None where nothing tells."""
    at = updated(existing)
    return None if at == EARLIEST else microseconds(_utc(at))


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat()

"""The latest by event time wins, also across runs: what is older than what was delivered is left out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from fsseg.mapping.catalog import PARTS
from fsseg.mapping.intents import UNITED
from fsseg.mapping.names import fold_name
from fsseg.match.remote_record import Existing


class Newest(NamedTuple):
    """What is left to be wanted, with the event time of each field, and the fields that are older.

    The time of a field that is cleared, since it was another company's or deal's, is 0: nobody said anything of it.
    """

    desired: dict[str, Any]
    times: dict[str, int]
    older: list[str]


def newest(
    desired: Mapping[str, Any], times: Mapping[str, int], delivered: Mapping[str, int], existing: Existing
) -> Newest:
    """Leave out what is older than what was `delivered` (times by field) to the record that is `existing`.

    What is only added to a field that others fill, too, is never older, as long as the field holds anything.
    Another company, or deal, of a lead is older or newer as a whole. A newer one clears what was delivered of the one
    before it and isn't told of the new one.
    """
    left, until = dict(desired), dict(times)
    older = [name for name, time in times.items() if time < delivered.get(name, time)]
    for name in UNITED:
        if name in older and desired[name] and existing.get(name):
            older.remove(name)
            until[name] = delivered[name]
    for part in PARTS:  # of two companies the fields are not mixed
        name = f"{part}.name"
        if name not in desired or name not in delivered or _same_name(existing.get(name), desired[name]):
            continue
        fields = [field for field in {**desired, **delivered} if field.startswith(f"{part}.")]
        if name in older:
            older += [field for field in fields if field in desired and field not in older]
            continue
        for field in fields:
            if field not in desired and existing.get(field) is not None:
                left[field], until[field] = None, 0
            elif field in older:
                older.remove(field)
    for field in older:
        del left[field], until[field]
    return Newest(left, until, older)


def _same_name(held: Any, wanted: Any) -> bool:
    return fold_name(held) == fold_name(wanted)

"""Lists that are added to and never replaced. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fsseg.mapping.intents import UNITED
from fsseg.match.remote_record import Existing


def united(desired: Mapping[str, Any], existing: Existing) -> dict[str, Any]:
    """What is desired, with what the record holds in its lists already."""
    added = dict(desired)
    for name in UNITED:
        has, wanted = existing.get(name), desired.get(name)
        if isinstance(has, list) and isinstance(wanted, list):
            known = {str(one).casefold() for one in has}
            added[name] = has + [one for one in wanted if str(one).casefold() not in known]
    return added

"""From what the events say of a person to what one record should hold, once it is known to be a lead or a contact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from fsseg.fold.merge import PERSON, Part, State
from fsseg.fold.people import COMPANY
from fsseg.segment.times import microseconds
from fsseg.state.wanted_keys import CONTACT_FLAG

T = TypeVar("T")

DEAL = "deal:"
LEAD_STAGE = "Lead"


class Shaped(NamedTuple):
    """What is wanted of a person: its own fields, and the keys of the parts that become records of their own."""

    desired: dict[str, Any]
    times: dict[str, int]
    """The event time of each wanted field, in microseconds."""
    companies: list[str]
    """Part names of the contact's accounts, the first one told of first; empty for a lead, which holds its own."""
    deals: list[str]


def wants_contact(state: State) -> bool:
    """Whether the latest word on it asks for a contact rather than a lead."""
    return PERSON in state and state[PERSON].cells().get(CONTACT_FLAG) is True


def shape(entity: str, state: State) -> Shaped:
    """The wanted fields of a person who is `entity` (lead or contact)."""
    desired = fields_for(entity, state[PERSON]) if PERSON in state else {}
    times = times_for(entity, state[PERSON]) if PERSON in state else {}
    companies = sorted((name for name in state if name.startswith(COMPANY)), key=lambda name: state[name].first)
    deals = sorted((name for name in state if name.startswith(DEAL)), key=lambda name: state[name].first)
    if entity == "contact":
        return Shaped(desired, times, companies, deals)
    for part, names in (("company", companies), ("deal", deals)):
        if names:
            latest = max(names, key=lambda name: state[name].last)
            desired.update({f"{part}.{name}": value for name, value in fields_for(entity, state[latest]).items()})
            times.update({f"{part}.{name}": time for name, time in times_for(entity, state[latest]).items()})
    return Shaped(desired, times, [], [])


def latest_company(state: State) -> str | None:
    """The part name of the company told of last: that of the person's deals that came without one."""
    names = [name for name in state if name.startswith(COMPANY)]
    return max(names, key=lambda name: state[name].last) if names else None


def fields_for(entity: str, part: Part) -> dict[str, Any]:
    """The cells of `part` that are meant for `entity`, by plain field name."""
    return _meant_for(entity, part.cells())


def times_for(entity: str, part: Part) -> dict[str, int]:
    """The event times of the same, in microseconds."""
    return {name: microseconds(time) for name, time in _meant_for(entity, part.times()).items()}


def _meant_for(entity: str, cells: Mapping[str, T]) -> dict[str, T]:
    meant: dict[str, T] = {}
    for name, value in cells.items():
        if name.startswith("$"):
            continue
        owner, mark, field = name.partition(":")
        if not mark:
            meant[name] = value
        elif owner == entity:
            meant[field] = value
    return meant

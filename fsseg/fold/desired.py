"""From what the events say of a person to what one record should hold, once it is known to be a lead or a contact."""

from __future__ import annotations

from typing import Any, NamedTuple

from fsseg.fold.merge import PERSON, Part, State
from fsseg.fold.people import COMPANY
from fsseg.segment.times import microseconds
from fsseg.state.wanted_keys import CONTACT_FLAG

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
    desired, times = fields_for(entity, state[PERSON]) if PERSON in state else ({}, {})
    companies = sorted((name for name in state if name.startswith(COMPANY)), key=lambda name: state[name].first)
    deals = sorted((name for name in state if name.startswith(DEAL)), key=lambda name: state[name].first)
    if entity == "contact":
        return Shaped(desired, times, companies, deals)
    for part, names in (("company", companies), ("deal", deals)):
        if names:
            latest = max(names, key=lambda name: state[name].last)
            fields, since = fields_for(entity, state[latest])
            desired.update({f"{part}.{name}": value for name, value in fields.items()})
            times.update({f"{part}.{name}": time for name, time in since.items()})
    return Shaped(desired, times, [], [])


def latest_company(state: State) -> str | None:
    """The part name of the company told of last: that of the person's deals that came without one."""
    names = [name for name in state if name.startswith(COMPANY)]
    return max(names, key=lambda name: state[name].last) if names else None


def fields_for(entity: str, part: Part) -> tuple[dict[str, Any], dict[str, int]]:
    """The cells of `part` that are meant for `entity`, by plain field name, and their event times in microseconds."""
    fields: dict[str, Any] = {}
    times: dict[str, int] = {}
    for time, _, cells in part.layers:
        at = microseconds(time)
        for name, value in cells.items():
            if name.startswith("$"):
                continue
            if ":" in name:
                owner, _, name = name.partition(":")
                if owner != entity:
                    continue
            fields[name], times[name] = value, at
    return fields, times

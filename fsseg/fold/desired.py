"""From what the events say of a person to what one record should hold, for a lead or for a contact. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

from fsseg.fold.event_fields import EventFieldValues
from fsseg.fold.merge import PERSON, Part, State, merged
from fsseg.mapping.intents import ANY_MISFIT, BY_ID, EVENTS, MISFIT, MISFIT_OF, OF_COMPANY, ONE_OF, UNSAID
from fsseg.mapping.names import fold_name
from fsseg.mapping.storable import storable
from fsseg.mapping.targets import CONTACT
from fsseg.segment.times import microseconds

COMPANY = "company:"
DEAL = "deal:"


Misfit = dict[str, Any]
"""A value that didn't fit: code, trait, value, hint, and the position of its event, the last one of each trait.

`of_record` is true of what wasn't counted as its event was mapped: of what events add up to, which names the field,
since no event is to blame for it alone, and of what another kind of record would take.
"""


class DesiredDeal(NamedTuple):
    """What is wanted of a contact's deal; `company` is the folded name of the company that it belongs to."""

    name: str
    match_key: str
    company: str | None
    desired: dict[str, Any]
    times: dict[str, int]
    sources: list[tuple[int, int]]
    misfits: list[Misfit]


class DesiredPerson(NamedTuple):
    """What is wanted of a person: its own fields with the event time of each in microseconds, and what hangs on it.

    `sources` are position and key of the events that say something of the record. `companies` are the folded names of
    a contact's accounts, the first one told of first; none for a lead, which holds its own, and its deal.
    """

    desired: dict[str, Any]
    times: dict[str, int]
    sources: list[tuple[int, int]]
    companies: list[str]
    deals: list[DesiredDeal]
    misfits: list[Misfit]


def asks_contact(state: State) -> bool:
    """Whether the latest word on it asks for a contact rather than a lead."""
    return PERSON in state and state[PERSON].cell(CONTACT) is True


def desired_person(entity: str, state: State) -> DesiredPerson:
    """What is wanted of a person who is `entity` (lead or contact)."""
    misfits: list[Misfit] = []
    desired, times = fields_for(entity, state[PERSON], misfits) if PERSON in state else ({}, {})
    if len(state) == 1 and PERSON in state:
        return DesiredPerson(desired, times, state[PERSON].sources, [], [], misfits)
    if EVENTS in state:
        _add_event_fields(entity, state[EVENTS], desired, times, misfits)
    companies, latest_company = _named_parts(COMPANY, state)
    state = _with_deals_known(state)
    deals, latest_deal = _named_parts(DEAL, state)
    if entity == "contact":
        sources = _all_sources({name: state[name] for name in (PERSON, EVENTS) if name in state})
        told = [_desired_deal(name, state[name], latest_company) for name in deals]
        return DesiredPerson(desired, times, sources, [name.removeprefix(COMPANY) for name in companies], told, misfits)
    for prefix, latest in (("company", latest_company), ("deal", latest_deal)):
        if latest is not None:
            fields, since = fields_for(entity, state[latest], misfits)
            desired.update({f"{prefix}.{name}": value for name, value in fields.items()})
            times.update({f"{prefix}.{name}": time for name, time in since.items()})
    return DesiredPerson(desired, times, _all_sources(state), [], [], misfits)


def _add_event_fields(
    entity: str, part: Part, desired: dict[str, Any], times: dict[str, int], misfits: list[Misfit]
) -> None:
    """What track and page calls set; of what identify calls say, too, the later counts, but sums are theirs alone."""
    told = EventFieldValues(entity, part)
    misfits += [misfit for one in told.misfits if (misfit := _misfit(entity, *one))]
    misfits += [misfit | {"of_record": True} for one in told.beyond if (misfit := _misfit(entity, *one))]
    for name, value in told.fields.items():
        if name in told.added_up or name not in desired or times[name] <= told.times[name]:
            desired[name], times[name] = value, told.times[name]


def _with_deals_known(state: State) -> State:
    """What was told of a deal by its name alone is of the deal of that name which has an id, the one told of last."""
    by_id = [name for name in state if name.startswith(f"{DEAL}{BY_ID}")]
    if not by_id:
        return state
    of_name = {fold_name(state[name].cell("name")): name for name in sorted(by_id, key=lambda name: state[name].last)}
    known = dict(state)
    for name in state:
        other = of_name.get(name.removeprefix(DEAL)) if name.startswith(DEAL) else None
        if other is not None:
            known[other] = merged(other, known[other], known.pop(name))
    return known


def _named_parts(prefix: str, state: State) -> tuple[list[str], str | None]:
    """The companies, or deals, that the person has, the first one told of first; and the one told of last."""
    names = [name for name in state if name.startswith(prefix)]
    if len(names) < 2:
        return names, names[0] if names else None
    names.sort(key=lambda name: state[name].first)
    return names, max(names, key=lambda name: state[name].last)


def _all_sources(state: State) -> list[tuple[int, int]]:
    told = [part.sources for part in state.values()]
    if told and all(sources == told[0] for sources in told):  # as where each call tells of the company, too
        return told[0]
    return sorted({source for part in state.values() for source in part.sources})


def _desired_deal(part_name: str, part: Part, latest_company: str | None) -> DesiredDeal:
    """What is wanted of a deal; one that came without a company belongs to the one told of last."""
    misfits: list[Misfit] = []
    desired, times = fields_for("contact", part, misfits)
    company = part.cell(OF_COMPANY) or latest_company
    match_key = part_name.removeprefix(DEAL)
    named = company.removeprefix(COMPANY) if company else None
    return DesiredDeal(desired.get("name") or "", match_key, named, desired, times, part.sources, misfits)


def fields_for(entity: str, part: Part, misfits: list[Misfit]) -> tuple[dict[str, Any], dict[str, int]]:
    """The cells of `part` that are meant for `entity`, by plain field name, and their event times in microseconds.

    Values that didn't fit are added to `misfits`.
    """
    fields: dict[str, Any] = {}
    times: dict[str, int] = {}
    for time, position, cells in part.layers:
        at = microseconds(time)
        for name, value in cells.items():
            if name.startswith("$"):
                if name.startswith(ONE_OF):
                    _unite(entity, name, value, at, fields, times)
                elif name.startswith(ANY_MISFIT) and (misfit := _misfit(entity, name, value, position)):
                    misfits.append(misfit)
                continue
            if ":" in name:
                owner, _, name = name.partition(":")
                if owner != entity:
                    continue
            if value == UNSAID:
                fields.pop(name, None)
                times.pop(name, None)
            else:
                fields[name], times[name] = storable(value), at
    return fields, times


def _unite(entity: str, cell: str, one: Any, at: int, fields: dict[str, Any], times: dict[str, int]) -> None:
    """Add one to what a field holds that is only added to."""
    owner, _, name = cell.removeprefix(ONE_OF).partition(" ")[0].rpartition(":")
    if owner in ("", entity):
        fields[name], times[name] = [*(fields.get(name) or ()), storable(one)], at


def _misfit(entity: str, cell: str, told: Any, position: int) -> Misfit | None:
    """The value that a cell tells of, if it is one that `entity` doesn't take."""
    own = MISFIT_OF.format(entity)
    prefix = next((prefix for prefix in (MISFIT, own) if cell.startswith(prefix)), None)
    if prefix is None:
        return None
    name, (value, hint) = cell.removeprefix(prefix), told
    misfit = {"code": "bad_value", "name": name, "value": value, "hint": hint, "position": position}
    return misfit | {"of_record": True} if prefix == own else misfit

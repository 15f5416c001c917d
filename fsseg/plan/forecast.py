"""How many requests a push will take, and how long that is at the account's limit."""

from __future__ import annotations

import math

from msgspec import Struct

from fsseg.freshsales.quota import HOUR
from fsseg.freshsales.sizes import DEALS_TRIED, MIN_BULK, PAGE_SIZE
from fsseg.freshsales.views import pages
from fsseg.state.actions import Action
from fsseg.state.plan_counts import NO_UPDATES, count_planned, count_updates
from fsseg.state.plan_store import Store
from fsseg.state.run_meta import Forecast

POLLS = 1.5
"""Requests spent on asking after one bulk job, on average: jobs take about as long as the one before."""

LOST_DEAL = 2
"""Requests on finding a deal that has lost its contact, beside the one that ties it."""

LOOKED_AT = 4
"""Requests on reading which names are taken, and what has become of the deals made in bulk, beside their pages."""

VIEWS = 1
"""Requests on asking for the view of all records, before it is read."""

FRESH_S = 60.0
"""Seconds for which what the plan has read of a record is taken for what it holds."""

CONVERSION = 2
"""Requests on a lead that becomes a contact, beside the one that updates the contact."""


class Habits(Struct, frozen=True):
    """What is known of how the account takes writes."""

    loses_contacts: bool = False
    """Of deals that are made in bulk."""
    bulk_replaces: bool = False
    """Custom fields; so updates of them go one by one."""
    writes_whole: bool = True
    """All custom fields go along with those that change, read anew where the plan has read them long ago."""
    lacks_bulk: bool = False
    """There was none when it was last tried, which each import does again."""


def forecast(
    store: Store, spent: int, per_hour: int | None, left: int | None, habits: Habits, per_request: float = 0.3
) -> Forecast:
    """What is planned, in requests and seconds. `left` of the quota of `per_hour`; `per_request` in seconds."""
    to_come, read_anew, is_most = 0, 0, False
    planned, updates = count_planned(store), count_updates(store)
    for entity in dict.fromkeys(entity for entity, _ in planned):
        told = updates.get(entity, NO_UPDATES)
        made, changed = (planned.pop((entity, action), 0) for action in (Action.CREATE, Action.UPDATE))
        alone = told.converted + told.tied + (told.custom if habits.bulk_replaces else 0)
        to_come += CONVERSION * told.converted + told.converted_with
        if entity == "deal":
            alone += made
            if made >= MIN_BULK and not habits.loses_contacts:  # bulk takes fewer, or loses contacts and takes more
                is_most = True
                to_come += 1 + math.ceil(POLLS) + LOOKED_AT + pages(made) + LOST_DEAL * min(made, DEALS_TRIED)
        in_bulk = made + changed - alone
        if entity in ("lead", "timeline") or in_bulk < MIN_BULK:
            to_come, in_bulk = to_come + made + changed, 0
        elif habits.lacks_bulk:
            to_come, in_bulk, is_most = to_come + 1 + made + changed, 0, True
        else:
            to_come += alone + _jobs(made, changed, in_bulk, looks=bool(told.custom) and not habits.bulk_replaces)
        one_by_one = alone - told.converted if in_bulk else changed
        to_come += min(told.relinked, one_by_one)
        read_anew += min(told.read, one_by_one)
    to_come += sum(planned.values())
    seconds = _seconds(to_come, per_hour, left, per_request)
    if habits.writes_whole and read_anew and seconds > FRESH_S:
        to_come, is_most = to_come + read_anew, True
        seconds = _seconds(to_come, per_hour, left, per_request)
    return Forecast(spent + to_come, seconds, is_most)


def _jobs(made: int, changed: int, in_bulk: int, *, looks: bool) -> int:
    """Requests on bulk jobs, each of which has what may go together of a hundred records, and on reading back.

    `looks`: whether a job may harm custom fields.
    """
    jobs = math.ceil((made + changed) / PAGE_SIZE)
    # What was made is read for its ids, of what was changed a page.
    return jobs + math.ceil(jobs * POLLS) + VIEWS + looks + (pages(in_bulk) if made else 1)


def _seconds(to_come: int, per_hour: int | None, left: int | None, per_request: float) -> float:
    if not per_hour:
        return to_come * per_request
    beyond = max(0, to_come - (per_hour if left is None else left))
    return max(to_come * per_request, math.ceil(beyond / per_hour) * HOUR if beyond else 0.0)

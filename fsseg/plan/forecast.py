"""How many requests a push will take, and how long that is at the account's limit."""

from __future__ import annotations

import math

from fsseg.freshsales.sizes import DEALS_TRIED, MIN_BULK, PAGE_SIZE
from fsseg.freshsales.views import pages
from fsseg.state.actions import Action
from fsseg.state.plan_counts import count_planned
from fsseg.state.plan_store import Store
from fsseg.state.run_meta import Forecast

POLLS = 1.5
"""Requests spent on asking after one bulk job, on average: jobs take about as long as the one before."""

LOST_DEAL = 2
"""Requests on finding a deal that has lost its contact, beside the one that ties it."""

LOOKED_AT = 4
"""Requests on reading which names are taken, and what has become of the deals made in bulk, beside their pages."""

HOUR = 3600.0


def forecast(
    store: Store, spent: int, per_hour: int | None, left: int | None, per_request: float = 0.3, *, deals_singly: bool
) -> Forecast:
    """What is planned, in requests and seconds. `left` of the quota of `per_hour`; `per_request` in seconds.

    `deals_singly`: this account is known to lose the contacts of deals made in bulk.
    """
    to_come, is_most = 0, False
    for (entity, action), count in count_planned(store).items():
        single = 0
        if (entity, action) == ("deal", Action.CREATE):
            single = count
            if count >= MIN_BULK and not deals_singly:  # bulk takes fewer, or loses contacts and takes more
                is_most = True
                to_come += 1 + math.ceil(POLLS) + LOOKED_AT + pages(count) + LOST_DEAL * min(count, DEALS_TRIED)
        if action != Action.DELETE and entity in ("account", "contact", "deal") and count - single >= MIN_BULK:
            batches = math.ceil((count - single) / PAGE_SIZE)
            # What was made is read for its ids, or what there is for its names; of what was changed, a page.
            to_come += single + batches + math.ceil(batches * POLLS) + (pages(count) if action == Action.CREATE else 1)
        else:
            to_come += count
    if not per_hour:
        return Forecast(spent + to_come, to_come * per_request, is_most)
    beyond = max(0, to_come - (per_hour if left is None else left))
    seconds = max(to_come * per_request, math.ceil(beyond / per_hour) * HOUR if beyond else 0.0)
    return Forecast(spent + to_come, seconds, is_most)

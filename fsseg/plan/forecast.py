"""How many requests a push will take, and how long that is at the account's limit."""

from __future__ import annotations

import math

from fsseg.freshsales.sizes import MIN_BULK, PAGE_SIZE
from fsseg.freshsales.views import pages
from fsseg.state.actions import Action
from fsseg.state.plan_counts import count_planned
from fsseg.state.plan_store import Store
from fsseg.state.run_meta import Forecast

POLLS = 1.5
"""Requests spent on asking after one bulk job, on average: jobs take about as long as the one before."""

HOUR = 3600.0


def forecast(store: Store, spent: int, per_hour: int | None, left: int | None, per_request: float = 0.3) -> Forecast:
    """What is planned, in requests and seconds. `left` of the quota of `per_hour`; `per_request` in seconds."""
    to_come = 0
    for (entity, action), count in count_planned(store).items():
        # Whether bulk keeps the contacts of deals is seen only once a few were made.
        single = count if (entity, action) == ("deal", Action.CREATE) else 0
        if action != Action.DELETE and entity in ("account", "contact", "deal") and count - single >= MIN_BULK:
            batches = math.ceil((count - single) / PAGE_SIZE)
            # What was made is read for its ids, or what there is for its names; of what was changed, a page.
            to_come += single + batches + math.ceil(batches * POLLS) + (pages(count) if action == Action.CREATE else 1)
        else:
            to_come += count
    if not per_hour:
        return Forecast(spent + to_come, to_come * per_request)
    beyond = max(0, to_come - (per_hour if left is None else left))
    return Forecast(spent + to_come, max(to_come * per_request, math.ceil(beyond / per_hour) * HOUR if beyond else 0.0))

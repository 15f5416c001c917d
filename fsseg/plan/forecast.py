"""How many requests a push will take, and how long that is at the account's limit."""

from __future__ import annotations

import math
from typing import NamedTuple

from fsseg.freshsales.sizes import MIN_BULK, PAGE_SIZE
from fsseg.freshsales.views import pages
from fsseg.state.plan_store import Store

POLLS = 1.5
"""Requests spent on asking after one bulk job, on average: jobs take about as long as the one before."""

HOUR = 3600.0


class Forecast(NamedTuple):
    """Requests of the whole run, those spent included; seconds still to go, waits for the quota included."""

    requests: int
    seconds: float


def forecast(store: Store, spent: int, per_hour: int | None, left: int | None, per_request: float = 0.3) -> Forecast:
    """What is planned, in requests and seconds. `left` of the quota of `per_hour`; `per_request` in seconds."""
    counts = {
        (entity, action): count
        for entity, action, count in store.db.execute(
            "SELECT entity, action, count(*) FROM record WHERE status = 'planned' AND action IS NOT NULL"
            " GROUP BY 1, 2 UNION ALL SELECT 'timeline', action, count(*) FROM entry"
            " WHERE status = 'planned' AND head IS NULL GROUP BY 1, 2"
        )
    }
    # Of deals of one name, none can be made in bulk.
    (alone,) = store.db.execute(
        "SELECT coalesce(sum(namesakes), 0) FROM (SELECT count(*) AS namesakes FROM record WHERE entity = 'deal'"
        " AND status = 'planned' AND action = 'create' GROUP BY match_key HAVING namesakes > 1)"
    ).fetchone()
    to_come = 0
    for (entity, action), count in counts.items():
        single = alone if (entity, action) == ("deal", "create") else 0
        if action != "delete" and entity in ("account", "contact", "deal") and count - single >= MIN_BULK:
            batches = math.ceil((count - single) / PAGE_SIZE)
            # What was made is read for its ids, or what there is for its names.
            to_come += single + batches + math.ceil(batches * POLLS) + (pages(count) if action == "create" else 0)
        else:
            to_come += count
    if not per_hour:
        return Forecast(spent + to_come, to_come * per_request)
    beyond = max(0, to_come - (per_hour if left is None else left))
    return Forecast(spent + to_come, max(to_come * per_request, math.ceil(beyond / per_hour) * HOUR if beyond else 0.0))

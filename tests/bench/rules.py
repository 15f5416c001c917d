"""What a mapping of the user's costs, against planning the same events by none.

Times are processor time of this one process. The machine has other users, so that only the rounds' medians of what one
way took beside another, right after it, say something.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from fsseg.mapping.rules import Rules
from tests.bench.generate import lines
from tests.bench.stages import planned
from tests.bench.table import table

PERSON: Mapping[str, Any] = {
    "title": {"field": "job_title", "trim": True, "case": "title"},
    "cfPlan": {"field": "cf_plan_name", "values": {"pro": "Pro plan", "business": "Business plan"}},
    "region": {"field": "cf_sales_region", "from": ["region", "cfRegion"], "case": "upper"},
    "greeting": {"field": "cf_greeting", "template": "{firstName} {lastName}"},
    "source": {"field": "cf_source", "value": "Segment"},
    "paying": {"field": "cf_paying", "value": True, "when": {"trait": "cfPlan", "is_not": "Free"}},
    "phone": {"field": "mobile_number", "replace": {" ": ""}},
    "seats": {"field": "cf_seats", "from": ["seats", "company.employee_count"], "number": True},
    "signedUp": {"field": "cf_signed_up", "date": "%d/%m/%Y"},
    **{f"trait{number}": f"cf_trait_{number}" for number in range(41)},
}
RECORDS: Mapping[str, Mapping[str, Any]] = {
    "person": PERSON,
    "account": {"website": {"field": "website", "case": "lower"}, "tier": "cf_tier", "country": "country"},
    "deal": {"value": "amount", "stage": "deal_stage_id"},
}
EVENTS: Mapping[str, Any] = {
    "Trial Started": {"fields": {"cf_trial_started": {"take": "first"}, "cf_trial_seats": "seats"}},
    "Order Completed": {
        "title": "Order",
        "fields": {"cf_revenue": {"take": "sum", "of": "revenue"}, "cf_orders": {"take": "count"}},
    },
}
MAPPINGS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "no mapping": {},
    "60 rules of all kinds": {**RECORDS, "event": EVENTS},
    "those of traits alone": RECORDS,
    "those of events alone, which an eighth of all events set fields by": {"event": EVENTS},
}


def rules(events: int, people: int, rounds: int) -> str:
    """The table of mappings: the speed of planning, and how much of it each of them costs."""
    took: dict[str, list[float]] = {name: [] for name in MAPPINGS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "events.jsonl"
        path.write_bytes(b"".join(lines(1, events, people, max(1, people // 10))))
        for _ in range(rounds):
            for what, mapping in MAPPINGS.items():
                began = time.process_time()
                planned(path, folder, Rules(offline=True, mapping=mapping))
                took[what].append(time.process_time() - began)
    bare = next(iter(took.values()))
    rows = []
    for what, seconds in took.items():
        cost = median(1 - without / by for without, by in zip(bare, seconds, strict=True))
        rows.append((what, f"{events / median(seconds):,.0f}", f"{cost:.0%}"))
    return table(f"Planning {events:,} events of {people:,} people, by", ("", "lines/s", "costs"), rows)

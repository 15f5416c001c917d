"""When it will be done: speed, and the hours that a quota makes a run wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

WINDOW = 3600.0
"""Seconds a request quota lasts: Freshsales counts by the hour, as its rate limit reference says."""


class UnderWay(Protocol):
    """What the forecast needs to know of a stage."""

    total: int | None
    count: int
    started: float


class Quota(Struct):
    """Requests left, and what the stages under way have spent of them and waited for them so far."""

    left: int = 0
    limit: int = 0
    spent: int = 0
    window: float = WINDOW
    """Seconds that it lasts."""
    refilled: float = 0.0
    """Epoch second at which the current window was first seen."""
    waits: float = 0.0
    waits_until: float = 0.0

    def start_measuring(self) -> None:
        """Forget what earlier stages have cost, as the next ones have costs of their own."""
        self.spent, self.waits = 0, 0.0

    def learn(self, left: int, limit: int, now: float) -> None:
        """Note how many requests are left; more than before mean that a new window has begun."""
        if not self.limit or left > self.left:
            self.refilled = now
        else:
            self.spent += self.left - left
        self.left, self.limit = left, limit

    def waited(self, now: float, until: float) -> None:
        """Note a wait from `now` to `until`; waits of several workers at once count once."""
        self.waits += max(until - max(now, self.waits_until), 0.0)
        self.waits_until = max(self.waits_until, until)


def seconds_to_go(stages: Sequence[UnderWay], quota: Quota, now: float, requests: int = 0) -> float | None:
    """Seconds until the stages under way end, waits for the quota included; None while nothing can be said.

    Where `requests` says how many are still to be sent in these and all later stages, until those are.
    """
    known = [stage for stage in stages if stage.total]
    count = sum(stage.count for stage in known)
    remaining = sum(max((stage.total or 0) - stage.count, 0) for stage in known)
    if requests and quota.spent:
        count, remaining = quota.spent, requests
    if not count or not remaining or not known:
        return None
    waiting = max(quota.waits_until - now, 0.0)
    active = now - min(stage.started for stage in known) - (quota.waits - waiting)
    seconds_each, requests_each = max(active, 0.0) / count, quota.spent / count
    need = remaining * requests_each
    left = quota.limit if waiting else quota.left
    if not quota.limit or need <= left:
        return waiting + remaining * seconds_each
    further, last = divmod(need - left, quota.limit)
    to_refill = waiting + quota.window if waiting else max(quota.refilled + quota.window - now, 0.0)
    return to_refill + further * quota.window + last / requests_each * seconds_each

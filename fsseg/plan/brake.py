"""The safety brake: a run that would change much of what a CRM holds stops until somebody says that this is meant."""

from __future__ import annotations

from fsseg.state.plan_counts import MatchedCounts

SMALL = 100
"""Matched records up to which the brake keeps still."""
MOST_UPDATED = 0.5
MOST_CLEARED = 0.1


class BrakeRefused(Exception):
    """The run changes too large a share of the matched records (exit 6). Nothing was sent."""


def refusal(counts: MatchedCounts) -> str | None:
    """Why the brake refuses, in numbers and by each limit that is passed, or None."""
    matched = counts.matched
    if matched <= SMALL:
        return None
    passed = [
        f"{what} {count:,} of {matched:,} matched records ({count / matched:.0%}, the limit is {most:.0%})"
        for count, most, what in (
            (counts.updated, MOST_UPDATED, "update"),
            (counts.cleared, MOST_CLEARED, "clear fields of"),
        )
        if count > most * matched
    ]
    return f"this would {' and '.join(passed)}; --allow-mass-changes lifts the brake" if passed else None

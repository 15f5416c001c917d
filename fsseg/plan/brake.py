"""The safety brake: a run that would change much of what a CRM holds stops until somebody says that this is meant."""

from __future__ import annotations

from typing import NamedTuple

from fsseg.state.plan_store import Store

SMALL = 100
"""Matched records up to which the brake keeps still."""
MOST_UPDATED = 0.5
MOST_CLEARED = 0.1


class BrakeRefused(Exception):
    """The run changes too large a share of the matched records (exit 6). Nothing was sent."""


class Shares(NamedTuple):
    """How many records of the account were matched, and how many of them would be updated, or lose a value."""

    matched: int
    updated: int
    cleared: int

    @property
    def refusal(self) -> str | None:
        """Why the brake refuses, in numbers, or None."""
        if self.matched <= SMALL:
            return None
        for count, most, what in (
            (self.updated, MOST_UPDATED, "update"),
            (self.cleared, MOST_CLEARED, "clear fields of"),
        ):
            if count > most * self.matched:
                return (
                    f"this would {what} {count:,} of {self.matched:,} matched records ({count / self.matched:.0%}, "
                    f"the limit is {most:.0%}); --allow-mass-changes lifts the brake"
                )
        return None


def shares(store: Store) -> Shares:
    """Count the run's records as the brake sees them."""
    matched, updated, cleared = store.db.execute(
        "SELECT count(*), coalesce(sum(action = 'update'), 0), coalesce(sum(action = 'update' AND clears), 0)"
        " FROM (SELECT action, EXISTS (SELECT 1 FROM json_each(fields) f WHERE json_extract(f.value, '$[1]') IS NULL)"
        " AS clears FROM record WHERE existing IS NOT NULL AND action IN ('update', 'unchanged'))"
    ).fetchone()
    return Shares(matched, updated, cleared)

"""Which changes of a run are shown; alone in a module, since the command line needs it before anything else."""

from __future__ import annotations

from enum import StrEnum


class Show(StrEnum):
    """Which changes are printed."""

    ALL = "all"
    CREATES = "creates"
    UPDATES = "updates"
    CONFLICTS = "conflicts"

    @property
    def actions(self) -> frozenset[str]:
        """The actions of those changes."""
        return _ACTIONS[self]


_ACTIONS = {
    Show.ALL: frozenset({"create", "update", "delete", "conflict"}),
    Show.CREATES: frozenset({"create"}),
    Show.UPDATES: frozenset({"update"}),
    Show.CONFLICTS: frozenset({"conflict"}),
}

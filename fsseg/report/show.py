"""Which changes of a run are shown; alone in a module, since the command line needs it before anything else."""

from __future__ import annotations

from enum import StrEnum

from fsseg.state.actions import Action


class Show(StrEnum):
    """Which changes are printed."""

    ALL = "all"
    CREATES = "creates"
    UPDATES = "updates"
    CONFLICTS = "conflicts"

    @property
    def actions(self) -> frozenset[Action]:
        """The actions of those changes."""
        return _ACTIONS[self]


_ACTIONS = {
    Show.ALL: frozenset({Action.CREATE, Action.UPDATE, Action.DELETE, Action.CONFLICT}),
    Show.CREATES: frozenset({Action.CREATE}),
    Show.UPDATES: frozenset({Action.UPDATE}),
    Show.CONFLICTS: frozenset({Action.CONFLICT}),
}

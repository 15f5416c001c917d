"""The exit codes, which are all that cron reads."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """One meaning each; dry runs use the same."""

    DONE = 0
    """Done, or nothing to do."""
    SOME_FAILED = 1
    """Done, but some events were rejected or failed: see the report."""
    USAGE = 2
    """Usage or configuration."""
    REFUSED_CREDENTIALS = 3
    """Freshsales refused the credentials or the permission."""
    NO_INPUT = 4
    """An input cannot be read at all."""
    STOPPED = 5
    """Stopped early; `fsseg resume` goes on (budget, quota, network)."""
    BRAKE = 6
    """The safety brake refused."""
    LOCKED = 7
    """Another run holds the lock."""
    INTERRUPTED = 130
    """Interrupted, resumable."""

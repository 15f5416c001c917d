"""The error of a command none of whose inputs can be read."""

from __future__ import annotations

from fsseg.figures import counted

_MOST_FAULTS = 10
"""Inputs that are named."""


class NoInput(Exception):
    """None of the inputs can be read (exit 4)."""


def nothing_to_read(*faults: str) -> NoInput:
    """The error that names each input and what is wrong with it."""
    left = len(faults) - _MOST_FAULTS
    more = [f"{counted(left, 'more input')} can't be read"] if left > 0 else []
    error = NoInput("\n".join([*faults[:_MOST_FAULTS], *more, "nothing to read"]))
    error.add_note("give files or folders of events, addresses such as s3://…, or - for standard input")
    error.add_note("fsseg help import has examples")
    return error

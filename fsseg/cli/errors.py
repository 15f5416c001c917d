"""From what went wrong to one clear message and one exit code; nobody ever sees a traceback for a mistake of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import typer

from fsseg.cli.interrupts import raise_from_now_on
from fsseg.exit_codes import ExitCode
from fsseg.report.console import Consoles

if TYPE_CHECKING:
    from fsseg.freshsales.errors import FreshsalesError


def with_notes(text: str, error: Exception) -> str:
    """The text, and what whoever the error came by had to say of how to go on."""
    return "; ".join([text, *getattr(error, "__notes__", ())])


class NoInput(Exception):
    """None of the inputs can be read (exit 4)."""


@contextmanager
def handled(consoles: Consoles) -> Iterator[None]:
    """Say what the error means, once, on stderr, and end with its exit code."""
    try:
        raise_from_now_on()
        yield
    except (typer.Exit, BrokenPipeError):
        raise
    except (Exception, KeyboardInterrupt) as error:
        meaning = meaning_of(error)
        if meaning is None:
            raise
    else:
        return
    consoles.error(meaning.text)
    raise typer.Exit(meaning.code)


class Meaning(NamedTuple):
    """How a command ends, and what it says of that."""

    code: ExitCode
    text: str


def meaning_of(error: BaseException) -> Meaning | None:
    """What an error that ended a command means to whoever called it; None where it is a fault of fsseg's own."""
    if isinstance(error, KeyboardInterrupt):  # first, as whoever presses Ctrl-C twice would interrupt the imports
        return Meaning(ExitCode.INTERRUPTED, "interrupted")
    import sqlite3

    from fsseg.cli.connect import Locked
    from fsseg.freshsales.errors import FreshsalesError
    from fsseg.mapping.rules import MappingError
    from fsseg.settings import ConfigError
    from fsseg.state.database import StateError
    from fsseg.state.run_folder import NoSuchRun

    match error:
        case ConfigError() | NoSuchRun() | StateError():
            return Meaning(ExitCode.USAGE, with_notes(str(error), error))
        case MappingError():
            mistakes = "\n".join(f"  {mistake}" for mistake in error.mistakes)
            return Meaning(ExitCode.USAGE, f"wrong mapping:\n{mistakes}")
        case NoInput():
            return Meaning(ExitCode.NO_INPUT, str(error))
        case Locked():
            return Meaning(ExitCode.LOCKED, str(error))
        case FreshsalesError():
            return _meaning_of_answer(error)
        case sqlite3.DatabaseError() | OSError():
            return _meaning_in_state_folder(error)
    return None


def _meaning_of_answer(error: FreshsalesError) -> Meaning:
    from fsseg.freshsales.errors import Halted, Interrupted, NotFound, Stop

    match error:
        case Stop():
            refused = f"Freshsales refused this key: {error}. Check it with: fsseg check"
            return Meaning(ExitCode.REFUSED_CREDENTIALS, refused)
        case Interrupted():
            return Meaning(ExitCode.INTERRUPTED, with_notes("interrupted", error))
        case Halted():
            return Meaning(ExitCode.STOPPED, with_notes(f"stopped early: {error}", error))
        case NotFound():
            return Meaning(ExitCode.USAGE, f"{error}: is this the right domain and edition?")
    unreachable = f"Freshsales can't be reached or doesn't answer as it should: {error}"
    return Meaning(ExitCode.STOPPED, with_notes(unreachable, error))


def _meaning_in_state_folder(error: Exception) -> Meaning:
    import sqlite3

    match error:
        case sqlite3.OperationalError():
            return Meaning(ExitCode.STOPPED, with_notes(f"the state folder can't be used: {error}", error))
        case OSError():
            what = f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")
            return Meaning(ExitCode.STOPPED, with_notes(what, error))
    return Meaning(ExitCode.USAGE, f"a file of the state folder is damaged and was left as it is: {error}")

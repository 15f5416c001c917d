"""From what went wrong to one clear message and one exit code; nobody ever sees a traceback for a mistake of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import typer

from fsseg.cli.interrupts import raise_from_now_on
from fsseg.cli.streams import CannotPrint
from fsseg.exit_codes import ExitCode
from fsseg.report.console import Consoles

if TYPE_CHECKING:
    from fsseg.freshsales.errors import FreshsalesError
    from fsseg.settings_file import Wrong


@contextmanager
def handled(consoles: Consoles, *, as_json: bool = False) -> Iterator[None]:
    """Say what the error means, once, on stderr, and end with its exit code; as JSON on stdout too, if asked for."""
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
    raise typer.Exit(tell_end(meaning, as_json=as_json, consoles=consoles))


class Meaning(NamedTuple):
    """How a command ends: its exit code, what it says, and what to type next."""

    code: ExitCode
    text: str
    hints: tuple[str, ...] = ()
    told: tuple[Wrong, ...] = ()
    """Where several things are wrong, each by itself, and what would be right."""


def tell_end(meaning: Meaning, *, as_json: bool, consoles: Consoles | None = None) -> ExitCode:
    """Say how a command ended: on stderr for people, on stdout for programs that asked for JSON. Its exit code."""
    from fsseg.report.console import open_consoles

    consoles = consoles or open_consoles()
    if meaning.code is ExitCode.INTERRUPTED:  # as somebody wanted it
        consoles.error(meaning.text)
        consoles.hint(*meaning.hints)
    else:
        for wrong in meaning.told:
            consoles.mistake(wrong.text, *filter(None, [wrong.hint]))
        if meaning.told:
            consoles.hint(*meaning.hints)
        else:
            consoles.mistake(meaning.text, *meaning.hints)
    if as_json:
        from fsseg.report.render import print_json

        told = {
            "code": int(meaning.code),
            "message": meaning.text,
            "hints": [*(wrong.hint for wrong in meaning.told if wrong.hint), *meaning.hints],
        }
        print_json(consoles.out, {"error": told})
    return meaning.code


def meaning_of(error: BaseException) -> Meaning | None:
    """What an error that ended a command means to whoever called it; None where it is a fault of fsseg's own."""
    if isinstance(error, KeyboardInterrupt):  # first, as whoever presses Ctrl-C twice would interrupt the imports
        return Meaning(ExitCode.INTERRUPTED, "interrupted")
    import sqlite3

    from fsseg.cli.connect import Locked
    from fsseg.freshsales.errors import FreshsalesError
    from fsseg.segment.no_input import NoInput
    from fsseg.settings import ConfigError, WrongSettings
    from fsseg.state.database import StateError
    from fsseg.state.run_folder import NoSuchRun

    match error:
        case CannotPrint():
            return unprinted(error)
        case WrongSettings():
            return Meaning(ExitCode.USAGE, str(error), hints_of(error), error.told)
        case ConfigError() | NoSuchRun() | StateError():
            return Meaning(ExitCode.USAGE, str(error), hints_of(error))
        case MemoryError():
            hint = "fewer --jobs, or smaller files one after another, take less"
            return Meaning(ExitCode.STOPPED, "there is not enough memory", (hint, *hints_of(error)))
        case NoInput():
            return Meaning(ExitCode.NO_INPUT, str(error), hints_of(error))
        case Locked():
            return Meaning(ExitCode.LOCKED, str(error), hints_of(error))
        case FreshsalesError():
            return _meaning_of_answer(error)
        case sqlite3.DatabaseError() | OSError():
            return _meaning_in_state_folder(error)
    return None


def unprinted(error: CannotPrint) -> Meaning:
    """What it means that standard output takes no more."""
    from fsseg.state.database import has_no_room

    room = ("make room on that disk first",) if has_no_room(error.error) else ()
    return Meaning(ExitCode.STOPPED, str(error), (*room, *hints_of(error)))


def hints_of(error: BaseException) -> tuple[str, ...]:
    """The hints on how to go on that were added to the error on its way."""
    return tuple(getattr(error, "__notes__", ()))


def _meaning_of_answer(error: FreshsalesError) -> Meaning:
    from fsseg.freshsales.errors import Halted, HostDown, Interrupted, NotFound, Stop, UnknownHost

    match error:
        case Stop():
            refused = f"Freshsales refused this key: {error}"
            return Meaning(ExitCode.REFUSED_CREDENTIALS, refused, (error.hint, *hints_of(error)))
        case Interrupted():
            return Meaning(ExitCode.INTERRUPTED, "interrupted", hints_of(error))
        case UnknownHost():
            return Meaning(ExitCode.USAGE, str(error), (error.hint, *hints_of(error)))
        case HostDown():
            hint = "is the address right, and this machine online? Otherwise try again later"
            return Meaning(ExitCode.STOPPED, f"stopped early: {error}", (hint, *hints_of(error)))
        case Halted():
            return Meaning(ExitCode.STOPPED, f"stopped early: {error}", hints_of(error))
        case NotFound():
            return Meaning(ExitCode.USAGE, str(error), ("is this the right domain and edition?", *hints_of(error)))
    unreachable = f"Freshsales can't be reached or doesn't answer as it should: {error}"
    return Meaning(ExitCode.STOPPED, unreachable, hints_of(error))


def _meaning_in_state_folder(error: Exception) -> Meaning:
    """What has no room stops a run early; what can't be used at all does so only where a run is there to go on with."""
    import sqlite3

    from fsseg.state.database import has_no_room, may_pass

    hints = hints_of(error)
    code = ExitCode.STOPPED if hints or may_pass(error) else ExitCode.USAGE
    if has_no_room(error):
        hints = ("make room on that disk first", *hints)
    match error:
        case sqlite3.OperationalError():
            return Meaning(code, f"the state folder can't be used: {error}", hints)
        case OSError():
            place = error.filename or "the state folder, or that of temporary files, can't be used"
            return Meaning(code, f"{place}: {error.strerror or error}", hints)
    return Meaning(ExitCode.USAGE, f"a file of the state folder is damaged and was left as it is: {error}")

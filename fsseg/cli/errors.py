"""From what went wrong to one clear message and one exit code; nobody ever sees a traceback for a mistake of theirs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from fsseg.cli.interrupts import raise_from_now_on
from fsseg.exit_codes import ExitCode
from fsseg.report.console import Consoles


def with_notes(text: str, error: Exception) -> str:
    """The text, and what whoever the error came by had to say of how to go on."""
    return "; ".join([text, *getattr(error, "__notes__", ())])


class NoInput(Exception):
    """None of the inputs can be read (exit 4)."""


@contextmanager
def handled(consoles: Consoles) -> Iterator[None]:
    """Say what the error means, once, on stderr, and end with its exit code."""
    import sqlite3

    from fsseg.cli.connect import Locked
    from fsseg.freshsales.errors import FreshsalesError, Halted, Interrupted, NotFound, Stop
    from fsseg.mapping.rules import MappingError
    from fsseg.settings import ConfigError
    from fsseg.state.database import StateError
    from fsseg.state.run_folder import NoSuchRun

    try:
        raise_from_now_on()
        yield
    except typer.Exit:
        raise
    except (ConfigError, NoSuchRun, StateError) as error:
        code, text = ExitCode.USAGE, with_notes(str(error), error)
    except MappingError as error:
        code, text = ExitCode.USAGE, "wrong mapping:\n" + "\n".join(f"  {mistake}" for mistake in error.mistakes)
    except NoInput as error:
        code, text = ExitCode.NO_INPUT, str(error)
    except Stop as error:
        code, text = ExitCode.REFUSED_CREDENTIALS, f"Freshsales refused this key: {error}. Check it with: fsseg check"
    except Locked as error:
        code, text = ExitCode.LOCKED, str(error)
    except Interrupted as error:
        code, text = ExitCode.INTERRUPTED, with_notes("interrupted", error)
    except Halted as error:
        code, text = ExitCode.STOPPED, with_notes(f"stopped early: {error}", error)
    except NotFound as error:
        code, text = ExitCode.USAGE, f"{error}: is this the right domain and edition?"
    except FreshsalesError as error:
        unreachable = f"Freshsales can't be reached or doesn't answer as it should: {error}"
        code, text = ExitCode.STOPPED, with_notes(unreachable, error)
    except KeyboardInterrupt:
        code, text = ExitCode.INTERRUPTED, "interrupted"
    except BrokenPipeError:
        raise
    except sqlite3.OperationalError as error:
        code, text = ExitCode.STOPPED, with_notes(f"the state folder can't be used: {error}", error)
    except sqlite3.DatabaseError as error:
        code, text = ExitCode.USAGE, f"a file of the state folder is damaged and was left as it is: {error}"
    except OSError as error:
        what = f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")
        code, text = ExitCode.STOPPED, with_notes(what, error)
    else:
        return
    consoles.complain(text)
    raise typer.Exit(code)

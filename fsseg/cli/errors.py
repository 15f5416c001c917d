"""From what went wrong to one clear message and one exit code; nobody ever sees a traceback for a mistake of theirs."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from fsseg.cli.exit_codes import ExitCode
from fsseg.report.console import Consoles

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Nothing more can be written."""


class NoInput(Exception):
    """None of the inputs can be read (exit 4)."""


@contextmanager
def handled(consoles: Consoles) -> Iterator[None]:
    """Say what the error means, once, on stderr, and end with its exit code."""
    import sqlite3

    from fsseg.cli.connect import Locked
    from fsseg.freshsales.errors import FreshsalesError, Halted, Interrupted, NotFound, Stop
    from fsseg.mapping.rules import MappingError
    from fsseg.plan.brake import BrakeRefused
    from fsseg.plan.database import StateError
    from fsseg.plan.run import NoSuchRun
    from fsseg.settings import ConfigError

    try:
        yield
    except typer.Exit:
        raise
    except (ConfigError, NoSuchRun, StateError) as error:
        code, text = ExitCode.USAGE, str(error)
    except MappingError as error:
        code, text = ExitCode.USAGE, "wrong mapping:\n" + "\n".join(f"  {mistake}" for mistake in error.mistakes)
    except NoInput as error:
        code, text = ExitCode.NO_INPUT, str(error)
    except Stop as error:
        code, text = ExitCode.REFUSED_CREDENTIALS, f"Freshsales refused this key: {error}. Check it with: fsseg check"
    except BrakeRefused as error:
        code, text = ExitCode.BRAKE, f"the safety brake: {error}"
    except Locked as error:
        code, text = ExitCode.LOCKED, str(error)
    except Interrupted:
        code, text = ExitCode.INTERRUPTED, "interrupted; go on with: fsseg resume"
    except Halted as error:
        code, text = ExitCode.STOPPED, f"stopped early: {error}; go on with: fsseg resume"
    except NotFound as error:
        code, text = ExitCode.USAGE, f"{error}: is this the right domain and edition?"
    except FreshsalesError as error:
        code, text = ExitCode.STOPPED, f"Freshsales can't be reached or doesn't answer as it should: {error}"
    except KeyboardInterrupt:
        code, text = ExitCode.INTERRUPTED, "interrupted"
    except BrokenPipeError:
        raise
    except sqlite3.OperationalError as error:
        code, text = ExitCode.STOPPED, f"the state folder can't be used: {error}. Once that is mended: fsseg resume"
    except sqlite3.DatabaseError as error:
        code, text = ExitCode.USAGE, f"a file of the state folder is damaged and was left as it is: {error}"
    except OSError as error:
        code, text = ExitCode.STOPPED, f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")
        if error.errno in FULL:
            text += ". Once there is room: fsseg resume"
    else:
        return
    consoles.complain(text)
    raise typer.Exit(code)

"""How a run ends: by itself, by what stops or interrupts it, and how it is gone on with."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from msgspec import Struct

from fsseg.exit_codes import ExitCode
from fsseg.freshsales.errors import BudgetSpent, FreshsalesError, Interrupted, NotFound, Stop, UnknownHost
from fsseg.freshsales.pacer import Pacer
from fsseg.mapping.mistakes import MappingError
from fsseg.report.advice import command
from fsseg.segment.no_input import NoInput
from fsseg.settings import ConfigError
from fsseg.state.database import StateError
from fsseg.state.run_folder import OPEN, Run, RunState


@contextmanager
def resumable(run: Run, *, fresh: bool) -> Iterator[None]:
    """Leave a run that is ended by an error to be resumed, and say how; of a new one that can't begin leave nothing.

    A run can't begin where what was asked for makes no sense, no input can be read, or Freshsales refuses the key.
    """
    try:
        yield
    except (ConfigError, MappingError, Stop, NotFound, NoInput, UnknownHost) as error:
        if fresh and not run.summary_path.exists():
            shutil.rmtree(run.folder)
        else:
            _stopped(run, error)
        raise
    except BaseException as error:
        tell_too_few(error)
        _stopped(run, error)
        raise


def _stopped(run: Run, error: BaseException) -> None:
    with suppress(OSError, StateError):  # a full disk, say; a run whose process is gone counts as stopped all the same
        if run.lacks_stdin:
            shutil.rmtree(run.folder)
            error.add_note("standard input was not read to its end, so nothing of it is kept: import it again")
            return
        if run.info.state not in OPEN:
            return  # it had come to its end before
        if run.info.state is not RunState.RUNNING:  # of that the ledger is to be told, as of a run that was killed
            run.note(state=RunState.STOPPED)
    error.add_note(f"go on with: {advised('resume', run)}")


def advised(verb: str, run: Run, more: str = "") -> str:
    """The command line that does this with the run: `fsseg resume RUN`, say, with the flags that it needs."""
    return command(verb, run.id, account=run.account_folder.name, run_dir=run.folder, more=more)


def tell_too_few(error: BaseException) -> None:
    """Say of what ended a run that came no further than where it began that this will be so again, and what helps."""
    if isinstance(error, BudgetSpent) and error.enough:
        error.message += (
            "; each start reads as much again before anything is matched or written, so with so few it never gets"
            f" further: --max-requests {error.enough} is enough"
        )


class Declined(Exception):
    """Somebody was asked, and said no, or pressed Ctrl-C."""

    def __init__(self, *, interrupted: bool = False) -> None:
        super().__init__("declined")
        self.interrupted = interrupted


class Ending(Struct):
    """How a run ended: its exit code, and what stopped it."""

    code: ExitCode = ExitCode.DONE
    error: Exception | None = None

    @property
    def stopped(self) -> bool:
        """Whether something is left that a resumption would do."""
        return self.code not in (ExitCode.DONE, ExitCode.SOME_FAILED)


@contextmanager
def interruptible(pacer: Pacer) -> Iterator[None]:
    """The first Ctrl-C, or SIGTERM, lets what is under way finish; the second ends the process at once.

    Both leave the run resumable. Raises `Interrupted` for the second. A terminal that is shut is as a first one, but
    where `nohup` has it ignored.
    """
    signals = (signal.SIGINT, signal.SIGTERM)
    hangs_up = signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
    shown = [stream for stream in (1, 2) if os.isatty(stream)]

    def stop(number: int, frame: Any) -> None:
        for each in signals:
            signal.signal(each, signal.default_int_handler)
        pacer.interrupt()

    def hang_up(number: int, frame: Any) -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal sends one, and the shell another
        with open(os.devnull, "wb") as nowhere:
            for stream in shown:  # nothing can be written there any more
                os.dup2(nowhere.fileno(), stream)
        stop(number, frame)

    before = {each: signal.signal(each, stop) for each in signals}
    if hangs_up:
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, hang_up)
    try:
        yield
    except KeyboardInterrupt as error:
        interrupted = Interrupted("interrupted")
        for note in getattr(error, "__notes__", ()):
            interrupted.add_note(note)
        raise interrupted from None
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def ending_of(error: FreshsalesError) -> ExitCode:
    """The exit code of what stopped a run."""
    match error:
        case Interrupted():
            return ExitCode.INTERRUPTED
        case Stop():
            return ExitCode.REFUSED_CREDENTIALS
        case _:
            return ExitCode.STOPPED

"""One run: its folder, what it is, and how it stands."""

from __future__ import annotations

import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson
from msgspec import MsgspecError, Struct
from msgspec.json import Decoder, Encoder
from msgspec.structs import replace

from fsseg.state.database import StateError, as_state_error, is_whole
from fsseg.state.plan_store import Store
from fsseg.state.private_file import replacing


class NoSuchRun(Exception):
    """The run asked for isn't there, or no run fits (exit 2)."""


class RunState(StrEnum):
    """How a run stands. `planning` and `running` hold only while its process lives; else it is `stopped`."""

    PLANNING = "planning"
    PLANNED = "planned"
    """A dry run that can be applied."""
    SUPERSEDED = "superseded"
    """A dry run, or an import that had sent nothing, whose files a later one has taken."""
    DECLINED = "declined"
    """Somebody was asked, and said no."""
    RUNNING = "running"
    STOPPED = "stopped"
    """It ended before its end, and can be resumed."""
    DONE = "done"
    APPLIED = "applied"
    """A dry run whose plan another run has taken over."""
    UNDONE = "undone"


STDIN = "-"
"""Standard input among the inputs; it holds something else each time."""
STDIN_COPY = "stdin"
"""Where a run keeps what standard input held."""

OPEN = frozenset({RunState.PLANNING, RunState.RUNNING, RunState.STOPPED})
"""What `resume` goes on with, where the process is gone."""

APPLICABLE = frozenset({RunState.PLANNED, RunState.SUPERSEDED, RunState.DECLINED})
"""What `apply` pushes where it is named."""


class RunInfo(Struct, frozen=True, kw_only=True):
    """What a run is and how it stands, as `run.json` keeps it; times are UTC, `seconds` is the time it took so far.

    `inputs` are absolute paths, or `-`; `given` are the same as they were given. `of` is the run whose plan it applies,
    or that it undoes; `by` is the run that applied, undid or superseded it. `settings` hold no secret.
    """

    id: str
    account: str
    edition: str
    command: str
    started_at: str
    state: RunState = RunState.PLANNING
    inputs: list[str] = []
    given: list[str] = []
    settings: dict[str, Any] = {}
    dry: bool = False
    offline: bool = False
    agreed: bool = False
    """Whether somebody has agreed to push it, or there was nobody to ask."""
    of: str | None = None
    by: str | None = None
    finished_at: str | None = None
    seconds: float = 0.0
    exit_code: int | None = None
    outcomes: dict[str, int] = {}
    failed: int = 0
    """Rows that a retry would push again."""
    in_flight: bool = True
    """Whether it may have sent something of which nobody has seen what came of it."""


_encode = Encoder().encode
_decode = Decoder(RunInfo).decode


class Run:
    """`<state>/<host>/runs/<run-id>/`: the plan, the journal and the reports of one run (folder mode 0700)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name

    @property
    def account_folder(self) -> Path:
        """The folder of the account, with its ledger and all of its runs."""
        return self.folder.parent.parent

    def beside(self, id: str) -> Run:
        """The run of this id into the same account, whether it is there or not."""
        return Run(self.folder.parent / id)

    def others(self) -> Iterator[Run]:
        """All other runs into the same account, in no order."""
        return (run for run in all_runs(self.account_folder) if run.id != self.id)

    @property
    def info(self) -> RunInfo:
        """What `run.json` says. Raises `StateError` where it can't be read."""
        path = self.folder / "run.json"
        try:
            return _decode(path.read_bytes())
        except OSError as error:
            raise StateError(f"{path} can't be read: {error.strerror}") from None
        except MsgspecError as error:
            raise StateError(f"{path} is damaged and was left as it is: {error}") from None

    def note(self, **changes: Any) -> RunInfo:
        """Change what is known of the run, for good once this returns."""
        info = replace(self.info, **changes)
        self._write(info)
        return info

    def begin(self, info: RunInfo) -> None:
        """Write down for the first time what the run is."""
        self._write(info)

    def _write(self, info: RunInfo) -> None:
        with replacing(self.folder / "run.json") as file:
            file.write(_encode(info))

    @property
    def has_sent(self) -> bool:
        """Whether anything of it was sent to Freshsales."""
        with self.reading() as store:
            return store.has_any("claimed_at IS NOT NULL")

    @property
    def has_whole_plan(self) -> bool:
        """Whether all of its plan can be read; what was lost with its log leaves a plan that says nothing."""
        try:
            with closing(self.open()) as store:
                return is_whole(store.db) and store.meta.settings is not None
        except StateError:
            return False

    @property
    def plan(self) -> Path:
        return self.folder / "plan.db"

    @property
    def stdin(self) -> Path:
        """What was read from standard input, once it was read to its end."""
        return self.folder / STDIN_COPY

    @property
    def lacks_stdin(self) -> bool:
        """Whether it was to read standard input, and ended before it had."""
        return STDIN in self.info.inputs and not self.stdin.exists()

    @property
    def summary_path(self) -> Path:
        return self.folder / "summary.json"

    @property
    def changes(self) -> Path:
        return self.folder / "changes.jsonl"

    @property
    def failures(self) -> Path:
        return self.folder / "failures.jsonl"

    def open(self) -> Store:
        """The run's store. Raises `StateError`."""
        return Store(self.plan)

    @contextmanager
    def reading(self) -> Iterator[Store]:
        """The run's store, to be looked into. Raises `StateError` wherever the damage is."""
        try:
            with closing(self.open()) as store:
                yield store
        except sqlite3.DatabaseError as error:
            raise as_state_error(error, self.plan) from None

    def summary(self) -> dict[str, Any] | None:
        """The run's summary, None before it has one."""
        try:
            return dict(orjson.loads(self.summary_path.read_bytes()))
        except (OSError, orjson.JSONDecodeError):
            return None


def now() -> str:
    """The present as `RunInfo` keeps it: UTC, to the microsecond, so that two runs never begin at once."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def new_run(folder: Path, prepare: Callable[[Run], object] = lambda run: None, **what: Any) -> Run:
    """Begin a run below the account's state folder; `what` are fields of `RunInfo`. To be called under the lock.

    It is there once `prepare` has put into its folder what it begins with.
    """
    runs = folder / "runs"
    runs.mkdir(mode=0o700, parents=True, exist_ok=True)
    started_at = now()
    stamp = datetime.fromisoformat(started_at).strftime("%Y-%m-%d-%H%M%S")
    while True:
        run = Run(runs / f"{stamp}-{secrets.token_hex(1)}")
        try:
            run.folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        try:
            prepare(run)
        except BaseException:
            shutil.rmtree(run.folder)
            raise
        run.begin(RunInfo(id=run.id, started_at=started_at, **what))
        return run


def all_runs(account: Path) -> Iterator[Run]:
    """The account's runs, in no order."""
    runs = account / "runs"
    if runs.is_dir():
        yield from (Run(folder) for folder in runs.iterdir() if (folder / "run.json").exists())


def readable_runs(account: Path) -> Iterator[tuple[Run, RunInfo]]:
    """The account's runs that can say what they are, and what they say, in no order."""
    for run in all_runs(account):
        with suppress(StateError):
            yield run, run.info

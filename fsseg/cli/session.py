"""What the commands that plan and push have in common: open everything, run the pipeline, say what came of it."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fsseg.account.fields import read_fields
from fsseg.cli.connect import (
    account_folder,
    account_of,
    check_tokens,
    connected,
    locked,
    make_pacer,
    sandbox_window,
    tell_open_token_file,
)
from fsseg.cli.errors import NoInput, nothing_to_read
from fsseg.cluster import Cluster
from fsseg.exit_codes import ExitCode
from fsseg.figures import counted
from fsseg.freshsales.account import Account
from fsseg.freshsales.errors import Forbidden, FreshsalesError, Interrupted, NotFound, Stop, UnknownHost
from fsseg.freshsales.pacer import Pacer
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.mistakes import MappingError
from fsseg.mapping.rules import Rules, missing_types
from fsseg.match.mirror import Mirror
from fsseg.pipeline import Pipeline
from fsseg.plan.defaults import check_settings
from fsseg.processes import Processes
from fsseg.report.advice import command
from fsseg.report.console import Consoles
from fsseg.report.eta import WINDOW
from fsseg.report.progress import Progress, choose
from fsseg.segment.archives import is_archive
from fsseg.segment.hints import hints_of
from fsseg.segment.inputs import expand
from fsseg.segment.objects import Window, use_endpoint
from fsseg.segment.open import Input
from fsseg.segment.tables.profiles_sync import identifiers_among
from fsseg.settings import ConfigError, Settings, suppressed
from fsseg.settings_file import placed
from fsseg.state.actions import Code, Mode
from fsseg.state.database import StateError
from fsseg.state.input_files import add_input, note_files
from fsseg.state.ledger import Ledger
from fsseg.state.plan_counts import entities_of
from fsseg.state.plan_store import Store
from fsseg.state.private_file import replacing, write_text
from fsseg.state.run_folder import OPEN, STDIN, Run, RunState, readable_runs
from fsseg.state.run_meta import PlanKey, PlanStage
from fsseg.state.seal import edited
from fsseg.undo_pipeline import UndoPipeline

FEW = 3
"""Files, or lines of one, that are named on the terminal."""


@dataclass
class Output:
    """How a command talks. `progress` is the one that is shown now."""

    consoles: Consoles
    json: bool = False
    no_progress: bool = False
    window: float = WINDOW
    """Seconds that the account's quota lasts."""

    def __post_init__(self) -> None:
        self.progress = self.fresh()

    def fresh(self) -> Progress:
        """New bars, lines or silence, as fits."""
        return choose(
            self.consoles.err, quiet=self.consoles.quiet, json=self.json, no_progress=self.no_progress,
            window=self.window,
        )  # fmt: skip


def rules_of(settings: Settings, *, application_token: bool, offline: bool = False) -> Rules:
    """What of the settings concerns the mapping."""
    owner = settings.timeline.owner
    return Rules(
        nulls=settings.nulls,
        strict=settings.strict,
        mapping={name: table for name, table in settings.mapping.model_dump().items() if table},
        via=settings.timeline.via,
        event_type=settings.timeline.event_type,
        page_type=settings.timeline.page_type,
        owner=None if owner is None else str(owner),
        application_token_set=application_token,
        offline=offline,
        with_group=settings.with_group,
        stitch_anonymous=settings.stitch_anonymous,
        only=frozenset(settings.filter.only),
        events=frozenset(settings.filter.events),
        since=settings.filter.since,
        until=settings.filter.until,
        suppress=suppressed(settings.filter.suppress_file).entries,
        consent=settings.filter.consent,
        placeholder_ids=settings.identity.placeholder_ids,
        id_field=settings.identity.id_field,
        deal_id_field=settings.identity.deal_id_field,
    )


def _tell_doubtful(path: Path | None, consoles: Consoles) -> None:
    """Say which entries of the suppression list count for nothing, and whether it is without any that counts."""
    entries, doubtful = suppressed(path)
    if path and not entries:
        consoles.error(f"{path}: nobody stands on the suppression list, so nobody is left out")
    for entry in doubtful[:FEW]:
        consoles.error(f"{path} line {entry.line}: neither an address nor an id, so nobody is meant: {entry.text}")
    if len(doubtful) > FEW:
        consoles.error(f"{path}: so {counted(len(doubtful) - FEW, 'more line is', 'more lines are')} of no use")


def import_flags(settings: Settings) -> str:
    """The flags by which another file is imported just so: into the same account, with the same mapping."""
    account, flags = settings.freshsales, []
    for flag, value in (
        ("--config", settings.config_file),
        ("--domain", account.domain),
        ("--base-url", account.base_url),
        ("--edition", account.edition),
        ("--api-token-file", account.api_token_file and account.api_token_file.absolute()),
        ("--match", settings.identity.match),
        ("--existing", None if Mode(settings.existing) is Mode.UPDATE else settings.existing),
    ):
        if value and not (settings.sandbox and flag in ("--domain", "--base-url", "--api-token-file")):
            flags += [flag, shlex.quote(str(value))]
    given = {
        "--with group": settings.with_group, "--stitch-anonymous": settings.stitch_anonymous,
        "--create-missing": settings.create_missing, "--strict": settings.strict,
    }  # fmt: skip
    return " ".join([*flags, *(flag for flag, wanted in given.items() if wanted)])


def refuse_on_cluster(settings: Settings, paths: list[str]) -> None:
    """Raise `ConfigError` for what can't be planned on a cluster."""
    if settings.cluster.address is None:
        return
    if settings.limit is not None:
        raise ConfigError("--limit counts events one after another, which workers of a cluster don't: leave one out")
    if STDIN in paths:
        raise ConfigError("standard input can't be read by the workers of a cluster: give files that all of it sees")


def find_inputs(
    paths: Sequence[str], consoles: Consoles, settings: Settings
) -> tuple[list[str], list[tuple[str, str]]]:
    """The files to read, and the paths that can't be, each with the reason, which is told.

    Raises `NoInput` if none can.
    """
    since, until = settings.filter.since, settings.filter.until
    if since and until and since >= until:
        raise ConfigError(f"no event is from {since} on and before {until}", "let --since be earlier than --until")
    use_endpoint(settings.endpoint)
    files, unreadable = expand(paths, Window(since, until))
    faults = [(path, f"{path}: {reason}") for path, reason in unreadable]
    if faults and not files:
        raise nothing_to_read(*(fault for _, fault in faults))
    for _, fault in faults:
        consoles.mistake(fault)
    found = [*files, *(path for path, _ in faults)]
    for path in paths:
        if any(file.startswith(path) for file in found):
            continue
        if os.path.isdir(path) or (os.path.isfile(path) and is_archive(path)):
            consoles.info(f"{path}: there is no event file in it")
    return files, faults


def tell_empty(consoles: Consoles, files: Sequence[str]) -> None:
    """Name the files without a single event: whoever made them may not know."""
    for path in files[:FEW]:
        consoles.info(f"{'standard input' if path == STDIN else path}: there is no event in it")
    if len(files) > FEW:
        consoles.info(f"nor in {counted(len(files) - FEW, 'more file')}")


def register(store: Store, run: Run, files: Sequence[str], given: Sequence[str]) -> list[Input]:
    """Note the inputs in the run's store, as they were given, too.

    Standard input is kept in the run's folder, so that its events can be told.
    """
    held = list(_held(run, files, given))
    inputs, hints = [], hints_of(store.meta.settings, identifiers_among(path for path, _ in held))
    for number, (path, shown) in enumerate(held):
        add_input(store, number, path, shown)
        inputs.append(Input(path, number, hints=hints))
    note_files(store, inputs)
    return inputs


def _held(run: Run, files: Sequence[str], given: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The files with the names that they were given by; an archive on standard input is what is in it."""
    for file, shown in zip(files, given, strict=True):
        if file != STDIN:
            yield file, shown
            continue
        kept = kept_stdin(run)
        members = expand([kept])[0] or [kept]
        yield from ((path, f"{STDIN}{path.removeprefix(kept)}") for path in members)


def kept_stdin(run: Run) -> str:
    """Where the run keeps what standard input held; it is read now if it wasn't before."""
    if not run.stdin.exists():
        with replacing(run.stdin) as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy, 1 << 20)
    return str(run.stdin)


@dataclass
class Session:
    """An account under its lock, for one run: nothing else fsseg does to it can come between."""

    settings: Settings
    output: Output
    account: Account
    folder: Path
    ledger: Ledger
    pacer: Pacer
    note_holder: Callable[[str], None]
    command: str
    """What was asked for, which may be to go on with an earlier run."""
    began: float

    def check_account(self, store: Store, run: Run) -> None:
        """Raise `ConfigError` for a plan of another account, and `StateError` where its settings were edited."""
        if store.meta.settings is None:  # it stopped before it had begun
            return
        key = store.meta.key
        if (key.account, key.edition) != (self.account.host, self.account.edition):
            raise ConfigError(
                f"the plan of run {run.id} was made for {key.account} ({key.edition}), and not for"
                f" {self.account.host} ({self.account.edition}): nothing was sent to either"
            )
        if store.meta.settings != run.info.settings:
            raise edited(run.id)

    @contextmanager
    def pipeline(self, run: Run, *, writes: bool, offline: bool = False) -> Iterator[Pipeline]:
        """Everything the run needs: its store, a connection, the account's fields. Raises the client's errors."""
        self.note_holder(run.id)
        _tell_doubtful(self.settings.filter.suppress_file, self.output.consoles)
        with ExitStack() as stack:
            # Before anything is open that a forked process should not hold.
            processes = stack.enter_context(closing(Processes(self.settings.jobs, run.folder)))
            store = stack.enter_context(closing(run.open()))
            address = self.settings.cluster.address if store.meta.stage is PlanStage.NEW else None
            if store.meta.settings is not None:
                self.check_account(store, run)
            else:
                with store.transaction():
                    store.meta.settings = run.info.settings
                    store.meta.key = PlanKey(self.account.host, self.account.edition, self.ledger.generation)
            kind, progress = UndoPipeline if run.info.command == "undo" else Pipeline, self.output.progress
            cluster = None
            if address is not None and run.info.command != "undo":
                cluster = Cluster(address, run.info.inputs, run.folder, self._tick, progress.message)
                stack.enter_context(closing(cluster))
            if offline:
                catalog = cached_fields(self.folder, self.account)
                token = bool(os.environ.get("FSSEG_APPLICATION_TOKEN"))
                rules = rules_of(self.settings, application_token=token, offline=True)
                yield kind(
                    self.settings, rules, catalog, run, store, self.ledger, None, None, None, self.pacer, progress,
                    processes, cluster,
                )  # fmt: skip
                return
            connection = stack.enter_context(connected(self.settings, self.account, self.pacer, writes=writes))
            known = read_fields(connection.reader, self.account.edition)
            cache_fields(self.folder, known.catalog)
            rules = rules_of(self.settings, application_token=connection.application_token)
            check_settings(known.catalog, rules, self.settings.defaults.model_dump())  # told before anything is read
            self._tell_missing_types(known.catalog, rules)
            mirror = stack.enter_context(closing(Mirror.usable(self.folder / "mirror.db", self.output.consoles.info)))
            yield kind(
                self.settings, rules, known.catalog, run, store, self.ledger, mirror, connection.reader,
                connection.writer, self.pacer, progress, processes, cluster, forbidden=known.forbidden,
            )  # fmt: skip

    def _tick(self, count: int) -> None:
        if self.pacer.interrupted:
            raise Interrupted("interrupted")

    def _tell_missing_types(self, catalog: Catalog, rules: Rules) -> None:
        """Say which activity types of the mapping this Freshsales lacks: the events would be rejected one by one."""
        for mistake in missing_types(catalog, rules):
            (wrong,) = placed([mistake], self.settings.config_file)
            self.output.consoles.mistake(wrong.text, wrong.hint)


@contextmanager
def session(settings: Settings, output: Output, command: str, *, offline: bool = False) -> Iterator[Session]:
    """Hold the account that the settings mean. Raises `ConfigError`, `Locked` and `StateError`.

    Whatever interrupts it inside is raised as `Interrupted`.
    """
    account = account_of(settings)
    if not offline:
        check_tokens(settings)
        tell_open_token_file(settings, output.consoles)
    if settings.sandbox:
        output.window = sandbox_window()
        output.progress = output.fresh()
    began, folder = time.monotonic(), account_folder(settings, account)
    refuse_edition(folder, account)
    pacer = make_pacer(settings, lambda: output.progress)
    with (
        interruptible(pacer),
        locked(folder, account=account.host) as note_holder,
        closing(Ledger(folder / "ledger.db")) as ledger,
    ):
        yield Session(settings, output, account, folder, ledger, pacer, note_holder, command, began)


def refuse_edition(folder: Path, account: Account) -> None:
    """Raise `ConfigError` where this address was one of the other edition before: their ledgers are not to be mixed."""
    for run, info in readable_runs(folder):
        if info.edition != account.edition:
            raise ConfigError(
                f"{account.host} was a {info.edition} account in run {run.id}, and not a {account.edition} one:"
                " give another --state-dir for it"
            )


@contextmanager
def resumable(run: Run, *, fresh: bool) -> Iterator[None]:
    """What ends the run inside leaves it to be resumed, and says so; a fresh one that can't be begun leaves nothing.

    It can't where what was asked for makes no sense, no input can be read, or Freshsales refuses the key.
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
    """The command that does this with the run."""
    return command(verb, run.id, account=run.folder.parent.parent.name, run_dir=run.folder, more=more)


def cached_fields(folder: Path, account: Account) -> Catalog:
    """The fields that the last online run read, else the standard ones."""
    try:
        return Catalog.from_json((folder / "fields.json").read_bytes())
    except (OSError, ValueError, KeyError):
        return Catalog.standard(account.edition)


def cache_fields(folder: Path, catalog: Catalog) -> None:
    """Keep the account's fields for offline runs."""
    write_text(folder / "fields.json", catalog.to_json().decode())


class Declined(Exception):
    """Somebody was asked, and said no, or pressed Ctrl-C."""

    def __init__(self, *, interrupted: bool = False) -> None:
        super().__init__("declined")
        self.interrupted = interrupted


@dataclass
class Ending:
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

    Both leave the run resumable. Raises `Interrupted` for the second.
    """
    signals = (signal.SIGINT, signal.SIGTERM)

    def stop(number: int, frame: Any) -> None:
        for each in signals:
            signal.signal(each, signal.default_int_handler)
        pacer.interrupt()

    before = {each: signal.signal(each, stop) for each in signals}
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


def refuse_forbidden(pipeline: Pipeline) -> None:
    """Raise the refusal of something that this plan needs, before the first write."""
    needs: set[str] = {*entities_of(pipeline.store)}
    reasons = pipeline.store.meta.counts.reasons
    if any(code in (Code.TIMELINE_UNAVAILABLE, Code.ACTIVITY_TYPE_MISSING) for _, code, _ in reasons):
        needs.add("sales_activity_types")
    for name, refusal in pipeline.forbidden.items():
        if name in needs:
            assert isinstance(refusal, Forbidden)
            raise refusal

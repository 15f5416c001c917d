"""What the commands that plan and push have in common: open everything, run the pipeline, say what came of it."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fsseg.cli.connect import Connection, account_folder, account_of, connected, locked
from fsseg.cli.errors import NoInput
from fsseg.cli.exit_codes import ExitCode
from fsseg.freshsales.account import Account
from fsseg.freshsales.errors import Forbidden, FreshsalesError, Interrupted, Stop
from fsseg.freshsales.pacer import Pacer
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.rules import Rules
from fsseg.pipeline import Pipeline
from fsseg.plan.account_fields import AccountFields, read_fields
from fsseg.plan.files import note_files
from fsseg.plan.ledger import Ledger
from fsseg.plan.mirror import Mirror
from fsseg.plan.run import Run
from fsseg.plan.store import Store
from fsseg.report.console import Consoles
from fsseg.report.progress import Progress, choose
from fsseg.segment.open import Input, expand
from fsseg.settings import Settings, suppressed


@dataclass
class Output:
    """How a command talks. `progress` is the one that is shown now."""

    consoles: Consoles
    json: bool = False
    no_progress: bool = False

    def __post_init__(self) -> None:
        self.progress = self.fresh()

    def fresh(self) -> Progress:
        """New bars, lines or silence, as fits."""
        return choose(self.consoles.err, quiet=self.consoles.quiet, json=self.json, no_progress=self.no_progress)


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
        suppress=suppressed(settings.filter.suppress_file),
        consent=settings.filter.consent,
        id_field=settings.identity.id_field,
    )


def find_inputs(paths: Sequence[str], consoles: Consoles) -> tuple[list[str], int]:
    """The files to read, and how many paths could not be; each of those is told. Raises `NoInput` if none can."""
    files, unreadable = expand(paths)
    for path, reason in unreadable:
        consoles.complain(f"{path}: {reason}")
    if unreadable and not files:
        raise NoInput("nothing to read")
    return files, len(unreadable)


def register(store: Store, run: Run, files: Sequence[str]) -> list[Input]:
    """Note the inputs in the run's store; standard input is kept in its folder, so that its events can be told."""
    inputs = []
    for number, shown in enumerate(files):
        path = _kept_stdin(store, run) if shown == "-" else shown
        row = (number, os.path.abspath(path), shown)
        store.db.execute("INSERT OR REPLACE INTO input (number, path, shown) VALUES (?, ?, ?)", row)
        inputs.append(Input(path, number))
    note_files(store, inputs)
    return inputs


def _kept_stdin(store: Store, run: Run) -> str:
    path = run.folder / "stdin"
    if not store.get("stdin_whole"):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as copy:
            shutil.copyfileobj(sys.stdin.buffer, copy, 1 << 20)
        store.put("stdin_whole", True)
    return str(path)


@contextmanager
def opened(
    settings: Settings, output: Output, run_of: Callable[[Path], Run], *, writes: bool, offline: bool = False
) -> Iterator[Pipeline]:
    """A pipeline with everything it needs, under the account's lock.

    Raises what `fsseg.cli.errors.handled` handles.
    """
    account = account_of(settings)
    folder = account_folder(settings, account)
    with ExitStack() as stack:
        run = run_of(folder)
        stack.enter_context(locked(folder, run.id))
        store = stack.enter_context(closing(run.open()))
        ledger = stack.enter_context(closing(Ledger(folder / "ledger.db")))
        store.put("account", {"host": account.host, "edition": account.edition})
        if offline:
            catalog = cached_fields(folder, account)
            rules = rules_of(settings, application_token=bool(os.environ.get("FSSEG_APPLICATION_TOKEN")), offline=True)
            yield Pipeline(settings, rules, catalog, run, store, ledger, None, None, None, Pacer(), output.progress)
            return
        connection = stack.enter_context(connected(settings, lambda: output.progress, writes=writes))
        known = read_fields(connection.reader, account.edition)
        cache_fields(folder, known.catalog)
        mirror = stack.enter_context(closing(Mirror(folder / "mirror.db")))
        rules = rules_of(settings, application_token=connection.application_token)
        yield _pipeline(settings, rules, known, run, store, ledger, mirror, connection, output.progress)


def _pipeline(
    settings: Settings, rules: Rules, known: AccountFields, run: Run, store: Store, ledger: Ledger, mirror: Mirror,
    connection: Connection, progress: Progress,
) -> Pipeline:  # fmt: skip
    return Pipeline(
        settings, rules, known.catalog, run, store, ledger, mirror, connection.reader, connection.writer,
        connection.pacer, progress, forbidden=known.forbidden,
    )  # fmt: skip


def cached_fields(folder: Path, account: Account) -> Catalog:
    """The fields that the last online run read, else the standard ones."""
    try:
        return Catalog.from_json((folder / "fields.json").read_bytes())
    except (OSError, ValueError, KeyError):
        return Catalog.standard(account.edition)


def cache_fields(folder: Path, catalog: Catalog) -> None:
    """Keep the account's fields for offline runs."""
    from fsseg.report.files import write_text

    write_text(folder / "fields.json", catalog.to_json().decode())


@dataclass
class Ending:
    """How a run ended: its exit code, and what stopped it."""

    code: ExitCode = ExitCode.DONE
    error: Exception | None = None
    notes: list[str] = field(default_factory=list)


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
    except KeyboardInterrupt:
        raise Interrupted("interrupted") from None
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


def now() -> str:
    """The present, as the reports write it."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def refuse_forbidden(pipeline: Pipeline) -> None:
    """Raise the refusal of something that this plan needs, before the first write."""
    needs = {entity for (entity,) in pipeline.store.db.execute("SELECT DISTINCT entity FROM record")}
    counts = pipeline.store.get("counts", {})
    if any(code in ("timeline_unavailable", "activity_type_missing") for _, code, _ in counts.get("reasons", ())):
        needs.add("sales_activity_types")
    for name, refusal in pipeline.forbidden.items():
        if name in needs:
            assert isinstance(refusal, Forbidden)
            raise refusal

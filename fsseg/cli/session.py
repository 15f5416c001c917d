"""What the commands that plan and push have in common: open everything, run the pipeline, say what came of it."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fsseg.account.fields import cache_fields, cached_fields, read_fields
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
from fsseg.cli.run_end import interruptible
from fsseg.cli.run_inputs import tell_doubtful
from fsseg.cluster import Cluster
from fsseg.freshsales.account import Account
from fsseg.freshsales.errors import Interrupted
from fsseg.freshsales.pacer import Pacer
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.rules import Rules, missing_types
from fsseg.match.mirror import Mirror
from fsseg.pipeline import Pipeline
from fsseg.plan.defaults import check_settings
from fsseg.processes import Processes, ProcessesRefused
from fsseg.report.console import Consoles
from fsseg.report.eta import WINDOW
from fsseg.report.progress import Progress, choose
from fsseg.segment.stores import use_endpoint
from fsseg.settings import ConfigError, Settings, suppressed
from fsseg.settings_file import placed
from fsseg.state.actions import Mode
from fsseg.state.ledger import Ledger
from fsseg.state.plan_store import Store
from fsseg.state.run_folder import Run, readable_runs
from fsseg.state.run_meta import PlanKey, PlanStage
from fsseg.state.seal import edited
from fsseg.undo_pipeline import UndoPipeline

TO_BEGIN = 20
"""Requests that it takes at most to read what the account can hold, and to look for a few people."""


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
    """The part of the settings that concerns the mapping."""
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
        "--create-missing": settings.create_missing, "--strict": settings.strict, "--again": settings.again,
    }  # fmt: skip
    return " ".join([*flags, *(flag for flag, wanted in given.items() if wanted)])


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
        use_endpoint(self.settings.endpoint)
        tell_doubtful(self.settings.filter.suppress_file, self.output.consoles)
        with ExitStack() as stack:
            # Before anything is open that a forked process should not hold.
            try:
                processes = stack.enter_context(closing(Processes(self.settings.jobs, run.folder)))
            except ProcessesRefused as error:
                raise ConfigError(str(error), "leave --jobs out, or give fewer") from None
            store = stack.enter_context(closing(run.open()))
            self._own_plan(store, run)
            begun = partial(
                UndoPipeline if run.info.command == "undo" else Pipeline,
                settings=self.settings, run=run, store=store, ledger=self.ledger, pacer=self.pacer,
                progress=self.output.progress, processes=processes, cluster=self._cluster(stack, store, run),
            )  # fmt: skip
            if offline:
                catalog = cached_fields(self.folder, self.account.edition)
                token = bool(os.environ.get("FSSEG_APPLICATION_TOKEN"))
                rules = rules_of(self.settings, application_token=token, offline=True)
                yield begun(rules=rules, catalog=catalog, mirror=None, reader=None, writer=None)
                return
            connection = stack.enter_context(connected(self.settings, self.account, self.pacer, writes=writes))
            with self.pacer.whole(TO_BEGIN):
                known = read_fields(connection.reader, self.account.edition)
            cache_fields(self.folder, known.catalog)
            rules = rules_of(self.settings, application_token=connection.application_token)
            check_settings(known.catalog, rules, self.settings.defaults.model_dump())  # told before anything is read
            self._tell_missing_types(known.catalog, rules)
            mirror = stack.enter_context(closing(Mirror.usable(self.folder / "mirror.db", self.output.consoles.info)))
            yield begun(
                rules=rules, catalog=known.catalog, mirror=mirror, reader=connection.reader, writer=connection.writer,
                forbidden=known.forbidden,
            )  # fmt: skip

    def _own_plan(self, store: Store, run: Run) -> None:
        """Note in a new plan whose it is; raise, as `check_account` does, for one that is of another account."""
        if store.meta.settings is not None:
            self.check_account(store, run)
            return
        with store.transaction():
            store.meta.settings = run.info.settings
            store.meta.key = PlanKey(self.account.host, self.account.edition, self.ledger.generation)

    def _cluster(self, stack: ExitStack, store: Store, run: Run) -> Cluster | None:
        """The workers that read and fold, as long as the stack is open; None where none are to."""
        address = self.settings.cluster.address
        if address is None or store.meta.stage is not PlanStage.NEW:
            return None
        cluster = Cluster(address, run.info.inputs, run.folder, self._tick, self.output.progress.message)
        return stack.enter_context(closing(cluster))

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

"""The composition root: from settings to an account, a client, a state folder, a lock."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import orjson
from filelock import FileLock, Timeout
from msgspec import Struct
from platformdirs import user_state_path

from fsseg.freshsales.account import Account, resolve
from fsseg.freshsales.account import ConfigError as AccountError
from fsseg.freshsales.names import Entity
from fsseg.freshsales.pacer import Pacer
from fsseg.freshsales.reader import Reader
from fsseg.freshsales.secret import Token
from fsseg.freshsales.writer import Writer
from fsseg.report.console import Consoles
from fsseg.report.progress import Progress
from fsseg.segment.inputs import can_be_told, shown
from fsseg.settings import ConfigError, Settings, api_token, user_folder
from fsseg.state.database import may_pass
from fsseg.state.private_file import write_text

SANDBOX_TOKEN = "sandbox"  # noqa: S105 (opens nothing but a server of our own on this machine)
NO_ACCOUNT = (
    "give --domain acme.freshsales.io, set FSSEG_DOMAIN, or let fsseg init write it into fsseg.toml"
    " (or try --sandbox, which needs no account)"
)
WAITING = {
    "quota": "Freshsales' quota",
    "rate_limited": "Freshsales' quota",
    "burst": "Freshsales, which refuses all requests for a while after many at once",
    "bulk_busy": "another bulk job",
    "unavailable": "Freshsales, which can't be reached or doesn't answer as it should,",
    "look-ups lag": "look-ups to find what was just made",
}


class Locked(Exception):
    """Another run holds the account's lock; the text names it (exit 7)."""


class Connection(Struct, frozen=True):
    """An account that can be talked to; where nothing may be written, `writer` is refused by the transport."""

    account: Account
    pacer: Pacer
    reader: Reader
    writer: Writer
    application_token: bool


def state_dir(settings: Settings) -> Path:
    """The state folder, made with mode 0700. Raises `ConfigError`."""
    folder = settings.state_dir or user_folder(user_state_path)
    if folder is None:
        raise ConfigError(
            "nobody knows this user's home folder, where the state is kept", "set HOME, or give --state-dir"
        )
    for path, hint in ((str(folder), "--state-dir names another"), (os.getcwd(), "go into another folder")):
        if not can_be_told(path):
            raise ConfigError(f"the name of the folder {shown(path)} is not UTF-8, so no run can note it", hint)
    with _usable(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


@contextmanager
def _usable(folder: Path) -> Iterator[None]:
    """Raise `ConfigError` where the folder can't be made or written to, but for want of room."""
    try:
        yield
    except OSError as error:
        if may_pass(error):
            raise
        why = "it is a file" if isinstance(error, FileExistsError) else error.strerror or error
        raise ConfigError(f"the state folder {folder} can't be used: {why}", "--state-dir names another") from None


def account_of(settings: Settings) -> Account:
    """The account that the settings mean, the sandbox apart. Raises `ConfigError`."""
    wanted = settings.freshsales
    if settings.sandbox:
        edition = wanted.edition or "classic"
        return Account(edition, "", f"sandbox-{edition}")
    try:
        if not (wanted.domain or wanted.base_url):
            raise ConfigError("no Freshsales account given", NO_ACCOUNT)
        return resolve(wanted.domain, wanted.edition, wanted.base_url)
    except AccountError as error:
        raise ConfigError(str(error)) from None


def folder_of(settings: Settings, host: str) -> Path:
    """`<state>/<host>`, whether it is there or not, by a name that a folder may have everywhere."""
    name, slash, path = host.partition("/")
    return state_dir(settings) / (name.replace(":", "_") + quote(slash + path, safe=""))


def account_folder(settings: Settings, account: Account) -> Path:
    """The account's folder, made with mode 0700.

    Raises `ConfigError` where an earlier version may have kept the account's ledger by the host alone: without it, all
    would be sent again.
    """
    folder = folder_of(settings, account.host)
    former = folder_of(settings, account.host.partition("/")[0])
    if not folder.exists() and former != folder and (former / "ledger.db").exists():
        raise ConfigError(
            f"{former} may be the state of {account.host}, as earlier versions named it: if it is, rename it to"
            f" {folder}; if it isn't, make the folder {folder}"
        )
    with _usable(folder):
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def make_pacer(settings: Settings, progress: Callable[[], Progress]) -> Pacer:
    """The pace of all requests, whose waits are shown by `progress`."""
    return Pacer(
        max_requests=settings.limits.max_requests,
        max_time=settings.limits.max_time,
        reserve=settings.limits.reserve,
        on_wait=lambda seconds, until, reason: _waiting(progress(), seconds, until, reason),
    )


def sandbox_window() -> float:
    """Seconds that the quota of the sandbox lasts."""
    from fsseg.sandbox.options import Options

    return Options().window


@contextmanager
def connected(settings: Settings, account: Account, pacer: Pacer, *, writes: bool) -> Iterator[Connection]:
    """Open the client for the account, with the sandbox started if it is meant.

    Without `writes` the transport itself refuses whatever isn't a read. Raises `ConfigError`.
    """
    from fsseg.freshsales.http import Http  # takes a tenth of a start, which who stays offline needn't wait for

    folder = account_folder(settings, account)
    with ExitStack() as stack:
        tokens = check_tokens(settings)
        if settings.sandbox:
            account = stack.enter_context(_sandbox(folder, account, settings.sandbox_as))
        elif settings.sandbox_as:
            raise ConfigError(
                f"--as is for the sandbox, and {account.host} is not one", "leave it out, or give --sandbox"
            )
        try:
            http = Http(account, *tokens, pacer=pacer, read_only=not writes)
        except AccountError as error:
            raise ConfigError(str(error)) from None
        stack.enter_context(http)
        reader = Reader(http)
        reader.known_views.update(_views(settings))
        yield Connection(account, pacer, reader, Writer(http), tokens[1] is not None)


def _views(settings: Settings) -> dict[Entity, int | None]:
    views = settings.freshsales.views
    named: dict[Entity, int | None] = {
        "lead": views.lead, "contact": views.contact, "account": views.account, "deal": views.deal,
    }  # fmt: skip
    return {entity: view for entity, view in named.items() if view is not None}


@contextmanager
def reading(settings: Settings, progress: Callable[[], Progress]) -> Iterator[Connection]:
    """The account that the settings mean, to be read. Raises `ConfigError`."""
    with connected(settings, account_of(settings), make_pacer(settings, progress), writes=False) as connection:
        yield connection


def _waiting(progress: Progress, seconds: float, until: float, reason: str) -> None:
    if seconds >= 1:
        progress.waiting(seconds, until, WAITING.get(reason, reason))


def check_tokens(settings: Settings) -> tuple[Token, Token | None]:
    """The API token and the application token, if there is one. Raises `ConfigError`."""
    if settings.sandbox:
        return Token(SANDBOX_TOKEN), Token(f"{SANDBOX_TOKEN}-app")
    token = api_token(settings)
    if not token:
        raise ConfigError("no API token", "set FSSEG_API_TOKEN or give --api-token-file (or try --sandbox)")
    application = os.environ.get("FSSEG_APPLICATION_TOKEN")
    try:
        return Token(token), Token(application) if application else None
    except ValueError:
        raise ConfigError("the API token or application token is not one word of visible ASCII characters") from None


def tell_open_token_file(settings: Settings, consoles: Consoles) -> None:
    """Say so where the token file is one that others may read."""
    path = settings.freshsales.api_token_file
    if path is not None and not settings.sandbox and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        consoles.info(f"others may read the API token in {path}: chmod 600 {shlex.quote(str(path))}")


@contextmanager
def _sandbox(folder: Path, account: Account, switches: Sequence[str]) -> Iterator[Account]:
    """The local Freshsales in a process of its own, which ends with this one however that ends.

    Raises `ConfigError`.
    """
    from fsseg.sandbox.options import Options, switched

    try:
        Options().changed(switched({"as_": switches, "fault": ()}))
    except ValueError as error:
        raise ConfigError(f"--as: the sandbox can't do that: {error}") from None
    command = [
        sys.executable,
        "-m",
        "fsseg.sandbox",
        "--db",
        str(folder / "freshsales.db"),
        "--edition",
        account.edition,
        "--with-parent",
        *(f"--as={switch}" for switch in switches),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as process:  # noqa: S603
        assert process.stdout and process.stdin
        try:
            ready = process.stdout.readline()
            told = orjson.loads(ready or b"{}")
            if "base_url" not in told:
                raise ConfigError(": ".join(["the sandbox can't be started", *told.values()]))
            yield Account(account.edition, told["base_url"], account.host)
        finally:
            process.stdin.close()
            process.terminate()


LOCK_WAIT = 1.0
"""Seconds that a lock is waited for, so that who only looks whether it is held turns nobody away."""


@contextmanager
def locked(folder: Path, holder: str = "", account: str = "") -> Iterator[Callable[[str], None]]:
    """Hold the account's lock; what is given changes who is told to hold it. Raises `Locked`.

    `account` is its host where the folder has another name.
    """
    note = folder / "lock.json"
    lock = FileLock(folder / "lock", mode=0o600)
    try:
        lock.acquire(timeout=LOCK_WAIT, poll_interval=0.05)
    except Timeout:
        raise Locked(_who(note, account or folder.name)) from None

    def name(holder: str) -> None:
        write_text(note, orjson.dumps({"run": holder, "pid": os.getpid()}).decode())

    try:
        name(holder)
        yield name
        note.unlink(missing_ok=True)
    finally:
        lock.release()


def holder(folder: Path) -> str | None:
    """The run whose process holds the account's lock now, if any does; empty where that isn't a run's."""
    if not (folder / "lock").exists():
        return None
    lock = FileLock(folder / "lock", mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        try:
            return str(orjson.loads((folder / "lock.json").read_bytes())["run"])
        except (OSError, orjson.JSONDecodeError, KeyError):
            return ""
    lock.release()
    return None


def _who(note: Path, account: str) -> str:
    try:
        found = orjson.loads(note.read_bytes())
        run = f"run {found['run']}" if found["run"] else "another run"
        return f"{run} of {account} is under way (process {found['pid']}): wait for it, or end it"
    except (OSError, orjson.JSONDecodeError, KeyError):
        return f"another run of {account} is under way: wait for it, or end it"

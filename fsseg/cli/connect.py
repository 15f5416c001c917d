"""The composition root: from settings to an account, a client, a state folder, a lock."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
from filelock import FileLock, Timeout
from platformdirs import user_state_path

from fsseg.freshsales.account import Account, resolve
from fsseg.freshsales.account import ConfigError as AccountError
from fsseg.freshsales.http import Http
from fsseg.freshsales.pacer import Pacer
from fsseg.freshsales.reader import Reader
from fsseg.freshsales.secret import Token
from fsseg.freshsales.writer import Writer
from fsseg.report.files import write_text
from fsseg.report.progress import Progress
from fsseg.settings import ConfigError, Settings, api_token

SANDBOX_TOKEN = "sandbox"  # noqa: S105 (opens nothing but a server of our own on this machine)
WAITING = {"quota": "Freshsales' quota", "rate_limited": "Freshsales' quota", "bulk_busy": "another bulk job"}


class Locked(Exception):
    """Another run holds the account's lock; the text names it (exit 7)."""


@dataclass(frozen=True)
class Connection:
    """An account that can be talked to. `writer` is None where nothing may be written."""

    account: Account
    folder: Path
    pacer: Pacer
    reader: Reader
    writer: Writer | None
    application_token: bool


def state_dir(settings: Settings) -> Path:
    """The state folder, made with mode 0700."""
    folder = settings.state_dir or user_state_path("fsseg", appauthor=False)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def account_of(settings: Settings) -> Account:
    """The account that the settings mean, the sandbox apart. Raises `ConfigError`."""
    wanted = settings.freshsales
    if settings.sandbox:
        edition = wanted.edition or "classic"
        return Account(edition, "", f"sandbox-{edition}")
    try:
        return resolve(wanted.domain, wanted.edition, wanted.base_url)
    except AccountError as error:
        raise ConfigError(str(error)) from None


def folder_of(settings: Settings, host: str) -> Path:
    """`<state>/<host>`, whether it is there or not; a port's colon is no part of a file name everywhere."""
    return state_dir(settings) / host.replace(":", "_")


def account_folder(settings: Settings, account: Account) -> Path:
    """The account's folder, made with mode 0700."""
    folder = folder_of(settings, account.host)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextmanager
def connected(settings: Settings, progress: Callable[[], Progress], *, writes: bool) -> Iterator[Connection]:
    """Open the client for the account, with the sandbox started if it is meant.

    Without `writes` no writer is made, and the transport itself refuses whatever isn't a read. Raises `ConfigError`.
    """
    account = account_of(settings)
    folder = account_folder(settings, account)
    with ExitStack() as stack:
        if settings.sandbox:
            account = stack.enter_context(_sandbox(folder, account))
            tokens: tuple[Token, Token | None] = Token(SANDBOX_TOKEN), Token(f"{SANDBOX_TOKEN}-app")
        else:
            tokens = _tokens(settings)
        pacer = Pacer(
            max_requests=settings.limits.max_requests,
            max_time=settings.limits.max_time,
            reserve=settings.limits.reserve,
            on_wait=lambda seconds, until, reason: _waiting(progress(), seconds, until, reason),
        )
        http = Http(account, *tokens, pacer=pacer, read_only=not writes)
        stack.enter_context(http)
        writer = Writer(http) if writes else None
        yield Connection(account, folder, pacer, Reader(http), writer, tokens[1] is not None)


def _waiting(progress: Progress, seconds: float, until: float, reason: str) -> None:
    if seconds >= 1:
        progress.waiting(seconds, until, WAITING.get(reason, reason))


def _tokens(settings: Settings) -> tuple[Token, Token | None]:
    token = api_token(settings)
    if not token:
        raise ConfigError("no API token: set FSSEG_API_TOKEN or give --api-token-file (or try --sandbox)")
    application = os.environ.get("FSSEG_APPLICATION_TOKEN")
    try:
        return Token(token), Token(application) if application else None
    except ValueError:
        raise ConfigError("the API token or application token is not one word of visible ASCII characters") from None


@contextmanager
def _sandbox(folder: Path, account: Account) -> Iterator[Account]:
    """The local Freshsales in a process of its own, which ends with this one however that ends."""
    command = [
        sys.executable,
        "-m",
        "fsseg.sandbox",
        "--db",
        str(folder / "freshsales.db"),
        "--edition",
        account.edition,
        "--with-parent",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as process:  # noqa: S603
        assert process.stdout and process.stdin
        try:
            ready = process.stdout.readline()
            if not ready:
                raise ConfigError("the sandbox could not be started")
            yield Account(account.edition, orjson.loads(ready)["base_url"], account.host)
        finally:
            process.stdin.close()
            process.terminate()


@contextmanager
def locked(folder: Path, holder: str) -> Iterator[None]:
    """Hold the account's lock, which names its holder. Raises `Locked`."""
    note = folder / "lock.json"
    lock = FileLock(folder / "lock", mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Locked(_who(note, folder)) from None
    try:
        write_text(note, orjson.dumps({"run": holder, "pid": os.getpid()}).decode())
        yield
        note.unlink(missing_ok=True)
    finally:
        lock.release()


def _who(note: Path, folder: Path) -> str:
    try:
        found = orjson.loads(note.read_bytes())
        return f"run {found['run']} of {folder.name} is under way (process {found['pid']}): wait for it, or end it"
    except (OSError, orjson.JSONDecodeError, KeyError):
        return f"another run of {folder.name} is under way: wait for it, or end it"

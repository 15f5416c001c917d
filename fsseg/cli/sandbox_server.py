"""The file of the sandbox in the state folder: serving it in the foreground, emptying it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from fsseg.cli.connect import SANDBOX_TOKEN, account_folder, account_of, folder_of, locked
from fsseg.cli.last_run import latest_run
from fsseg.cli.session import Output
from fsseg.report.advice import sandbox_flags
from fsseg.report.console import write
from fsseg.report.render import print_json
from fsseg.sandbox import Options, Sandbox, reset, running
from fsseg.sandbox.options import switched
from fsseg.sandbox.serve import serve_until_stopped
from fsseg.settings import ConfigError, Settings
from fsseg.state.run_folder import Run, all_runs

MEMORY = ("ledger.db*", "mirror.db*", "probe.json")
"""What is remembered of an account's records."""

SERVED = "served"
"""Names the hosts that the sandbox was served as, whose ledgers speak of its records too."""


def data_file(settings: Settings) -> Path:
    """The file that `--sandbox` uses."""
    return account_folder(settings, account_of(settings)) / "freshsales.db"


def serve_account(settings: Settings, output: Output, port: int, behaviour: Mapping[str, Any]) -> None:
    """Serve until SIGINT or SIGTERM. Raises `ConfigError`."""
    account, db, options = account_of(settings), data_file(settings), _options(behaviour)

    def ready(sandbox: Sandbox) -> None:
        _remember(db.parent / SERVED, sandbox)
        _introduce(output, sandbox, account.edition, db)

    try:
        latest = latest_run(lambda: _folders(settings))
        serve_until_stopped(running(db, edition=account.edition, options=options, port=port, latest_run=latest), ready)
    except OSError as error:
        if error.filename is not None:
            raise
        raise ConfigError(f"port {port} can't be had ({error.strerror}): choose another with --port") from None
    except (sqlite3.DatabaseError, ValueError) as error:
        raise ConfigError(f"{db}: {error}: {made_anew(db)}") from None


def made_anew(db: Path) -> str:
    """What helps where the sandbox's file can't be used."""
    return f"{' '.join(['fsseg sandbox reset', *sandbox_flags(db.parent.name)[1:]])} makes a new one"


def _options(behaviour: Mapping[str, Any]) -> Options:
    try:
        return Options().changed(switched(behaviour))
    except ValueError as error:
        raise ConfigError(f"the sandbox can't do that: {error}") from None


def _introduce(output: Output, sandbox: Sandbox, edition: str, db: Path) -> None:
    out, say = output.consoles.out, output.consoles.info
    exports = {
        "FSSEG_BASE_URL": sandbox.base_url,
        "FSSEG_EDITION": edition,
        "FSSEG_API_TOKEN": SANDBOX_TOKEN,
        "FSSEG_APPLICATION_TOKEN": f"{SANDBOX_TOKEN}-app",
    }
    if output.json:
        print_json(out, {"base_url": sandbox.base_url, "edition": edition, "environment": exports, "data": str(db)})
    else:
        say(
            f"A {edition} Freshsales is ready at {sandbox.base_url} (Ctrl-C ends it). To use it, in another terminal:\n"
        )
        write(out, "".join(f"export {name}={value}\n" for name, value in exports.items()))
        say(f"\nthen: fsseg check, fsseg import PATH. Its records are shown at {sandbox.origin}/ and kept in {db}")
    out.file.flush()


def _remember(note: Path, sandbox: Sandbox) -> None:
    host = sandbox.origin.partition("://")[2]
    known = note.read_text().split() if note.exists() else []
    note.write_text("\n".join(dict.fromkeys([*known, host])) + "\n")


def runs_of(settings: Settings) -> list[Run]:
    """The runs into the sandbox, under whatever address."""
    return [run for folder in _folders(settings) for run in all_runs(folder)]


def _folders(settings: Settings) -> list[Path]:
    """The folders of the sandbox and of the hosts that it was served as."""
    db = data_file(settings)
    note = db.parent / SERVED
    hosts = note.read_text().split() if note.exists() else []
    return [db.parent, *(folder for host in hosts if (folder := folder_of(settings, host)).is_dir())]


def empty(settings: Settings) -> None:
    """Begin anew with the default account, and forget what was delivered to it, and its runs, under whatever address.

    The runs would write to whoever has their people's ids by then. Raises `Locked` while a run is under way.
    """
    db = data_file(settings)
    folders = _folders(settings)
    with ExitStack() as locks:
        for folder in folders:
            locks.enter_context(locked(folder, "sandbox reset"))
        try:
            reset(db, account_of(settings).edition)
        except (sqlite3.DatabaseError, ValueError):
            for file in db.parent.glob(f"{db.name}*"):
                file.unlink()
            reset(db, account_of(settings).edition)
        for folder in folders:
            for pattern in MEMORY:
                for file in folder.glob(pattern):
                    file.unlink()
            if (folder / "runs").exists():
                shutil.rmtree(folder / "runs")
        (db.parent / SERVED).unlink(missing_ok=True)

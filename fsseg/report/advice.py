"""Commands that are advised, with the flags without which they would not find the run."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from platformdirs import user_state_path

from fsseg.report.console import sanitise
from fsseg.settings import ConfigError, Settings, load, user_folder
from fsseg.state.database import StateError
from fsseg.state.run_folder import Run

_TO_THE_ACCOUNT = ("apply", "resume", "retry", "undo")
"""What is done with a run that takes its account."""

SANDBOX = "sandbox-"
"""What the accounts of the embedded sandbox are named after."""


def command(verb: str, what: str, *, account: str, run_dir: Path | None = None, more: str = "") -> str:
    """`fsseg VERB WHAT` with the flags that name the account and the state folder, where they aren't the usual ones.

    `what` is a run or a file; `run_dir` is the run's folder, `more` what stands at the end.
    """
    words = ["fsseg", verb, shlex.quote(sanitise(what))]
    if account.startswith(SANDBOX):
        words += ["--sandbox"] if verb == "import" else sandbox_flags(account)
    elif verb in _TO_THE_ACCOUNT and run_dir is not None:
        words += _account_flags(run_dir)
    state = run_dir.parents[2] if run_dir is not None and len(run_dir.parents) > 2 else None
    if state is not None and state.resolve() != _usual_state():
        words += ["--state-dir", shlex.quote(sanitise(str(state)))]
    return " ".join([*words, *([more] if more else [])])


def sandbox_flags(account: str) -> list[str]:
    """The flags that name this account of the sandbox."""
    edition = account.removeprefix(SANDBOX)
    is_usual = edition == "classic" and _usual_settings().freshsales.edition in (None, edition)
    return ["--sandbox", *([] if is_usual else ["--edition", edition])]


def _account_flags(run_dir: Path) -> list[str]:
    """The flags that name the account of a run, where another one is meant by whoever gives none."""
    try:
        settings = Settings.model_validate(Run(run_dir).info.settings)
    except (StateError, ValueError):
        return []
    own, usual = settings.freshsales, _usual_settings().freshsales
    if not (usual.domain or usual.base_url) or (own.domain, own.base_url) == (usual.domain, usual.base_url):
        return []
    given = (
        ("--config", settings.config_file), ("--domain", own.domain), ("--base-url", own.base_url),
        ("--edition", own.edition), ("--api-token-file", own.api_token_file and own.api_token_file.absolute()),
    )  # fmt: skip
    return [word for flag, value in given if value for word in (flag, shlex.quote(sanitise(str(value))))]


def _usual_settings() -> Settings:
    """What holds for whoever gives no flags: what the environment says, and the settings file that is found."""
    names = {name: os.environ.get(f"FSSEG_{name.upper()}") for name in ("domain", "base_url", "edition")}
    account = {name: value for name, value in names.items() if value}
    config = os.environ.get("FSSEG_CONFIG")
    try:
        return load({"freshsales": account} if account else {}, Path(config) if config else None)
    except ConfigError:
        return Settings()


def _usual_state() -> Path | None:
    named = os.environ.get("FSSEG_STATE_DIR")
    usual = Path(named) if named else user_folder(user_state_path)
    return usual and usual.resolve()

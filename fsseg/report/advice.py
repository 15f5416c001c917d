"""Commands that are advised, with the flags without which they would not find the run."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from platformdirs import user_state_path

from fsseg.report.console import sanitise

SANDBOX = "sandbox-"
"""What the accounts of the embedded sandbox are named after."""


def command(verb: str, what: str, *, account: str, run_dir: Path | None = None, more: str = "") -> str:
    """`fsseg VERB WHAT` with the flags that name the account and the state folder, where they aren't the usual ones.

    `what` is a run or a file; `run_dir` is the run's folder, `more` what stands at the end.
    """
    words = ["fsseg", verb, shlex.quote(sanitise(what))]
    if account.startswith(SANDBOX):
        words.append("--sandbox")
    state = run_dir.parents[2] if run_dir is not None and len(run_dir.parents) > 2 else None
    if state is not None and state.resolve() != _usual_state().resolve():
        words += ["--state-dir", shlex.quote(sanitise(str(state)))]
    return " ".join([*words, *([more] if more else [])])


def _usual_state() -> Path:
    return Path(os.environ.get("FSSEG_STATE_DIR") or user_state_path("fsseg", appauthor=False))

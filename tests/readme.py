"""What the README shows as printed is printed by fsseg: `python -m tests.readme` runs it again and puts it in place.

So it does with the table of codes.

Every ```console block is a fresh home folder; its `$` lines are run one after the other, and what follows each is
what it writes to stdout.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from fsseg.report.reasons import TABLE
from tests.forked import MEASURED

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
FSSEG = Path(sys.executable).with_name("fsseg")
WIDTH = 100
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODES = re.compile(r"(^## Reason and warning codes\n.*?\n\n)\| code .*?\n(?=\n|\Z)", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)$", re.MULTILINE)


def regenerated(text: str) -> str:
    """`text` with every console block as the commands print it now, and the codes as they are."""
    blocks = _BLOCK.findall(text)
    with ThreadPoolExecutor(2) as pool:
        printed = iter(list(pool.map(_printed, blocks)))
    text = _CODES.sub(lambda found: found[1] + codes(), text)
    return _BLOCK.sub(lambda _: f"```console\n{next(printed)}```", text)


def codes() -> str:
    """The table of all reason and warning codes, with what to do about each."""
    rows = [f"| `{code.code}` | {code.outcome} | {code.hint} |" for code in TABLE]
    return "\n".join(["| code | | what happened, and what to do |", "|---|---|---|", *rows]) + "\n"


def steady(text: str) -> str:
    """`text` without what differs from run to run: ids, durations, waits, and the quota, which is refilled meanwhile."""
    text = re.sub(r"#\d{8,}", "#ID", text)
    text = re.sub(r"\d{4}-\d\d-\d\d-\d{4,6}-\w{2}", "RUN", text)
    text = re.sub(r"\b[\d,]+ left\b", "SOME left", text)
    text = re.sub(r", waited [\d.]+ m?s", "", text)
    return re.sub(r"\b[\d.]+ (m?s|min)\b", "TIME", text)


def _printed(block: str) -> str:
    """The `$` lines of a block, each followed by what it prints."""
    printed = command_before = ""
    with TemporaryDirectory() as home:
        for command in _COMMAND.findall(block):
            if printed and not printed.endswith(command_before):
                printed += "\n"
            command_before = f"$ {command}\n"
            printed += command_before + fsseg(command.replace("\\\n", ""), Path(home))
    return printed


def fsseg(command: str, home: Path, more: Mapping[str, str] | None = None) -> str:
    """What a command line `fsseg …` prints, with an empty `home` at first, on a terminal-less stdout of WIDTH columns.

    `more` is added to its environment.
    """
    program, *arguments = shlex.split(command)
    assert program == "fsseg", command
    names = ("PATH", "SYSTEMROOT", "VIRTUAL_ENV", MEASURED)
    kept = {name: value for name, value in os.environ.items() if name in names}
    environ = kept | {
        "HOME": str(home),
        "FSSEG_STATE_DIR": str(home / ".local/state/fsseg"),
        "COLUMNS": str(WIDTH),
        "PYTHONUTF8": "1",
        "TZ": "UTC",
        **(more or {}),
    }
    run = subprocess.run(
        [FSSEG, *arguments], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode in (0, 1) and "Traceback" not in run.stderr, run.stderr
    lines = run.stdout.replace(str(home), "~").replace(str(ROOT), "~/fsseg").splitlines()
    return "\n".join(line.rstrip() for line in lines).strip("\n") + "\n" if run.stdout.strip() else ""


if __name__ == "__main__":
    before = README.read_text("utf-8")
    after = regenerated(before)
    if steady(after) != steady(before):
        README.write_text(after, "utf-8")

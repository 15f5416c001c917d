from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.cli.conftest import Shell

COMMANDS = (
    "import", "dry-run", "apply", "resume", "retry", "undo", "runs", "report", "fields", "inspect", "check", "init", "sandbox",
)  # fmt: skip


def test_help_names_every_command(shell: Shell) -> None:
    done = shell.with_env(NO_COLOR="1")("--help")
    assert done.code == 0
    for command in COMMANDS:
        assert f" {command} " in done.out


@pytest.mark.parametrize(
    "command", [*COMMANDS, "runs list", "runs prune", "sandbox serve", "sandbox show", "sandbox reset"]
)
def test_every_command_explains_itself(shell: Shell, command: str) -> None:
    done = shell.with_env(NO_COLOR="1")(*command.split(), "--help")
    assert done.code == 0
    assert "Usage" in done.out


@pytest.mark.parametrize("command", [*COMMANDS, "runs show", "sandbox show"])
def test_the_usage_says_what_each_argument_is(shell: Shell, command: str) -> None:
    (usage,) = [
        line for line in shell.with_env(NO_COLOR="1")(*command.split(), "--help").out.splitlines() if "Usage" in line
    ]
    assert "<str>" not in usage
    assert ("PATH" in usage) is (command in ("import", "dry-run", "inspect", "init"))


def test_help_comes_without_what_is_slow_to_import() -> None:
    code = (
        "import sys\nfrom fsseg.cli.app import full_app\nfull_app()\n"
        "print([name for name in ('httpx', 'pydantic', 'starlette', 'jinja2', 'fsseg.pipeline') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_command_comes_without_the_others(shell: Shell) -> None:
    code = (
        "import sys\nfrom fsseg.cli.app import app_for\napp_for(['resume', '--help'])\n"
        "print(*sorted(name for name in sys.modules if name.startswith('fsseg.cli.') and name.endswith('_cmd')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["fsseg.cli.resume_cmd"]
    mistyped = shell("imprt", "events/")
    assert mistyped.code == 2 and "did you mean 'import'?" in mistyped.err


@pytest.mark.parametrize("arguments", [["nonsense"], ["runs", "nonsense"], ["check", "--nonsense"], ["inspect"]])
def test_what_does_not_exist_is_a_usage_error(shell: Shell, arguments: list[str]) -> None:
    assert shell.with_env(NO_COLOR="1")(*arguments).code == 2


def test_no_flag_looks_as_if_it_took_a_value(shell: Shell) -> None:
    for command in ("", "import", "runs prune", "sandbox serve"):
        text = shell(*command.split(), "--help").out
        assert "<bool>" not in text and "<list[" not in text.split("Options")[1]
    assert re.search(r"--only +<identify\|track", shell("import", "--help").out)

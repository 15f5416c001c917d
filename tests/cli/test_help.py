from __future__ import annotations

import resource
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


def test_help_comes_without_what_is_slow_to_import() -> None:
    code = (
        "import sys\nfrom fsseg.cli.app import app\n"
        "print([name for name in ('httpx', 'pydantic', 'starlette', 'jinja2', 'fsseg.pipeline') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_takes_a_moment_of_the_processor(shell: Shell) -> None:
    def took() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        shell("--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(took() for _ in range(5)) < 0.5  # 0.2 s on a free machine, and tests have company


@pytest.mark.parametrize("arguments", [["nonsense"], ["runs", "nonsense"], ["check", "--nonsense"], ["inspect"]])
def test_what_does_not_exist_is_a_usage_error(shell: Shell, arguments: list[str]) -> None:
    assert shell.with_env(NO_COLOR="1")(*arguments).code == 2

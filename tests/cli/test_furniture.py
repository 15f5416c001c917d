"""What a first hour needs around the commands: examples, versions, dates in words, tokens from elsewhere, empty files."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from fsseg.cli.app import full_app
from fsseg.cli.examples import EXAMPLES
from fsseg.settings import ConfigError, api_token, load
from tests.cli.conftest import SAMPLES, TOKEN, Serve, Shell
from tests.segment.exports import zipped

CONFIG = ("--config", SAMPLES / "fsseg.toml")


def _commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    yield " ".join(path), group
    for name, command in getattr(group, "commands", {}).items():
        yield from _commands(command, (*path, name))


COMMANDS = dict(_commands(get_command(full_app())))


def test_every_command_has_examples_and_no_others_have() -> None:
    assert COMMANDS.keys() == EXAMPLES.keys()
    assert all(command.epilog and "Examples:" in command.epilog for command in COMMANDS.values())


@pytest.mark.parametrize("line", [line for lines in EXAMPLES.values() for line in lines])
def test_an_example_is_a_command_line_that_fsseg_takes(line: str) -> None:
    words = shlex.split(line.split("|")[-1].split(">")[0])
    assert words.pop(0) == "fsseg"
    command, context = COMMANDS[""], None
    name = ""
    while words and (name + " " + words[0]).strip() in COMMANDS:
        name = f"{name} {words.pop(0)}".strip()
        command = COMMANDS[name]
    context = command.make_context(name, words)
    assert not context.args


def test_the_version(shell: Shell) -> None:
    assert shell("--version").out == f"fsseg {version('fsseg')}\n"


@pytest.mark.parametrize("command", ["import", "runs prune", ""])
def test_help_is_a_command_too(shell: Shell, command: str) -> None:
    plain = shell.with_env(NO_COLOR="1")
    assert plain("help", *command.split()).out == plain(*command.split(), "--help").out
    assert plain("help", "nonsense").code == 2


def test_import_as_a_dry_run_writes_nothing(shell: Shell) -> None:
    done = shell("import", "--dry-run", "--sandbox", "--json", *CONFIG, SAMPLES / "signups.jsonl")
    assert done.json["dry_run"] and done.json["requests"]["write"] == 0


def test_a_shell_completes_commands_and_kinds_of_records(shell: Shell) -> None:
    for line, expected in (("fsseg re", {"resume", "retry", "report"}), ("fsseg fields co", {"contact"})):
        number = str(len(line.split()) - 1)
        env = {"_FSSEG_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": number}
        assert set(shell.with_env(**env)().out.split()) == expected
    asked = f"{sys.executable} -m fsseg --show-completion; true"  # it goes by the shell that asks
    told = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, timeout=60, check=True)
    assert "complete" in told.stdout, told.stderr


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("7d", timedelta(days=7)),
        ("12h", timedelta(hours=12)),
        ("90m", timedelta(minutes=90)),
        (" 1.5d ", timedelta(36 / 24)),
    ],
)
def test_a_time_may_be_so_long_ago(text: str, ago: timedelta) -> None:
    before = datetime.now(UTC) - ago
    since = load({"filter": {"since": text}}).filter.since
    after = datetime.now(UTC) - ago
    assert since and before.replace(microsecond=0) <= datetime.fromisoformat(since).replace(tzinfo=UTC) <= after


@pytest.mark.parametrize(("text", "days"), [("today", 0), ("yesterday", 1), ("Yesterday", 1)])
def test_a_time_may_be_a_day_in_words(text: str, days: int) -> None:
    midnights = {(datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%d")}
    since = load({"filter": {"until": text}}).filter.until
    midnights.add((datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%d"))
    assert since and since[:10] in midnights
    assert since == load({"filter": {"until": since[:10]}}).filter.until


@pytest.mark.parametrize("text", ["someday", "7", "d", "7w", "-7d", "99999999999d", ""])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="since"):
        load({"filter": {"since": text}})


def test_a_filtered_run_keeps_the_time_that_was_meant_when_it_began(shell: Shell) -> None:
    now = datetime.now(UTC)
    events = [
        {"type": "identify", "userId": f"p{days}@north.example", "traits": {"lastName": "P"}, "messageId": f"m{days}",
         "timestamp": (now - timedelta(days=days)).isoformat()}
        for days in (1, 3, 9)
    ]  # fmt: skip
    path = shell.write("events.jsonl", *events)
    done = shell("import", "--sandbox", "--json", "--since", "7d", path)
    assert done.json["events"]["outcomes"]["applied"] == 2
    run = json.loads(next(shell.state.glob("*/runs/*/run.json")).read_bytes())
    assert run["settings"]["filter"]["since"][:10] == (now - timedelta(days=7)).strftime("%Y-%m-%d")


def test_the_token_may_come_from_a_command(serve: Serve) -> None:
    shell, _ = serve()
    shell = shell.with_env(FSSEG_API_TOKEN="")
    config = shell.folder / "fsseg.toml"

    config.write_text(f"[freshsales]\napi_token_command = \"printf '%s\\\\n' {TOKEN}\"\n")
    assert shell("check", "--config", config, "--quiet").err.count(TOKEN) == 0
    assert shell("fields", "lead", "--config", config).code == 0

    for command, why in (
        ("false", "ended with 1"),
        ("true", "printed nothing"),
        ("no-such-command-here", "No such file"),
    ):
        config.write_text(f'[freshsales]\napi_token_command = "{command}"\n')
        done = shell("check", "--config", config)
        assert done.code == 2 and why in done.err and "api_token_command" in done.err


def test_a_file_or_the_environment_spares_the_command(tmp_path: Path) -> None:
    settings = load({"freshsales": {"api_token_command": f"touch {tmp_path / 'asked'}"}})
    assert api_token(settings, {"FSSEG_API_TOKEN": "x"}) == "x"
    assert not (tmp_path / "asked").exists()


def test_a_token_file_that_others_may_read_is_told_of(serve: Serve) -> None:
    shell, _ = serve()
    shell = shell.with_env(FSSEG_API_TOKEN="")
    token = shell.folder / "token"
    token.write_text(TOKEN)
    events = shell.write("events.jsonl", {"type": "identify", "userId": "kim@north.example", "messageId": "m"})
    for arguments in (["check"], ["fields"], ["dry-run", events]):
        token.chmod(0o644)
        assert "chmod 600" in shell(*arguments, "--api-token-file", token).err
        token.chmod(0o600)
        assert "chmod" not in shell(*arguments, "--api-token-file", token).err


def test_the_settings_file_may_be_in_a_folder_above_or_among_the_users_own(shell: Shell) -> None:
    events = shell.write("events.jsonl", {"type": "identify", "userId": "kim@north.example", "messageId": "m"})
    usual = shell.folder / ".config" / "fsseg" / "fsseg.toml"
    usual.parent.mkdir(parents=True)
    usual.write_text('[freshsales]\ndomain = "usual"\n')
    run = shell.with_env(XDG_CONFIG_HOME=str(shell.folder / ".config"))
    for path, domain in (
        (usual, "usual"),
        (shell.folder / "fsseg.toml", "above"),
        (events.parent / "fsseg.toml", "here"),
    ):
        path.write_text(f'[freshsales]\ndomain = "{domain}"\n')
        done = run("dry-run", "--offline", "--json", events)
        assert done.json["account"] == f"{domain}.freshsales.io"
        assert f"settings: {path}" in done.err


def test_input_without_events_is_told(shell: Shell) -> None:
    (shell.folder / "void").mkdir()
    (shell.folder / "void.zip").write_bytes(zipped({}))
    empty, good = shell.write("empty.jsonl"), shell.write("good.jsonl", {"type": "identify", "userId": "a@b.example"})
    for command in (["inspect"], ["dry-run", "--offline", "--domain", "acme"], ["import", "--sandbox"]):
        done = shell(*command, empty, shell.folder / "void", shell.folder / "void.zip", good)
        assert f"{empty}: there is no event in it" in done.err
        for void in ("void", "void.zip"):
            assert f"{shell.folder / void}: there is no event file in it" in done.err
        assert f"{good}: there is no" not in done.err
    assert "standard input: there is no event in it" in shell("import", "--sandbox", "-").err
    assert "no event" not in shell("import", "--sandbox", "--limit", "1", good, empty).err  # nobody has looked


def test_what_is_wrong_in_standard_input_is_placed_there(shell: Shell) -> None:
    good = {"type": "identify", "userId": "a@b.example", "traits": {"cfSeats": "a dozen"}}
    done = shell("import", "--sandbox", "-", input=f"{json.dumps(good)}\nno JSON\n")
    assert "first: stdin line 2" in done.out
    assert "of a@b.example, stdin line 1" in done.out
    assert "stdin line 1" in shell("report", "--sandbox", "--person", "a@b.example").out


def test_sandbox_show_finds_a_record_by_name_and_takes_plurals(after_import: Shell) -> None:
    def shown(*arguments: str) -> dict[str, int]:
        counts = after_import("sandbox", "show", "--json", *arguments).json["counts"]
        return {key: count for key, count in counts.items() if count}

    everything = shown()
    assert shown("leads") == shown("--entity", "leads") == shown("--entity", "lead") == {"leads": everything["leads"]}
    records = after_import("sandbox", "show", "--json").json
    lead = next(
        row for row in records["leads"] if any(e["targetable_id"] == row["id"] for e in records["sales_activities"])
    )
    for text in (lead["email"], lead["email"].upper(), f"#{lead['id']}"):
        found = after_import("sandbox", "show", "--json", text).json
        assert [row["id"] for row in found["leads"]] == [lead["id"]]
        assert {row["targetable_id"] for row in found["sales_activities"]} == {lead["id"]}
    assert lead["email"] in after_import("sandbox", "show", lead["email"]).out
    assert "nobody@nowhere.example" in after_import("sandbox", "show", "nobody@nowhere.example").err
    assert after_import("sandbox", "show", "--entity", "people").code == 2


def test_fields_takes_plurals(shell: Shell) -> None:
    assert shell("fields", "leads", "--offline").out == shell("fields", "lead", "--offline").out

"""Errors in one style: what happened, and what to type; with `--json` as JSON too."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from fsseg.cli.errors import meaning_of
from fsseg.exit_codes import ExitCode
from fsseg.freshsales.account import resolve
from fsseg.freshsales.errors import Forbidden, FreshsalesError, HostDown, UnknownHost
from fsseg.freshsales.http import Http
from fsseg.freshsales.pacer import Pacer
from fsseg.freshsales.secret import Token
from tests.cli.conftest import SAMPLES, Serve, Shell

STYLE = re.compile(r"error: \S.*\n(  \S.*\n)*(hint: \S.*\n)*")

WRONG: list[tuple[list[str], int]] = [
    (["nonsense"], 2),
    (["impor"], 2),
    (["runs", "nonsense"], 2),
    (["import"], 2),
    (["import", "x.jsonl", "--sinse", "7d"], 2),
    (["import", "x.jsonl", "--limit", "0"], 2),
    (["import", "x.jsonl", "--match", "phone"], 2),
    (["import", "x.jsonl", "--domain"], 2),
    (["fields", "people"], 2),
    (["check"], 2),
    (["check", "--domain", "acme"], 2),
    (["check", "--domain", "http://acme.example"], 2),
    (["import", "missing.jsonl", "--sandbox"], 4),
    (["import", str(SAMPLES / "signups.jsonl"), "--sandbox", "--since", "someday"], 2),
    (["report", "2020"], 2),
    (["runs", "show", "2020"], 2),
    (["runs", "prune", "--older-than", "long"], 2),
    (["report"], 2),
    (["init", "--to", "/no/such/folder/fsseg.toml", "--yes"], 2),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code"), WRONG, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_an_error_says_so_and_what_to_type_and_is_json_where_that_is_asked_for(
    shell: Shell, arguments: list[str], code: int
) -> None:
    done = shell(*arguments)
    assert done.code == code
    assert re.fullmatch(f"({STYLE.pattern})+", done.err), done.err
    assert done.out == ""

    as_json = shell(*arguments, *(["--json"] if arguments[-1] != "--domain" else []))
    assert as_json.code == code
    if arguments[-1] != "--domain":
        told = as_json.json["error"]
        assert told["code"] == code and f"error: {told['message'].splitlines()[0]}" in as_json.err
        assert "missing.jsonl" not in arguments or "missing.jsonl: No such file" in told["message"]
        assert all(f"hint: {hint}" in as_json.err for hint in told["hints"])


def test_a_word_that_is_nearly_a_command_or_flag_is_guessed(shell: Shell) -> None:
    assert "hint: did you mean 'import'?" in shell("impor").err
    assert "--since?" in shell("import", "x", "--sinse", "7d").err
    assert "--dry-run?" in shell("undo", "--dry").err
    assert "did you mean" not in shell("retry", "--yes").err
    assert "hint: fsseg import --help" in shell("import", "x", "--sinse", "7d").err


def test_without_an_account_everything_that_names_one_is_named(shell: Shell) -> None:
    for command in (["check"], ["dry-run", str(SAMPLES / "signups.jsonl")], ["fields"]):
        err = shell(*command).err
        assert all(word in err for word in ("--domain", "FSSEG_DOMAIN", "fsseg.toml", "--sandbox")), err


@pytest.mark.parametrize("account", [["--domain", "acme"], ["--base-url", "https://crm.example"]])
def test_an_account_typed_beside_the_sandbox_is_not_passed_over(shell: Shell, account: list[str]) -> None:
    for typed in ([*account, "--sandbox"], ["--sandbox", *account]):
        done = shell("fields", *typed)
        assert done.code == 2
        assert f"error: {account[0]} names an account, and --sandbox another: leave one of them out" in done.err
    assert shell.with_env(FSSEG_DOMAIN="acme")("fields", "--sandbox").code == 0
    assert shell("init", "--edition", "suite", *account, "--sandbox").code == 0


def test_a_refused_key_is_an_error_with_what_to_do(serve: Serve) -> None:
    shell, sandbox = serve()
    sandbox.configure(refuse_token=True)
    done = shell("import", SAMPLES / "signups.jsonl", "--json")
    assert done.code == 3 and done.json["error"]["code"] == 3
    assert STYLE.fullmatch(done.err.partition("Read:")[0] or done.err), done.err
    assert "copy the API key anew" in done.err
    assert "copy the API key anew" in shell("check").out
    forbidden = meaning_of(Forbidden("no"))
    assert forbidden is not None and forbidden.hints == ("fsseg check says what this key may do",)


def _connection(monkeypatch: pytest.MonkeyPatch, number: int, calls: list[str]) -> Http:
    def nowhere(host: Any, *_: Any, **__: Any) -> Any:
        calls.append(host)
        raise socket.gaierror(number, "told by a name server")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return Http(resolve("acme", "classic"), Token("t"), pacer=Pacer(max_time=1.0))


def test_a_host_that_no_name_server_knows_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    with (
        _connection(monkeypatch, socket.EAI_NONAME, calls) as http,
        pytest.raises(UnknownHost, match=r"acme\.freshsales\.io"),
    ):
        http.send("GET", "/api/settings/leads/fields", idempotent=True)
    assert len(calls) == 1


def test_a_name_server_that_is_out_of_reach_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    with (
        _connection(monkeypatch, socket.EAI_AGAIN, calls) as http,
        pytest.raises(FreshsalesError) as told,
    ):
        http.send("GET", "/api/settings/leads/fields", idempotent=True)
    assert not isinstance(told.value, UnknownHost)
    assert len(calls) > 1


def test_a_name_that_was_known_before_may_be_known_again(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    http = _connection(monkeypatch, socket.EAI_NONAME, calls)
    http._answered = True
    with http, pytest.raises(FreshsalesError) as told:
        http.send("GET", "/api/settings/leads/fields", idempotent=True)
    assert not isinstance(told.value, UnknownHost)
    assert len(calls) > 1


def test_an_unknown_host_is_a_matter_of_configuration() -> None:
    meaning = meaning_of(UnknownHost("no name server knows acme.freshsales.io"))
    assert meaning and meaning.code is ExitCode.USAGE
    assert "resume" not in " ".join((meaning.text, *meaning.hints))


def test_a_host_that_is_down_comes_with_what_to_look_at() -> None:
    meaning = meaning_of(HostDown("no usable answer for 41 s; last: Connection refused"))
    assert meaning and meaning.code is ExitCode.STOPPED
    assert "this machine online" in meaning.hints[0]


@pytest.mark.parametrize(
    ("words", "path"),
    [(["import", "--trait"], "fsseg import"), (["runs", "list", "--nope"], "fsseg runs list"), (["nope"], "fsseg")],
)
def test_a_mistake_names_the_help_of_its_command(shell: Shell, words: list[str], path: str) -> None:
    done = shell(*words)
    assert (done.code, f"hint: {path} --help says what it takes" in done.err) == (2, True)


def test_what_leaves_no_run_behind_does_not_speak_of_one(shell: Shell, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        env = {
            "FSSEG_BASE_URL": f"http://127.0.0.1:{taken.getsockname()[1]}",
            "FSSEG_EDITION": "classic",
            "FSSEG_API_TOKEN": "t",
        }
        done = shell.with_env(**env)("check", "--max-time", "1s", "--json")
    assert done.code == 5
    assert "resume" not in done.err + done.out
    assert json.loads(done.out)["error"]["code"] == 5


@pytest.mark.parametrize("command", [("import", "--sandbox"), ("inspect",)])
@pytest.mark.parametrize("content", [None, "<html><body>Not found</body></html>"])
def test_whoever_gives_nothing_that_can_be_read_is_told_what_can(
    shell: Shell, command: tuple[str, ...], content: str | None
) -> None:
    if content:
        shell.write("events.jsonl", content)
    done = shell(*command, "events.jsonl")
    assert done.code == 4
    assert "events.jsonl: " in done.err and "\n  nothing to read\nhint: give files or folders of events, " in done.err
    assert "hint: fsseg help import has examples" in done.err


def test_of_many_inputs_that_cannot_be_read_it_is_said_how_many_more_there_are(shell: Shell) -> None:
    names = [f"{number}.jsonl" for number in range(11)]
    assert "\n  1 more input can't be read\n  nothing to read\n" in shell("inspect", *names).err
    for name in names[:4]:
        shell.write(name, "<html><body>Not found</body></html>")
    done = shell("import", "--sandbox", *names[:4], shell.write("good.jsonl"))
    assert done.code == 1
    assert "error: 1 more input can't be read: summary.json names them\n" in done.err


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (["report", "--format", "jsn"], "'jsn' is not one of 'text', 'json'", "did you mean json?"),
        (["import", "x", "--only", "trak"], "error: invalid value for '--only': 'trak' is not", "did you mean track?"),
        (["fields", "--sandbox", "dael"], "'dael' is none of", "did you mean deal?"),
        (["import", "x", "--sandbox", "--reserve", "2"], "--reserve: it can't be '2'", "a share is less than all of it"),
        (["import", "x", "--config", "no.toml"], "no.toml: No such file", "fsseg init writes a settings file"),
        (
            ["import", "x", "--sandbox", "--since", "2025-05-01", "--until", "2025-04-01"],
            "no event is from 2025-05-01T00:00:00.000 on and before 2025-04-01", "let --since be earlier",
        ),
    ],
)  # fmt: skip
def test_what_can_be_given_instead_is_said(shell: Shell, arguments: list[str], error: str, hint: str) -> None:
    done = shell(*arguments)
    assert done.code == 2
    assert error in done.err and f"\nhint: {hint}" in done.err

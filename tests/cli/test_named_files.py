"""Files and values that the settings name, which can't be read or aren't what they should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Serve, Shell

PERSON = {"type": "identify", "userId": "ada@example.com", "traits": {"title": "CEO"}}


@pytest.fixture
def account(shell: Shell) -> Shell:
    """A machine with an account configured but for its token; nobody is at its address."""
    return shell.with_env(FSSEG_BASE_URL="http://127.0.0.1:9", FSSEG_EDITION="classic")


def spoil(path: Path, content: bytes | None) -> Path:
    if content is not None:
        path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "can't be read: No such file or directory"),
        (b"\xff\xfe", "can't be read: it is no text in UTF-8"),
        (b" \n", "no API token in it"),
    ],
)
def test_a_token_file_without_a_token_is_a_usage_error(account: Shell, content: bytes | None, said: str) -> None:
    path = spoil(account.folder / "token", content)
    done = account("check", "--api-token-file", path)
    assert (done.code, done.out) == (2, "")
    assert f"{path}: " in done.err
    assert said in done.err


@pytest.mark.parametrize("token", ["two words", "tökèn"])
def test_what_can_be_no_token_is_refused_without_being_shown(account: Shell, token: str) -> None:
    done = account.with_env(FSSEG_API_TOKEN=token)("check")
    assert (done.code, done.out) == (2, "")
    assert "one word of visible ASCII" in done.err
    assert token not in done.err


@pytest.mark.parametrize("content", [None, b"\xff\xfe\n"])
def test_a_suppression_list_that_cannot_be_read_stops_everything_before_it_begins(
    serve: Serve, content: bytes | None
) -> None:
    shell, sandbox = serve("classic")
    path = spoil(shell.folder / "suppress.txt", content)
    shell.write("fsseg.toml", f"[filter]\nsuppress_file = {str(path)!r}\n")
    done = shell("import", shell.write("a.jsonl", PERSON))
    assert (done.code, done.out) == (2, "")
    assert f"{path}: the suppression list can't be read" in done.err
    assert sandbox.stats()["writes"] == 0


def test_a_reserve_that_is_no_share_is_told_with_one_that_is(account: Shell) -> None:
    done = account("dry-run", account.write("a.jsonl", PERSON), "--reserve", "a fifth")
    assert done.code == 2
    assert "a share reads like 20%" in done.err


def test_a_state_folder_that_is_a_file_is_told(shell: Shell) -> None:
    path = shell.write("a.jsonl", PERSON)
    done = shell.with_env(FSSEG_STATE_DIR=str(path))("dry-run", "--sandbox", path)
    assert done.code == 2, "there is no run that resume could go on with"
    assert f"the state folder {path} can't be used: it is a file" in done.err
    assert "hint: --state-dir names another" in done.err

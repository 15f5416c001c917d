"""What a command says where its surroundings lack something: a home, a folder, a way to the network, memory."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fsseg.cli.errors import meaning_of
from fsseg.exit_codes import ExitCode
from tests.cli.conftest import SAMPLES, TOKEN, Done, Shell
from tests.cli.test_endings import PERSON

NOBODY = 54321
"""A user that no list of users knows, as in containers."""


def bare(folder: Path, *command: str | Path, before: str = "", user: int | None = None, **env: str) -> Done:
    """Run it with no environment but this, in a folder, by a shell that does something first."""
    line = ["sh", "-c", f'{before} exec "$0" -m fsseg "$@"', sys.executable, *map(str, command)]
    kept = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    done = subprocess.run(line, cwd=folder, env=kept | env, user=user, capture_output=True, check=False)
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def can_run_as_nobody() -> bool:
    if os.getuid():
        return False
    try:
        done = subprocess.run(
            [sys.executable, "-c", "import fsseg.cli.app"], user=NOBODY, capture_output=True, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it that nobody knows the home folder of this user; with HOME unset, `pwd` is asked."""
    import pwd

    def unknown(uid: int) -> pwd.struct_passwd:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "FSSEG_STATE_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("homeless")
def test_who_has_no_home_needs_a_state_folder_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from fsseg.cli.app import full_app

    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.jsonl"
    path.write_text('{"type": "identify", "userId": "ada@example.com", "traits": {"title": "CEO"}}\n')
    for command in (["import", str(path)], ["runs", "list"]):
        with pytest.raises(SystemExit) as ended:
            full_app()([*command, "--sandbox"])
        assert ended.value.code == 2
        assert "hint: set HOME, or give --state-dir" in capsys.readouterr().err
    state = ["--sandbox", "--state-dir", str(tmp_path / "state")]
    for command in (["import", str(path)], ["report"], ["runs", "list"]):
        with pytest.raises(SystemExit) as ended:
            full_app()([*command, *state])
        assert ended.value.code == 0
    assert "applied 1" in capsys.readouterr().out
    assert not (tmp_path / "~").exists()


@pytest.mark.skipif(not can_run_as_nobody(), reason="takes root, and a Python that others may run")
def test_a_user_whom_nobody_knows_is_told_so(tmp_path: Path) -> None:
    done = bare(Path("/"), "runs", "list", "--sandbox", user=NOBODY)
    assert (done.code, "set HOME" in done.err) == (2, True)


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    done = bare(tmp_path, "fields", "--sandbox", before="mkdir gone; cd gone; rmdir ../gone;", HOME=str(tmp_path))
    assert done.code == 2
    assert "error: fsseg.toml can't be looked for in this folder and those above: No such file" in done.err
    assert "--config" in done.err


@pytest.mark.parametrize(
    "proxy", ["socks5://u:secretpw@127.0.0.1:1", "ftp://x:1", "http://u:secretpw@[::1", "x:99999999"]
)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "all_proxy"])
def test_a_proxy_of_no_use_is_a_matter_of_configuration(shell: Shell, proxy: str, name: str) -> None:
    done = shell.with_env(**{name: proxy, "FSSEG_API_TOKEN": TOKEN})("check", "--domain", "acme")
    assert done.code == 2, done.err
    assert "proxy" in done.err
    assert "http://proxy.example:3128" in done.err
    assert "secretpw" not in done.err


@pytest.mark.parametrize("proxy", ["127.0.0.1:9", "http://u:secretpw@127.0.0.1:9"])
def test_a_proxy_that_is_down_is_named(shell: Shell, proxy: str) -> None:
    done = shell.with_env(HTTPS_PROXY=proxy, FSSEG_API_TOKEN=TOKEN)("check", "--domain", "acme", "--max-time", "1s")
    assert done.code == 5
    assert "by way of the proxy 127.0.0.1" in done.err
    assert "secretpw" not in done.err


@pytest.mark.parametrize("certificates", ["/nowhere/ca.pem", os.devnull, __file__])
def test_certificates_that_cannot_be_read_are_named(shell: Shell, certificates: str) -> None:
    done = shell.with_env(SSL_CERT_FILE=certificates, FSSEG_API_TOKEN=TOKEN)("check", "--domain", "acme")
    assert done.code == 2
    assert f"SSL_CERT_FILE={certificates}" in done.err


@pytest.mark.parametrize("host", ["a" * 64, ".".join(["a" * 60] * 5)])
def test_a_host_name_that_is_too_long_is_none(shell: Shell, host: str) -> None:
    done = shell.with_env(FSSEG_API_TOKEN=TOKEN)("check", "--base-url", f"https://{host}.example", "--edition", "suite")
    assert done.code == 2
    assert "is not a host name" in done.err


def test_so_many_processes_that_the_machine_would_stop_are_refused(shell: Shell) -> None:
    done = shell("dry-run", "--sandbox", shell.write("a.jsonl", PERSON), "--jobs", "9999")
    assert done.code == 2
    assert "--jobs" in done.err


OLD_SQLITE = """
import sqlite3
sqlite3.sqlite_version, sqlite3.sqlite_version_info = "3.31.1", (3, 31, 1)
from fsseg.__main__ import main
main()
"""


def test_a_python_with_an_old_sqlite_is_told_what_is_needed(shell: Shell) -> None:
    command = ["dry-run", "--offline", "--domain", "acme", shell.write("a.jsonl", PERSON), "--state-dir", shell.state]
    done = subprocess.run(
        [sys.executable, "-c", OLD_SQLITE, *map(str, command)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "error: this Python has SQLite 3.31.1, and fsseg needs 3.34 or newer" in done.stderr


def test_too_little_memory_stops_a_run_that_can_be_resumed() -> None:
    meaning = meaning_of(MemoryError())
    assert meaning
    assert (meaning.code, meaning.text) == (ExitCode.STOPPED, "there is not enough memory")


FORKS_TWICE = """
import os, sys
fork, forks = os.fork, iter([0, 1])
def forked():
    if next(forks, None) is None:
        raise BlockingIOError(11, "Resource temporarily unavailable")
    return fork()
os.fork = forked
from fsseg.__main__ import main
main()
"""
"""The command where a user may have two more processes."""
SPAWNS_TWICE = """
import sys
import multiprocessing.util
import pyarrow
spawn, spawns = multiprocessing.util.spawnv_passfds, iter([0, 1, 2])  # one of them keeps the account of locks
def spawned(*given):
    if next(spawns, None) is None:
        raise BlockingIOError(11, "Resource temporarily unavailable")
    return spawn(*given)
multiprocessing.util.spawnv_passfds = spawned
from fsseg.__main__ import main
main()
"""
"""The same where processes can't be forked."""


@pytest.mark.parametrize("program", [FORKS_TWICE, SPAWNS_TWICE])
def test_where_no_more_processes_may_be_begun_the_command_ends_and_says_so(shell: Shell, program: str) -> None:
    path = shell.write("a.jsonl", PERSON)
    command = ["dry-run", "--offline", "--domain", "acme", str(path), "--state-dir", str(shell.state), "--jobs", "4"]
    done = subprocess.run(
        [sys.executable, "-c", program, *command], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "error: --jobs 4: not so many processes can be begun here: Resource temporarily un" in done.stderr
    assert not list(shell.state.glob("*/runs/*"))


def test_where_no_more_threads_may_be_started_an_import_goes_on_with_those_it_has(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsseg.cli.app import full_app

    people = [{**PERSON, "messageId": f"m{n}", "userId": f"p{n}@x.example"} for n in range(40)]
    path, start, left = shell.write("a.jsonl", *people), threading.Thread.start, iter([0])

    def limited(thread: threading.Thread) -> None:
        if "_work" in thread.name and next(left, None) is None:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    with pytest.raises(SystemExit) as ended:
        full_app()(["import", str(path), "--sandbox", "--state-dir", str(shell.state)])
    assert ended.value.code == 0
    assert next(left, None) is None
    (run,) = shell("runs", "list", "--json").json
    assert run["outcomes"]["applied"] == 40


def spoilt(db: Path) -> None:
    db.write_bytes(b"this is no database" * 1000)


def closed(db: Path) -> None:
    db.unlink()
    db.mkdir()


def test_a_sandbox_that_cannot_be_started_says_why(shell: Shell) -> None:
    shell("fields", "--sandbox")
    (db,) = shell.state.glob("*/freshsales.db")
    assert stat.S_ISREG(db.stat().st_mode)
    for spoil in (spoilt, closed):
        spoil(db)
        done = shell("import", "--sandbox", SAMPLES / "shop.json")
        assert done.code == 2
        (line,) = [line for line in done.err.splitlines() if line.startswith("error: the sandbox can't be started: ")]
        assert "freshsales.db" in line


def test_folders_whose_names_are_not_utf_8_are_told(shell: Shell) -> None:
    path = shell.write("a.jsonl", PERSON)
    folder = Path(os.fsdecode(os.fsencode(shell.folder) + b"/cwd\xff"))
    folder.mkdir()
    for command in (["import", path], ["dry-run", "--json", path], ["runs", "list"]):
        for here, state in ((folder, shell.state), (shell.folder, folder)):
            done = bare(here, *command, "--sandbox", HOME=str(shell.folder), FSSEG_STATE_DIR=str(state))
            assert done.code == 2
            assert "cwd\ufffd is not UTF-8" in done.err
    assert not list(folder.iterdir())


def test_a_run_whose_settings_another_version_wrote_is_told_and_its_files_can_be_imported(shell: Shell) -> None:
    path = shell.write("a.jsonl", PERSON)
    assert shell("import", "--sandbox", path).code == 0
    (note,) = shell.state.glob("*/runs/*/run.json")
    told = json.loads(note.read_bytes())
    note.write_text(json.dumps(told | {"state": "stopped", "settings": told["settings"] | {"colour": 1, "jobs": 9999}}))
    for command in (["resume"], ["retry", told["id"]], ["undo", told["id"], "--yes"]):
        done = shell(*command, "--sandbox")
        assert done.code == 2, done.err
        assert "began with settings that this fsseg can't use: colour, jobs" in done.err
    for command in (
        ["runs", "list"],
        ["report"],
        ["report", "--person", "ada@example.com"],
        ["import", "--sandbox", path],
    ):
        assert shell(*command).code == 0

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fsseg.sandbox import Options, Sandbox, running
from tests.forked import forked

SAMPLES = Path(__file__).parents[2] / "samples"
TOKEN = "secret-token-of-the-account"


@dataclass(frozen=True)
class Done:
    """How a command ended. Whatever happened, nobody saw a traceback or a raw escape character."""

    code: int
    out: str
    err: str

    def __post_init__(self) -> None:
        assert "Traceback" not in self.out + self.err
        assert "\x1b" not in self.out + self.err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Shell:
    """A machine of its own: the command runs in an empty folder with an empty HOME."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def __call__(self, *arguments: str | Path, input: str = "") -> Done:
        """Run it in a pipe."""
        pipe = subprocess.PIPE
        with self._start(arguments, stdin=pipe, stdout=pipe, stderr=pipe) as process:
            out, err = process.communicate(input.encode())
        return Done(process.returncode, out.decode(), err.decode())

    def on_terminal(self, *arguments: str | Path, keys: str = "") -> tuple[int, str]:
        """Run it on a terminal, where somebody types `keys`; the exit code and all that was to be seen."""
        ours, theirs = pty.openpty()
        with self._start(arguments, stdin=theirs, stdout=theirs, stderr=theirs) as process:
            os.close(theirs)
            os.write(ours, keys.encode())
            seen = bytearray()
            try:
                while piece := os.read(ours, 4096):
                    seen += piece
            except OSError:  # how Linux says that the other end is closed
                pass
            os.close(ours)
        return process.returncode, seen.decode()

    def unheard(self, *arguments: str | Path) -> tuple[int, str]:
        """Run it with a stdout that nobody reads any more; the exit code and what it says on stderr."""
        reading, writing = os.pipe()
        os.close(reading)
        with self._start(arguments, stdin=subprocess.DEVNULL, stdout=writing, stderr=subprocess.PIPE) as process:
            os.close(writing)
            _, err = process.communicate()
        assert "Traceback" not in err.decode()
        return process.returncode, err.decode()

    def redirected(self, *arguments: str | Path, stdout: str | None = None, stderr: str | int | None = None) -> Done:
        """Run it with its output led to a file, such as `/dev/full`, or to an open one; the rest of it is given."""
        pipe = subprocess.PIPE
        with ExitStack() as opened:
            out = pipe if stdout is None else opened.enter_context(open(stdout, "wb"))
            err = pipe if stderr is None else opened.enter_context(open(stderr, "wb", closefd=isinstance(stderr, str)))
            with self._start(arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=err) as process:
                told = process.communicate()
        return Done(process.returncode, *((text or b"").decode() for text in told))

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[Any]]:
        """Run it beside the test; its streams are texts."""
        pipe = subprocess.PIPE
        with self._start(arguments, stdout=pipe, stderr=pipe, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    def with_env(self, **env: str) -> Shell:
        return Shell(self.folder, {**self.env, **env})

    def write(self, name: str, *events: Any) -> Path:
        """A file of these events (or raw lines) in the folder where the command runs."""
        path = self._cwd() / name
        path.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in events))
        return path

    def _start(self, arguments: Sequence[str | Path], **streams: Any) -> subprocess.Popen[Any]:
        return forked(["fsseg", *map(str, arguments)], cwd=self._cwd(), env=self._env(), **streams)

    def _cwd(self) -> Path:
        here = self.folder / "here"
        here.mkdir(exist_ok=True)
        return here

    def _env(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
        own = {"HOME": str(self.folder), "FSSEG_STATE_DIR": str(self.state), "TERM": "xterm", "TZ": "UTC"}
        return {**kept, **own, "PYTHONWARNINGS": "error", "COLUMNS": "100", **self.env}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A new machine, without an account."""
    return Shell(tmp_path)


@pytest.fixture(scope="session")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder after an import into the embedded sandbox, some of whose events were rejected."""
    shell = Shell(tmp_path_factory.mktemp("imported"))
    done = shell(
        "import",
        "--sandbox",
        "--quiet",
        "--config",
        SAMPLES / "fsseg.toml",
        SAMPLES / "messy.jsonl",
        SAMPLES / "shop.json",
    )
    assert done.code == 1
    return shell.state


@pytest.fixture
def after_import(shell: Shell, imported: Path) -> Shell:
    """A machine with one run behind it."""
    shutil.copytree(imported, shell.state)
    return shell


Serve = Callable[..., tuple[Shell, Sandbox]]


@pytest.fixture
def serve(shell: Shell) -> Iterator[Serve]:
    """Serve an account of an edition with some options: the machine that has it configured, and the server."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(edition: str = "classic", **options: Any) -> tuple[Shell, Sandbox]:
            db = shell.folder / f"{edition}.db"
            chosen = Options().changed(options)
            sandbox = stack.enter_context(running(db, edition=edition, token=TOKEN, options=chosen))
            env = {"FSSEG_BASE_URL": sandbox.base_url, "FSSEG_EDITION": edition, "FSSEG_API_TOKEN": TOKEN}
            return shell.with_env(**env), sandbox

        yield start

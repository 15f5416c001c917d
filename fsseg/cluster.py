"""A Dask cluster that planning is spread over: one that runs already, or one that this machine starts for the run."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from operator import itemgetter
from pathlib import Path
from queue import Empty, SimpleQueue
from select import select
from typing import Any

from fsseg.freshsales.errors import Halted
from fsseg.segment.places import absolute, stamp
from fsseg.segment.stores import is_remote
from fsseg.settings import ConfigError

LOCAL = "local:"
"""Begins the address of a cluster of this machine's own; the number of its processes follows."""

SECRETS = ("FSSEG_API_TOKEN", "FSSEG_APPLICATION_TOKEN")
"""Variables that no worker gets to see."""

TRIES = 3
"""How often a part is begun before it counts as one that can't be read."""

PATIENCE = 60
"""Seconds that the scheduler, and then a first worker, may take to be there."""

_LOOK = 0.2
"""Seconds between two looks at whether somebody wants to stop."""

_KNOCK = 5
"""The same while a scheduler is looked for, and between two looks at whether there are workers."""

Tick = Callable[[int], None]


class Cluster:
    """The workers of a scheduler, asked to do things by functions of modules, which they have, too."""

    def __init__(
        self, address: str, inputs: Sequence[str], folder: Path, tick: Tick = lambda count: None,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:  # fmt: skip
        """Raises `ConfigError` where this can't be, `Halted` where nobody answers, and what `tick` raises.

        `inputs` are what the workers are to read. `folder` is where a cluster of this machine's own puts on disk what
        is too much for memory. `say` is told what is waited for.
        """
        try:
            import dask.dataframe
            import distributed
        except ImportError:
            raise ConfigError("--cluster takes the extra cluster", "pip install 'fsseg[cluster]'") from None
        self._distributed, self._frames, self._delayed = distributed, dask.dataframe, dask.delayed
        self.address = address
        self._tick, self._say, self._is_idle = tick, say, False
        for name in [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # what matters of it is told as an error
        with ExitStack() as stack:
            if address.startswith(LOCAL):
                address = stack.enter_context(started(int(address.removeprefix(LOCAL)), folder, tick))
            stack.enter_context(
                dask.config.set(
                    {"dataframe.shuffle.method": "p2p", "distributed.admin.large-graph-warning-threshold": "1TB"}
                )
            )
            if address.startswith("tls:") and not distributed.Security().get_connection_args("client")["ssl_context"]:
                raise ConfigError(
                    f"{address} takes certificates",
                    "name them as Dask documents it, for one as DASK_DISTRIBUTED__COMM__TLS__CA_FILE, …CLIENT__CERT and"
                    " …CLIENT__KEY",
                )
            self._client = self._connected(address)
            stack.callback(self._client.close)
            self._wait_for_worker()
            self.threads = max(1, sum(self._client.nthreads().values()))
            """How many tasks the workers do at a time."""
            self._check_versions()
            self._check_paths([path for path in inputs if not is_remote(path)])
            self._stack = stack.pop_all()

    def _connected(self, address: str) -> Any:
        end, said = time.monotonic() + PATIENCE, False
        while True:
            try:
                with warnings.catch_warnings():  # `_check_versions` says more
                    warnings.simplefilter("ignore", self._distributed.versions.VersionMismatchWarning)
                    return self._distributed.Client(address, timeout=min(_KNOCK, PATIENCE), set_as_default=False)
            except OSError:
                if time.monotonic() > end:
                    certified = ", with these certificates" if address.startswith("tls:") else ""
                    raise Halted(f"no scheduler answers at {self.address}{certified}") from None
            if not said:
                self._say(f"waiting for the scheduler at {self.address}")
            said = True
            self._tick(0)

    def _wait_for_worker(self) -> None:
        end = time.monotonic() + PATIENCE
        self._tell_idle()
        while self._is_idle:
            if time.monotonic() > end:
                raise Halted(f"no worker has come to the scheduler at {self.address}")
            self._tick(0)
            time.sleep(_LOOK)
            self._tell_idle()

    def _tell_idle(self) -> None:
        """Say so where there is no worker, or none any more."""
        was, self._is_idle = self._is_idle, not self._client.nthreads()
        if self._is_idle and not was:
            self._say(f"waiting for a worker to come to the scheduler at {self.address}")

    def close(self) -> None:
        """Let go of the cluster; one of this machine's own ends."""
        self._stack.close()

    def _check_versions(self) -> None:
        found = self._client.get_versions(packages=["fsseg"])
        ours = _versions(found["client"])
        for where, theirs in {"the scheduler": found["scheduler"], **found["workers"]}.items():
            for name, number in _versions(theirs).items():
                if number != ours[name] and not (where == "the scheduler" and name in ("fsseg", "pandas")):
                    other = f"{name} {number}" if number else f"no {name}"
                    raise ConfigError(
                        f"{where} has {other}, this machine {name} {ours[name]}: planning on a cluster takes the same"
                        " everywhere"
                    )

    def _check_paths(self, paths: list[str]) -> None:
        sizes = [(absolute(path), known.size) for path in paths if (known := stamp(path)) is not None]
        for worker, missing in self.run(_first_missing, sizes).items() if sizes else ():
            if missing:
                raise ConfigError(
                    f"{missing} isn't there for the worker {worker}: on a cluster, inputs are in a store (s3://, gs://,"
                    " az://), or in a folder that all of it shares"
                )

    def run(self, work: Callable[..., Any], *values: Any) -> dict[str, Any]:
        """Run a function on every worker; what it returns on each."""
        return dict(self._client.run(work, *values))

    def submit(self, work: Callable[..., Any], *values: Any) -> Any:
        """Have a function called on a worker, with values and with the results of earlier calls."""
        with self._there():
            return self._client.submit(work, *values, pure=False)

    def map(self, work: Callable[..., Any], tasks: Sequence[Any], *values: Any) -> list[Any]:
        """Have a function called for each task, with the same further values; each is tried several times."""
        with self._there():
            more = ([value] * len(tasks) for value in values)
            return list(self._client.map(work, tasks, *more, pure=False, retries=TRIES - 1))

    def shuffled(self, made: Iterable[tuple[Any, int]], like: Any, column: str, divisions: list[int]) -> list[Any]:
        """The rows of frames, put together by where the number in a column stands among the divisions.

        A frame is the item at some place of what was made before; all are of the same kind as `like`, which is empty.
        What comes of it is for `made`.
        """
        frames = [self._delayed(itemgetter(at), pure=False)(one) for one, at in made]
        whole = self._frames.from_delayed(frames, meta=like, verify_meta=False)
        return list(whole.set_index(column, divisions=divisions).to_delayed())

    def made(self, work: Callable[..., Any], parts: Sequence[Any], *values: Sequence[Any]) -> list[Any]:
        """Have a function called with each part of shuffled frames, and with the values for it."""
        task = self._delayed(work, pure=False)
        with self._there():
            return list(self._client.compute([task(*each) for each in zip(parts, *values, strict=True)]))

    def completed(self, futures: Sequence[Any], tick: Tick) -> Iterator[Any]:
        """The calls as they end. Raises what `tick` raises, and `Halted` where the scheduler is gone."""
        done: SimpleQueue[Any] = SimpleQueue()
        for future in futures:
            future.add_done_callback(done.put)
        for _ in futures:
            looked = time.monotonic()
            while True:
                try:
                    yield done.get(timeout=_LOOK)
                    break
                except Empty:
                    tick(0)
                    if self._client.status != "running":
                        raise self._gone() from None
                    if time.monotonic() > looked + _KNOCK:
                        looked = time.monotonic()
                        with self._there():
                            self._tell_idle()

    def value(self, future: Any, name: str, tick: Tick, tries: int = 1) -> Any:
        """What a worker has made, once it is, with so many tries; `name` says what in errors.

        Raises as `completed` does.
        """
        for _ in self.completed([future], tick):
            pass
        try:
            return future.result()
        except self._distributed.scheduler.KilledWorker:
            raise Halted(
                f"{name}: every worker that had begun with it was ended from outside, perhaps for want of memory"
            ) from None
        except (Exception, self._distributed.CancelledError) as error:
            if future.status != "error":  # it isn't the worker's
                raise self._gone() from None
            times = f" {tries} times" if tries > 1 else ""
            raise Halted(f"{name} failed{times} on the cluster: {type(error).__name__}: {error}") from error

    @contextmanager
    def _there(self) -> Iterator[None]:
        """Whatever goes wrong inside because the scheduler is gone is told as that."""
        try:
            yield
        except Exception:
            if self._client.status != "running":
                raise self._gone() from None
            raise

    def release(self, futures: Sequence[Any]) -> None:
        """Let go of calls; those that nobody waits for any more aren't begun.

        To cancel them would break the connection where two of them depend on each other: the scheduler takes the second
        for one that somebody must want (`stimulus_cancel`, distributed 2026.8).
        """
        for future in futures:
            future.release()

    def _gone(self) -> Halted:
        return Halted(f"the scheduler at {self.address} is gone")


def _versions(told: dict[str, Any]) -> dict[str, str | None]:
    """Of a machine's versions those that matter; of Python's only what its data differ by."""
    packages = told["packages"]
    python = ".".join(str(packages["python"]).split(".")[:2])
    return {"Python": python, **{name: packages.get(name) for name in ("fsseg", "dask", "distributed", "pandas")}}


def _first_missing(sizes: list[tuple[str, int]]) -> str | None:
    """The first of some files that isn't here, or isn't the same."""
    return next((path for path, size in sizes if (found := stamp(path)) is None or found.size != size), None)


@contextmanager
def started(count: int, folder: Path, tick: Tick = lambda count: None) -> Iterator[str]:
    """The address of a cluster of processes on this machine, which ends with this process, however that ends.

    Raises what `tick` raises while it is started.
    """
    environment = {name: value for name, value in os.environ.items() if name not in SECRETS}
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix="processes-", ignore_cleanup_errors=True) as place,
        subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "fsseg.local_cluster", str(count), place], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, start_new_session=True,
        ) as process,
    ):  # fmt: skip
        assert process.stdin and process.stdout
        try:
            while not select([process.stdout], [], [], _LOOK)[0]:
                tick(0)
            address = process.stdout.readline().decode().strip()
            if not address:
                raise Halted("the cluster of this machine could not be started")
            yield address
        finally:
            process.stdin.close()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # nothing of it is wanted any more

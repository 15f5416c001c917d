"""`python -m fsseg.sandbox`: the local Freshsales as a process of its own, until SIGTERM.

Prints one line of JSON when it is ready: `{"base_url": …, "origin": …, "token": …, "application_token": …}`.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from fsseg.sandbox import Fault, Options, running

SWITCHES = {
    "quota": int, "window": float, "per_minute": int, "reset_format": str, "retry_after": str, "seed": int,
    "language": str, "offset": str, "precision": str, "bulk_at_once": int, "job_seconds": float, "job_polls": int,
    "job_data": str, "is_in_list": str, "lookup_rows": str, "activities_order": str, "create_status": int,
    "unknown_attributes": str, "unknown_custom_fields": str,
}  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT. Exits 2 on bad arguments."""
    parser = argparse.ArgumentParser(prog="python -m fsseg.sandbox", description="A local Freshsales.")
    parser.add_argument("--db", type=Path, required=True)
    parser.add_argument("--edition", choices=("classic", "suite"), required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default="sandbox")
    parser.add_argument("--application-token", default="sandbox-app")
    for name, kind in SWITCHES.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind)
    parser.add_argument("--fault", action="append", default=[], metavar="KIND=RATE[,method=…][,path=…][,…]")
    parser.add_argument("--options", default="{}", help="further options as a JSON object")
    parser.add_argument(
        "--with-parent", action="store_true", help="end when standard input does, as it does with its owner"
    )
    given = vars(parser.parse_args(arguments))
    try:
        options = _options(given)
    except ValueError as error:
        parser.error(str(error))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _setting(stop))
    served = {name: given[name] for name in ("edition", "port", "token", "application_token")}
    # Whoever started it may have gone before it was ready.
    with running(given["db"], options=options, **served) as sandbox, suppress(BrokenPipeError):
        shown = {name: getattr(sandbox, name) for name in ("base_url", "origin", "token", "application_token")}
        os.write(sys.stdout.fileno(), orjson.dumps(shown) + b"\n")
        if given["with_parent"]:
            threading.Thread(target=_watch_owner, args=(stop,), daemon=True).start()
        stop.wait()


def _watch_owner(stop: threading.Event) -> None:
    # Not sys.stdin: its lock, held by this thread, would abort the interpreter at its end.
    while os.read(0, 4096):
        pass
    stop.set()


def _setting(stop: threading.Event) -> Callable[[int, object], None]:
    def handler(_number: int, _frame: object) -> None:
        stop.set()

    return handler


def _options(given: dict[str, Any]) -> Options:
    changes = {name: given[name] for name in SWITCHES if given[name] is not None}
    faults = [Fault.parse(text) for text in given["fault"]]
    return Options().changed({**changes, "faults": faults, **orjson.loads(given["options"])})


if __name__ == "__main__":
    main()

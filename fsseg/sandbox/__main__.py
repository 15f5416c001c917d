"""`python -m fsseg.sandbox`: the local Freshsales as a process of its own, until SIGTERM.

Prints one line of JSON when it is ready: `{"base_url": …, "origin": …, "token": …, "application_token": …}`; or
`{"error": …}` where it can't be.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import threading
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from queue import SimpleQueue

import orjson

from fsseg.sandbox import Options, Sandbox, running
from fsseg.sandbox.options import switched
from fsseg.sandbox.serve import serve_until_stopped

KINDS: dict[str, type] = {"int": int, "int | None": int, "float": float, "str": str}
"""Types of the options that have a flag of their own; all others come by `--as` or `--options`."""


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT. Exits 2 on bad arguments."""
    parser = argparse.ArgumentParser(prog="python -m fsseg.sandbox", description="A local Freshsales.")
    parser.add_argument("--db", type=Path, required=True)
    parser.add_argument("--edition", choices=("classic", "suite"), required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default="sandbox")
    parser.add_argument("--application-token", default="sandbox-app")
    for option in fields(Options):
        if kind := KINDS.get(str(option.type)):
            parser.add_argument(f"--{option.name.replace('_', '-')}", type=kind)
    parser.add_argument("--fault", action="append", default=[], metavar="KIND=RATE[,method=…][,path=…][,…]")
    parser.add_argument("--as", dest="as_", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--options", default="{}", help="further options as a JSON object")
    parser.add_argument(
        "--with-parent", action="store_true", help="end when standard input does, as it does with its owner"
    )
    given = vars(parser.parse_args(arguments))
    try:
        options = Options().changed({**switched(given), **orjson.loads(given["options"])})
    except ValueError as error:
        parser.error(str(error))
    stop = SimpleQueue[None]()

    def ready(sandbox: Sandbox) -> None:
        shown = {name: getattr(sandbox, name) for name in ("base_url", "origin", "token", "application_token")}
        os.write(sys.stdout.fileno(), orjson.dumps(shown) + b"\n")
        if given["with_parent"]:
            threading.Thread(target=_watch_owner, args=(stop,), daemon=True).start()

    served = {name: given[name] for name in ("edition", "port", "token", "application_token")}
    try:
        serve_until_stopped(running(given["db"], options=options, **served), ready, stop)
    except BrokenPipeError:  # whoever started it may have gone before it was ready
        return
    except (OSError, sqlite3.DatabaseError, ValueError) as error:
        told = {"error": f"{given['db']}: {getattr(error, 'strerror', None) or error}"}
        with suppress(BrokenPipeError):
            os.write(sys.stdout.fileno(), orjson.dumps(told) + b"\n")
        sys.exit(1)


def _watch_owner(stop: SimpleQueue[None]) -> None:
    # Not sys.stdin: its lock, held by this thread, would abort the interpreter at its end.
    while os.read(0, 4096):
        pass
    stop.put(None)


if __name__ == "__main__":
    main()

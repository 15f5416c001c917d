"""JSON on a console, as `--json` of every command prints it."""

from __future__ import annotations

from typing import Any

import orjson
from rich.console import Console

from fsseg.report.console import sanitise_json, write


def print_json(console: Console, data: Any) -> None:
    """`data` as indented JSON, control characters escaped (`--json`)."""
    write(console, sanitise_json(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode()) + "\n")

"""What workers do in tests instead of their work; they import it as they do that."""

from __future__ import annotations

import os
import time
from typing import Any

from fsseg.fold.engines.cluster_tasks import Part, read_part


def read_unlucky(part: Part, packed: bytes) -> Any:
    """The process ends in the middle, but for where it has left a mark that it did before."""
    mark = part.inputs[0].path + f".{part.number}"
    if part.number == 1 and not os.path.exists(mark):
        with open(mark, "w"):
            os._exit(1)
    return read_part(part, packed)


def read_never(part: Part, packed: bytes) -> Any:
    """One part can't be read, for a reason that nobody has thought of; each try leaves a byte."""
    if part.number == 2:
        with open(part.inputs[0].path + ".tries", "a") as file:
            file.write("x")
        raise LookupError("no such luck")
    return read_part(part, packed)


def read_deadly(part: Part, packed: bytes) -> Any:
    """Whoever begins with one of the parts ends."""
    if part.number == 2:
        os._exit(1)
    return read_part(part, packed)


def wait_long() -> None:
    """Takes longer than anybody would wait."""
    time.sleep(5)


def token() -> str | None:
    """What a worker knows of the API token."""
    return os.environ.get("FSSEG_API_TOKEN")

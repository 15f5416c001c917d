"""What each command builds anew, and alike: built once for all that run in one process, it is half of a small import."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import cache
from typing import Any

import typer.main
import typer.testing


def build_once(put: Callable[[Any, str, Any], None]) -> None:
    """Have `put`, which is `setattr` or the like, keep the command line's grammar, the trusted certificates."""
    grammar = cache(typer.main.get_command)
    put(typer.main, "get_command", grammar)
    put(typer.testing, "_get_command", grammar)
    put(ssl, "create_default_context", cache(ssl.create_default_context))

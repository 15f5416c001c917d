"""A local Freshsales: the documented API over HTTP on SQLite, and a page to look at it, to try things on.

`running` serves a file, `reset`, `seed`, `dump` and `counts` work on the file itself, `python -m fsseg.sandbox` serves
it as a process of its own.
"""

from __future__ import annotations

from fsseg.sandbox.content import counts, dump, reset, seed
from fsseg.sandbox.options import Fault, Options
from fsseg.sandbox.serve import Sandbox, running

__all__ = ["Fault", "Options", "Sandbox", "counts", "dump", "reset", "running", "seed"]

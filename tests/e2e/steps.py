"""The command, which tells in the file that `STEPS` names how many hundreds of steps SQLite took."""

from __future__ import annotations

import os
import sqlite3
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from fsseg.__main__ import main

steps = count()


class Counted(sqlite3.Connection):
    """A connection whose steps are counted."""

    def __init__(self, *args: Any, **how: Any) -> None:
        super().__init__(*args, **how)
        self.set_progress_handler(lambda: next(steps) and 0, 100)


sqlite3.connect = partial(sqlite3.connect, factory=Counted)  # type: ignore[assignment]
try:
    main()
finally:
    Path(os.environ["STEPS"]).write_text(str(next(steps)))

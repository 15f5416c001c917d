"""The `fsseg` command, also as `python -m fsseg`."""

from __future__ import annotations

import gc
import os
import sys

from fsseg.cli.interrupts import end_quietly
from fsseg.cli.streams import leave_nothing, take_streams


def main() -> None:
    """The entry point of the `fsseg` command."""
    end_quietly()
    take_streams()
    gc.set_threshold(200_000)  # starting makes many objects and no garbage: to look for some takes a tenth of the time
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")  # for which it would look through all that is installed
    from fsseg.cli.app import app_for  # slow enough for somebody to press Ctrl-C

    try:
        app_for(sys.argv[1:])()
    finally:
        leave_nothing()
        gc.freeze()  # all of it goes with the process: to look for garbage once more takes a fifth of a short command


if __name__ == "__main__":
    main()

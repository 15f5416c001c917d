"""The `fsseg` command, also as `python -m fsseg`."""

from __future__ import annotations

import gc

from fsseg.cli.interrupts import end_quietly


def main() -> None:
    """The entry point of the `fsseg` command."""
    end_quietly()
    gc.set_threshold(200_000)  # starting makes many objects and no garbage: to look for some takes a tenth of the time
    from fsseg.cli.app import app  # slow enough for somebody to press Ctrl-C

    app()


if __name__ == "__main__":
    main()

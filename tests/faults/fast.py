"""The command by a fast clock: `python tests/faults/fast.py import …`."""

from __future__ import annotations

from fsseg.cli.app import main
from fsseg.freshsales import pacer

if __name__ == "__main__":
    import clock

    pacer.SystemClock = clock.FastClock  # type: ignore[misc]
    main()

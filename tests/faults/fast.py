"""The command by a clock that runs twenty times as fast: `python tests/faults/fast.py import …`. Waits are short so."""

from __future__ import annotations

import time

from fsseg.freshsales import pacer
from fsseg.freshsales.clock import SystemClock

SPEED = 20.0
_BEGAN = time.time()


class FastClock(SystemClock):
    """Consistent in itself: what takes a second takes twenty of its own."""

    def time(self) -> float:
        return super().time() * SPEED

    def wall(self) -> float:
        return _BEGAN + (super().wall() - _BEGAN) * SPEED

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / SPEED)


if __name__ == "__main__":
    from fsseg.cli.app import main

    pacer.SystemClock = FastClock  # type: ignore[misc]
    main()

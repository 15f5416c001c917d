"""A clock that runs twenty times as fast, so that waits are short while all that is reckoned with time holds."""

from __future__ import annotations

import time

from fsseg.freshsales.clock import SystemClock

SPEED = 20.0
_BEGAN = time.time()


class FastClock(SystemClock):
    """What takes a second takes twenty of its own."""

    def time(self) -> float:
        return super().time() * SPEED

    def wall(self) -> float:
        return _BEGAN + (super().wall() - _BEGAN) * SPEED

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / SPEED)

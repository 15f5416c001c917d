"""What goes wrong on purpose: which fault hits a request, drawn from a seeded generator."""

from __future__ import annotations

import asyncio
import re
from random import Random

from starlette.types import Receive

from fsseg.sandbox.options import Fault, Stats

ERRORS = (500, 502, 503, 504)
HTML = "<html><head><title>{status}</title></head><body><h1>{status}</h1><p>Something went wrong.</p></body></html>"


class Faults:
    """The faults in force; hits are drawn in the order of the requests."""

    def __init__(self, faults: tuple[Fault, ...], seed: int, stats: Stats) -> None:
        self.rng = Random(seed)  # noqa: S311 - a die to be thrown again, not a secret
        self._left = [(fault, [fault.limit]) for fault in faults]
        self.stats = stats

    def draw(self, method: str, path: str, *kinds: str) -> Fault | None:
        """The first fault of these kinds that hits this request, if any does."""
        for fault, left in self._left:
            if fault.kind not in kinds or fault.method not in (None, method) or not re.search(fault.path, path):
                continue
            if left[0] == 0 or self.rng.random() >= fault.rate:
                continue
            if left[0] is not None:
                left[0] -= 1
            self.stats.faults[fault.kind] = self.stats.faults.get(fault.kind, 0) + 1
            return fault
        return None

    def garbage(self, body: bytes) -> bytes:
        """A body that isn't JSON, or this one cut off."""
        return b"OK, thank you!" if self.rng.random() < 0.5 else body[: max(1, len(body) // 2)]


async def drop(receive: Receive) -> None:
    """Close the connection without an answer. ASGI has no word for it, so it takes uvicorn's own transport."""
    receive.__self__.transport.abort()  # type: ignore[attr-defined]
    # Let uvicorn see the loss before the application returns, or it would answer 500.
    await asyncio.sleep(0)
    await asyncio.sleep(0)

"""Sending rows of the plan so that nothing is lost and nothing sent twice, whenever the process ends.

A chunk of rows is marked `sent` in one durable transaction before any of its requests leaves, and settled in another
after all have come back. What is found `sent` at the start was under way when an earlier push ended: it is looked for
before it is sent again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from fsseg.freshsales.errors import FreshsalesError, Halted, RateLimited, Stop, Unavailable
from fsseg.plan.store import Entry, Record, Store
from fsseg.push.outcome import DONE, PLANNED, SENT, UNKNOWN, Outcome, failed

CHUNK = 25
"""Rows under way at once per worker: what a crash leaves to be looked for, against two commits a chunk."""

TRIES = 3
"""Sends of a create whose answer keeps getting lost while it is proven absent each time."""

Row = Record | Entry
Act = Callable[[Any], Outcome]


def carefully(send: Callable[[], int | None], look: Callable[[], int | None]) -> Outcome:
    """Send what must not be sent twice: after a lost answer `look` for it, and send again only if it isn't there.

    `look` gives the id of what it found, None for proven absence, and raises `Unavailable` where it can't be told.
    """
    for attempt in range(1, TRIES + 1):
        try:
            return Outcome(DONE, send())
        except Unavailable as error:
            if not error.sent:
                return failed(error)
            lost = error
        try:
            found = look()
        except Halted as halt:
            halt.sent = True
            raise
        except Unavailable as error:
            return Outcome(UNKNOWN, code="unknown_outcome", message=error.message, http_status=error.status)
        if found is not None:
            return Outcome(DONE, found)
        if attempt == TRIES:
            break
    return failed(lost)


class Journal:
    """Sends the rows of one stage, chunk by chunk."""

    def __init__(self, store: Store, table: str, workers: int, advance: Callable[[int], None]) -> None:
        self._store = store
        self._table = table
        self._workers = workers
        self._advance = advance

    @property
    def size(self) -> int:
        """Rows a chunk."""
        return CHUNK * self._workers

    def recover(self, rows: Iterable[Row], look: Act) -> None:
        """Settle what an earlier push left under way: `look` answers `done`, or `planned` where it isn't there."""
        for row in list(rows):
            outcome = look(row)
            self._settle([(row, outcome)])

    def push(self, chunk: Sequence[Row], act: Act, same_worker: Callable[[Any], Any] | None = None) -> None:
        """Send one chunk; rows for which `same_worker` gives equal neighbouring keys keep their order.

        Raises `Halted`, `Stop` or `RateLimited` after everything that did come back is settled.
        """
        self._claim(chunk)
        groups = (
            [list(group) for _, group in groupby(chunk, key=same_worker)] if same_worker else [[row] for row in chunk]
        )
        batch = _Batch(act)
        if self._workers == 1 or len(groups) == 1:
            for group in groups:
                batch.run(group)
        else:
            with ThreadPoolExecutor(self._workers) as pool:
                list(pool.map(batch.run, groups))
        self._settle(batch.outcomes)
        if batch.halt is not None:
            raise batch.halt

    def push_together(self, chunk: Sequence[Row], act: Callable[[Sequence[Any]], list[Outcome]]) -> None:
        """Send one chunk as one: `act` gives an outcome per row. What it raises leaves all rows to be recovered."""
        self._claim(chunk)
        self._settle(list(zip(chunk, act(chunk), strict=True)))

    def _claim(self, chunk: Sequence[Row]) -> None:
        with self._store.transaction():
            self._store.put("claimed_at", datetime.now(UTC).isoformat())
            self._mark(chunk, SENT)

    def _mark(self, rows: Sequence[Row], status: str) -> None:
        self._store.db.executemany(
            f"UPDATE {self._table} SET status = ? WHERE id = ?", ((status, row.id) for row in rows)
        )

    def _settle(self, outcomes: Sequence[tuple[Row, Outcome]]) -> None:
        with self._store.transaction() as db:
            db.executemany(
                f"UPDATE {self._table} SET status = ?, remote_id = coalesce(?, remote_id), code = ?, message = ?,"
                " http_status = ? WHERE id = ?",
                ((*outcome, row.id) for row, outcome in outcomes),
            )
        self._advance(sum(outcome.status not in (PLANNED, SENT) for _, outcome in outcomes))


class _Batch:
    """What the workers of one chunk share: the outcomes, and the error that ends the push."""

    def __init__(self, act: Act) -> None:
        self._act = act
        self._lock = threading.Lock()
        self.outcomes: list[tuple[Row, Outcome]] = []
        self.halt: Halted | Stop | RateLimited | None = None

    def run(self, rows: Sequence[Row]) -> None:
        for row in rows:
            outcome = Outcome(PLANNED) if self.halt is not None else self._one(row)
            with self._lock:
                self.outcomes.append((row, outcome))

    def _one(self, row: Row) -> Outcome:
        try:
            return self._act(row)
        except (Halted, Stop, RateLimited) as error:
            self.halt = self.halt or error
            return Outcome(SENT if isinstance(error, Halted) and error.sent else PLANNED)
        except FreshsalesError as error:
            return failed(error)

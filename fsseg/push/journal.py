"""Sending rows of the plan so that nothing is lost and nothing sent twice, whenever the process ends.

A chunk of rows is marked `sent` in one durable transaction before any of its requests leaves, and its outcomes are
written down in another after all have come back. What is found `sent` at the start was in flight when an earlier push
ended: it is looked for before it is sent again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from fsseg.freshsales.errors import BulkBusy, FreshsalesError, Halted, RateLimited, Refused, Stop, Unavailable
from fsseg.push.context import PushContext
from fsseg.push.outcome import Outcome, failed, unknown
from fsseg.state.actions import Status, Table
from fsseg.state.plan_store import Entry, Record
from fsseg.state.row_status import OutcomeRow, claim, write_outcomes
from fsseg.state.seal import proof

ROWS_PER_WORKER = 25
"""Rows in flight at once per worker: what a crash leaves to be looked for, against two commits a chunk."""

MAX_TRIES = 3
"""Sends of a create whose answer keeps getting lost while it is proven absent each time."""

SETTLE_DELAY_S = 5.0
"""Seconds that a request whose answer was lost is left to take effect before its record is looked for: a host that is
slow may yet apply it, and then what was sent again would be there twice."""

PlanRow = Record | Entry
Act = Callable[[Any], Outcome]


class InFlight(Exception):
    """What ended the push came while a write was looked for whose answer was lost: it stays `sent`."""

    def __init__(self, error: FreshsalesError) -> None:
        super().__init__(str(error))
        self.error = error


def ends_the_push(error: FreshsalesError) -> bool:
    """Whether an error concerns the whole run and not one record."""
    # A 429 wrapped in another status speaks of some inner service, and may be this record's alone.
    return isinstance(error, Halted | Stop) or (isinstance(error, RateLimited) and error.status == 429)


def send_once(
    send: Callable[[], int | None], find_created: Callable[[], int | None], pause: Callable[[float], None]
) -> Outcome:
    """Send what must not be sent twice: after a lost answer, only again once it is proven absent.

    `find_created` gives the id of what an earlier try made, None for proven absence, and raises `Unavailable` where it
    can't be told. Raises `InFlight`, and what `send` raises unless it is `Unavailable`.
    """
    for number in range(MAX_TRIES):
        try:
            return Outcome(Status.DONE, send())
        except Refused as error:
            if not number:
                raise
            # That it exists already, said of what was sent before, means that it had arrived. The words differ.
            found = try_lookup(lambda _: Outcome(Status.DONE, find_created()), None)
            if found.status == Status.DONE and found.remote_id is None:
                raise error from None
            return found
        except Unavailable as error:
            if not error.sent:
                return failed(error)
            lost = error
        try:
            pause(SETTLE_DELAY_S)
            id = find_created()
        except FreshsalesError as error:
            if ends_the_push(error):
                raise InFlight(error) from None
            return unknown(error)
        if id is not None:
            return Outcome(Status.DONE, id)
    return unknown(lost)


def try_lookup(find: Act, row: PlanRow | None) -> Outcome:
    """What `find` tells of a row that may have been written, unknown where it fails; raises only what ends the push."""
    try:
        return find(row)
    except FreshsalesError as error:
        if ends_the_push(error):
            raise
        return unknown(error)


def wait_since(rows: Iterable[PlanRow], seconds: float, pause: Callable[[float], None]) -> None:
    """Wait until so many seconds have passed since the last of these rows was claimed."""
    latest = max((row.claimed_at for row in rows if row.claimed_at), default=None)
    if latest is not None:
        since = (datetime.now(UTC) - datetime.fromisoformat(latest)).total_seconds()
        # A claim of the future was made by another clock: how long ago it was can't be told, nor waited for.
        if 0 <= since < seconds:
            pause(seconds - since)


class Journal:
    """Sends the rows of one stage, chunk by chunk."""

    def __init__(self, context: PushContext, table: Table, advance: Callable[[int], None]) -> None:
        self._store = context.store
        self._note_requests = context.note_requests
        self._pause = context.pause
        self._workers = context.workers
        self._table = table
        self._advance = advance
        self._allowed = False

    @property
    def size(self) -> int:
        """Rows a chunk."""
        return ROWS_PER_WORKER * self._workers

    def recover(self, rows: Iterable[PlanRow], find: Act) -> None:
        """Write down what became of rows in flight: `find` answers `done`, or `planned` where there is no trace of one.

        Raises what ends the push; the rows not looked for stay as they are.
        """
        rows = list(rows)
        wait_since(rows, SETTLE_DELAY_S, self._pause)
        for row in rows:
            self._write_outcomes([(row, try_lookup(find, row))], sent=True)

    def settle(self, outcomes: Sequence[tuple[PlanRow, Outcome]]) -> None:
        """Write down what became of rows in flight."""
        if outcomes:
            self._write_outcomes(outcomes, sent=True)

    def push(self, chunk: Sequence[PlanRow], act: Act, same_worker: Callable[[Any], Any] | None = None) -> None:
        """Send one chunk; rows for which `same_worker` gives equal neighbouring keys keep their order.

        Raises `Halted`, `Stop` or `RateLimited` after the outcomes of all that did come back are written down.
        """
        self._claim(chunk)
        groups = (
            [list(group) for _, group in groupby(chunk, key=same_worker)] if same_worker else [[row] for row in chunk]
        )
        batch = _Batch(act, groups)
        # The stage's first request goes alone: a key that may not write is told so once, and not by every worker.
        if not self._allowed:
            batch.first()
        self._allowed = batch.halt is None
        batch.run(min(self._workers, len(groups)))
        self._write_outcomes(batch.outcomes)
        if batch.halt is not None:
            raise batch.halt

    def push_together(self, chunk: Sequence[PlanRow], act: Callable[[Sequence[Any]], list[Outcome]]) -> None:
        """Send one chunk as one: `act` gives an outcome per row. What it raises leaves all rows to be recovered.

        But for `BulkBusy`, before which nothing was sent.
        """
        self._claim(chunk)
        try:
            outcomes = act(chunk)
        except InFlight as lost:
            raise lost.error from None
        except BulkBusy:
            self._write_outcomes([(row, Outcome(Status.PLANNED)) for row in chunk])
            raise
        self._write_outcomes(list(zip(chunk, outcomes, strict=True)))

    def _claim(self, chunk: Sequence[PlanRow]) -> None:
        with self._store.transaction():
            claim(self._store, self._table, (row.id for row in chunk))
            self._note_requests()

    def _write_outcomes(self, outcomes: Sequence[tuple[PlanRow, Outcome]], *, sent: bool = False) -> None:
        """Settle rows. Unless it was `sent`, one that is planned again is as if it had never been claimed."""
        with self._store.transaction():
            write_outcomes(self._store, self._table, (self._row(row, outcome, sent) for row, outcome in outcomes))
            self._note_requests()
        self._advance(sum(outcome.status not in (Status.PLANNED, Status.SENT) for _, outcome in outcomes))

    def _row(self, row: PlanRow, outcome: Outcome, sent: bool) -> OutcomeRow:
        # Only an id that the push learnt itself needs its own proof: one known before is under the plan's seal.
        new_id = outcome.remote_id if row.remote_id is None else None
        proven = None if new_id is None else proof(self._table, row.id, new_id)
        return OutcomeRow(*outcome, proven, outcome.status == Status.PLANNED and not sent, row.id)


class _Batch:
    """What the workers of one chunk share: the outcomes, and the error that ends the push."""

    # Not a ThreadPoolExecutor: leaving the process waits for its threads, so a second Ctrl-C could not end it at once.

    def __init__(self, act: Act, groups: Iterable[Sequence[PlanRow]]) -> None:
        self._act = act
        self._groups = iter(groups)
        self._lock = threading.Lock()
        self._bug: BaseException | None = None
        self.outcomes: list[tuple[PlanRow, Outcome]] = []
        self.halt: FreshsalesError | None = None

    def first(self) -> None:
        """Send the first group alone."""
        self._send_group(next(self._groups, ()))

    def run(self, workers: int) -> None:
        """Send all groups. Whoever interrupts the waiting for the workers need not wait for what they have sent."""
        threads = list(self._started(workers)) if workers > 1 else []
        if not threads:
            self._work()
        for thread in threads:
            thread.join()
        # Its chunk stays `sent` altogether, so whatever of it was written is looked for by a resumption.
        if self._bug is not None:
            raise self._bug

    def _started(self, workers: int) -> Iterator[threading.Thread]:
        """So many threads that work, or as many as this machine lets be started."""
        for _ in range(workers):
            thread = threading.Thread(target=self._work, daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return
            yield thread

    def _work(self) -> None:
        try:
            while (rows := self._next_group()) is not None:
                self._send_group(rows)
        except BaseException as error:
            self._bug = error

    def _next_group(self) -> Sequence[PlanRow] | None:
        with self._lock:
            return next(self._groups, None)

    def _send_group(self, rows: Sequence[PlanRow]) -> None:
        for row in rows:
            # After a halt the rest is only told as planned: it was claimed with the chunk, but nothing of it left.
            outcome = Outcome(Status.PLANNED) if self.halt is not None else self._send_row(row)
            with self._lock:
                self.outcomes.append((row, outcome))

    def _send_row(self, row: PlanRow) -> Outcome:
        try:
            return self._act(row)
        except InFlight as lost:
            self.halt = self.halt or lost.error
            return Outcome(Status.SENT)
        except FreshsalesError as error:
            if not ends_the_push(error):
                return failed(error)
            self.halt = self.halt or error
            return Outcome(Status.SENT if isinstance(error, Halted) and error.sent else Status.PLANNED)

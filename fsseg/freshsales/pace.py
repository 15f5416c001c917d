"""How long the next request has to wait, as the answers so far tell. Pure: time comes in, and nobody waits here."""

from __future__ import annotations

import math
from typing import NamedTuple

from msgspec import Struct

from fsseg.freshsales import quota
from fsseg.freshsales.quota import QuotaHeaders

_RESET_TOLERANCE_S = 2.0  # what two ways of telling the same reset may differ by
_SLOW_START = 30  # requests that go one at a time while nothing is told: bursts of so many were seen refused
_BURST = 120  # requests up to which a refusal for long is one for their haste, and not the end of an hour's quota
_MAX_BLIND_REFUSALS = 3  # without a word on when to come back; then the end of a window is concluded from them


class Delay(NamedTuple):
    """How long to wait, and what for."""

    seconds: float | None  # None: until an answer comes in
    reason: str = ""


GO = Delay(0.0)


class Ticket(NamedTuple):
    """Leave to send one request: in which window and when it was given, and how much of the quota was left then."""

    window: int
    at: float
    left: int | None


class _Window(Struct):
    """What is known of the window of quota we are in; it ends with a refusal or at the told reset."""

    number: int = 0
    left: int | None = None
    reset_at: float | None = None
    opened_at: float = 0.0
    answered: int = 0  # requests that were not refused
    sent: int = 0
    left_before: int | None = None  # what was left of the window before, where that was only the reserve

    @property
    def untried(self) -> bool:
        return self.answered == 0

    @property
    def sure_left(self) -> int | None:
        """What is left; after a first request whose answer told nothing, no more than before it."""
        return self.left_before if self.left is None and self.sent else self.left

    def following(self, kept: int) -> _Window:
        """The window after this one; `kept` is how many requests are reserved."""
        left = self.sure_left
        return _Window(self.number + 1, left_before=left if kept and left is not None and left <= kept else None)


class _Block(NamedTuple):
    """A burst that was refused for long: after how many answers, and for how many seconds."""

    after: int
    seconds: float

    def again(self, answered: int) -> bool:
        """Whether a refusal after so many answers is most likely another of the kind."""
        # Counted by the clock's minutes, a burst over several of them lets through a multiple of one that isn't.
        return self.after <= 4 * answered <= 4 * _BURST


class Now(NamedTuple):
    """A moment: by the clock that never jumps, and in seconds since the epoch."""

    time: float
    wall: float


class Pace:
    """What the answers tell of the quota's windows; `reserve` is the share of the quota (0 to 1) left to others."""

    def __init__(self, reserve: float) -> None:
        self.limit: int | None = None
        self.remaining: int | None = None
        self._reserve = reserve
        self._in_flight = self._most_in_flight = 0
        self._window = _Window()
        self._margin = 0.0
        self._too_early = False
        self._gate = -math.inf
        self._strikes = self._blind_refusals = 0
        self._first_refusal = self._last_refusal = 0.0
        self._exhausted: _Window | None = None
        self._period: float | None = None
        self._block: _Block | None = None

    def sent(self, now: Now) -> Ticket:
        """Note that a request leaves; the ticket to give to `over` once it is answered."""
        self._in_flight += 1
        self._window.sent += 1
        self._most_in_flight = max(self._most_in_flight, self._in_flight)
        return Ticket(self._window.number, now.time, self._window.left)

    def over(self, ticket: Ticket, now: Now, headers: QuotaHeaders | None, chance: float) -> None:
        """Note that a request is over; `headers` is None without an answer, `chance` (0 to 1) spreads guesses."""
        self._in_flight -= 1
        if headers is not None:
            self._learn(ticket, now, headers, chance)

    def delay(self, now: Now) -> Delay:
        """How long the next request has to wait."""
        window, kept = self._window, math.ceil((self.limit or 0) * self._reserve)
        if window.reset_at is not None and now.time >= window.reset_at:
            window = self._window = window.following(kept)
        if now.time < self._gate:
            return Delay(
                self._gate - now.time, "burst" if self._blind_refusals >= _MAX_BLIND_REFUSALS else "rate_limited"
            )
        unsure = self.limit is None and self._period is None and window.number == 0 and window.answered < _SLOW_START
        alone = window.untried or unsure or self._near_the_end()
        left = window.sure_left
        # What is in flight may not be counted yet in what the headers say is left.
        if left is not None and left - kept <= self._in_flight:
            if self._in_flight:
                return Delay(None)
            if kept and window.reset_at is None:
                window.reset_at = now.time + self._guessed_end(now)
            if window.reset_at is not None:
                return Delay(window.reset_at - now.time, "quota")
        return Delay(None) if alone and self._in_flight else GO

    def _guessed_end(self, now: Now) -> float:
        """Seconds until a new window may have begun, where only the reserve is left and nobody told the reset."""
        window = self._window
        # The last wait may have ended before the window did: a minute is tried before another hour is waited.
        if window.left_before is not None and (window.left is None or self._too_early):
            return quota.MINUTE
        if self._period == quota.MINUTE:
            return quota.MINUTE - (now.time - window.opened_at) % quota.MINUTE
        return quota.to_next_hour(now.wall)

    def _near_the_end(self) -> bool:
        """Whether as many requests went through as in the window that ran out last, or hardly more."""
        return self._exhausted is not None and self._window.answered + self._in_flight >= self._exhausted.answered

    def _learn(self, ticket: Ticket, now: Now, headers: QuotaHeaders, chance: float) -> None:
        fresh = ticket.window == self._window.number  # else it speaks of a window that is over
        self.limit = headers.limit or self.limit
        if headers.limited or headers.retry_after:
            if fresh:
                self._close(now, headers, chance)
            else:
                self._gate = max(self._gate, now.time + (headers.retry_after or 0.0))
        elif fresh:
            self._count(ticket, now.time, headers)
        else:
            # It says nothing of this window, but that the account lets requests through.
            self._strikes = max(0, self._strikes - 1)

    def _count(self, ticket: Ticket, now: float, headers: QuotaHeaders) -> None:
        window = self._window
        if window.untried:
            window.opened_at = now
            # Refusals without a hint were waited out: how long they lasted tells a minute's window from an hour's.
            if self._blind_refusals >= _MAX_BLIND_REFUSALS:
                minute = self._last_refusal - self._first_refusal < quota.MINUTE
                before = self._exhausted.answered if self._exhausted else math.inf
                hasty = before <= _BURST and not minute
                self._period = quota.MINUTE if minute else None if hasty else quota.HOUR
                self._block = _Block(int(before), now - self._first_refusal) if hasty else None
        window.answered += 1
        self._blind_refusals = 0
        self._strikes = max(0, self._strikes - 1)
        # Clearly more went through than the last time it ran out, so what was learnt then holds no longer.
        if self._exhausted is not None and window.answered > 1.1 * self._exhausted.answered + 5:
            self._exhausted = None
        reset_known = window.reset_at is not None
        moved = headers.reset_in is not None and self._see_reset(ticket.at + headers.reset_in, now + headers.reset_in)
        if headers.remaining is not None:
            self._judge_wait(headers.remaining)
            # Answers overtake each other, so the lowest number counts, unless they begin to speak of a new window.
            left = math.inf if window.left is None else window.left
            # An answer may be overtaken by many: in the same window it tells less than was left when it was asked for.
            more = ticket.left is not None and headers.remaining >= ticket.left
            leapt = moved or (not reset_known and more and headers.remaining > left + self._most_in_flight)
            self.remaining = window.left = headers.remaining if leapt else int(min(left, headers.remaining))

    def _judge_wait(self, remaining: int) -> None:
        """Note whether the wait for the window's end was too short, so that the old window still goes on."""
        window = self._window
        if window.left_before is not None and window.left is None:
            # A second look a minute later makes up for clocks that differ; a third would only eat up the reserve.
            too_early = remaining < min(window.left_before, (self.limit or 0) - 1)
            self._too_early = too_early and not self._too_early
            if too_early:
                self._margin = 1.0  # the reset was told in whole seconds, rounded down

    def _see_reset(self, earliest: float, latest: float) -> bool:
        """Note the end of the window, told between sending and receipt; whether it is a later one than known."""
        known, latest = self._window.reset_at, latest + self._margin
        moved = known is not None and earliest > known + _RESET_TOLERANCE_S
        self._window.reset_at = latest if known is None or moved else min(known, latest)
        return moved

    def _close(self, now: Now, headers: QuotaHeaders, chance: float) -> None:
        """A refusal: everybody waits, and what follows is a new window."""
        window = self._window
        if headers.limited:
            self._strikes += 1
            # A reset that is told while some of the quota is left is another window's.
            told = headers.retry_after or (headers.reset_in and not headers.remaining)
            self._blind_refusals = 0 if told else self._blind_refusals + 1
            if window.untried and self._strikes == 1:
                self._margin = 1.0  # the reset was told in whole seconds, rounded down
        end, strikes = self._block_end(now), max(1, self._strikes)
        seconds = quota.wait(headers, strikes if end is None else 1, end or self._boundary(now), now.wall, chance)
        self._gate = max(self._gate, now.time + seconds)
        self._last_refusal = now.time
        if self._blind_refusals <= 1:
            self._first_refusal = now.time
        if headers.limited and not window.untried:
            self._exhausted = window
        # Where quota is left, another window than the one that the headers tell of has refused: that one goes on.
        quota_left = bool(headers.remaining)
        self.remaining = headers.remaining if headers.remaining is not None else self.remaining
        self._window = _Window(
            window.number + 1,
            left=headers.remaining if quota_left else None,
            reset_at=window.reset_at if quota_left else None,
            left_before=window.left_before if window.left is None else None,
        )

    def _block_end(self, now: Now) -> float | None:
        """Seconds to the end of a block like the one that was seen; a single refusal tells of none."""
        block, exhausted = self._block, self._exhausted
        if self._blind_refusals < 2 or block is None or exhausted is None or not block.again(exhausted.answered):
            return None
        left = self._first_refusal + block.seconds - now.time
        return left if left > 0 else None

    def _boundary(self, now: Now) -> float | None:
        """Seconds to the end of the window, once one like it was seen to run out without a word on its end."""
        window, exhausted = self._window, self._exhausted
        if self._block is not None and self._block.again(window.answered):
            return None  # unless the next one is refused, too: see `_block_end`
        # Refused long before as many went through, it is not the same window that has run out.
        if self._period is None or exhausted is None or window.answered < 0.9 * exhausted.answered:
            return None
        if self._period == quota.HOUR:
            return quota.to_next_hour(now.wall)
        left = window.opened_at + self._period - now.time
        return left if left > 0 else None

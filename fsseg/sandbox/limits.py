"""The account's quota: fixed windows like clock hours, counted over all requests that hold a valid token."""

from __future__ import annotations

import math
import time
from datetime import datetime
from email.utils import formatdate

from fsseg.sandbox.options import Options


class Quota:
    """Requests counted per window and per sixtieth of it (the minute of the simulated hour)."""

    def __init__(self) -> None:
        self._hour = self._minute = 0.0
        self._in_hour = self._in_minute = 0
        self._refused_until = 0.0

    def take(self, options: Options) -> dict[str, str] | None:
        """Count one request: None where it may pass, the headers of the 429 where it may not."""
        now, minute = time.time(), options.window / 60
        if (hour := now - now % options.window) != self._hour:
            self._hour, self._in_hour = hour, 0
        if (start := now - now % minute) != self._minute:
            self._minute, self._in_minute = start, 0
        if options.burst is not None:
            if self._in_minute >= options.burst:
                self._refused_until = max(self._refused_until, now + options.window / 3)
            if now < self._refused_until:
                return self.headers(options)
        if self._in_hour >= options.quota:
            return {**self.headers(options), **retry_after(options, hour + options.window - now)}
        if options.per_minute is not None and self._in_minute >= options.per_minute:
            return {**self.headers(options), **retry_after(options, start + minute - now)}
        self._in_hour += 1
        self._in_minute += 1
        return None

    def headers(self, options: Options) -> dict[str, str]:
        """The quota headers that this account sends."""
        reset = math.ceil(self._hour + options.window)
        texts = {"limit": str(options.quota), "remaining": str(max(0, options.quota - self._in_hour))}
        if options.reset_format == "epoch":
            texts["reset"] = str(reset)
        else:
            texts["reset"] = datetime.fromtimestamp(reset, options.zone).strftime("%d%m%y%H%M%S")
        return {f"x-ratelimit-{name}": text for name, text in texts.items() if name in options.headers}


def retry_after(options: Options, seconds: float) -> dict[str, str]:
    """The Retry-After header, as this account sends it."""
    whole = max(0, math.ceil(seconds))
    match options.retry_after:
        case "seconds":
            return {"retry-after": str(whole)}
        case "date":
            return {"retry-after": formatdate(time.time() + whole, usegmt=True)}
        case _:
            return {}

"""What became of one row of the journal."""

from __future__ import annotations

from typing import NamedTuple

from fsseg.freshsales.errors import FreshsalesError, RateLimited, Refused, Unavailable

PLANNED, SENT, DONE, FAILED, UNKNOWN = "planned", "sent", "done", "failed", "unknown"


class Outcome(NamedTuple):
    """The new state of a row; `remote_id` stays as it was where it is None."""

    status: str
    remote_id: int | None = None
    code: str | None = None
    message: str | None = None
    http_status: int | None = None


class Lost(Exception):
    """A request left and no answer came back: whether it was applied has to be looked up."""

    def __init__(self, cause: Unavailable) -> None:
        super().__init__(str(cause))
        self.cause = cause


def failed(error: FreshsalesError) -> Outcome:
    """How a record fails that Freshsales, or the way to it, did not let through."""
    code = (
        "refused" if isinstance(error, Refused) else "rate_limited" if isinstance(error, RateLimited) else "unavailable"
    )
    return Outcome(FAILED, code=code, message=error.message or str(error), http_status=error.status)

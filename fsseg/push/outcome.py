"""What became of one row of the journal."""

from __future__ import annotations

from typing import NamedTuple

from fsseg.freshsales.errors import FreshsalesError, RateLimited, Refused
from fsseg.state.actions import Code, Status


class Outcome(NamedTuple):
    """The new state of a row; `remote_id` stays as it was where it is None."""

    status: Status
    remote_id: int | None = None
    code: Code | None = None
    message: str | None = None
    http_status: int | None = None


def failed(error: FreshsalesError) -> Outcome:
    """How a record fails that was not written, because Freshsales refused it or could not be reached."""
    match error:
        case Refused():
            code = Code.REFUSED
        case RateLimited():
            code = Code.RATE_LIMITED
        case _:
            code = Code.UNAVAILABLE
    return Outcome(Status.FAILED, code=code, message=error.message or str(error), http_status=error.status)


def unknown(error: FreshsalesError) -> Outcome:
    """How a record stands that may have been written, where looking for it could not tell."""
    return Outcome(
        Status.UNKNOWN, code=Code.UNKNOWN_OUTCOME, message=error.message or str(error), http_status=error.status
    )

"""What went wrong, and with it what to do: the class is the decision.

| class | do |
|---|---|
| `Refused` (`NotFound`, `ForbiddenRecord`) | this record failed; go on with the others |
| `Stop` (`Unauthorized`, `Forbidden`) | the key may not do this: end the run or leave the entity out |
| `RateLimited` | not applied; waiting was of no use any more |
| `BulkBusy` | not applied; do something else, and ask again later |
| `Unavailable` (`BadAnswer`) | `sent` says whether it may have been applied: look before writing again |
| `Halted` (`BudgetSpent`, `HostDown`, `UnknownHost`, `Interrupted`) | end the run, it can be resumed; `sent` as above |

Decided by status and codes only: Freshsales' texts are localised.
"""

from __future__ import annotations

from typing import Literal


class FreshsalesError(Exception):
    """Any failure of a call.

    `path` is the pattern of the path (`/api/contacts/{id}`), never with personal data; `message` is what Freshsales
    said, cleaned and at most 300 characters long; `status` is None where no answer came.
    """

    def __init__(
        self,
        message: str = "",
        *,
        method: str = "",
        path: str = "",
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.method = method
        self.path = path
        self.status = status
        self.request_id = request_id

    def __str__(self) -> str:
        call = f"{self.method} {self.path}".strip()
        status = str(self.status or "")
        answer = status if self.message == status else f"{status} {self.message}".strip()
        return ": ".join(part for part in (call, answer) if part)


class Refused(FreshsalesError):
    """Freshsales will not have this record (4xx); asking again is of no use."""


class NotFound(Refused):
    """404: no such record, or not at this host or edition."""


class ForbiddenRecord(Refused):
    """403 to one record: it is not for this key, and others may be."""


class NoBulk(NotFound):
    """This host has no bulk upsert for the entity."""


class BulkBusy(FreshsalesError):
    """405: as many bulk jobs are unfinished as the account may have, whosever they are; nothing was applied."""


class Stop(FreshsalesError):
    """Not this record but the account's set-up is the trouble. `hint` says what to do about it."""

    hint = "fsseg check says what this key may do"


class Unauthorized(Stop):
    """401: the key is wrong or missing."""

    hint = "copy the API key anew from the profile settings of Freshsales (API settings)"


class Forbidden(Stop):
    """403: the key's user may not do this."""


class RateLimited(FreshsalesError):
    """429, or an answer that wraps one; nothing was applied. `retry_after` in seconds, where told."""

    retry_after: float | None = None


class Unavailable(FreshsalesError):
    """5xx or a broken connection. `sent`: whether the request may have reached Freshsales and been applied."""

    sent: bool = True


class BadAnswer(Unavailable):
    """A 2xx whose body is not what the call answers with."""


class Halted(FreshsalesError):
    """The run ends here and can be resumed. `sent`: whether an attempt of this request may have been applied."""

    sent: bool = False


class BudgetSpent(Halted):
    """`budget` says which of the run's own limits was reached.

    `enough` is how many requests would do for what it has cut off, where that comes to nothing unless it is done whole.
    """

    def __init__(self, budget: Literal["max_requests", "max_time"], message: str) -> None:
        super().__init__(message)
        self.budget = budget
        self.enough: int | None = None


class HostDown(Halted):
    """Nothing has got through to Freshsales for a while."""


class UnknownHost(Halted):
    """No name server knows the host, which has never answered."""

    hint = "is the domain spelt right? It looks like acme.freshsales.io, or acme.myfreshworks.com"


class Interrupted(Halted):
    """Somebody asked to stop."""


class ReadOnlyViolation(RuntimeError):
    """A writing request on a connection opened for reading: a bug, caught before anything was sent."""

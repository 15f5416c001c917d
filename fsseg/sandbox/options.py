"""How the local Freshsales behaves: quota, headers, faults, and every point where real accounts differ."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import timedelta, timezone
from functools import cached_property
from typing import Any

FAULTS = (
    "error",  # 5xx with an HTML body, nothing applied
    "error_after",  # the same, but applied
    "drop_before",  # connection closed, nothing applied
    "drop_after",  # applied, then the connection closed without an answer
    "slow",  # stalls for `seconds`, then answers
    "garbage",  # applied; 200 with a body that isn't JSON, or a JSON text cut off
    "429",  # too many requests, whatever the quota says; Retry-After if `seconds` is set
    "wrapped_429",  # 400 whose message wraps a 429
    "bulk_405",  # 405 on bulk_upsert
    "job_failure",  # the job ends as failed, with nothing or a part applied
)
HEADERS = ("limit", "remaining", "reset")


@dataclass(frozen=True)
class Fault:
    """One kind of fault, hitting a share `rate` of the requests with this `method` whose path holds the regex `path`.

    `seconds` is the stall of `slow` and the Retry-After of `429`; after `limit` hits the fault is used up.
    """

    kind: str
    rate: float = 1.0
    method: str | None = None
    path: str = ""
    seconds: float = 0.0
    limit: int | None = None

    def __post_init__(self) -> None:
        _one_of("fault kind", self.kind, FAULTS)
        if not 0 <= self.rate <= 1:
            raise ValueError(f"fault rate must be from 0 to 1, not {self.rate}")
        if self.seconds < 0 or (self.limit is not None and self.limit < 0):
            raise ValueError("fault seconds and limit can't be negative")
        _compiles(self.path)

    @classmethod
    def parse(cls, text: str) -> Fault:
        """From `kind=rate[,method=POST][,path=REGEX][,seconds=S][,limit=N]`. Raises ValueError."""
        kind, _, rate = text.partition(",")[0].partition("=")
        rest = dict(part.partition("=")[::2] for part in text.split(",")[1:])
        if unknown := set(rest) - {"method", "path", "seconds", "limit"}:
            raise ValueError(f"unknown fault setting {', '.join(sorted(unknown))}")
        return cls(
            kind,
            float(rate or 1),
            rest.get("method"),
            rest.get("path", ""),
            float(rest.get("seconds", 0)),
            int(rest["limit"]) if "limit" in rest else None,
        )


@dataclass(frozen=True)
class Options:
    """The switches of one running sandbox; `changed` gives a copy with some of them set. Raises ValueError on nonsense.

    Quota: `quota` requests per `window` seconds (a simulated hour, aligned like a clock hour) and `per_minute` per
    sixtieth of it. The default quota is out of reach, so that nothing is refused but the headers are there.
    """

    quota: int = 1_000_000
    window: float = 3600.0
    per_minute: int | None = None
    headers: frozenset[str] = frozenset(HEADERS)
    """Which of x-ratelimit-limit, -remaining and -reset are sent."""
    reset_format: str = "dmyHis"
    """`dmyHis` (day, month, year, hour, minute, second in the account's zone) or `epoch`."""
    retry_after: str = "seconds"
    """`seconds`, `date` or `absent`, on a 429."""
    faults: tuple[Fault, ...] = ()
    seed: int = 0
    forbidden: tuple[str, ...] = ()
    """Regexes of paths that this key's user may not touch: 403."""
    refuse_token: bool = False
    language: str = "en"
    offset: str = "+02:00"
    """The account's UTC offset, carried by every timestamp."""
    precision: str = "milliseconds"
    """Of timestamps: `milliseconds` or `seconds`."""
    bulk: bool = True
    bulk_at_once: int | None = None
    """With so many jobs unfinished, a further bulk_upsert is answered 405."""
    job_seconds: float = 0.05
    job_polls: int = 0
    """A job is worked off after `job_seconds` and `job_polls` answers that it is still running."""
    job_data: str = "object"
    """`object`, or `string`: the result as JSON text."""
    job_words: tuple[str, str, str] = ("IN_PROGRESS", "SUCCESS", "FAILED")
    is_in_list: str = "list"
    """`is_in` with a list of values: understood as a `list`, taken as one `text` (nothing found), or `refused`."""
    view_custom_fields: bool = True
    filtered_custom_fields: bool = False
    lookup_rows: str = "whole"
    """`whole` or `partial`."""
    short_pages: bool = False
    """Pages hold fewer rows than asked for, before the end too."""
    activities_order: str = "newest"
    """Of GET /sales_activities without `sort`: `newest` or `oldest` first."""
    create_status: int = 201
    unknown_attributes: str = "refuse"
    """Attributes that don't exist: `refuse` with 400, or `ignore`."""
    unknown_custom_fields: str = "refuse"

    def __post_init__(self) -> None:
        if self.quota < 1 or self.window <= 0 or (self.per_minute is not None and self.per_minute < 1):
            raise ValueError("quota, window and per_minute must be positive")
        if unknown := self.headers - set(HEADERS):
            raise ValueError(f"unknown quota header {', '.join(sorted(unknown))}")
        if self.job_seconds < 0 or self.job_polls < 0 or len(self.job_words) != 3:
            raise ValueError("job_seconds and job_polls can't be negative; job_words are three")
        _one_of("reset_format", self.reset_format, ("dmyHis", "epoch"))
        _one_of("retry_after", self.retry_after, ("seconds", "date", "absent"))
        _one_of("language", self.language, ("en", "nl", "de"))
        _one_of("precision", self.precision, ("milliseconds", "seconds"))
        _one_of("job_data", self.job_data, ("object", "string"))
        _one_of("is_in_list", self.is_in_list, ("list", "text", "refused"))
        _one_of("lookup_rows", self.lookup_rows, ("whole", "partial"))
        _one_of("activities_order", self.activities_order, ("newest", "oldest"))
        _one_of("create_status", self.create_status, (200, 201))
        _one_of("unknown_attributes", self.unknown_attributes, ("refuse", "ignore"))
        _one_of("unknown_custom_fields", self.unknown_custom_fields, ("refuse", "ignore"))
        for pattern in self.forbidden:
            _compiles(pattern)
        _ = self.zone

    @cached_property
    def zone(self) -> timezone:
        """The account's zone, from `offset`."""
        if not (found := re.fullmatch(r"([+-])(\d\d):(\d\d)", self.offset)):
            raise ValueError(f"offset must look like +02:00, not {self.offset!r}")
        sign, hours, minutes = found.groups()
        delta = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(delta if sign == "+" else -delta)

    def changed(self, changes: Mapping[str, Any]) -> Options:
        """A copy with `changes`, which may come from JSON. Raises ValueError for unknown names and bad values."""
        known = {item.name for item in fields(self)}
        if unknown := set(changes) - known:
            raise ValueError(f"unknown option {', '.join(sorted(unknown))}")
        read: dict[str, Any] = dict(changes)
        try:
            for name, value in changes.items():
                if name == "faults":
                    read[name] = tuple(item if isinstance(item, Fault) else Fault(**item) for item in value)
                elif name == "headers":
                    read[name] = frozenset(value)
                elif name in ("forbidden", "job_words"):
                    read[name] = tuple(value)
            return replace(self, **read)
        except TypeError as error:
            raise ValueError(str(error)) from error

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "headers": sorted(self.headers)}


def switched(given: Mapping[str, Any]) -> dict[str, Any]:
    """What `Options.changed` takes, from a command line: None where nothing was given, each `fault` as a text.

    Raises ValueError.
    """
    known = {item.name for item in fields(Options)}
    changes = {name: value for name, value in given.items() if name in known and value is not None}
    return {**changes, "faults": [Fault.parse(text) for text in given["fault"] or ()]}


@dataclass
class Stats:
    """What the server has seen since it started."""

    requests: dict[str, int] = field(default_factory=dict)
    """By method and path, ids replaced: `GET /api/contacts/{id}`."""
    statuses: dict[str, int] = field(default_factory=dict)
    """By status of the answer, `dropped` where there was none."""
    faults: dict[str, int] = field(default_factory=dict)
    total: int = 0
    writes: int = 0
    """Requests that would write, whatever became of them."""
    bulk_jobs_at_once: int = 0
    """The most jobs that were unfinished at one time."""


def _one_of(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(str, allowed))}, not {value!r}")


def _compiles(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error

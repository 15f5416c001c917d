"""How the local Freshsales behaves: quota, headers, faults, and every point where real accounts differ."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import timedelta, timezone
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from fsseg.sandbox import defaults

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
CHOICES: dict[str, tuple[object, ...]] = {
    "reset_format": ("dmyHis", "epoch"),
    "retry_after": ("seconds", "date", "absent"),
    "language": ("en", "nl", "de"),
    "precision": ("milliseconds", "seconds"),
    "job_data": ("object", "string"),
    "is_in_list": ("list", "text", "refused"),
    "lookup_rows": ("whole", "partial"),
    "activities_order": ("newest", "oldest"),
    "create_status": (200, 201),
    "unknown_attributes": ("refuse", "ignore"),
    "unknown_custom_fields": ("refuse", "ignore"),
    "unknown_includes": ("refuse", "ignore"),
    "unknown_view": (403, 404),
    "custom_fields": ("replace", "merge"),
    "bulk_custom_fields": ("replace", "merge"),
    "tags": ("replace", "add"),
    "account_links": ("replace", "add"),
    "association_ids": ("included", "always"),
    "bad_choices": ("drop", "refuse"),
    "bad_dates": ("null", "refuse"),
    "account_phones": ("null", "keep"),
    "formats": ("checked", "free"),
    "account_revenue": ("number", "text"),
    "null": ("clear", "ignore"),
    "duplicates": ("exists", "not_unique"),
    "email_shape": ("any", "objects", "text"),
    "deal_links_in_bulk": ("lose", "keep"),
    "upsert_owner": ("reset", "keep"),
}
"""What the switches that offer a choice take."""


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
            _number("the share of a fault", rate or "1"),
            rest.get("method"),
            rest.get("path", ""),
            _number("seconds of a fault", rest.get("seconds", "0")),
            int(_number("limit of a fault", rest["limit"])) if "limit" in rest else None,
        )


@dataclass(frozen=True)
class Options:
    """The switches of one running sandbox; `changed` gives a copy with some of them set. Raises ValueError on nonsense.

    The defaults are what live accounts were seen to do; where they differ among themselves, what does more harm.
    Quota: `quota` requests per `window` seconds (the sandbox's hour, aligned like a clock hour) and `per_minute` per
    sixtieth of it. Its clock runs a hundred times as fast as ours: the hour is 36 s, and a lag of 20 s a fifth of one.
    """

    quota: int = 1_000
    window: float = 36.0
    per_minute: int | None = 400
    burst: int | None = None
    """More requests than this in a sixtieth of the window are refused, and all others for a third of the window."""
    headers: frozenset[str] = frozenset(HEADERS)
    """Which of x-ratelimit-limit, -remaining and -reset are sent."""
    reset_format: str = "dmyHis"
    """`dmyHis` (day, month, year, hour, minute, second in the account's zone) or `epoch`."""
    retry_after: str = "absent"
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
    bulk_at_once: int | None = 10
    """With so many jobs unfinished, a further bulk_upsert is answered 405."""
    job_seconds: float = 0.05
    job_polls: int = 0
    """A job is worked off after `job_seconds` and `job_polls` answers that it is still running."""
    job_data: str = "string"
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
    create_status: int = 200
    unknown_attributes: str = "ignore"
    """Attributes that don't exist: `refuse` with 400, or `ignore`."""
    unknown_custom_fields: str = "ignore"
    unknown_includes: str = "ignore"
    unknown_view: int = 403
    """Status of the answer for a view that isn't there."""
    custom_fields: str = "replace"
    """What the custom fields of a single write do to those it doesn't name: `replace` (they are lost) or `merge`."""
    bulk_custom_fields: str = "merge"
    """The same of a bulk write."""
    tags: str = "replace"
    """What written tags do to those that are there: `replace` or `add`."""
    account_links: str = "replace"
    """What the accounts written of a contact do to those it has: `replace` or `add`."""
    association_ids: str = "included"
    """Ids of owner, stage, account and so on: `included` only where asked for by `include`, or `always`."""
    lookup_lag: float = 0.2
    """Seconds before lookup and search find what was made; views list it at once."""
    filtered_emails: bool = False
    """Whether rows of a filtered search list all addresses of a person."""
    bad_choices: str = "drop"
    """Texts that a custom dropdown doesn't offer: `drop` the value, or `refuse` with 400."""
    bad_dates: str = "null"
    """An expected_close that is no date: stored as `null`, or `refuse`."""
    account_phones: str = "null"
    """An account's phone that is no number: stored as `null`, or `keep`."""
    formats: str = "checked"
    """Websites and the length of names: `checked` or `free`."""
    account_revenue: str = "number"
    """An account's annual revenue reads back as a `number` or as `text`."""
    null: str = "clear"
    """Writing null: `clear` or `ignore`."""
    duplicates: str = "exists"
    """How a doubled e-mail is refused: `exists` (`ann@b.example already exists.`) or `not_unique`."""
    email_shape: str = "any"
    """What `emails` may be in a write: `any` of its shapes, `objects` with `value` and `is_primary`, or one `text`."""
    required: tuple[str, ...] = ("email",)
    """Attributes that a new person must have, though the metadata doesn't say so."""
    required_of_deals: tuple[str, ...] = ()
    """The same of a new deal."""
    deal_links_in_bulk: str = "lose"
    """The contacts of deals that are written in bulk: `lose` or `keep`."""
    upsert_owner: str = "reset"
    """The owner of a record that an upsert finds, where none is named: `reset` to the key's user, or `keep`."""

    def __post_init__(self) -> None:
        if self.quota < 1 or self.window <= 0 or (self.per_minute is not None and self.per_minute < 1):
            raise ValueError("quota, window and per_minute must be positive")
        if unknown := self.headers - set(HEADERS):
            raise ValueError(f"unknown quota header {', '.join(sorted(unknown))}")
        if self.job_seconds < 0 or self.job_polls < 0 or len(self.job_words) != 3:
            raise ValueError("job_seconds and job_polls can't be negative; job_words are three")
        if self.lookup_lag < 0 or (self.burst is not None and self.burst < 1):
            raise ValueError("lookup_lag can't be negative, and burst must be positive")
        for name, allowed in CHOICES.items():
            _one_of(name, getattr(self, name), allowed)
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
                elif name in ("forbidden", "job_words", "required", "required_of_deals"):
                    read[name] = tuple(value)
            return replace(self, **read)
        except TypeError as error:
            raise ValueError(str(error)) from error

    def plain(self) -> dict[str, Any]:
        """The options as JSON values."""
        return {**asdict(self), "headers": sorted(self.headers)}


def switched(given: Mapping[str, Any]) -> dict[str, Any]:
    """What `Options.changed` takes, from a command line: None where nothing was given, each `fault` as a text, and
    under `as_` any other switch as `KEY=VALUE`.

    Raises ValueError.
    """
    known = {item.name for item in fields(Options)}
    changes = {name: value for name, value in given.items() if name in known and value is not None}
    switches = dict(_switch(text) for text in given.get("as_") or ())
    return {**changes, **switches, "faults": [Fault.parse(text) for text in given["fault"] or ()]}


def _switch(text: str) -> tuple[str, Any]:
    """One `KEY=VALUE`; words joined by commas where it takes several, `none` where it may be absent."""
    name, equals, value = text.partition("=")
    name = name.strip().replace("-", "_")
    kinds = {item.name: str(item.type) for item in fields(Options) if item.name != "faults"}
    if not equals or name not in kinds:
        close = get_close_matches(name, kinds, n=1)
        meant = f"did you mean {close[0]}? The keys are" if close and equals else "is no KEY=VALUE of these keys"
        raise ValueError(f"{text!r}{':' if close and equals else ''} {meant}: {', '.join(sorted(kinds))}")
    kind = kinds[name]
    if kind.startswith(("tuple", "frozenset")):
        words = [word for word in value.split(",") if word]
        _makes_sense(name, words)
        return name, words
    if kind == "bool":
        if value not in ("true", "false"):
            raise ValueError(f"{name} must be true or false, not {value!r}")
        return name, value == "true"
    if "None" in kind and value == "none":
        return name, None
    for read in (int, float) if kind.startswith(("int", "float")) else ():
        try:
            return name, read(value)
        except ValueError:
            if read is float or not kind.startswith("float"):
                raise ValueError(f"{name} must be a number, not {value!r}") from None
    return name, value


_FIELDS_OF = {"required": ("leads", "contacts"), "required_of_deals": ("deals",)}


def _makes_sense(name: str, words: Iterable[str]) -> None:
    """Raises ValueError for a path that has no slash, and for a field that none of the records has."""
    if name == "forbidden" and (wrong := next((word for word in words if "/" not in word), None)):
        raise ValueError(f"forbidden takes paths such as /deals or /leads/upsert, not {wrong!r}")
    if name in _FIELDS_OF:
        known = [
            str(spec["name"])
            for by_resource in map(defaults.fields, ("classic", "suite"))
            for resource in _FIELDS_OF[name]
            for spec in by_resource.get(resource, ())
        ]
        for word in words:
            if not word.startswith("cf_") and word not in known:
                close = get_close_matches(word, known, n=1)
                raise ValueError(f"{name}: there is no field {word!r}{f'; did you mean {close[0]}?' if close else ''}")


def _number(what: str, text: str) -> float:
    """A number, or a share in per cent."""
    digits = text.strip().removesuffix("%")
    how = "a fault reads like error=5% or slow=0.5,seconds=2"
    try:
        number = float(digits)
    except ValueError:
        raise ValueError(f"{what} must be a number, not {text!r}; {how}") from None
    return number / 100 if digits != text.strip() else number


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

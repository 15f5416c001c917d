"""What a run notes of itself in its plan: how far it has come, whose plan it is, what it has spent.

Each note is a row of its own, so that writing one, as often as it takes, touches no other; inside a transaction it is
written, or not, together with all else.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from sqlite3 import Connection
from typing import Any, Generic, TypeVar, get_args, get_type_hints, overload

from msgspec import MsgspecError, Struct
from msgspec.json import Decoder, encode

from fsseg.freshsales.names import Entity
from fsseg.segment.stores import Stamp
from fsseg.state.actions import Code, EventOutcome
from fsseg.state.database import StateError

T = TypeVar("T")


class PlanStage(StrEnum):
    """How far a run has come with its plan; it goes on there after it was stopped."""

    NEW = "new"
    """Nothing of its events is kept yet."""
    FOLDED = "folded"
    """All was read and folded; of an undo, it is known what is to be undone."""
    MATCHED = "matched"
    """It is known what Freshsales holds of it."""
    PLANNED = "planned"
    PUSHED = "pushed"
    RENEWING = "renewing"
    """A plan is being brought up to date with what other runs have done."""


class PlanKey(Struct, frozen=True):
    """Which account a plan was made for, and at which state of the ledger.

    `generation` is the ledger's as the plan was last compared with it; at another one it may be out of date.
    """

    account: str
    edition: str
    generation: int


class WarningCount(Struct, frozen=True):
    """How many events a warning of the mapping is about; `name` is the trait or field."""

    code: str
    name: str
    count: int
    hint: str


class EventCounts(Struct, frozen=True):
    """How the events read fared before any record was looked at."""

    read: int = 0
    by_type: dict[str, int] = {}
    reasons: list[tuple[EventOutcome, Code, int]] = []
    """Outcome, code and number of events."""
    warnings: list[WarningCount] = []
    unreadable: list[tuple[str, str]] = []
    """The inputs that could not be read to their ends, and why."""


class SuppressionCount(Struct, frozen=True):
    """How many entries the suppression list has, and how many of them are of somebody in this run."""

    entries: int
    met: int


class Forecast(Struct, frozen=True):
    """Requests of the whole run, those spent included; seconds still to go, waits for the quota included."""

    requests: int
    seconds: float
    is_most: bool = False
    """Whether it may well take fewer: how the account treats some of it is seen on the way."""


class BulkJob(Struct, frozen=True):
    """A job of Freshsales that may still run; its id is None where the answer that told it never came."""

    entity: Entity
    id: str | None
    records: list[int] = []
    """The rows that it is about."""


class TrafficCount(Struct, frozen=True):
    """Requests by steps of so many seconds since the epoch, and the waits: from when to when, and why."""

    step_s: int = 1
    sent: dict[int, int] = {}
    waits: list[tuple[int, int, str]] = []


class DayMarks(Struct, frozen=True):
    """Types and days of events, such as `track2025-03-04`, and by the number of the input which of them each event has.

    That is unsigned 16-bit numbers, deflated.
    """

    marks: list[str] = []
    inputs: dict[int, bytes] = {}


class Note(Generic[T]):
    """One note of a run, read from its plan and written to it as an attribute of `RunMeta`.

    Without a default, reading it where it was never written raises `StateError`; so does one that can't be read.
    """

    def __init__(self, *default: T) -> None:
        self._defaults = [encode(value) for value in default]
        self._decoder: Decoder[T] | None = None

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, meta: None, owner: type) -> Note[T]: ...
    @overload
    def __get__(self, meta: RunMeta, owner: type) -> T: ...
    def __get__(self, meta: RunMeta | None, owner: type) -> Note[T] | T:
        if meta is None:
            return self
        if self._decoder is None:
            self._decoder = Decoder(_types(owner)[self._name])
        row = meta.db.execute("SELECT value FROM meta WHERE name = ?", (self._name,)).fetchone()
        texts = row or self._defaults
        if not texts:
            raise StateError(f"{meta.path} is damaged and was left as it is: it lacks the note of its {self._name}")
        try:
            return self._decoder.decode(texts[0])
        except MsgspecError as error:
            raise StateError(f"{meta.path} is damaged and was left as it is: {self._name}: {error}") from None

    def __set__(self, meta: RunMeta, value: T) -> None:
        meta.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (self._name, encode(value).decode()))


@cache
def _types(owner: type) -> dict[str, Any]:
    """The type of each note, as its annotation says."""
    return {name: get_args(hint)[0] for name, hint in get_type_hints(owner).items()}


class RunMeta:
    """The notes of the run whose plan is at `path`."""

    def __init__(self, db: Connection, path: Path) -> None:
        self.db = db
        self.path = path

    stage: Note[PlanStage] = Note(PlanStage.NEW)
    """How far it has come."""

    key: Note[PlanKey] = Note()
    """Which account its plan is for."""

    settings: Note[dict[str, Any] | None] = Note(None)
    """The settings that it began with; None before it has begun."""

    counts: Note[EventCounts] = Note(EventCounts())
    """How the events it has read fared before they came into the plan."""

    unopened: Note[list[tuple[str, str]]] = Note([])
    """What was given beside its inputs, and could not be opened: each path, and why."""

    suppression: Note[SuppressionCount | None] = Note(None)
    """What came of the suppression list; None where there is none."""
    requests: Note[dict[str, int | float]] = Note({})
    """What its processes have spent so far, as `Pacer.spent` tells it."""

    traffic: Note[TrafficCount] = Note(TrafficCount())
    """When its processes have sent them so far, and waited."""

    forecast: Note[Forecast | None] = Note(None)
    """What it is expected to take, as its plan is by now; None offline."""

    first_forecast: Note[Forecast | None] = Note(None)
    """The same as its plan was at first, which what it took is compared with."""

    stamps: Note[dict[int, Stamp | None]] = Note({})
    """Its inputs as they were when they were first read, by number; None of what is no file."""

    ends: Note[dict[int, str | None]] = Note({})
    """What its inputs ended with then, by number; None of what can't be read twice."""

    jumps: Note[dict[int, list[tuple[int, int]] | None]] = Note({})
    """By the number of the input, which lines its events stand in; None where only reading it again tells."""

    days: Note[DayMarks] = Note(DayMarks())
    """Which type and day each event that it has read is of."""
    imported_by: Note[dict[str, str]] = Note({})
    """The run that imported an input before, by the path as it was given."""

    commits: Note[list[int]] = Note([])
    """The generations of the ledger that it has made."""

    job: Note[BulkJob | None] = Note(None)
    """The bulk job that was started last, until it has ended."""

    unseen: Note[list[Entity]] = Note([])
    """The entities of which bulk has written records whose like nobody has looked at since."""

    seal: Note[str | None] = Note(None)
    """The digest of the plan; None while it is changed (see `state.seal`)."""

    read_seal: Note[str | None] = Note(None)
    """The digest of what was read, where it stopped before that was a plan."""

    settled_seal: Note[str | None] = Note(None)
    """The digest of how the rows stand while nothing is under way; None while it pushes."""

    read_at: Note[str | None] = Note(None)
    """When it began to read what Freshsales holds of its records."""

    refused_all: Note[dict[str, str]] = Note({})
    """Why no more new records of an entity were sent, by entity."""

    applies: Note[str | None] = Note(None)
    """The run whose reviewed plan it pushes."""

    strict_apply: Note[bool] = Note(False)
    """Whether that plan is to be pushed wholly or not at all."""

    drifted: Note[int | None] = Note(None)
    """How many of its records aren't any more what the reviewer has seen; None before they were compared."""

    undoes: Note[str | None] = Note(None)
    """The run that it undoes."""

    delete_created: Note[bool | None] = Note(None)
    """Whether an undo deletes what that run has made; None of any other run."""

"""A plan's own words: what is done with a row, how far that has come, what became of an event, and why."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

Table = Literal["record", "entry"]
"""The tables of the plan whose rows are pushed: records, and entries of timelines."""


class Action(StrEnum):
    """What the plan does with a record or timeline entry."""

    CREATE = "create"
    """Freshsales has no such record, so one is made."""

    UPDATE = "update"
    """The record is there and some of its fields change."""

    DELETE = "delete"
    """An undo deletes what its run had made."""

    UNCHANGED = "unchanged"
    """Freshsales holds all of it already, so nothing is sent."""

    SKIPPED = "skipped"
    """It is not to be sent, for the reason that its code names."""

    CONFLICT = "conflict"
    """It can't be sent without a guess, such as which of two records is meant, so it is left alone."""

    REFERENCE = "reference"
    """A person whom timeline entries point at: looked up, and never written."""


class Status(StrEnum):
    """How far an action has come."""

    PLANNED = "planned"
    """Nothing was sent yet, or what was sent has provably had no effect."""

    SENT = "sent"
    """Written down as sent before the request leaves; what came of it is not known yet."""

    DONE = "done"
    """Freshsales has taken it, or there was nothing to send."""

    FAILED = "failed"
    """It was not written, for the reason that its code and message tell."""

    UNKNOWN = "unknown"
    """It may have been written: its answer was lost, and looking for it could not tell."""

    UNDONE = "undone"
    """It was done, and an undo has taken it back."""


class EventOutcome(StrEnum):
    """What became of an event, from the mildest to the gravest."""

    SKIPPED = "skipped"
    """It is not for Freshsales, or was delivered before."""

    UNCHANGED = "unchanged"
    """Freshsales held all of it already."""

    APPLIED = "applied"
    """It was written, or in a dry run would be."""

    PENDING = "pending"
    """The run stopped before its turn."""

    REJECTED = "rejected"
    """It can't be used as it is."""

    FAILED = "failed"
    """It was not written, or may not have been."""


class Code(StrEnum):
    """Why an event was not written, or what was done to one that was; `report.reasons` has what each means."""

    NOT_JSON = "not_json"
    NOT_UTF8 = "not_utf8"
    NOT_AN_OBJECT = "not_an_object"
    TOO_LARGE = "too_large"
    BAD_ROW = "bad_row"
    TRUNCATED = "truncated"
    UNKNOWN_CONTAINER = "unknown_container"
    MISSING_TYPE = "missing_type"
    UNKNOWN_TYPE = "unknown_type"
    NO_USER_ANON_ID = "no_user_anon_id"
    ID_NOT_STRING = "id_not_string"
    EVENT_NOT_DEFINED = "event_not_defined"
    EVENT_NOT_STRING = "event_not_string"
    TRAITS_NOT_OBJECT = "traits_not_object"
    PROPERTIES_NOT_OBJECT = "properties_not_object"
    BAD_TIMESTAMP = "bad_timestamp"
    ANONYMOUS = "anonymous"
    UNSUPPORTED_TYPE = "unsupported_type"
    INTEGRATIONS = "integrations"
    CONSENT = "consent"
    SUPPRESSED = "suppressed"
    FILTERED = "filtered"
    DUPLICATE = "duplicate"
    MISSING_EMAIL = "missing_email"
    BAD_EMAIL = "bad_email"
    BAD_VALUE = "bad_value"
    TIMELINE_UNAVAILABLE = "timeline_unavailable"
    ACTIVITY_TYPE_MISSING = "activity_type_missing"
    UNKNOWN_PERSON = "unknown_person"
    EMAIL_EXISTS = "email_exists"
    REFUSED = "refused"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    UNKNOWN_OUTCOME = "unknown_outcome"
    CONFLICT = "conflict"
    INCOMPLETE = "incomplete"
    REQUIRED = "required"
    IGNORED_TRAIT = "ignored_trait"
    UNMET_EVENT = "unmet_event"
    UNNAMED_AUDIENCE = "unnamed_audience"
    PLACEHOLDER_ID = "placeholder_id"
    NO_TIME = "no_time"
    MANY_EMAILS = "many_emails"
    DUPLICATE_PERSON = "duplicate_person"
    OLDER = "older"
    KEPT = "kept"
    LEFT_OUT = "left_out"
    NOT_STORED = "not_stored"
    SHARED_EMAIL = "shared_email"
    IS_LEAD = "is_lead"
    CREATED = "created"
    CONVERTED = "converted"


def is_any(column: str, *values: Action | Status | Code) -> str:
    """The SQL condition that a column holds one of these values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} IN ({listed})"


IS_EMPTIED = "json_quote(json_extract(f.value, '$[1]')) IN ('null', '\"\"', '[]', '{}')"
"""The SQL condition that a change f.value, [before, after], leaves its field empty.

Quoted, a list that is empty and the text "[]" are two things.
"""

TABLES: tuple[Table, ...] = ("record", "entry")

NOT_SETTLED = is_any("status", Status.PLANNED, Status.SENT)
"""Still to be sent, or in flight when the push ended."""

IS_WRITE = is_any("action", Action.CREATE, Action.UPDATE)
"""Sent with values of its own."""

WRITES = is_any("action", Action.CREATE, Action.UPDATE, Action.DELETE)
"""Whatever changes something in Freshsales."""


class Mode(StrEnum):
    """How records are treated that are there already: what of a change is made (see `fsseg.plan.existing`)."""

    UPDATE = "update"
    NEWER = "newer"
    FILL = "fill"
    KEEP = "keep"

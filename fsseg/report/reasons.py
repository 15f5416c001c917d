"""Every reason and warning code of a run, with what happened and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from fsseg.state.actions import Code, EventOutcome

Outcome = EventOutcome | Literal["warning"]
Stage = Literal["read", "validate", "skip", "map", "match", "push"]


class Reason(NamedTuple):
    """Why an event (or one of its values) did not go through; `retryable`: the same event may succeed later."""

    code: Code
    stage: Stage
    outcome: Outcome
    hint: str
    retryable: bool = False


_REJECTED, _SKIPPED, _FAILED = EventOutcome.REJECTED, EventOutcome.SKIPPED, EventOutcome.FAILED

TABLE: tuple[Reason, ...] = (
    Reason(Code.NOT_JSON, "read", _REJECTED, "the line is not JSON: export it again, or mend the line"),
    Reason(Code.NOT_UTF8, "read", _REJECTED, "the line is not UTF-8 text: convert the file to UTF-8"),
    Reason(
        Code.NOT_AN_OBJECT, "read", _REJECTED, "the line is JSON but not an object: one Segment event is one object"
    ),
    Reason(
        Code.TOO_LARGE,
        "read",
        _REJECTED,
        "the line is over 1 MiB: drop bulky properties, or make lines of a batch with jq -c '.batch[]? // .'",
    ),
    Reason(
        Code.BAD_ROW,
        "read",
        _REJECTED,
        "the table's row can't be read or says nothing: mend it, or do as is said of it",
    ),
    Reason(
        Code.TRUNCATED, "read", _REJECTED, "the compressed file ends too early: fetch it again, then import it again"
    ),
    Reason(
        Code.UNKNOWN_CONTAINER,
        "read",
        _REJECTED,
        "the file is of no known kind: give JSON lines, a JSON array, a batch or a table",
    ),
    Reason(Code.MISSING_TYPE, "validate", _REJECTED, "the event has no type: add identify, track, page or group"),
    Reason(Code.UNKNOWN_TYPE, "validate", _REJECTED, "Segment has no such event type: correct the type"),
    Reason(
        Code.NO_USER_ANON_ID,
        "validate",
        _REJECTED,
        "neither userId nor anonymousId is there: add the userId, or the e-mail in its place",
    ),
    Reason(Code.ID_NOT_STRING, "validate", _REJECTED, "the userId or anonymousId is not text: write it as text"),
    Reason(Code.EVENT_NOT_DEFINED, "validate", _REJECTED, "the track call names no event: add event"),
    Reason(Code.EVENT_NOT_STRING, "validate", _REJECTED, "the event name is not text: write it as text"),
    Reason(Code.TRAITS_NOT_OBJECT, "validate", _REJECTED, "traits is not an object: write it as name and value pairs"),
    Reason(
        Code.PROPERTIES_NOT_OBJECT,
        "validate",
        _REJECTED,
        "properties is not an object: write it as name and value pairs",
    ),
    Reason(
        Code.BAD_TIMESTAMP,
        "validate",
        _REJECTED,
        "the event has no usable time: give timestamp as ISO 8601, from 1990 to now",
    ),
    Reason(Code.ANONYMOUS, "skip", _SKIPPED, "no userId: --stitch-anonymous attaches earlier track and page events"),
    Reason(
        Code.UNSUPPORTED_TYPE,
        "skip",
        _SKIPPED,
        "the Freshsales destination takes identify, track and page; --with group maps groups to accounts",
    ),
    Reason(Code.INTEGRATIONS, "skip", _SKIPPED, "the event's integrations switch Freshsales off: nothing to do"),
    Reason(Code.CONSENT, "skip", _SKIPPED, "the person did not consent to the categories in [filter] consent"),
    Reason(Code.SUPPRESSED, "skip", _SKIPPED, "the person is on the suppression list (suppress_file)"),
    Reason(Code.FILTERED, "skip", _SKIPPED, "left out by --only, --event, --since, --until or --limit"),
    Reason(Code.DUPLICATE, "skip", _SKIPPED, "delivered before (--again compares it once more), or twice in the input"),
    Reason(
        Code.MISSING_EMAIL,
        "map",
        _REJECTED,
        "the userId is no e-mail, so each identify call needs traits.email: put it there",
    ),
    Reason(Code.BAD_EMAIL, "map", _REJECTED, "the e-mail is not an address: correct it in the event"),
    Reason(Code.BAD_VALUE, "map", _REJECTED, "a value does not fit its field: correct it, or import without --strict"),
    Reason(
        Code.TIMELINE_UNAVAILABLE,
        "map",
        _REJECTED,
        "no activity type fits and no application token is set: create the type, or set FSSEG_APPLICATION_TOKEN",
    ),
    Reason(
        Code.ACTIVITY_TYPE_MISSING,
        "map",
        _REJECTED,
        "Freshsales has no sales activity type of that name: create it there, or map the event to another",
    ),
    Reason(
        Code.UNKNOWN_PERSON,
        "match",
        _REJECTED,
        "nobody has this userId or e-mail: identify the person first, or use --create-missing if the e-mail is known",
    ),
    Reason(
        Code.EMAIL_EXISTS,
        "match",
        _FAILED,
        "a contact with this e-mail is already there and was left alone: --match email updates it",
    ),
    Reason(Code.REFUSED, "push", _FAILED, "Freshsales refused the record: see its words, correct the event, import it"),
    Reason(Code.RATE_LIMITED, "push", _FAILED, "the quota ran out: fsseg retry once it is refilled", True),
    Reason(Code.UNAVAILABLE, "push", _FAILED, "Freshsales did not answer properly: fsseg retry later", True),
    Reason(
        Code.UNKNOWN_OUTCOME,
        "push",
        _FAILED,
        "sent, but the answer was lost and the record was not found: fsseg retry looks again before sending",
        True,
    ),
    Reason(
        Code.CONFLICT,
        "push",
        _FAILED,
        "the record has changed since, in Freshsales or by another run: it was left alone",
    ),
    Reason(
        Code.INCOMPLETE,
        "match",
        _SKIPPED,
        "a field that Freshsales requires is missing from every event: add it to one",
    ),
    Reason(Code.IGNORED_TRAIT, "map", "warning", "no field of that name: map it in fsseg.toml, or create the field"),
    Reason(
        Code.UNMET_EVENT,
        "map",
        "warning",
        "the settings or --event name it, and the input has none of that name: correct the name, or let it be",
    ),
    Reason(
        Code.UNNAMED_AUDIENCE,
        "read",
        "warning",
        "the file doesn't name its audience, so only the traits in it count: name it, as --trait trial_users=true",
    ),
    Reason(Code.BAD_VALUE, "map", "warning", "the value does not fit its field, so this one field was left out"),
    Reason(
        Code.PLACEHOLDER_ID, "map", "warning", "an id that names nobody: the event's e-mail, if any, says who it is"
    ),
    Reason(
        Code.MANY_EMAILS,
        "map",
        "warning",
        "more than 3 e-mails of one id: each is a person; if it names nobody, add it to identity.placeholder_ids",
    ),
    Reason(Code.NO_TIME, "map", "warning", "no usable timestamp: the time was taken from what is named here"),
    Reason(Code.DUPLICATE_PERSON, "match", "warning", "several records have this e-mail: merge them in Freshsales"),
    Reason(Code.OLDER, "match", "warning", "a value of a later time was delivered before, so this one was left out"),
    Reason(Code.KEPT, "match", "warning", "the record is there already, and --existing leaves what it holds as it is"),
    Reason(
        Code.LEFT_OUT,
        "push",
        "warning",
        "Freshsales refuses this value or can't hold all of it: it was cut, or the record written without",
    ),
    Reason(Code.NOT_STORED, "push", "warning", "Freshsales took the record, but holds something else in this field"),
    Reason(Code.SHARED_EMAIL, "map", "warning", "several userIds share one e-mail: they are taken as one person"),
    Reason(
        Code.EMAIL_EXISTS,
        "match",
        "warning",
        "a lead with this e-mail is already there and gets a sibling: --match email updates it instead",
    ),
    Reason(
        Code.IS_LEAD, "match", "warning", "a contact is asked for, but the person is a lead: set convert_leads = true"
    ),
    Reason(
        Code.CREATED, "push", "warning", "the run has made it, and undo leaves it there: --delete-created deletes it"
    ),
    Reason(
        Code.REQUIRED,
        "match",
        "warning",
        "Freshsales wants this field of a new person, and no event has it: set it under [defaults.lead] or contact",
    ),
    Reason(
        Code.CONVERTED,
        "push",
        "warning",
        "the run has made a contact of a lead, which can't be undone: the fields were put back, and it stays a contact",
    ),
    Reason(
        Code.INCOMPLETE,
        "map",
        "warning",
        "Freshsales requires this field and no event has it, so the deal or account was left out: add it to an event",
    ),
)

STITCHED = "no userId, and no later identify call ties the anonymousId to anybody"
"""What `anonymous` means where earlier track and page events were attached."""

NO_GROUP = "the Freshsales destination takes identify, track and page: nothing to do"
"""What to do about `unsupported_type` where groups were taken, or there are none."""

TRACKING_ONLY = 'timeline.via is "tracking", and no application token is set: set FSSEG_APPLICATION_TOKEN'
"""What to do about `timeline_unavailable` where no sales activities are wanted."""

UNKNOWN_EMAIL = "nothing tells the e-mail of this userId: identify the person first, or put the e-mail into the event"
"""What to do about `unknown_person` where people were to be made."""

SAYS_ALL = frozenset({
    Code.NOT_AN_OBJECT, Code.TRUNCATED, Code.MISSING_TYPE, Code.NO_USER_ANON_ID, Code.ID_NOT_STRING,
    Code.EVENT_NOT_DEFINED, Code.EVENT_NOT_STRING, Code.TRAITS_NOT_OBJECT, Code.PROPERTIES_NOT_OBJECT,
    Code.MISSING_EMAIL,
})  # fmt: skip
"""Reasons whose hint says what is wrong with each of their events."""

REASONS: Mapping[str, Reason] = MappingProxyType({r.code: r for r in TABLE if r.outcome != "warning"})
"""By code: why an event was rejected, skipped or failed."""

WARNINGS: Mapping[str, Reason] = MappingProxyType({r.code: r for r in TABLE if r.outcome == "warning"})
"""By code: what was done to an event that went through all the same."""

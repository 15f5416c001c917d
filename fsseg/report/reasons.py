"""Every reason and warning code of a run, with what happened and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

Outcome = Literal["rejected", "skipped", "failed", "warning"]
Stage = Literal["read", "validate", "skip", "map", "match", "push"]


class Reason(NamedTuple):
    """Why an event (or one of its values) did not go through; `retryable`: the same event may succeed later."""

    code: str
    stage: Stage
    outcome: Outcome
    hint: str
    retryable: bool = False


TABLE: tuple[Reason, ...] = (
    Reason("not_json", "read", "rejected", "the line is not JSON: export it again, or mend the line"),
    Reason("not_utf8", "read", "rejected", "the line is not UTF-8 text: convert the file to UTF-8"),
    Reason("not_an_object", "read", "rejected", "the line is JSON but not an object: one Segment event is one object"),
    Reason("too_large", "read", "rejected", "the line is over 1 MiB: split the event or drop its bulky properties"),
    Reason("truncated", "read", "rejected", "the compressed file ends too early: fetch it again, then import it again"),
    Reason(
        "unknown_container",
        "read",
        "rejected",
        "the file is of no known kind: give JSON lines, a JSON array, a batch or CSV, plain or gzip",
    ),
    Reason("missing_type", "validate", "rejected", "the event has no type: add identify, track, page or group"),
    Reason("unknown_type", "validate", "rejected", "Segment has no such event type: correct the type"),
    Reason("no_user_anon_id", "validate", "rejected", "neither userId nor anonymousId is there: add the userId"),
    Reason("id_not_string", "validate", "rejected", "the userId or anonymousId is not text: write it as text"),
    Reason("event_not_defined", "validate", "rejected", "the track call names no event: add event"),
    Reason("event_not_string", "validate", "rejected", "the event name is not text: write it as text"),
    Reason("traits_not_object", "validate", "rejected", "traits is not an object: write it as name and value pairs"),
    Reason(
        "properties_not_object", "validate", "rejected", "properties is not an object: write it as name and value pairs"
    ),
    Reason("bad_timestamp", "validate", "rejected", "no time of the event is readable: give timestamp as ISO 8601"),
    Reason("anonymous", "skip", "skipped", "no userId: --stitch-anonymous attaches earlier track and page events"),
    Reason(
        "unsupported_type",
        "skip",
        "skipped",
        "the Freshsales destination takes identify, track and page; --with group maps groups to accounts",
    ),
    Reason("integrations", "skip", "skipped", "the event's integrations switch Freshsales off: nothing to do"),
    Reason("consent", "skip", "skipped", "the person did not consent to the categories in [filter] consent"),
    Reason("suppressed", "skip", "skipped", "the person is on the suppression list (suppress_file)"),
    Reason("filtered", "skip", "skipped", "left out by --only, --event, --since, --until or --limit"),
    Reason("duplicate", "skip", "skipped", "delivered before (--again compares it once more), or twice in the input"),
    Reason("missing_email", "map", "rejected", "no e-mail for this userId: put the e-mail into traits.email"),
    Reason("bad_email", "map", "rejected", "the e-mail is not an address: correct it in the event"),
    Reason("bad_value", "map", "rejected", "a value does not fit its field: correct it, or import without --strict"),
    Reason(
        "timeline_unavailable",
        "map",
        "rejected",
        "no activity type fits and no application token is set: create the type, or set FSSEG_APPLICATION_TOKEN",
    ),
    Reason(
        "activity_type_missing",
        "map",
        "rejected",
        "Freshsales has no sales activity type of that name: create it there, or map the event to another",
    ),
    Reason(
        "unknown_person",
        "match",
        "rejected",
        "nobody in Freshsales has this e-mail: identify the person first, or use --create-missing",
    ),
    Reason(
        "email_exists",
        "match",
        "failed",
        "a contact with this e-mail is already there and was left alone: --match email updates it",
    ),
    Reason("refused", "push", "failed", "Freshsales refused the record: see its words, correct the event, import it"),
    Reason("rate_limited", "push", "failed", "the quota ran out: fsseg retry once it is refilled", True),
    Reason("unavailable", "push", "failed", "Freshsales did not answer properly: fsseg retry later", True),
    Reason(
        "unknown_outcome",
        "push",
        "failed",
        "sent, but the answer was lost and the record was not found: fsseg retry looks again before sending",
        True,
    ),
    Reason(
        "conflict", "push", "failed", "the record has changed since, in Freshsales or by another run: it was left alone"
    ),
    Reason(
        "incomplete", "match", "skipped", "a field that Freshsales requires is missing from every event: add it to one"
    ),
    Reason("ignored_trait", "map", "warning", "no field of that name: map it in fsseg.toml, or create the field"),
    Reason("bad_value", "map", "warning", "the value does not fit its field, so this one field was left out"),
    Reason("placeholder_id", "map", "warning", "an id that names nobody: the event's e-mail, if any, says who it is"),
    Reason("no_time", "map", "warning", "no usable timestamp: the time was taken from what is named here"),
    Reason("duplicate_person", "match", "warning", "several records have this e-mail: merge them in Freshsales"),
    Reason("older", "match", "warning", "a value of a later time was delivered before, so this one was left out"),
    Reason("shared_email", "map", "warning", "several userIds share one e-mail: they are taken as one person"),
    Reason(
        "email_exists",
        "match",
        "warning",
        "a lead with this e-mail is already there and gets a sibling: --match email updates it instead",
    ),
    Reason("is_lead", "match", "warning", "a contact is asked for, but the person is a lead: set convert_leads = true"),
    Reason("created", "push", "warning", "the run has made it, and undo leaves it there: --delete-created deletes it"),
    Reason("incomplete", "map", "warning", "a field that Freshsales requires is missing, so the record was left out"),
)

REASONS: Mapping[str, Reason] = MappingProxyType({r.code: r for r in TABLE if r.outcome != "warning"})
"""By code: why an event was rejected, skipped or failed."""

WARNINGS: Mapping[str, Reason] = MappingProxyType({r.code: r for r in TABLE if r.outcome == "warning"})
"""By code: what was done to an event that went through all the same."""

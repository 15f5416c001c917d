from __future__ import annotations

from collections import Counter

from fsseg.report.reasons import REASONS, TABLE, WARNINGS
from fsseg.state.actions import Code

STAGES = {
    "read": "not_json not_utf8 not_an_object too_large bad_row truncated unknown_container",
    "validate": "missing_type unknown_type no_user_anon_id id_not_string event_not_defined event_not_string "
    "traits_not_object properties_not_object bad_timestamp",
    "skip": "anonymous unsupported_type integrations consent suppressed filtered duplicate",
    "map": "missing_email bad_email bad_value timeline_unavailable activity_type_missing",
}
MATCH_AND_PUSH = "unknown_person email_exists incomplete refused conflict rate_limited unavailable unknown_outcome"
WARNED = "ignored_trait bad_value duplicate_person shared_email email_exists is_lead incomplete created older "
WARNED += "kept placeholder_id no_time many_emails left_out not_stored converted required unmet_event unnamed_audience"


def test_reasons_are_exactly_the_published_codes() -> None:
    published = {code for codes in (*STAGES.values(), MATCH_AND_PUSH) for code in codes.split()}
    assert set(REASONS) == published
    assert set(WARNINGS) == set(WARNED.split())


def test_every_code_has_a_meaning_and_every_meaning_a_code() -> None:
    assert {code.value for code in Code} == {reason.code.value for reason in TABLE}


def test_every_code_stands_under_its_stage() -> None:
    for stage, codes in STAGES.items():
        assert {code for code, reason in REASONS.items() if reason.stage == stage} == set(codes.split())
    assert {REASONS[code].stage for code in MATCH_AND_PUSH.split()} == {"match", "push"}


def test_a_code_occurs_once_as_a_reason_and_once_as_a_warning_at_most() -> None:
    assert max(Counter((r.code, r.outcome == "warning") for r in TABLE).values()) == 1


def test_hints_are_one_short_line_that_says_what_to_do() -> None:
    for reason in TABLE:
        assert 20 < len(reason.hint) <= 110, reason.code
        assert "\n" not in reason.hint


def test_only_what_time_can_heal_is_retryable() -> None:
    assert {code for code, reason in REASONS.items() if reason.retryable} == {
        "rate_limited",
        "unavailable",
        "unknown_outcome",
    }

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.server import Api

NAMES = [
    "first_name",
    "email",
    "emails",
    "value",
    "id",
    "is_primary",
    "sales_accounts",
    "sales_account",
    "name",
    "amount",
    "company",
    "deal",
    "tags",
    "owner_id",
    "custom_field",
    "cf_plan",
    "cf_seats",
    "data",
    "contacts",
    "filter_rule",
    "attribute",
    "operator",
    "title",
    "start_date",
    "end_date",
    "targetable_type",
    "targetable_id",
    "sales_activity_type_id",
    "description",
    "unique_identifier",
    "page",
    "sort",
    "visitor",
    "event",
    "selected_ids",
    "mobile_number",
    "lifecycle_stage_id",
    "deal_stage_id",
    "expected_close",
    "contacts_added_list",
]
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["Contact", "is_in", "contact_email.email", "2024-01-01", "a@x.example", "\x00", "a;b", "9" * 30]),
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
)
WRAPPERS = (
    "contact",
    "sales_account",
    "deal",
    "sales_activity",
    "note",
    "unique_identifier",
    "contacts",
    "filter_rule",
)
PATHS = (
    "/contacts", "/contacts/upsert", "/sales_accounts", "/deals", "/deals/upsert", "/sales_activities", "/notes",
    "/contacts/bulk_upsert", "/contacts/bulk_destroy", "/filtered_search/contact", "/filtered_search/deal",
)  # fmt: skip


@given(path=st.sampled_from(PATHS), body=st.dictionaries(st.sampled_from(WRAPPERS), VALUES, max_size=3))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_body_makes_the_server_fail(suite: Api, path: str, body: dict[str, Any]) -> None:
    assert suite.post(path, body).status_code < 500


@pytest.mark.parametrize(
    "attributes",
    [
        {"owner_id": 10**30}, {"owner_id": "9" * 30}, {"tags": [1]}, {"emails": [[]]}, {"emails": [{"label": "x"}]},
        {"sales_accounts": [{"id": {}}]}, {"custom_field": {"cf_plan": {}}}, {"custom_field": {"cf_plan": ["Pro"]}},
        {"first_name": "\x00" * 10_000}, {"first_name": {"a": [[[[]]]]}},
    ],
    ids=lambda attributes: str(attributes)[:40],
)  # fmt: skip
def test_odd_values_get_an_answer(suite: Api, attributes: dict[str, Any]) -> None:
    assert suite.post("/contacts", {"contact": {"email": "a@x.example", **attributes}}).status_code < 500


@pytest.mark.parametrize(
    "query", [{"page": "x"}, {"page": 10**30}, {"per_page": -1}, {"sort": "no'"}, {"sort_type": "up"}]
)
def test_odd_queries_are_refused(suite: Api, query: dict[str, Any]) -> None:
    number = suite.get("/contacts/filters").json()["filters"][0]["id"]
    assert suite.get(f"/contacts/view/{number}", **query).status_code == 400

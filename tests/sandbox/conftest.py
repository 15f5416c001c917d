from __future__ import annotations

from collections.abc import Iterator

import pytest

from fsseg.sandbox import Options, reset
from tests.sandbox.server import Api, serving

ACCOUNT = {
    "fields": {
        "contacts": {"add": [{"name": "cf_code", "type": "text", "unique": True}]},
        "deals": {"change": {"expected_close": {"required": False}}},
    }
}


STRICT = {
    "job_seconds": 0.0, "lookup_lag": 0.0, "quota": 1_000_000, "per_minute": None, "retry_after": "seconds",
    "bulk_at_once": None, "job_data": "object", "create_status": 201, "unknown_attributes": "refuse",
    "unknown_custom_fields": "refuse", "unknown_includes": "refuse", "unknown_view": 404, "custom_fields": "merge",
    "association_ids": "always", "filtered_emails": True, "bad_choices": "refuse", "bad_dates": "refuse",
    "account_phones": "keep", "formats": "free", "account_revenue": "text", "duplicates": "not_unique", "required": (),
    "deal_links_in_bulk": "keep", "upsert_owner": "keep",
}  # fmt: skip
"""An account that gives the other answer wherever live ones differ; `test_live` has what most were seen to do."""


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Api]]:
    """One server of each edition for all tests; they are emptied before each."""
    folder = tmp_path_factory.mktemp("sandbox")
    with (
        serving(folder / "c.db", "classic", account=ACCOUNT) as classic,
        serving(folder / "s.db", "suite", account=ACCOUNT) as suite,
    ):
        yield {"classic": classic, "suite": suite}


def _emptied(api: Api, edition: str) -> Api:
    reset(api.db, edition, ACCOUNT)
    clean = {**Options().plain(), **STRICT}
    assert api.http.post(f"{api.sandbox.origin}/_sandbox/options", json=clean).status_code == 200
    assert api.http.post(f"{api.sandbox.origin}/_sandbox/stats").status_code == 200
    return api


@pytest.fixture
def classic(servers: dict[str, Api]) -> Api:
    return _emptied(servers["classic"], "classic")


@pytest.fixture
def suite(servers: dict[str, Api]) -> Api:
    return _emptied(servers["suite"], "suite")


@pytest.fixture(params=["classic", "suite"])
def api(request: pytest.FixtureRequest, servers: dict[str, Api]) -> Api:
    return _emptied(servers[request.param], request.param)

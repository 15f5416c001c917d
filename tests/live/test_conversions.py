"""A lead that becomes a contact keeps what it had, whether it is converted at once or after a review."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.events import identify
from tests.e2e.harness import Machine

CONVERT = "convert_leads = true\n"
WAYS = [{"account_links": "replace"}, {"account_links": "add"}]


def lead(number: int = 0, at: int = 1, **traits: Any) -> dict[str, Any]:
    when = {"timestamp": f"2025-01-0{at}T00:00:00.000Z"}
    return identify(f"p{number}@x.example", {"lastName": "P", **traits}, envelope=when)


@pytest.mark.parametrize("way", WAYS, ids=["replaces", "adds"])
def test_a_reviewed_plan_converts_as_an_import_does(classic: Machine, way: dict[str, str]) -> None:
    classic.account.configure(**way)
    classic.imports(events=[lead(n, company={"name": "Co"}) for n in range(3)])
    events = [lead(n, at=2, fsContact=True, title="CEO") for n in range(3)]
    classic.dry_runs(events=events, config=CONVERT)
    applied = classic.run("apply", "--yes", config=CONVERT)
    assert applied.code == 0, applied.err
    assert classic.account.records()["leads"] == []
    assert [contact["job_title"] for contact in classic.account.records()["contacts"]] == ["CEO"] * 3


@pytest.mark.parametrize("way", WAYS, ids=["replaces", "adds"])
def test_a_converted_lead_keeps_its_company_beside_the_one_told_of_now(classic: Machine, way: dict[str, str]) -> None:
    classic.account.configure(**way)
    classic.imports(events=[lead(company={"name": "Old"})])
    classic.imports(events=[lead(at=2, fsContact=True, company={"name": "New"})], config=CONVERT)
    (contact,) = classic.account.records()["contacts"]
    assert {account["name"] for account in contact["sales_accounts"]} == {"Old", "New"}


def test_the_deal_of_a_converted_lead_is_not_doubled(classic: Machine) -> None:
    classic.imports(events=[lead(company={"name": "Co"}, deal={"name": "D", "amount": 5})])
    events = [lead(at=2, fsContact=True, company={"name": "Co"}, deal={"name": "D", "amount": 6})]
    for _ in range(2):
        classic.imports(events=events, config=CONVERT)
    assert [float(deal["amount"]) for deal in classic.account.records()["deals"]] == [6.0]

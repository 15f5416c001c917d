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


@pytest.mark.parametrize("own_id", [{}, {"cfSourceSystem": "d-1"}], ids=["by name", "by id"])
@pytest.mark.parametrize("reviewed", [False, True])
def test_account_and_deal_hold_what_the_lead_held_of_them(
    classic: Machine, reviewed: bool, own_id: dict[str, str]
) -> None:
    """Events that tell the names alone need not repeat what the account requires."""
    config = CONVERT + '[identity]\ndeal_id_field = "cf_source_system"\n'
    company = {"name": "Co", "website": "https://co.example", "city": "Delft", "numberOfEmployees": 60}
    classic.imports(events=[lead(company=company, deal={"name": "D", "amount": 5})])
    events = [lead(at=2, fsContact=True, company={"name": "Co", "city": "Oslo"}, deal={"name": "D", **own_id})]
    if reviewed:
        classic.dry_runs(events=events, config=config)
        done = classic.run("apply", "--yes", config=config)
    else:
        done = classic.imports(events=events, config=config)
    assert (done.code, done.warnings) == (0, {}), done.failures
    account = classic.account.one("sales_accounts", "Co")
    assert (account["website"], account["city"], account["number_of_employees"]) == ("https://co.example", "Oslo", 51)
    (deal,) = classic.account.records()["deals"]
    (contact,) = classic.account.records()["contacts"]
    assert (deal["amount"], deal["contact_ids"], deal["sales_account_id"]) == ("5.0", [contact["id"]], account["id"])
    classic.account.forget()
    assert classic.imports("--again", events=events, config=config).code == 0
    assert classic.account.writes == 0


@pytest.mark.parametrize("tells", [{}, {"title": "CEO"}])
def test_undo_says_that_a_conversion_stays_and_puts_the_fields_back(classic: Machine, tells: dict[str, Any]) -> None:
    classic.imports(events=[lead(title="CTO"), lead(1)])
    done = classic.imports(events=[lead(at=2, fsContact=True, **tells), lead(1, at=2, title="CEO")], config=CONVERT)
    assert done.code == 0
    undone = classic.run("undo", "--yes")
    assert (undone.code, undone.warnings) == (1, {"converted": 1})
    assert "can't be undone" in undone.out
    assert classic.account.one("contacts", "p0@x.example")["job_title"] == "CTO"
    assert "job_title" not in classic.account.one("leads", "p1@x.example")

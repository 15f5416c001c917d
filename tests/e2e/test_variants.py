"""Real accounts differ where the documentation is silent: an import comes to the same in each of them."""

from __future__ import annotations

from typing import Any

import pytest

from fsseg.sandbox import Fault
from tests.e2e import stranger
from tests.e2e.events import identify, page, track
from tests.e2e.harness import Account, Machine, Row
from tests.e2e.stranger import Exchange, Rewrite

KIM = "kim@north.example"

FIRST = [
    identify(KIM, firstName="Kim", cfSeats=5, cfRegion="EMEA", company={"name": "North Ltd", "city": "Oslo"}),
    identify(
        "con@north.example",
        lastName="Con",
        fsContact=True,
        company={"name": "North Ltd", "annualRevenue": 5000},
        deal={"name": "Pilot", "amount": 5},
    ),
    *(
        identify(f"c{n}@north.example", lastName=f"C{n}", fsContact=True, company=f"Firm {n}", cfSeats=n)
        for n in range(5)
    ),
    *(identify(f"l{n}@north.example", lastName=f"L{n}", company={"name": f"Firm {n}"}, cfSeats=n) for n in range(4)),
    track(KIM, "Visited", {"where": "here"}),
    track("con@north.example", "Order Completed", {"revenue": 3.5}),
    page("c1@north.example", "Home", {"url": "https://north.example"}),
]
SECOND = [
    identify(KIM, firstName="Kim", cfSeats="5", cfRegion=None, company={"name": "North Ltd"}),
    identify(
        "con@north.example",
        title="CEO",
        company={"name": "South BV", "annualRevenue": "7000"},
        deal={"name": "Pilot", "amount": "5.0"},
    ),
    *(identify(f"c{n}@north.example", lastName=f"C{n}", company=f"Firm {n}", cfSeats=n) for n in range(5)),
    *(identify(f"l{n}@north.example", lastName=f"New{n}", company={"name": f"Firm {n}"}) for n in range(4)),
    *(identify(f"n{n}@north.example", lastName=f"N{n}", cfSeats=n) for n in range(4)),
    track("con@north.example", "Visited"),
]
"""Not delivered before: updates, unchanged people, new ones."""

OTHERS = [
    {
        "email": f"o{n}@else.example",
        "last_name": f"O{n}",
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2020-01-01T00:00:00Z",
    }
    for n in range(30)
]


def imported(machine: Machine) -> dict[str, list[str]]:
    machine.account.seed(contacts=OTHERS)
    first = machine.imports(events=FIRST)
    assert first.outcomes == {"applied": len(FIRST)}, (first.out, first.failures)
    second = machine.imports(events=SECOND)
    assert second.outcomes == {"applied": 11, "unchanged": 5}, (second.out, second.failures)
    elsewhere = Machine(machine.account, machine.home / "elsewhere", machine.base_url, machine.environment)
    elsewhere.home.mkdir()
    assert elsewhere.imports(events=SECOND).summary["requests"]["write"] == 0, (
        "another machine sees all of it unchanged"
    )
    return machine.account.state()


@pytest.fixture(scope="module")
def usual(accounts: dict[str, Account], tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[str]]]:
    """What the two imports come to in an account as the documentation has it."""
    found = {}
    for edition, account in accounts.items():
        account.empty()
        found[edition] = imported(Machine(account, tmp_path_factory.mktemp(edition)))
    return found


OPTIONS: dict[str, dict[str, Any]] = {
    "no Retry-After": {"retry_after": "absent", "faults": [Fault("429", path="/view|/bulk|upsert", limit=1)]},
    "Retry-After as a date": {"retry_after": "date", "faults": [Fault("429", rate=0.1, seconds=0.01, limit=2)]},
    "no quota headers": {"headers": []},
    "the reset as an epoch": {"reset_format": "epoch"},
    "job data as an object": {"job_data": "object"},
    "slow jobs of other words": {"job_polls": 1, "job_words": ["QUEUED", "COMPLETED", "ERROR"]},
    "no bulk upsert": {"bulk": False},
    "lookups give partial rows": {"lookup_rows": "partial"},
    "views leave custom fields out": {"view_custom_fields": False},
    "pages shorter than asked for": {"short_pages": True},
    "201 on create": {"create_status": 201},
    "Retry-After in seconds": {"retry_after": "seconds", "faults": [Fault("429", seconds=0.01, limit=2)]},
    "revenue as text": {"account_revenue": "text"},
    "filtered rows that tell all": {"filtered_emails": True, "filtered_custom_fields": True},
    "ids are always told": {"association_ids": "always"},
    "writes merge": {"custom_fields": "merge", "tags": "add", "account_links": "add", "upsert_owner": "keep"},
    "bulk replaces custom fields": {"bulk_custom_fields": "replace"},
    "bulk keeps the contacts of deals": {"deal_links_in_bulk": "keep"},
    "addresses as text": {"email_shape": "text"},
    "addresses as objects": {"email_shape": "objects"},
    "a doubled address is not unique": {"duplicates": "not_unique"},
    "nothing is required": {"required": []},
    "what doesn't fit is refused": {"bad_dates": "refuse", "bad_choices": "refuse", "unknown_includes": "refuse"},
    "formats are free": {"formats": "free", "account_phones": "keep"},
    "look-ups lag": {"lookup_lag": 0.05},
    "Dutch": {"language": "nl"},
    "activities oldest first": {"activities_order": "oldest"},
    "unknown attributes ignored": {"unknown_attributes": "ignore", "unknown_custom_fields": "ignore"},
    "timestamps in seconds, west of Greenwich": {"precision": "seconds", "offset": "-07:00"},
    "bad weather": {"faults": [Fault(kind, rate=0.1, limit=2) for kind in ("error", "drop_before", "drop_after")]},
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_of_the_server_changes_nothing(
    machine: Machine, usual: dict[str, dict[str, list[str]]], name: str
) -> None:
    machine.account.configure(**OPTIONS[name])
    state = imported(machine)
    if name.startswith("timestamps"):
        machine.account.configure(offset="+02:00", precision="milliseconds")
        state = machine.account.state()
        state.pop("sales_activities")
        assert state == {kind: rows for kind, rows in usual[machine.account.edition].items() if kind in state}
        return
    assert state == usual[machine.account.edition]


def _views_renamed(exchange: Exchange) -> None:
    if exchange.path.split("?")[0].endswith("/filters"):
        for row in exchange.answer["filters"]:
            row["name"] = f"View {row['id']}"


def _bare_lookup_rows(exchange: Exchange) -> None:
    if "/lookup" in exchange.path and exchange.status == 200:
        for key, found in exchange.answer.items():
            kept = ("id", "name") if key == "sales_accounts" else ("id", "email")
            found[key] = [{name: row[name] for name in kept} for row in found[key]]


def _only_the_kinds_found(exchange: Exchange) -> None:
    if "/lookup" in exchange.path and exchange.status == 200:
        filled = {key: found for key, found in exchange.answer.items() if found[key]}
        exchange.answer = filled or dict(list(exchange.answer.items())[:1])


def _no_meta(exchange: Exchange) -> None:
    if isinstance(exchange.answer, dict) and ("/view/" in exchange.path or "/sales_activities" in exchange.path):
        exchange.answer.pop("meta", None)


def _ids_as_text(exchange: Exchange) -> None:
    if exchange.status < 300:
        exchange.answer = _texted(exchange.answer)


def _texted(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: str(inner) if name == "id" and isinstance(inner, int) else _texted(inner)
            for name, inner in value.items()
        }
    return [_texted(one) for one in value] if isinstance(value, list) else value


def _no_includes_in_views(exchange: Exchange) -> None:
    if "/view/" in exchange.path:
        for row in exchange.answer.get("contacts", ()):
            row.pop("sales_accounts", None)


def _accepted(exchange: Exchange) -> None:
    if exchange.path.endswith("/bulk_upsert") and exchange.status == 200:
        exchange.status = 202
        exchange.answer["job_status_url"] = exchange.answer["job_status_url"].replace(
            "http://", "https://acme.example/else/"
        )


STRANGERS: dict[str, Rewrite] = {
    "views of other names": _views_renamed,
    "lookups give id and key only": _bare_lookup_rows,
    "lookups leave out the kinds of which there are none": _only_the_kinds_found,
    "lists without meta": _no_meta,
    "ids as text": _ids_as_text,
    "views don't know include": _no_includes_in_views,
    "jobs at another address": _accepted,
}


@pytest.mark.parametrize("name", STRANGERS)
def test_another_server_that_speaks_the_documented_api_comes_to_the_same(
    machine: Machine, usual: dict[str, dict[str, list[str]]], name: str
) -> None:
    with stranger.before(machine.account, STRANGERS[name]) as server:
        machine.base_url = server.base_url
        assert imported(machine) == usual[machine.account.edition]


def test_bodies_hold_documented_attributes_only(machine: Machine) -> None:
    """Whatever this sandbox tolerates: wrapped, custom fields under custom_field, nested objects for leads only."""
    with stranger.before(machine.account, lambda exchange: None) as server:
        machine.base_url = server.base_url
        imported(machine)
        for write in server.writes:
            for body in _records(write):
                assert not {name for name in body if name.startswith(("cf_", "$")) or ":" in name or "." in name}, write
                if "/leads" not in write.path:
                    assert not {"company", "deal"} & set(body), write
                assert not {"id", "updated_at", "created_at", "contacts", "sales_account"} & set(body), write


def _records(write: Exchange) -> list[Row]:
    if write.path.endswith("/bulk_upsert"):
        (items,) = write.body.values()
        assert len(items) <= 100
        for item in items:
            assert len(item) == 2, item
        return [item["data"] for item in items]
    bodies = [value for name, value in write.body.items() if name != "unique_identifier"]
    assert len(bodies) == 1, write
    return bodies


def test_the_newest_of_several_leads_is_found_where_lookups_say_nothing_of_their_age(classic: Machine) -> None:
    for title in ("first", "second", "third"):
        classic.account.make("leads", email=KIM, last_name="Vos", job_title=title)
    second = classic.account.people("leads", KIM)[1]
    classic.account.change("leads", second["id"], city="Oslo")

    with stranger.before(classic.account, _bare_lookup_rows) as server:
        classic.base_url = server.base_url
        classic.account.seed(contacts=OTHERS)
        classic.imports(events=[identify(KIM, title="new")])

    assert [row["job_title"] for row in classic.account.people("leads", KIM)] == ["first", "new", "third"]

"""Deals are tied to their contact and made once, whatever bulk does with them."""

from __future__ import annotations

import pytest

from fsseg.sandbox import Fault
from tests.e2e.events import identify
from tests.e2e.harness import Machine, Row
from tests.live.story import changes, imported_twice, records

MANY = 20
WAYS = ["lose", "keep"]


def events(count: int) -> list[Row]:
    return [
        identify(f"p{n}@x.example", fsContact=True, company=f"Firm {n}", deal={"name": f"Pilot {n}", "amount": 5})
        for n in range(count)
    ]


def linked(machine: Machine) -> dict[str, tuple[list[str], str]]:
    """Whom each deal belongs to, by names."""
    found = records(machine)
    deals = [row for row in found.values() if "deal_stage_id" in row]
    return {
        row["name"]: ([found[id]["email"] for id in row.get("contact_ids", ())], found[row["sales_account_id"]]["name"])
        for row in deals
    }


WANTED = {f"Pilot {n}": ([f"p{n}@x.example"], f"Firm {n}") for n in range(MANY)}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("count", [2, MANY])
def test_new_deals_are_tied_to_their_contact_and_made_once(machine: Machine, way: str, count: int) -> None:
    machine.account.configure(deal_links_in_bulk=way)
    imported_twice(machine, events(count))
    assert machine.imports(events=events(count)).code == 0
    assert linked(machine) == dict(list(WANTED.items())[:count])


@pytest.mark.parametrize("way", WAYS)
def test_bulk_is_used_for_deals_only_as_long_as_it_keeps_their_contacts(suite: Machine, way: str) -> None:
    suite.account.configure(deal_links_in_bulk=way)
    done = suite.imports(events=events(MANY))
    assert (done.code, linked(suite)) == (0, WANTED)
    assert ("made one by one" in done.err) == (way == "lose")
    suite.account.forget()
    more = [identify(f"p{n}@x.example", deal={"name": f"More {n}", "amount": 5}) for n in range(MANY)]
    assert suite.imports(events=more).code == 0
    sent = suite.account.sandbox.stats()["requests"]
    assert (sent.get("POST /crm/sales/api/deals", 0) == 0) == (way == "keep")
    assert (sent.get("POST /crm/sales/api/deals/bulk_upsert", 0) == 0) == (way == "lose")
    assert all(row["contact_ids"] for row in suite.account.records()["deals"])


@pytest.mark.parametrize("way", WAYS)
def test_what_an_import_of_deals_takes_is_no_surprise(suite: Machine, way: str) -> None:
    """Before the account has shown what its bulk does to deals, and after."""
    suite.account.configure(deal_links_in_bulk=way)
    for number, is_known in enumerate((False, True)):
        path = suite.write(f"{number}.jsonl", [
            identify(f"p{n}@x.example", fsContact=True, deal={"name": f"Pilot {number} {n}", "amount": 5})
            for n in range(2 * MANY)
        ])  # fmt: skip
        dry, done = suite.dry_runs(path), suite.imports(path)
        forecast, taken = done.summary["forecast"]["requests"], done.summary["requests"]["total"]
        is_most = way == "keep" or not is_known
        assert (
            f"up to {forecast}" in done.out,
            f"takes up to {dry.summary['forecast']['requests']} requests" in dry.out,
        ) == (is_most, is_most)
        assert taken <= forecast + (not is_most)
        assert is_most or taken >= 0.8 * forecast
        single = suite.account.sandbox.stats()["requests"].get("PUT /crm/sales/api/deals/{id}", 0)
        assert single == (10 if way == "lose" else 0), "only a few are tried"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["drop_after", "error_after"])
@pytest.mark.usefixtures("fast")
def test_a_lost_answer_doubles_no_deal(machine: Machine, way: str, kind: str) -> None:
    machine.account.configure(
        deal_links_in_bulk=way, faults=[Fault(kind, path="/deals(/bulk_upsert)?$", method="POST", limit=3)]
    )
    done = machine.imports(events=events(MANY))
    assert (done.code, linked(machine)) == (0, WANTED)


@pytest.mark.parametrize("has_account", [True, False])
@pytest.mark.parametrize("others", [0, 30])
def test_a_deal_that_has_lost_its_contact_is_known_again_and_tied(
    machine: Machine, has_account: bool, others: int
) -> None:
    """As another tool, or an earlier version, left it."""
    account = machine.account
    company: Row = {"company": "Firm"} if has_account else {}
    account.seed(deals=[{"name": f"Other {n}", "amount": 1} for n in range(others)])
    imported = [identify("p0@x.example", fsContact=True, **company, deal={"name": "Pilot", "amount": 5})]
    imported += [identify(f"q{n}@x.example", fsContact=True, deal={"name": f"Q {n}", "amount": 1}) for n in range(10)]
    assert machine.imports(events=imported).code == 0
    (deal,) = [row for row in account.records()["deals"] if row["name"] == "Pilot"]
    account.change("deals", deal["id"], contacts_removed_list=deal["contact_ids"])
    before = records(machine)
    assert machine.imports("--again", events=imported).code == 0
    assert changes(before, records(machine)) == {deal["id"]: {"contact_ids": deal["contact_ids"]}}


@pytest.mark.parametrize("faults", [[], [Fault("drop_before", path="/deals$", method="POST", limit=1)]], ids=len)
@pytest.mark.usefixtures("fast")
def test_a_deal_of_the_account_that_belongs_to_somebody_else_is_left_alone(
    machine: Machine, faults: list[Fault]
) -> None:
    """Also where it is looked for whether ours was made."""
    other = [identify("q@x.example", fsContact=True, company="Firm", deal={"name": "Pilot", "amount": 1})]
    assert machine.imports(events=other).code == 0
    before = records(machine)
    machine.account.configure(faults=faults)
    ours = [identify("p@x.example", fsContact=True, company="Firm", deal={"name": "Pilot", "amount": 5})]
    assert machine.imports(events=ours).code == 0
    assert not before.keys() & changes(before, records(machine)).keys()
    assert sorted(row["amount"] for row in machine.account.records()["deals"]) == ["1.0", "5.0"]


def test_what_signs_in_with_the_rows_of_deals_is_not_kept(machine: Machine) -> None:
    """Accounts put a token into them."""
    told = [identify(f"p{n}@x.example", fsContact=True, deal={"name": f"Pilot {n}", "amount": 5}) for n in range(2)]
    assert machine.imports(events=told).code == 0
    later = [identify(f"p{n}@x.example", deal={"name": f"Pilot {n}", "amount": 6}) for n in range(2)]
    done = machine.imports(events=later)
    assert (done.code, done.actions["deal"]) == (0, {"update": 2})
    kept = [path for path in machine.state.rglob("*") if path.is_file()]
    assert any(b"Pilot 1" in path.read_bytes() for path in kept)
    assert not any(b"convo_token" in path.read_bytes() for path in kept)


BY_ID = '[identity]\ndeal_id_field = "cf_source_system"\n'


def deal(id: str, name: str, at: int = 1, person: str = "p@x.example", **more: object) -> Row:
    told = {"name": name, "amount": at, "cfSourceSystem": id, **more}
    return identify(person, {"fsContact": True, "deal": told}, envelope={"timestamp": f"2025-01-0{at}T00:00:00Z"})


def names(machine: Machine) -> list[tuple[str, str, str]]:
    return sorted((row["custom_field"]["cf_source_system"], row["name"], row["amount"]) for row in held(machine))


def held(machine: Machine) -> list[Row]:
    return machine.account.records()["deals"]


@pytest.mark.parametrize("apart", [True, False])
def test_without_an_id_field_two_names_are_two_deals_and_what_would_make_them_one_is_told(
    machine: Machine, apart: bool
) -> None:
    told = [
        identify(
            "p@x.example", {"fsContact": True, "deal": {"id": "d-1", "name": f"Pilot {at}", "amount": at}},
            envelope={"timestamp": f"2025-01-0{at}T00:00:00Z"},
        )
        for at in (1, 2)
    ]  # fmt: skip
    for events in [[one] for one in told] if apart else [told]:
        done = machine.imports(events=events)
        assert (done.code, "identity.deal_id_field" in done.out) == (0, True)
    assert sorted(row["name"] for row in held(machine)) == ["Pilot 1", "Pilot 2"]


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
@pytest.mark.parametrize("apart", [True, False])
def test_a_deal_with_an_id_of_its_own_is_one_whatever_it_is_called(
    machine: Machine, order: tuple[int, int], apart: bool
) -> None:
    told = [deal("d-1", f"Pilot {at}", at) for at in order]
    for events in [[one] for one in told] if apart else [told]:
        assert machine.imports(events=events, config=BY_ID).code == 0
    assert names(machine) == [("d-1", "Pilot 2", "2.0")]
    machine.account.forget()
    assert machine.imports("--again", events=told, config=BY_ID).code == 0
    assert machine.account.writes == 0


def test_a_deal_that_was_renamed_in_freshsales_is_found_by_its_id(machine: Machine) -> None:
    assert machine.imports(events=[deal("d-1", "Pilot")], config=BY_ID).code == 0
    machine.account.change("deals", held(machine)[0]["id"], name="Renamed")
    assert machine.imports(events=[deal("d-1", "Pilot", 2)], config=BY_ID).code == 0
    assert names(machine) == [("d-1", "Pilot", "2.0")]


@pytest.mark.parametrize("count", [2, MANY])
@pytest.mark.parametrize("way", WAYS)
def test_deals_of_one_name_with_ids_of_their_own_are_several(machine: Machine, way: str, count: int) -> None:
    machine.account.configure(deal_links_in_bulk=way)
    imported_twice(machine, [deal(f"d-{n}", "Pilot") for n in range(count)], config=BY_ID)
    events = [deal(f"d-{n}", "Pilot") for n in range(count)]
    assert machine.imports("--again", events=events, config=BY_ID).code == 0
    assert names(machine) == sorted((f"d-{n}", "Pilot", "1.0") for n in range(count))


def test_a_deal_without_an_id_yet_is_known_by_its_name_and_given_one(machine: Machine) -> None:
    plain = identify("p@x.example", fsContact=True, deal={"name": "Pilot", "amount": 1})
    assert machine.imports(events=[plain], config=BY_ID).code == 0
    assert machine.imports(events=[deal("d-1", "Pilot", 2), deal("d-2", "Pilot", 3)], config=BY_ID).code == 0
    found = names(machine)
    assert len(found) == 2
    assert {id for id, *_ in found} == {"d-1", "d-2"}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("contact", [True, False])
def test_a_deal_that_is_told_of_with_its_id_and_without_is_one(
    machine: Machine, order: tuple[int, int], contact: bool
) -> None:
    told = [deal("d-1", "Pilot", 1, expectedClose="2025-05-01"), deal("d-1", "pilot ", 2)]
    del told[1]["traits"]["deal"]["cfSourceSystem"]
    for event in told:
        event["traits"]["fsContact"] = contact
    changed = imported_twice(machine, [told[at] for at in order], config=BY_ID)
    if contact or machine.account.edition == "suite":
        (found,) = [row for row in changed.values() if row.get("cf_source_system")]
    else:
        (lead,) = changed.values()
        found = lead["deal"]
    assert (float(found["amount"]), found["expected_close"][:10]) == (2.0, "2025-05-01")


def test_of_two_deals_with_ids_what_names_neither_is_of_the_one_told_of_last(machine: Machine) -> None:
    told = [deal("d-1", "Pilot", 1), deal("d-2", "Pilot", 2), deal("d-1", "Pilot", 3, amount=9)]
    del told[2]["traits"]["deal"]["cfSourceSystem"]
    assert machine.imports(events=told, config=BY_ID).code == 0
    assert names(machine) == [("d-1", "Pilot", "1.0"), ("d-2", "Pilot", "9.0")]


@pytest.mark.parametrize("kind", ["drop_after", "error_after", "drop_before"])
@pytest.mark.usefixtures("fast")
def test_a_lost_answer_doubles_no_deal_with_an_id_of_its_own(machine: Machine, kind: str) -> None:
    machine.account.configure(lookup_lag=0.5, faults=[Fault(kind, path="/deals$", method="POST", limit=2)])
    events = [deal(f"d-{n}", "Pilot") for n in range(3)]
    assert machine.imports(events=events, config=BY_ID).code == 0
    assert names(machine) == [(f"d-{n}", "Pilot", "1.0") for n in range(3)]


def test_an_id_field_that_deals_do_not_have_is_told(machine: Machine) -> None:
    done = machine.run("import", events=[deal("d-1", "Pilot")], config='[identity]\ndeal_id_field = "cf_nothing"\n')
    assert (done.code, machine.account.writes) == (2, 0)
    assert "identity.deal_id_field" in done.err

"""403: one record or view that a key may not have does not end a run; an entity as a whole does."""

from __future__ import annotations

import pytest

from fsseg.sandbox import Fault
from tests.e2e.events import identify
from tests.e2e.harness import Machine

MANY = 12


def path_of(machine: Machine, email: str) -> str:
    for kind in ("leads", "contacts"):
        for row in machine.account.people(kind, email):
            return f"/{kind}/{row['id']}$"
    raise LookupError(email)


@pytest.mark.parametrize("count", [2, MANY])
def test_one_record_fails_and_can_be_sent_again(machine: Machine, count: int) -> None:
    """Of a bulk job, too, whose report has words and no status of its own."""
    account, kind = machine.account, "leads" if machine.account.edition == "classic" else "contacts"
    events = [identify(f"p{n}@x.example", lastName="P") for n in range(count)]
    assert machine.imports(events=events).code == 0
    account.configure(forbidden=[path_of(machine, "p0@x.example")])
    later = [identify(f"p{n}@x.example", lastName="Q") for n in range(count)]
    done = machine.imports(events=later)
    assert (done.code, done.outcomes) == (1, {"applied": count - 1, "failed": 1})
    assert done.failures[0]["_fsseg"]["status"] in (403, 400)
    assert machine.run("retry").code == 1
    account.configure(forbidden=[])
    assert machine.run("retry").code == 0
    assert {row["last_name"] for row in account.records()[kind]} == {"Q"}


def test_a_record_that_may_not_be_read_is_not_written_in_part(classic: Machine) -> None:
    assert classic.imports(events=[identify("p@x.example", cfSeats=1, cfRegion="EMEA")]).code == 0
    classic.account.configure(forbidden=[path_of(classic, "p@x.example")], lookup_rows="partial")
    done = classic.imports(events=[identify("p@x.example", cfSeats=2)])
    assert (done.code, done.reasons) == (1, {"refused": 1})
    custom = classic.account.records()["leads"][0]["custom_field"]
    assert (custom["cf_seats"], custom["cf_region"]) == (1, "EMEA")


@pytest.mark.parametrize("path", ["/view/", "/filters"])
def test_without_views_people_are_found_in_another_way(machine: Machine, path: str) -> None:
    account = machine.account
    account.seed(contacts=[{"email": f"p{n}@x.example", "last_name": "P"} for n in range(MANY)])
    account.configure(forbidden=[path])
    events = [identify(f"p{n}@x.example", lastName="P", deal={"name": f"D{n}", "amount": 1}) for n in range(MANY)]
    done = machine.imports(events=[*events, *(identify(f"n{n}@x.example", lastName="N") for n in range(MANY))])
    assert done.code == 0, done.err
    assert done.actions["contact"]["unchanged"] == MANY
    assert machine.imports("--again", events=events).actions["deal"] == {"unchanged": MANY}


@pytest.mark.parametrize("kind", ["error", "drop_before", "garbage"])
@pytest.mark.usefixtures("fast")
def test_a_page_that_fails_is_asked_again_before_people_are_looked_up(suite: Machine, kind: str) -> None:
    account = suite.account
    account.seed(contacts=[{"email": f"p{n}@x.example", "last_name": "P"} for n in range(250)])
    account.faults(Fault(kind, path="/contacts/view/", limit=3))
    done = suite.imports(events=[identify(f"p{n}@x.example", lastName="P") for n in range(250)])
    assert (done.code, done.actions) == (0, {"contact": {"unchanged": 250}})
    assert not any("lookup" in name or "filtered" in name for name in account.sandbox.stats()["requests"])


@pytest.mark.parametrize("status", [403, 404])
def test_a_view_that_the_settings_name_and_that_is_not_there_is_done_without(machine: Machine, status: int) -> None:
    account = machine.account
    account.seed(contacts=[{"email": f"p{n}@x.example", "last_name": "P"} for n in range(MANY)])
    account.configure(unknown_view=status)
    config = "[freshsales.views]\nlead = 1\ncontact = 1\naccount = 1\ndeal = 1\n"
    deals = [{"name": f"D{n}", "amount": 1} for n in range(2 * MANY)]
    events = [identify(f"p{n}@x.example", lastName="P", company=f"F{n}", deal=deals[n]) for n in range(2 * MANY)]
    done = machine.imports(events=events, config=config)
    assert done.code == 0, done.err
    account.forget()
    assert machine.imports("--again", events=events, config=config).code == 0
    assert account.writes == 0


@pytest.mark.parametrize("count", [7, MANY])
def test_an_entity_that_is_refused_as_a_whole_ends_the_run(classic: Machine, count: int) -> None:
    events = [identify(f"p{n}@x.example", lastName="P") for n in range(count)]
    assert classic.imports(events=events).code == 0
    classic.account.configure(forbidden=[r"/leads/\d+$"])
    classic.account.forget()
    assert classic.imports(events=[identify(f"p{n}@x.example", lastName="Q") for n in range(count)]).code == 3
    assert classic.account.writes <= 10


def test_a_key_that_may_create_nobody_is_told_so_at_once(classic: Machine) -> None:
    classic.account.configure(forbidden=["/leads(/upsert)?$"])
    done = classic.imports(events=[identify(f"p{n}@x.example", lastName="P") for n in range(MANY)])
    assert (done.code, classic.account.writes) == (3, 1)

"""After a lost answer nothing is made twice, though look-ups find nothing of it for a while."""

from __future__ import annotations

import pytest

from fsseg.freshsales.reader import LAG_S
from fsseg.sandbox import Fault
from tests.e2e import stranger
from tests.e2e.events import identify, track
from tests.e2e.harness import Machine, Row
from tests.e2e.stranger import Exchange
from tests.faults.clock import SPEED

NEVER = 3600.0
"""Seconds of lag within which no look-up of a test finds anything new."""

LOST = ["drop_after", "error_after", "drop_before"]


def people(count: int = 3) -> list[Row]:
    """With database ids: creates that may not be repeated blindly, on classic."""
    return [
        identify(f"u{n}", email=f"p{n}@x.example", lastName="P", deal={"name": f"Pilot {n}", "amount": 5}, fsContact=n == 0)
        for n in range(count)
    ] + [track(f"u{n}", "Visited") for n in range(count)]  # fmt: skip


def counted(machine: Machine) -> dict[str, int]:
    return {kind: len(rows) for kind, rows in machine.account.records().items() if rows}


@pytest.mark.parametrize("lag", [0.0, NEVER])
@pytest.mark.parametrize("kind", LOST)
@pytest.mark.usefixtures("fast")
def test_what_was_sent_is_there_once(machine: Machine, kind: str, lag: float) -> None:
    wanted = counted_without_faults(machine)
    fault = Fault(kind, method="POST", path="/(leads|contacts|deals|sales_activities)$", limit=2)
    machine.account.empty(lookup_lag=lag, faults=[fault])
    done = machine.imports(events=people())
    assert (done.code, counted(machine)) == (0, wanted), done.failures


@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
@pytest.mark.usefixtures("fast")
def test_without_a_view_it_is_looked_up_once_look_ups_must_find_it(classic: Machine, kind: str) -> None:
    wanted = counted_without_faults(classic)
    fault = Fault(kind, method="POST", path="/(leads|contacts)$", limit=2)
    classic.account.empty(lookup_lag=LAG_S / SPEED * 0.9, forbidden=["/filters"], faults=[fault])
    done = classic.imports(events=people())
    assert (done.code, counted(classic)) == (0, wanted), done.failures


def counted_without_faults(machine: Machine) -> dict[str, int]:
    machine.account.empty()
    other = Machine(machine.account, machine.home / "other", machine.base_url, machine.environment)
    other.home.mkdir()
    assert other.imports(events=people()).code == 0
    return counted(machine)


@pytest.mark.parametrize("way", ["reset", "keep"])
@pytest.mark.parametrize("kind", LOST)
@pytest.mark.usefixtures("fast")
def test_what_an_upsert_has_made_stays_with_whom_the_account_has_given_it_to(
    machine: Machine, kind: str, way: str
) -> None:
    """A second upsert would find it, and might give it to the key's user."""
    fault = Fault(kind, method="POST", path="/upsert$", limit=4)
    machine.account.configure(upsert_owner=way, faults=[fault])
    events = [
        identify("p@x.example", lastName="P", company="Firm", fsContact=True),
        *(identify(f"q{number}@x.example", lastName="Q") for number in range(2)),
    ]
    done = machine.imports(events=events)
    assert done.code == 0, done.failures
    made = [row for kind in ("leads", "contacts", "sales_accounts") for row in machine.account.records()[kind]]
    assert (len(made), {row.get("owner_id") for row in made}) == (4, {None})


@pytest.mark.parametrize("way", ["reset", "keep"])
def test_so_it_does_where_the_process_was_killed_before_the_answer(machine: Machine, way: str) -> None:
    machine.account.configure(upsert_owner=way)
    path = machine.write("events.jsonl", [identify("p@x.example", lastName="P", company="Firm", fsContact=True)])
    for _ in range(2):  # the account first, then the contact
        machine.account.faults(Fault("drop_after", method="POST", path="/upsert$"))
        stopped = machine.imports(path, "--max-time", "1s")
        assert stopped.code == 5
        machine.account.faults()
    assert machine.run("resume").code == 0
    made = [row for kind in ("contacts", "sales_accounts") for row in machine.account.records()[kind]]
    assert (len(made), {row.get("owner_id") for row in made}) == (2, {None})


@pytest.mark.usefixtures("fast")
def test_what_exists_already_when_sent_again_is_a_find(classic: Machine) -> None:
    """The view lists it late, too: so it is sent again, and refused, as a contact's address is unique."""
    seen = 0

    def late(exchange: Exchange) -> None:
        nonlocal seen
        if "/contacts/view/" in exchange.path and "sort=created_at&sort_type=desc" in exchange.path:
            seen += 1
            if seen == 1:
                exchange.answer["contacts"] = []

    classic.account.configure(lookup_lag=NEVER, faults=[Fault("drop_after", method="POST", path="/contacts$", limit=1)])
    with stranger.before(classic.account, late) as server:
        classic.base_url = server.base_url
        done = classic.imports(events=[identify("u1", email="p@x.example", lastName="P", fsContact=True)])
    assert seen > 1
    assert (done.code, counted(classic)) == (0, {"contacts": 1}), done.failures


@pytest.mark.usefixtures("fast")
def test_an_import_right_after_another_knows_whom_that_has_made(machine: Machine) -> None:
    """Bulk tells no ids, and look-ups don't find the contacts yet."""
    machine.account.configure(lookup_lag=0.4)
    first = [identify(f"p{n}@x.example", lastName="P", cfRegion="EMEA", fsContact=True) for n in range(6)]
    second = [identify(f"p{n}@x.example", cfSeats=n + 1) for n in range(2)]
    assert machine.imports(events=first).code == 0
    done = machine.imports(events=second)
    assert (done.code, done.actions) == (0, {"contact": {"update": 2}})
    custom = [row["custom_field"] for row in machine.account.records()["contacts"][:2]]
    assert [(row["cf_region"], row["cf_seats"]) for row in custom] == [("EMEA", 1), ("EMEA", 2)]

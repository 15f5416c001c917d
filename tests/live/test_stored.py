"""What bulk takes and doesn't store is told by the run itself, for a request where all is well."""

from __future__ import annotations

import pytest

from tests.e2e import stranger
from tests.e2e.events import identify, track
from tests.e2e.harness import Machine, Row
from tests.live.story import late_view

FEW, MANY = 6, 230


def of_companies(count: int) -> list[Row]:
    return [
        identify(f"c{n}@x.example", fsContact=True, company={"name": f"Firm {n}", "phone": "call us"})
        for n in range(count)
    ]


def titled(machine: Machine, count: int, title: str | None) -> list[Row]:
    for n in range(count):
        machine.account.make("contacts", email=f"c{n}@x.example", last_name="P", job_title="CTO")
    return [identify(f"c{n}@x.example", title=title) for n in range(count)]


def pages_read(machine: Machine) -> int:
    sent = machine.account.sandbox.stats()["requests"]
    return sum(count for name, count in sent.items() if "/contacts/view/" in name)


@pytest.mark.parametrize("count", [FEW, MANY])
def test_of_new_records_at_once_and_not_sent_again(suite: Machine, count: int) -> None:
    wanted = of_companies(count)
    done = suite.imports(events=wanted)
    assert (done.code, done.warnings) == (0, {"not_stored phone": count})
    assert done.change("account", "Firm 1")["warnings"] == ["not_stored: phone = call us"]
    suite.account.forget()
    again = suite.imports("--again", events=wanted)
    assert (again.code, again.warnings, suite.account.writes) == (0, {"not_stored phone": count}, 0)


@pytest.mark.parametrize("count", [FEW, MANY])
def test_of_updates_at_once_all_of_them(suite: Machine, count: int) -> None:
    events = titled(suite, count, None)
    suite.account.configure(null="ignore")
    done = suite.imports("--allow-mass-changes", events=events)
    assert (done.code, done.warnings) == (0, {"not_stored job_title": count})
    assert ("reading on" in done.err) == (count == MANY)


def test_of_a_great_many_a_part_is_read(suite: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fsseg.push.stored.MAX_PAGES", 2)
    events = titled(suite, MANY, None)
    suite.account.configure(null="ignore")
    done = suite.imports("--allow-mass-changes", events=events)
    assert (done.code, done.warnings) == (0, {"not_stored job_title": 200})
    writes = []
    for _ in range(2):
        suite.account.forget()
        assert suite.imports("--allow-mass-changes", "--again", events=events).code == 0
        writes.append(suite.account.writes)
    assert writes == [1, 0]


@pytest.mark.usefixtures("fast")
def test_where_all_is_stored_one_page_is_read_however_many_there_are(suite: Machine) -> None:
    read = []
    for count in (FEW, MANY):
        suite.account.empty()
        events = [identify(f"n{n}@x.example", lastName="P", title="CEO") for n in range(count)]
        assert (suite.imports("--again", events=events)).warnings == {}
        read.append(pages_read(suite))
    assert read[1] <= read[0] + 1


def test_the_pages_that_are_read_for_ids_tell_it_without_another_request(suite: Machine) -> None:
    """Entries go to the contacts, so their ids are read in any case."""
    people = [identify(f"n{n}@x.example", lastName="P", title="CEO") for n in range(FEW)]
    assert suite.imports(events=people).code == 0
    alone = pages_read(suite)
    suite.account.empty()
    more = [identify(f"m{n}@x.example", lastName="P", title="CEO") for n in range(FEW)]
    assert suite.imports(events=[*more, *(track(f"m{n}@x.example", "Visited") for n in range(FEW))]).code == 0
    assert pages_read(suite) == alone


def test_of_a_field_that_was_refused_by_name_only_that_is_told(suite: Machine) -> None:
    pair = {"lifecycleStageId": "Customer", "contactStatusId": "New"}
    done = suite.imports(events=[identify(f"p{n}@x.example", pair, cfSeats=3) for n in range(FEW)])
    assert done.warnings == {"left_out contact_status_id": FEW}


@pytest.mark.parametrize("more", [1, 2, 3, 4, 5])
def test_a_run_that_ends_before_it_has_looked_looks_when_it_goes_on(suite: Machine, more: int) -> None:
    """Of so many requests after the plan: the job is sent, is asked for, or has ended."""
    events = titled(suite, FEW, None)
    suite.account.configure(null="ignore")
    spent = suite.dry_runs("--allow-mass-changes", events=events).summary["requests"]["total"]
    suite.account.forget()
    done = suite.imports("--allow-mass-changes", "--max-requests", str(spent + more), events=events)
    assert suite.account.writes == 1
    if done.code == 5:
        assert suite.run("resume").code == 0
    assert done.warnings == {"not_stored job_title": FEW}
    writes = []
    for _ in range(2):
        suite.account.forget()
        assert suite.imports("--allow-mass-changes", "--again", events=events).code == 0
        writes.append(suite.account.writes)
    assert writes in ([0, 0], [1, 0]), "where the stopped run had written down what it delivered, it is tried once more"


def test_a_view_that_is_late_or_forbidden_passes_for_nothing(suite: Machine) -> None:
    events = titled(suite, FEW, "CEO")
    with stranger.before(suite.account, late_view("contacts")) as server:
        suite.base_url = server.base_url
        done = suite.imports("--allow-mass-changes", events=events)
    assert (done.code, done.warnings) == (0, {})
    suite.base_url = ""
    suite.account.configure(forbidden=["/view/"])
    done = suite.imports(events=[identify(f"n{n}@x.example", lastName="P", title="CEO") for n in range(FEW)])
    assert (done.code, done.warnings) == (0, {})

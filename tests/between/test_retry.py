"""A retry pushes all that failed, once its cause was mended in Freshsales, and says so while something still fails."""

from __future__ import annotations

import pytest

from fsseg.sandbox import Fault
from tests.between.refusing import coded, mend, refusing
from tests.between.runs import Events, done, info_of, newest
from tests.e2e.events import identify, track
from tests.e2e.harness import Machine

KIM = "kim@x.example"


def failing(machine: Machine, events: Events, *flags: str) -> str:
    """An import of the events that fails in part; its run."""
    done(machine, "import", machine.write("e.jsonl", events), *flags, code=1)
    assert info_of(machine, newest(machine)).outcomes["failed"] > 0
    return newest(machine)


def contacts(machine: Machine) -> list[str]:
    """The names before the @ of those that were imported."""
    emails = (contact["email"].partition("@")[0] for contact in machine.account.records()["contacts"])
    return sorted(name for name in emails if not name.endswith("taken"))


@pytest.mark.parametrize("people", [2, 8])
def test_who_was_refused_is_made_once_the_cause_is_mended_with_all_that_hangs_on_them(
    machine: Machine, people: int
) -> None:
    refusing(machine.account, "A")
    events = [*coded("p", "A", *map(str, range(people - 1))), *(track("p0@x.example", "Did") for _ in range(2))]
    run = failing(machine, events)
    mend(machine.account, "A")
    ended = done(machine, "retry", "--json")
    assert (ended.summary["run_id"], ended.outcomes) == (run, {"applied": people + 2})
    assert contacts(machine) == [f"p{number}" for number in range(people)]
    assert len(machine.account.timeline("p0@x.example")) == 2
    before = machine.account.writes
    assert "nothing to retry" in done(machine, "retry").err
    assert machine.account.writes == before


def test_a_retry_ends_with_1_until_nothing_fails_any_more(machine: Machine) -> None:
    refusing(machine.account, "A", "B")
    run = failing(machine, coded("p", "A", "B", "C"))
    for _ in range(2):
        ended = done(machine, "retry", "--json", code=1)
        assert ended.outcomes == {"applied": 1, "failed": 2}
    mend(machine.account, "B")
    assert done(machine, "retry", run, "--json", code=1).outcomes == {"applied": 2, "failed": 1}
    mend(machine.account, "A")
    assert done(machine, "retry", "--json").outcomes == {"applied": 3}
    assert "nothing to retry" in done(machine, "retry", run).err
    assert contacts(machine) == ["p0", "p1", "p2"]


def test_a_bare_retry_takes_the_latest_run_of_which_something_failed(machine: Machine) -> None:
    refusing(machine.account, "A", "B")
    runs = [failing(machine, coded(code.lower(), code)) for code in "AB"]
    done(machine, "import", machine.write("fine.jsonl", coded("fine", "C")))
    mend(machine.account, "A")
    mend(machine.account, "B")
    assert [done(machine, "retry", "--json").summary["run_id"] for _ in runs] == runs[::-1]
    assert "nothing to retry" in done(machine, "retry").err


def test_the_retry_of_an_apply_pushes_what_was_refused(machine: Machine) -> None:
    refusing(machine.account, "A")
    done(machine, "dry-run", machine.write("e.jsonl", coded("p", "A", "B")))
    done(machine, "apply", code=1)
    applying = newest(machine)
    mend(machine.account, "A")
    ended = done(machine, "retry", "--json")
    assert (ended.summary["run_id"], ended.outcomes) == (applying, {"applied": 2})
    assert contacts(machine) == ["p0", "p1"]


def test_what_another_import_has_delivered_since_is_not_sent_again(machine: Machine) -> None:
    refusing(machine.account, "A")
    events = [*coded("p", "A", "B"), track("p0@x.example", "Did"), track("p1@x.example", "Did")]
    run = failing(machine, events)
    mend(machine.account, "A")
    done(machine, "import", str(machine.home / "e.jsonl"))
    before = machine.account.writes
    done(machine, "retry", run)
    assert machine.account.writes == before
    assert contacts(machine) == ["p0", "p1"]
    assert [len(machine.account.timeline(f"p{number}@x.example")) for number in range(2)] == [1, 1]


@pytest.mark.usefixtures("fast")
def test_so_it_is_with_people_whom_only_the_ledger_knows(machine: Machine) -> None:
    resource = "leads" if machine.account.edition == "classic" else "contacts"
    machine.account.faults(Fault("error", method="POST", path=f"/{resource}"))
    run = failing(machine, [identify("7", email=KIM, lastName="Vos"), track("7", "Did")])
    machine.account.faults()
    done(machine, "import", str(machine.home / "e.jsonl"))
    done(machine, "retry", run)
    assert len(machine.account.people(resource, KIM)) == 1
    assert len(machine.account.timeline(KIM)) == 1


def test_whose_address_was_taken_is_made_once_it_is_free(classic: Machine) -> None:
    theirs = classic.account.make("contacts", emails=KIM, last_name="Theirs")
    failing(classic, [identify("7", email=KIM, lastName="Vos", fsContact=True), track("7", "Did")])
    done(classic, "retry", code=1)
    classic.account.delete("contacts", theirs["id"])
    assert done(classic, "retry", "--json").outcomes == {"applied": 2}
    assert classic.account.one("contacts", KIM)["last_name"] == "Vos"
    assert len(classic.account.timeline(KIM)) == 1


def test_of_rejected_events_there_is_nothing_to_retry(classic: Machine) -> None:
    done(classic, "import", classic.write("e.jsonl", [identify("7", title="CEO"), identify(KIM)]), code=1)
    before = classic.account.requests
    for named in ([], [newest(classic)]):
        assert "nothing to retry" in done(classic, "retry", *named).err
    assert classic.account.requests == before

"""Suppression is a promise to a person: nothing is written about who is on the list, by whichever id or address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.e2e.events import Event, anonymous, identify, page, track
from tests.e2e.harness import Machine, Result

SUP = "sup@case.example"
OTHER = "kim@north.example"


def config(machine: Machine, text: str | bytes) -> str:
    """A settings file with this suppression list."""
    machine.write("suppressed.txt", text)
    return '[filter]\nsuppress_file = "suppressed.txt"\n'


def met(result: Result) -> tuple[int, int]:
    found = result.summary["suppression"]
    return found["entries"], found["met"]


EVENTS: list[dict[str, Any]] = [
    identify(
        "77", email=SUP, firstName="S", company={"name": "Sup BV"}, deal={"name": "Pilot", "amount": 5}, fsContact=True
    ),
    track("77", "Visited"),
    page("77", "Home"),
    identify("78", email="SUP@case.example", title="CEO"),
    identify(SUP, title="CTO"),
    track(SUP.upper(), "Visited"),
    track("nobody-known", "Visited", context={"traits": {"email": SUP}}),
]


@pytest.mark.parametrize(
    "listed", [SUP, "77", "78", "SUP@Case.Example", f'"{SUP}"', f"\ufeff{SUP}", f"{SUP},2024-01-02,bounced"]
)
@pytest.mark.parametrize("shuffled", [False, True])
def test_in_one_run_whichever_of_the_ids_the_list_names(machine: Machine, listed: str, *, shuffled: bool) -> None:
    events = [*(EVENTS[::-1] if shuffled else EVENTS), identify(OTHER, lastName="Vos")]

    result = machine.imports(events=events, config=config(machine, listed))

    assert (result.outcomes, result.reasons) == ({"applied": 1, "skipped": 7}, {"suppressed": 7})
    assert met(result) == (1, 1)
    found = machine.account.records()
    assert [row["email"] for kind in ("leads", "contacts") for row in found[kind]] == [OTHER]
    assert not (found["deals"] or found["sales_accounts"] or found["sales_activities"])


@pytest.mark.parametrize("listed", [SUP, "77"])
def test_through_the_ledger(machine: Machine, listed: str) -> None:
    machine.imports(events=[identify("77", email=SUP, lastName="S"), identify(OTHER, lastName="Vos")])
    writes = machine.account.writes
    list_ = config(machine, f"{listed}\nnobody@else.example")

    result = machine.imports(events=[track("77", "Seen"), page("77", "Home"), identify(SUP, title="CEO")], config=list_)

    assert (result.outcomes, result.reasons) == ({"skipped": 3}, {"suppressed": 3})
    assert met(result) == (2, 1)
    assert machine.account.writes == writes


def test_former_addresses_of_earlier_runs_count(machine: Machine) -> None:
    machine.imports(events=[identify("77", email=SUP, lastName="S")])
    machine.imports(events=[identify("77", email="new@case.example")])
    writes = machine.account.writes

    result = machine.imports(
        events=[track("77", "Seen"), identify("new@case.example", title="CEO")], config=config(machine, SUP)
    )

    assert (result.outcomes, result.reasons) == ({"skipped": 2}, {"suppressed": 2})
    assert machine.account.writes == writes


@pytest.mark.parametrize("event", [identify("77", email="new@case.example", title="CEO"), track("77", "Seen")])
def test_former_addresses_that_one_earlier_run_was_told_count(machine: Machine, event: Event) -> None:
    machine.imports(events=[identify("77", email=SUP, lastName="S"), identify("77", email="new@case.example")])
    writes = machine.account.writes
    assert machine.imports(events=[event], config=config(machine, SUP)).reasons == {"suppressed": 1}
    assert machine.account.writes == writes


def test_former_addresses_in_one_run_count(machine: Machine) -> None:
    events = [identify("77", email=SUP, lastName="S"), identify("77", email="new@case.example"), track("77", "Seen")]
    result = machine.imports(events=events, config=config(machine, SUP))
    assert result.reasons == {"suppressed": 3}
    assert machine.account.writes == 0


def test_what_a_filter_leaves_out_ties_a_person_together_all_the_same(machine: Machine) -> None:
    events = [identify("77", email=SUP, lastName="S"), track("77", "Seen")]
    result = machine.imports("--only", "track", events=events, config=config(machine, SUP))
    assert result.reasons == {"suppressed": 2}


def test_a_guest_on_the_list_takes_nobody_along(machine: Machine) -> None:
    events = [identify(OTHER, lastName="Vos"), track(OTHER, "Invited", {"email": SUP}), track(OTHER, "Seen")]
    result = machine.imports(events=events, config=config(machine, SUP))
    assert result.outcomes == {"applied": 2, "skipped": 1}


def test_a_second_address_in_freshsales_counts(machine: Machine) -> None:
    if machine.account.edition == "suite":
        machine.account.make("contacts", emails=OTHER, last_name="Vos")
        machine.imports(events=[identify("77", email=OTHER, lastName="Vos")])
        machine.imports(events=[identify("77", email=SUP)])
        machine.state.rename(machine.home / "lost")
        before = machine.account.state()
        result = machine.imports(events=[identify(SUP, title="CEO")], config=config(machine, OTHER))
        assert result.reasons == {"suppressed": 1}
        assert machine.account.state() == before


def test_stitched_events_of_who_is_suppressed(machine: Machine) -> None:
    events = [anonymous("a-1", "Visited"), identify("77", email=SUP, lastName="S", envelope={"anonymousId": "a-1"})]
    machine.imports(events=[identify("77", email=SUP, lastName="S")])
    writes = machine.account.writes
    result = machine.imports("--stitch-anonymous", events=events, config=config(machine, "77"))
    assert "applied" not in result.outcomes
    assert machine.account.writes == writes


def test_apply_and_resume_and_retry_go_by_the_list_as_it_is_then(machine: Machine) -> None:
    list_ = config(machine, "")
    events = [identify("77", email=SUP, lastName="S"), track("77", "Seen"), identify(OTHER, lastName="Vos")]
    dry = machine.dry_runs(events=events, config=list_)
    assert dry.outcomes == {"applied": 3}

    machine.write("suppressed.txt", SUP)
    result = machine.run("apply")

    assert result.outcomes == {"applied": 1, "skipped": 2}
    assert result.reasons == {"suppressed": 2}
    assert [row["email"] for kind in ("leads", "contacts") for row in machine.account.records()[kind]] == [OTHER]


def test_a_resumed_import_goes_by_the_list_as_it_is_then(machine: Machine) -> None:
    list_ = config(machine, "")
    events = [identify(f"u-{n}", email=f"p{n}@case.example", fsContact=True, lastName="P") for n in range(9)]
    events += [track(f"u-{n}", "Seen") for n in range(9)]
    read = machine.dry_runs(events=events, config=list_).summary["requests"]["total"]
    stopped = machine.imports("--max-requests", str(read + 4), events=events, config=list_)
    assert stopped.code == 5
    held = {row["targetable_id"] for row in machine.account.records()["sales_activities"]}

    machine.write("suppressed.txt", "".join(f"u-{n}\n" for n in range(9)))
    writes = machine.account.writes
    machine.run("resume")

    assert machine.account.writes == writes
    assert {row["targetable_id"] for row in machine.account.records()["sales_activities"]} == held


def test_an_undo_writes_no_values_back_to_who_is_on_the_list(machine: Machine) -> None:
    list_ = config(machine, "")
    resource = "leads" if machine.account.edition == "classic" else "contacts"
    for email in (SUP, OTHER):
        machine.account.make(
            resource, **{"email" if resource == "leads" else "emails": email}, last_name="Old", job_title="Old"
        )
    machine.imports(events=[identify(SUP, title="New"), identify(OTHER, title="New")], config=list_)

    machine.write("suppressed.txt", SUP)
    machine.run("undo", "--yes")

    assert machine.account.one(resource, SUP)["job_title"] == "New"
    assert machine.account.one(resource, OTHER)["job_title"] == "Old"


@pytest.mark.parametrize("text", ["", "\n", "email\n", f'["{SUP}"]'])
def test_a_list_with_nobody_on_it_is_told(classic: Machine, text: str) -> None:
    result = classic.run("dry-run", "--offline", events=[identify(SUP)], config=config(classic, text))
    assert "nobody stands on the suppression list" in result.err
    assert result.outcomes == {"applied": 1}


def test_a_list_that_is_no_text_stops_the_run(classic: Machine) -> None:
    result = classic.run("dry-run", "--offline", events=[identify(SUP)], config=config(classic, b"\x1f\x8b\xff"))
    assert (result.code, result.folder) == (2, None)
    assert "it is no text in UTF-8" in result.err


def test_entries_that_can_be_nobody_are_told(machine: Machine, tmp_path: Path) -> None:
    list_ = config(machine, f'email,reason\n{SUP},x\n"a""b",x\nmailto:x@case.example\n\n , \n')
    result = machine.imports(
        events=[identify(SUP, lastName="S"), identify("x@case.example", lastName="X")], config=list_
    )
    assert result.reasons == {"suppressed": 2}
    assert met(result) == (2, 2)
    assert "suppressed.txt line 3" in result.err
    assert "2 entries" in result.out + result.err
    assert orjson.loads(machine.run("report", "--format", "json").out)["suppression"] == {"entries": 2, "met": 2}

"""Which plan `apply` takes, and what it does with one that other runs have overtaken."""

from __future__ import annotations

import pytest

from fsseg.state.run_folder import RunState
from tests.between.runs import done, info_of, newest, planned, rows
from tests.e2e.events import Event, identify, track
from tests.e2e.harness import Machine
from tests.faults.process import Ended

KIM, SAM = "kim@x.example", "sam@x.example"


def events() -> list[Event]:
    return [identify(KIM, lastName="Vos", title="CEO"), identify("7", email=SAM, lastName="Os"), track(KIM, "Did")]


def counted(machine: Machine) -> dict[str, int]:
    return {kind: len(rows) for kind, rows in machine.account.records().items() if rows}


def advice(ended: Ended) -> list[str]:
    """The commands that it names."""
    words = (ended.out + ended.err).split("fsseg ")[1:]
    return [word.split()[0] for word in words]


def unwritten(machine: Machine, *args: str, code: int) -> Ended:
    """The command, which writes nothing."""
    before = machine.account.writes, machine.account.state()
    ended = done(machine, *args, code=code)
    assert (machine.account.writes, machine.account.state()) == before
    return ended


def test_a_bare_apply_after_another_takes_no_plan_that_was_superseded(machine: Machine) -> None:
    older = planned(machine, events())
    later = planned(machine, [*events(), identify("lee@x.example", lastName="Lee")])
    first = done(machine, "apply")
    assert f"applying {later}" in first.err
    assert older not in first.err

    second = unwritten(machine, "apply", code=2)

    assert "there is no dry run to apply" in second.err
    assert (info_of(machine, older).state, info_of(machine, older).by) == (RunState.SUPERSEDED, later)


def test_a_bare_apply_takes_no_plan_whose_files_were_imported_since(machine: Machine) -> None:
    run = planned(machine, events())
    done(machine, "import", str(machine.home / "planned.jsonl"))

    unwritten(machine, "apply", code=2)

    assert (info_of(machine, run).state, info_of(machine, run).by) == (RunState.SUPERSEDED, newest(machine))


def test_bare_applies_take_plans_of_other_files_one_after_the_other_and_name_each(machine: Machine) -> None:
    first = planned(machine, [identify(KIM, lastName="Vos")], "first.jsonl")
    second = planned(machine, [identify(SAM, lastName="Os")], "second.jsonl")
    for run in (second, first):
        assert f"applying {run}" in done(machine, "apply").err
        assert info_of(machine, run).state is RunState.APPLIED
    assert counted(machine) == {"leads" if machine.account.edition == "classic" else "contacts": 2}


def test_a_named_plan_whose_events_were_all_delivered_since_is_done_with_nothing_written(machine: Machine) -> None:
    run = planned(machine, events())
    done(machine, "import", str(machine.home / "planned.jsonl"))

    ended = unwritten(machine, "apply", run, code=0)

    assert f"applying {run}" in ended.err
    assert not {"retry", "resume", "import", "apply"} & set(advice(ended)), ended.out
    assert "conflict" not in ended.out + ended.err
    assert "retry" not in unwritten(machine, "retry", newest(machine), code=0).out


def test_so_it_is_with_a_plan_of_people_who_were_there(machine: Machine) -> None:
    resource = "leads" if machine.account.edition == "classic" else "contacts"
    machine.account.seed(**{resource: [{"email": KIM, "last_name": "Vos", "job_title": "Dev"}]})
    run = planned(machine, [identify(KIM, title="CEO"), track(KIM, "Did"), track(KIM, "Did more")])
    done(machine, "import", str(machine.home / "planned.jsonl"))

    ended = unwritten(machine, "apply", run, "--json", code=0)

    assert ended.outcomes == {"skipped": 2, "unchanged": 1}
    assert len(machine.account.timeline(KIM)) == 2


def test_of_a_named_plan_only_what_was_not_delivered_since_is_pushed(machine: Machine) -> None:
    all_of_it = events()
    run = planned(machine, all_of_it)
    done(machine, "import", machine.write("part.jsonl", all_of_it[:1]))

    ended = done(machine, "apply", run, "--json")

    assert ended.outcomes == {"unchanged": 1, "applied": 2}
    leads = machine.account.people("leads", KIM) + machine.account.people("contacts", KIM)
    assert (len(leads), len(machine.account.timeline(KIM))) == (1, 1)


def test_a_plan_that_was_applied_or_is_unknown_is_refused_by_name(classic: Machine) -> None:
    run = planned(classic, events())
    done(classic, "apply")
    applying = newest(classic)
    assert f"by run {applying}" in unwritten(classic, "apply", run, code=2).err
    assert "no run" in unwritten(classic, "apply", "2001", code=2).err
    assert "applied" in unwritten(classic, "apply", applying, code=2).err


def test_a_dry_run_with_nothing_to_apply_is_no_plan(classic: Machine) -> None:
    done(classic, "import", classic.write("events.jsonl", events()))
    done(classic, "dry-run", str(classic.home / "events.jsonl"))
    assert info_of(classic, newest(classic)).state is RunState.DONE
    unwritten(classic, "apply", code=2)


@pytest.mark.parametrize("command", ["resume", "retry", "undo --yes"])
def test_a_dry_run_is_pushed_by_nothing_else(classic: Machine, command: str) -> None:
    run = planned(classic, events())
    word, *flags = command.split()
    assert f"nothing to {word}" in unwritten(classic, word, *flags, run, code=0).err
    assert f"nothing to {word}" in unwritten(classic, word, *flags, code=0).err
    assert rows(classic, run, "SELECT count(*) FROM record WHERE status != 'planned'") == [(0,)]

"""One person in several spellings of the same e-mail, in several runs."""

from __future__ import annotations

import pytest

from tests.between_runs.runs import Event, did, entries, imports, person
from tests.e2e.harness import Machine, Row

SPELLINGS = {
    "capitals first": ("ÄDA@x.example", "äda@x.example"),
    "small letters first": ("äda@x.example", "ÄDA@X.EXAMPLE"),
    "another script": ("ΆΔΑ@x.example", "άδα@x.example"),
}


def people(machine: Machine) -> list[Row]:
    records = machine.account.records()
    return [row for kind in ("leads", "contacts") for row in records.get(kind, ())]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_two_spellings_in_two_runs_are_one_person(machine: Machine, spelling: str) -> None:
    first, second = SPELLINGS[spelling]
    imports(
        machine,
        [person(first, "2024-05-02", title="CEO"), did(first, "2024-05-03")],
        [person(second, "2024-05-01", title="Intern", phone="+31 1"), did(second, "2024-05-04")],
    )
    (found,) = people(machine)
    assert (found["job_title"], found["work_number"]) == ("CEO", "+31 1")
    assert len(entries(machine.account)) == 2


def test_an_offline_dry_run_knows_who_it_is(machine: Machine) -> None:
    imports(machine, [person("ÄDA@x.example", "2024-05-01", title="CEO")])
    (row,) = machine.dry_runs("--offline", events=[person("äda@x.example", "2024-05-03", title="Chair")]).changes
    assert (row["action"], row["entity"]) == ("update", "lead" if machine.account.edition == "classic" else "contact")


def test_an_entry_of_another_spelling_finds_its_person_in_an_offline_dry_run(machine: Machine) -> None:
    imports(machine, [person("ÄDA@x.example", "2024-05-01")])
    done = machine.dry_runs("--offline", events=[did("äda@x.example", "2024-05-02")])
    assert done.outcomes == {"applied": 1}


def test_a_database_id_and_two_spellings_of_its_e_mail_are_one(machine: Machine) -> None:
    def named(email: str, time: str, **more: str) -> list[Event]:
        return [person("db-1", time, email=email, **more)]

    imports(machine, named("ÄDA@x.example", "2024-05-01", title="CEO"), named("äda@x.example", "2024-05-02", phone="1"))
    assert len(people(machine)) == 1
    imports(machine, [did("db-1", "2024-05-03")])
    assert len(entries(machine.account)) == 1


def test_the_other_spelling_s_run_can_be_undone_and_imported_anew(machine: Machine) -> None:
    first, second = (
        [person("ÄDA@x.example", "2024-05-01", title="CEO")],
        [person("äda@x.example", "2024-05-02", phone="1")],
    )
    imports(machine, first, second)
    state = machine.account.state()
    assert machine.run("undo", "--yes").code == 0
    imports(machine, second)
    assert machine.account.state() == state


def test_an_entry_by_an_address_that_somebody_had_before_is_theirs(machine: Machine) -> None:
    """So it is where the address moves in a later import, too."""
    moved = [person("db-1", "2024-05-01", email="Old@x.example"), person("db-1", "2024-06-01", email="new@x.example")]
    seen = [did("old@x.example", "2024-05-02"), did("nobody@x.example", "2024-05-02")]
    result = machine.imports(events=[*seen, *moved])
    assert result.outcomes == {"applied": 3, "rejected": 1}
    assert [row["title"] for row in machine.account.timeline("new@x.example")] == ["Did it"]
    assert len(people(machine)) == 1


def test_an_entry_by_an_address_that_two_had_before_is_nobody_s(classic: Machine) -> None:
    moved = [
        person(id, time, email=email)
        for id in ("db-1", "db-2")
        for time, email in (("2024-05-01", "old@x.example"), ("2024-06-01", f"{id}@x.example"))
    ]
    result = classic.imports(events=[*moved, did("old@x.example", "2024-05-02")])
    assert result.outcomes == {"applied": 4, "rejected": 1}
    assert entries(classic.account) == []

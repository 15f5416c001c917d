"""Whatever is said of an account calls it by its host, and a run is never taken for one of another account."""

from __future__ import annotations

import pytest

from fsseg.cli.connect import locked
from fsseg.state.run_folder import Run, new_run
from tests.between_runs.runs import PEOPLE, run_of
from tests.e2e.harness import Machine

CLASSIC, SUITE = "acme.freshsales.io", "acme.myfreshworks.com"
EDITION = {CLASSIC: "classic", SUITE: "suite"}
NOBODY = dict.fromkeys(("FSSEG_BASE_URL", "FSSEG_DOMAIN", "FSSEG_EDITION"))


def host_of(machine: Machine) -> str:
    return machine.account.sandbox.origin.removeprefix("http://")


def of_acme(machine: Machine, host: str, **freshsales: str) -> Run:
    """A run of this account that could be resumed; nothing but flags names an account from now on."""
    machine.environment.update(NOBODY)
    named = freshsales or {"domain": "acme", "edition": EDITION[host]}
    return new_run(
        machine.state / host, account=host, edition=EDITION[host], command="import", settings={"freshsales": named}
    )


@pytest.mark.parametrize(
    "command", [["import", "events.jsonl"], ["resume"], ["runs", "prune", "--all", "--yes", "--older-than", "1s"]]
)
def test_a_lock_is_told_with_the_host_of_its_account(classic: Machine, command: list[str]) -> None:
    classic.write("events.jsonl", PEOPLE)
    run = run_of(classic.spawn("import", "events.jsonl", "--max-requests", "1"))
    stopped = next(classic.state.glob("*/runs/*"))
    Run(stopped).note(started_at="2024-01-01T00:00:00.000000Z", finished_at="2024-01-01T00:00:00.000000Z")
    with locked(stopped.parent.parent, run):
        done = classic.spawn(*command)
    assert done.code == 7
    assert f"run {run} of {host_of(classic)} is under way" in done.err


@pytest.mark.parametrize("verb", ["resume", "retry", "undo"])
def test_where_nothing_is_left_the_account_that_was_looked_at_is_told(classic: Machine, verb: str) -> None:
    assert classic.spawn(verb).err.strip() == f"nothing to {verb} for {host_of(classic)}"
    classic.environment.update(NOBODY)
    assert classic.spawn(verb).err.strip() == f"nothing to {verb} for any account"
    assert classic.spawn(verb, "--sandbox").err.strip() == f"nothing to {verb} for sandbox-classic"
    assert classic.spawn(verb, "--domain", SUITE).err.strip() == f"nothing to {verb} for {SUITE}"
    assert classic.spawn(verb, "--domain", "acme").err.strip() == f"nothing to {verb} for {CLASSIC} or {SUITE}"


@pytest.mark.parametrize("verb", ["resume", "retry", "undo", "apply"])
@pytest.mark.parametrize("begun_as", ["import", "dry-run"])
def test_a_run_of_another_account_is_refused_even_where_nothing_is_left_of_it(
    machine: Machine, begun_as: str, verb: str
) -> None:
    run = run_of(machine.spawn(begun_as, events=PEOPLE))
    machine.environment.update(NOBODY)
    done = machine.spawn(verb, run, "--domain", "other", "--edition", machine.account.edition)
    assert (done.code, done.out) == (2, ""), done.err
    assert f"run {run} belongs to {host_of(machine)}" in done.err
    assert "other.freshsales.io" in done.err or "other.myfreshworks.com" in done.err


@pytest.mark.parametrize("host", EDITION)
@pytest.mark.parametrize("named", [{}, {"domain": "{host}"}])
def test_a_bare_name_is_that_of_the_account_that_has_something_to_resume(
    classic: Machine, host: str, named: dict[str, str]
) -> None:
    run = of_acme(classic, host, **{key: value.format(host=host) for key, value in named.items()})
    with locked(classic.state / host, "2024-01-01-000000-aa"):  # so that nothing goes out to an account of that name
        for command in (["resume"], ["resume", run.id]):
            done = classic.spawn(*command, "--domain", "acme")
            assert done.code == 7, done.err
            assert f"of {host} is under way" in done.err


def test_a_bare_name_that_may_be_either_account_is_refused(classic: Machine) -> None:
    runs = [of_acme(classic, host) for host in EDITION]
    with locked(classic.state / CLASSIC), locked(classic.state / SUITE):
        done = classic.spawn("resume", "--domain", "acme")
    assert (done.code, done.out) == (2, "")
    assert all(told in done.err for told in (CLASSIC, SUITE, "--edition", *(run.id for run in runs)))
    for host, edition in EDITION.items():
        with locked(classic.state / host, "2024-01-01-000000-aa"):
            done = classic.spawn("resume", "--domain", "acme", "--edition", edition)
        assert f"of {host} is under way" in done.err

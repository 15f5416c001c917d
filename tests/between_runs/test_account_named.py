"""Whatever is said of an account calls it by its host, and a run is never taken for one of another account."""

from __future__ import annotations

import re
from pathlib import Path

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


def test_a_domain_that_is_typed_names_another_account_than_the_environment(classic: Machine) -> None:
    """Nothing goes to the address that stands in the environment."""
    path = classic.write("events.jsonl", PEOPLE)
    run = run_of(classic.imports(path))
    classic.account.forget()
    for command in (["import", path], ["undo", run, "--dry-run"], ["undo", "--yes"]):
        done = classic.run(*command, "--domain", "no-such-account.invalid", "--edition", "classic", "--max-time", "1s")
        assert classic.account.requests == 0, done.out + done.err
        assert done.code != 0 or "nothing to undo for no-such-account.invalid" in done.err


def test_a_domain_in_the_environment_names_another_account_than_the_settings_file(classic: Machine) -> None:
    address = classic.account.sandbox.base_url
    config = classic.write("settings.toml", f'[freshsales]\nbase_url = "{address}"\nedition = "classic"\n')
    classic.environment |= {"FSSEG_BASE_URL": None, "FSSEG_DOMAIN": "no-such-account.invalid"}
    classic.run("dry-run", classic.write("e.jsonl", PEOPLE), "--config", config, "--max-time", "1s")
    assert classic.account.requests == 0


@pytest.mark.parametrize("command", [["resume"], ["undo", "--yes"], ["apply"], ["retry"], ["runs", "show"]])
def test_latest_is_of_the_account_that_is_named(classic: Machine, command: list[str]) -> None:
    classic.imports(events=PEOPLE)
    classic.account.forget()
    verb, *flags = command
    args = [verb, "show", "latest"] if verb == "runs" else [verb, "latest", *flags]
    classic.environment |= {"FSSEG_BASE_URL": None, "FSSEG_EDITION": None}
    done = classic.run(*args, "--domain", "other.myfreshworks.com")
    assert classic.account.requests == 0
    assert "127.0.0.1" not in done.out + done.err


def test_two_editions_at_one_address_are_not_one_account(classic: Machine) -> None:
    classic.imports(events=PEOPLE)
    classic.account.forget()
    done = classic.run("import", classic.write("e.jsonl", PEOPLE), "--edition", "suite")
    assert done.code == 2
    assert "classic account in run" in done.err and "--state-dir" in done.err
    assert classic.account.requests == 0


def test_a_folder_of_before_paths_named_accounts_is_not_left_behind(classic: Machine) -> None:
    """Without its ledger everything would be sent twice."""
    classic.imports(events=PEOPLE)
    classic.environment["FSSEG_BASE_URL"] = classic.account.sandbox.origin + "/gateway"
    done = classic.run("import", classic.write("e.jsonl", PEOPLE))
    assert done.code == 2
    (new,) = re.findall(r"make the folder (\S+)", done.err)
    assert f"rename it to {new}" in done.err
    Path(new).mkdir()
    assert "404" in classic.run("import", classic.write("e.jsonl", PEOPLE)).err, "nobody is at that path"


@pytest.mark.parametrize("args", [["runs", "--domain", "other", "list"], ["runs", "list", "--domain", "other"]])
def test_runs_are_listed_of_the_account_that_is_typed(classic: Machine, args: list[str]) -> None:
    run = run_of(classic.imports(events=PEOPLE))
    assert run in classic.run("runs", "list").out
    assert run not in classic.run(*args, "--edition", "suite").out


@pytest.mark.parametrize("verb", ["undo", "resume"])
def test_whether_the_account_can_be_reached_at_all_comes_before_any_question(classic: Machine, verb: str) -> None:
    run = of_acme(classic, CLASSIC)
    run.note(command="undo" if verb == "resume" else "import")
    asked = classic.run(verb, run.id)
    assert (asked.code, "there is nobody to ask here\nhint: give --yes" in asked.err) == (2, True)
    classic.environment["FSSEG_API_TOKEN"] = None
    assert classic.run(verb, run.id).err.startswith("error: no API token")

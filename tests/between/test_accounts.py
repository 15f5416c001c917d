"""A run belongs to one account: whatever else is named, it is never sent to another."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest

from fsseg.state.run_folder import new_run
from tests.between.left import Commands, Copied
from tests.between.refusing import coded, refusing
from tests.between.runs import contents, done, folder_of, newest, planned, stopped
from tests.e2e.harness import Account, Machine

Named = Callable[[Machine, str, str], list[str]]
"""Lets a machine name an account, by its address and its host; the flags that it takes."""

NOBODY: dict[str, str | None] = {"FSSEG_BASE_URL": None, "FSSEG_DOMAIN": None, "FSSEG_EDITION": None}


@pytest.fixture
def commands(machine: Machine, left: Copied) -> Commands:
    """What goes on from the runs that `machine` has a copy of; nothing names an account."""
    machine.environment.update(NOBODY)
    return left(machine)


def by_environment(machine: Machine, address: str, host: str) -> list[str]:
    machine.environment |= {"FSSEG_BASE_URL": address, "FSSEG_EDITION": machine.account.edition}
    return []


def by_domain_in_the_environment(machine: Machine, address: str, host: str) -> list[str]:
    machine.environment["FSSEG_DOMAIN"] = host
    return []


def by_flag(machine: Machine, address: str, host: str) -> list[str]:
    return ["--base-url", address]


def by_domain_flag(machine: Machine, address: str, host: str) -> list[str]:
    return ["--domain", host, "--edition", machine.account.edition]


def by_the_settings_file(machine: Machine, address: str, host: str) -> list[str]:
    machine.write("fsseg.toml", f'[freshsales]\nbase_url = "{address}"\n')
    return []


def by_another_settings_file(machine: Machine, address: str, host: str) -> list[str]:
    return ["--config", machine.write("settings.toml", f'[freshsales]\ndomain = "{host}"\n')]


NAMED = [
    by_environment, by_domain_in_the_environment, by_flag, by_domain_flag, by_the_settings_file,
    by_another_settings_file,
]  # fmt: skip


def host_of(account: Account) -> str:
    return account.sandbox.origin.removeprefix("http://")


def refused(machine: Machine, command: list[str], *told: str, seen: tuple[Account, ...]) -> None:
    """It ends with 2 and tells so much, asks nobody anything, and leaves nothing behind."""
    before = contents(machine.state), [account.requests for account in seen]
    ended = done(machine, *command, code=2)
    assert all(text in ended.err for text in told), ended.err
    assert ended.out == ""
    assert (contents(machine.state), [account.requests for account in seen]) == before


@pytest.mark.usefixtures("here_is_home")
@pytest.mark.parametrize("named", NAMED)
def test_a_run_is_not_sent_to_another_account_however_that_is_named(
    machine: Machine, other: Account, commands: Commands, named: Named
) -> None:
    flags = named(machine, other.sandbox.base_url, host_of(other))
    for command in commands:
        told = command[1], host_of(machine.account), host_of(other)
        refused(machine, [*command, *flags], *told, seen=(machine.account, other))


def test_without_a_run_nothing_of_another_account_is_taken(
    machine: Machine, other: Account, commands: Commands
) -> None:
    by_environment(machine, other.sandbox.base_url, host_of(other))
    before = contents(machine.state), machine.account.requests, other.requests
    for command, _, *flags in commands:
        ended = done(machine, command, *flags, code=2 if command == "apply" else 0)
        assert "there is no" in ended.err or "nothing to" in ended.err
    assert (contents(machine.state), machine.account.requests, other.requests) == before


def test_a_run_is_not_sent_to_the_other_edition_of_its_host(machine: Machine, commands: Commands) -> None:
    edition = "suite" if machine.account.edition == "classic" else "classic"
    for address in (["--base-url", machine.account.sandbox.base_url], []):
        for command in commands:
            told = machine.account.edition, edition
            refused(machine, [*command, *address, "--edition", edition], *told, seen=(machine.account,))


def test_without_an_account_named_a_runs_own_is_used(machine: Machine) -> None:
    refusing(machine.account, "A")
    done(machine, "import", machine.write("failing.jsonl", coded("failing", "A", "B")), code=1)
    failing, dry = newest(machine), planned(machine, coded("dry", "C", "D"))
    half = stopped(machine, coded("half", "E", "F"), 1)
    machine.environment.update(NOBODY)
    done(machine, "apply", dry)
    done(machine, "resume", half)
    done(machine, "retry", failing, code=1)
    done(machine, "undo", failing, "--yes", "--delete-created")
    emails = {contact["email"] for contact in machine.account.records()["contacts"]}
    assert emails == {
        "A-taken@x.example",
        *(f"{name}{number}@x.example" for name in ("dry", "half") for number in (0, 1)),
    }


def begun(machine: Machine, host: str, edition: str) -> list[str]:
    """The command that would go on from a run of this account, in which nothing has failed."""
    settings, folder = {"freshsales": {"edition": edition}}, machine.state / host.replace(":", "_")
    run = new_run(folder, account=host, edition=edition, command="import", settings=settings)
    machine.environment.update(NOBODY)
    return ["retry", run.id]


def test_the_same_account_in_other_words_is_the_same(machine: Machine) -> None:
    retry = begun(machine, host_of(machine.account), machine.account.edition)
    address = machine.account.sandbox.base_url
    for words in (f"{address}/", f"{address}/api/", address.replace("http", "HTTP"), f" {address}// "):
        assert "nothing to retry" in done(machine, *retry, "--base-url", words).err
    for words in (host_of(machine.account), address):
        assert "nothing to retry" in done(machine, *retry, "--domain", words).err


ACME = {
    "classic": ["acme", "ACME", "Acme.Freshsales.io", "https://acme.freshsales.io", "HTTPS://ACME.FRESHSALES.IO:443/api/"],
    "suite": ["ACME.myfreshworks.com", "https://acme.myfreshworks.com/crm/sales/", "acme.myfreshworks.com/crm/sales/api"],
}  # fmt: skip
HOST = {"classic": "acme.freshsales.io", "suite": "acme.myfreshworks.com"}


@pytest.mark.parametrize("edition", ACME)
def test_a_domain_in_other_words_is_the_same(classic: Machine, edition: str) -> None:
    retry = begun(classic, HOST[edition], edition)
    for words in ACME[edition]:
        assert "nothing to retry" in done(classic, *retry, "--domain", words).err
    for words in ("acme2", "acme.example", HOST["suite" if edition == "classic" else "classic"]):
        assert HOST[edition] in done(classic, *retry, "--domain", words, code=2).err


def test_what_the_plan_says_of_its_account_counts_and_not_where_the_run_lies(
    machine: Machine, other: Account, commands: Commands
) -> None:
    """Somebody who has moved the run to the folder of another account, and made its own notes fit."""
    for command in commands:
        path = folder_of(machine, command[1]) / "run.json"
        said = orjson.loads(path.read_bytes())
        said["account"] = host_of(other)
        said["settings"]["freshsales"]["base_url"] = other.sandbox.base_url
        path.write_bytes(orjson.dumps(said))
    before = machine.account.requests, other.writes
    notes = {path: path.read_bytes() for path in machine.state.glob("*/runs/*/run.json")}
    for command in commands:
        ended = done(machine, *command, code=2)
        assert host_of(machine.account) in ended.err, ended.err
        assert {path: path.read_bytes() for path in machine.state.glob("*/runs/*/run.json")} == notes, command
    assert (machine.account.requests, other.writes) == before


@pytest.mark.usefixtures("here_is_home")
def test_the_embedded_freshsales_is_an_account_like_any_other(classic: Machine) -> None:
    run = planned(classic, coded("real", "A"))
    refused(classic, ["apply", run, "--sandbox"], "sandbox-classic", host_of(classic.account), seen=(classic.account,))
    local = Machine(classic.account, classic.home, environment=dict(NOBODY))
    done(local, "dry-run", "--sandbox", local.write("local.jsonl", coded("local", "A")))
    run = newest(local)
    for named in (by_environment, by_domain_in_the_environment, by_the_settings_file):
        flags = named(classic, classic.account.sandbox.base_url, host_of(classic.account))
        refused(classic, ["apply", run, *flags], "sandbox-classic", host_of(classic.account), seen=(classic.account,))
    (classic.home / "fsseg.toml").unlink()
    refused(local, ["apply", run, "--sandbox", "--edition", "suite"], "sandbox-classic", "sandbox-suite", seen=())
    before = classic.account.requests
    assert "sandbox-classic" in done(local, "apply", run).out
    assert classic.account.requests == before

"""What a probe can't delete, or has perhaps made, stays known until it is gone."""

from __future__ import annotations

import pytest

from fsseg.sandbox import Fault
from tests.e2e.harness import Machine

pytestmark = pytest.mark.usefixtures("fast")


def is_left(machine: Machine) -> bool:
    return any(machine.account.records().values())


def test_what_could_not_be_deleted_is_named_and_deleted_by_the_next_or_by_hand(suite: Machine) -> None:
    account = suite.account
    account.faults(Fault("error", method="DELETE", path="/contacts/"))
    for number in (1, 2):
        done = suite.run("check", "--probe")
        contacts = account.records()["contacts"]
        assert (done.code, len(contacts)) == (1, number)
        assert all(str(row["id"]) in done.out + done.err for row in contacts)
    told = suite.run("check")
    assert (told.code, [str(row["id"]) in told.out for row in contacts]) == (1, [True, True])
    account.faults()
    account.delete("contacts", contacts[0]["id"])
    assert str(contacts[0]["id"]) not in suite.run("check").out
    assert (suite.run("check", "--probe").code, is_left(suite)) == (0, False)
    assert "probe records" not in suite.run("check").out


def test_what_was_sent_by_a_killed_probe_and_never_made_is_given_up(suite: Machine) -> None:
    assert suite.run("check", "--probe").code == 0
    (folder,) = (path.parent for path in suite.state.glob("*/behaviour.json"))
    (folder / "probe.json").write_text('{"0123456789ab": {"contact": null, "deal": null}}')
    told = suite.run("check")
    assert (told.code, "0123456789ab" in told.out) == (1, True)
    done = suite.run("check", "--probe")
    assert (done.code, is_left(suite), (folder / "probe.json").exists()) == (0, False, False), done.out
    assert suite.run("check").code == 0

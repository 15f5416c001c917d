"""What the machine remembers of what it delivered: offline plans, fields that can't be read, and files that are done."""

from __future__ import annotations

import os
from typing import Any

import pytest

from fsseg.sandbox import Fault
from tests.e2e import stranger
from tests.e2e.events import Event, identify, track
from tests.e2e.harness import Machine, Result
from tests.e2e.stranger import Exchange

KIM, SAM = "kim@north.example", "sam@north.example"
ACME = {"name": "Acme", "city": "Oslo"}
DEAL = {"name": "Pilot", "amount": 100}


def offline(machine: Machine, *events: Event) -> Result:
    """A dry run without a connection; which sends nothing."""
    before = machine.account.requests
    result = machine.run("dry-run", "--offline", events=events)
    assert machine.account.requests == before
    assert result.code == 0, result.err
    return result


def actions(result: Result) -> dict[tuple[str, str], str]:
    return {(row["entity"], row["key"]): row["action"] for row in result.changes}


def action_of(result: Result, key: str) -> str:
    (action,) = [action for (_, name), action in actions(result).items() if name == key]
    return action


def test_offline_only_what_differs_from_the_last_delivery_is_to_be_written(machine: Machine) -> None:
    machine.imports(events=[identify(KIM, title="CEO"), identify("7", email=SAM, title="CEO")])

    result = offline(
        machine,
        identify(KIM, title="CEO"),
        identify("7", email=SAM, title="CTO"),
        identify("lee@x.example", title="VP"),
    )

    assert result.outcomes == {"applied": 2, "unchanged": 1}
    assert [action_of(result, key) for key in (KIM, SAM, "lee@x.example")] == ["unchanged", "update", "create"]
    assert "1 to create, 1 to update, 1 unchanged" in result.out


def test_offline_the_before_of_an_update_is_not_made_up(classic: Machine) -> None:
    classic.imports(events=[identify(KIM, title="CEO", phone="1")])

    result = offline(classic, identify(KIM, title="CTO", phone=None))

    assert result.change("lead", KIM)["fields"] == {"job_title": {"after": "CTO"}, "work_number": {"after": None}}
    assert "(not read) → CTO" in result.out
    assert "(not read) → (cleared)" in result.out
    assert "not with what Freshsales holds" in result.err


def test_offline_accounts_and_deals_are_compared_too(machine: Machine) -> None:
    known = {"fsContact": True, "company": ACME, "deal": DEAL}
    machine.imports(events=[identify(KIM, known)])

    again = offline(machine, identify(KIM, known))
    other = offline(
        machine, identify(KIM, fsContact=True, company={**ACME, "city": "Bergen"}, deal={**DEAL, "amount": 200})
    )
    new = offline(machine, identify(KIM, fsContact=True, company={"name": "North"}, deal={**DEAL, "name": "Renewal"}))

    assert set(actions(again).values()) == {"unchanged"}
    assert [actions(other)[key] for key in (("account", "Acme"), ("deal", "Pilot"))] == ["update", "update"]
    assert [actions(new)[key] for key in (("account", "North"), ("deal", "Renewal"))] == ["create", "create"]
    assert actions(new)["contact", KIM] == "update", "the account is to be added"
    assert new.change("contact", KIM)["fields"] == {"sales_accounts": {"after": ["North"]}}


def test_offline_a_person_is_what_freshsales_was_found_to_hold(classic: Machine) -> None:
    classic.account.seed(contacts=[{"email": KIM, "last_name": "Vos"}])
    classic.imports(events=[identify(KIM, title="CEO")])

    assert actions(offline(classic, identify(KIM, title="CEO"), track(KIM, "Visited"))) == {
        ("contact", KIM): "unchanged",
        ("timeline", KIM): "create",
    }


def test_what_was_made_in_bulk_is_known_by_its_email(suite: Machine) -> None:
    people = [f"p{number}@north.example" for number in range(6)]
    suite.imports(events=[identify(email, title="CEO", company=ACME) for email in people])

    result = offline(suite, *(identify(email, title="CEO", company=ACME) for email in [*people, KIM]))

    assert result.actions["contact"] == {"unchanged": 6, "create": 1}


def test_the_last_delivery_counts_whichever_id_it_came_by(machine: Machine) -> None:
    config = '[identity]\nmatch = "email"\n'
    for user, title in (("7", "CEO"), (KIM, "CTO")):
        machine.imports(config=config, events=[identify(user, email=KIM, title=title)])
    for title, action in (("CEO", "update"), ("CTO", "unchanged")):
        result = machine.run("dry-run", "--offline", config=config, events=[identify("7", email=KIM, title=title)])
        assert action_of(result, KIM) == action


@pytest.mark.usefixtures("fast")
def test_what_failed_is_not_taken_for_delivered(machine: Machine) -> None:
    machine.imports(events=[identify(KIM, fsContact=True, title="CEO")])
    machine.account.faults(Fault("error_after", method="PUT"))
    assert machine.imports(events=[identify(KIM, fsContact=True, title="CTO")]).outcomes == {"failed": 1}
    machine.account.faults()

    for title in ("CEO", "CTO"):
        assert action_of(offline(machine, identify(KIM, fsContact=True, title=title)), KIM) == "update"


def test_what_was_undone_is_not_taken_for_delivered(machine: Machine) -> None:
    machine.account.make("contacts", email=KIM, last_name="Vos")
    machine.imports(events=[identify(KIM, title="CEO", company=ACME)])
    first = machine.imports(events=[identify(KIM, title="CTO"), identify(SAM, title="CTO")])
    assert first.folder is not None
    assert machine.run("undo", first.folder.name, "--yes", "--delete-created").code == 0

    result = offline(machine, identify(KIM, title="CTO"), identify(SAM, title="CTO"))

    assert [action_of(result, key) for key in (KIM, SAM)] == ["update", "create"]


@pytest.mark.usefixtures("fast")
def test_a_retry_does_not_bring_back_what_later_runs_have_overwritten(machine: Machine) -> None:
    machine.account.faults(Fault("error", method="POST", path="sales_activities"))
    first = machine.imports(events=[identify(KIM, title="CEO"), track(KIM, "Visited")])
    assert first.outcomes == {"applied": 1, "failed": 1}
    machine.account.faults()
    machine.imports(events=[identify(KIM, title="CTO")])
    assert first.folder is not None
    assert machine.run("retry", first.folder.name).code == 0

    assert action_of(offline(machine, identify(KIM, title="CEO")), KIM) == "update"
    assert action_of(offline(machine, identify(KIM, title="CTO")), KIM) == "unchanged"


def hiding(*names: str) -> stranger.Rewrite:
    """A Freshsales that takes some fields and never gives them back."""

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: strip(inner) for name, inner in value.items() if name not in names}
        return [strip(inner) for inner in value] if isinstance(value, list) else value

    def rewrite(exchange: Exchange) -> None:
        if "/fields" not in exchange.path:
            exchange.answer = strip(exchange.answer)

    return rewrite


def test_a_field_that_cannot_be_read_is_not_sent_again_unless_it_differs(machine: Machine) -> None:
    with stranger.before(machine.account, hiding("job_title")) as server:
        machine.base_url = server.base_url
        machine.imports(events=[identify(KIM, title="CEO", phone="1")])
        sent = len(server.writes)
        assert machine.imports(events=[identify(KIM, title="CEO", phone="1")]).outcomes == {"unchanged": 1}
        assert len(server.writes) == sent
        result = machine.imports(events=[identify(KIM, title="CTO", phone="1")])
        assert result.outcomes == {"applied": 1}
        (cells,) = [row["fields"] for row in result.changes]
        assert cells == {"job_title": {"after": "CTO"}}


def test_a_leads_company_that_cannot_be_read_is_not_sent_again(classic: Machine) -> None:
    with stranger.before(classic.account, hiding("company", "deal")) as server:
        classic.base_url = server.base_url
        classic.imports(events=[identify(KIM, company=ACME, deal=DEAL)])
        sent = len(server.writes)
        assert classic.imports(events=[identify(KIM, company=ACME, deal=DEAL)]).outcomes == {"unchanged": 1}
        assert len(server.writes) == sent


def test_what_freshsales_is_seen_to_hold_counts_more_than_what_was_delivered(machine: Machine) -> None:
    machine.imports(events=[identify(KIM, fsContact=True, title="CEO", company=ACME)])
    contact = machine.account.one("contacts", KIM)
    machine.account.change("contacts", contact["id"], job_title="Owner")
    machine.account.change("sales_accounts", machine.account.one("sales_accounts", "Acme")["id"], city="Rome")

    result = machine.imports(events=[identify(KIM, fsContact=True, title="CEO", company=ACME)])

    assert result.fields("contact", KIM) == {"job_title": ("Owner", "CEO")}
    assert result.fields("account", "Acme") == {"city": ("Rome", "Oslo")}


def imported_by(result: Result) -> list[str | None]:
    return [row.get("imported_by") for row in result.summary["inputs"]]


def test_a_file_that_was_dealt_with_wholly_is_told(machine: Machine) -> None:
    path = machine.write("events.jsonl", [identify(KIM, title="CEO"), {"type": "identify", "userId": "no-email"}])
    first = machine.imports(path)
    assert first.folder is not None and "dealt with" not in first.err
    run = first.folder.name

    second, dry, again = machine.imports(path), machine.dry_runs(path), machine.imports(path, "--again")

    said = f"{path} was dealt with wholly by run {run}: what was delivered is skipped (--again compares it once more)"
    assert said in second.err and said in dry.err
    assert imported_by(second) == imported_by(dry) == [run]
    assert second.outcomes == {"skipped": 1, "rejected": 1}
    assert "dealt with" not in again.err
    assert imported_by(again) == [None]


def test_inspect_tells_of_a_file_that_was_imported(machine: Machine) -> None:
    path = machine.write("events.jsonl", [identify(KIM, title="CEO")])
    assert "imported by" not in machine.run("inspect", path).out
    first = machine.imports(path)
    assert first.folder is not None
    assert f"imported by run {first.folder.name}" in machine.run("inspect", path).out
    assert f'"imported_by": "{first.folder.name}"' in machine.run("inspect", path, "--json", "--offline").out


@pytest.mark.usefixtures("fast")
def test_a_file_is_not_done_while_anything_of_it_may_be_to_do(machine: Machine) -> None:
    def is_done(path: str) -> bool:
        return imported_by(machine.dry_runs(path)) != [None]

    events = [identify(KIM, title="CEO"), identify(SAM, title="CEO")]
    path = machine.write("events.jsonl", events)
    for flags in (["--limit", "1"], ["--only", "track"]):
        machine.imports(path, *flags)
        assert not is_done(path), flags
    machine.dry_runs(path)
    assert not is_done(path), "a dry run delivers nothing"
    machine.account.faults(Fault("error", method="POST"))
    failing = machine.imports(path)
    machine.account.faults()
    assert not is_done(path), failing.outcomes
    assert failing.folder is not None
    machine.run("retry", failing.folder.name)
    assert is_done(path)
    os.utime(path, (1, 1))
    assert not is_done(path), "changed since"


def test_an_undone_file_is_not_done(machine: Machine) -> None:
    path = machine.write("events.jsonl", [identify(KIM, title="CEO")])
    first = machine.imports(path)
    assert first.folder is not None
    machine.run("undo", first.folder.name, "--yes", "--delete-created")
    assert imported_by(machine.imports(path)) == [None]
    assert len(machine.account.people("leads", KIM) + machine.account.people("contacts", KIM)) == 1


def test_standard_input_and_what_is_left_to_mend_are_never_done(machine: Machine) -> None:
    line = b'{"type": "identify", "userId": "kim@north.example", "messageId": "1", "traits": {"title": "CEO"}}\n'
    for _ in range(2):
        assert imported_by(machine.imports("-", stdin=line)) == [None]
        assert imported_by(machine.imports(machine.write("failures.jsonl", line))) == [None]


def test_many_files_that_are_done_are_told_in_few_lines(machine: Machine) -> None:
    (machine.home / "in").mkdir()
    for number in range(6):
        machine.write(f"in/{number}.jsonl", [identify(KIM, title="CEO")])
    machine.imports(str(machine.home / "in"))
    second = machine.imports(str(machine.home / "in"))
    assert second.err.count("was dealt with wholly") == 3
    assert "so were 3 more of these files" in second.err
    assert None not in imported_by(second)


def test_a_file_that_is_read_otherwise_is_not_done(machine: Machine) -> None:
    ids = '"{""email"":[""kim@north.example""]}"'
    path = machine.write("audience.csv", f"key,external_ids\nkim@north.example,{ids}\n".encode())
    flags = ("--trait", "title=CEO"), ("--trait", "title=CTO"), ("--trait", "city=Breda")
    for each in flags:
        result = machine.imports(path, *each)
        assert (imported_by(result), result.outcomes) == ([None], {"applied": 1}), each
    assert imported_by(machine.imports(path, *flags[-1])) != [None]


def test_a_file_of_which_more_is_taken_now_is_not_done(machine: Machine) -> None:
    group = {"type": "group", "userId": KIM, "groupId": "7", "traits": {"name": "North"}}
    path = machine.write("group.jsonl", [group])
    assert machine.imports(path).outcomes == {"skipped": 1}
    assert imported_by(machine.imports(path)) != [None]
    more = machine.imports(path, "--with", "group", "--create-missing")
    assert (imported_by(more), more.outcomes) == ([None], {"applied": 1})

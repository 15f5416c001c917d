"""One piece fails or gets lost: what hangs on it, and how it comes right."""

from __future__ import annotations

from typing import Any

import pytest

from fsseg.sandbox import Fault
from tests.e2e.events import track
from tests.e2e.harness import Account, Machine
from tests.faults.conftest import State
from tests.faults.process import finish, here, kill_once, start
from tests.faults.story import before, difference, mixed

pytestmark = pytest.mark.usefixtures("fast")


def identify(user: str, number: int = 0, /, **traits: Any) -> dict[str, Any]:
    when = f"2024-01-01T00:00:{number:02}Z"
    return {"type": "identify", "userId": user, "messageId": f"{user} {number}", "timestamp": when, "traits": traits}


CUSTOMER = identify(
    "ada@x.example", lastName="Ada", fsContact=True, company={"name": "Acme"},
    deal={"name": "Big", "amount": 7, "expected_close": "2025-01-01"},
)  # fmt: skip


def links(account: Account, email: str) -> list[str]:
    return [one["name"] for one in account.one("contacts", email)["sales_accounts"]]


@pytest.mark.parametrize(("customers", "has_deal"), [(1, True), (6, True), (6, False)])
def test_a_contact_whose_account_fails_is_made_all_the_same_and_linked_by_a_retry(
    machine: Machine, customers: int, has_deal: bool
) -> None:
    """Without a deal that hangs on it the id of a contact that was made in bulk isn't known."""
    account = machine.account
    traits = {name: value for name, value in CUSTOMER["traits"].items() if has_deal or name != "deal"}
    events = [
        {**CUSTOMER, "userId": f"ada{n}@x.example", "messageId": f"m{n}", "traits": traits} for n in range(customers)
    ]
    account.faults(Fault("error", method="POST", path="sales_accounts"))
    done = here(machine, "import", machine.write("e.jsonl", events), "--json")
    assert (done.code, done.outcomes) == (1, {"failed": customers}), done.err
    assert '"unavailable"' in done.failures
    assert links(account, "ada0@x.example") == []
    account.faults()
    theirs = account.make("sales_accounts", name="Theirs")
    contact = account.one("contacts", "ada0@x.example")
    account.change("contacts", contact["id"], sales_accounts=[{"id": theirs["id"], "is_primary": True}])

    done = here(machine, "retry", "--json")
    assert (done.code, done.outcomes) == (0, {"applied": customers}), done.err
    assert links(account, "ada0@x.example") == ["Theirs", "Acme"]
    assert {row["name"] for row in account.records()["sales_accounts"]} == {"Acme", "Theirs"}
    deals = account.records()["deals"]
    acme = account.one("sales_accounts", "Acme")
    assert [deal["sales_account_id"] for deal in deals] == [acme["id"]] * customers * has_deal
    assert len(account.records()["contacts"]) == customers


def test_a_retry_writes_nobody_anew_whose_account_has_not_failed(machine: Machine) -> None:
    account = machine.account
    account.make("sales_accounts", name="Theirs")
    account.faults(Fault("error", method="POST", path="sales_accounts"))
    others = identify("bob@x.example", lastName="Bob", fsContact=True, company={"name": "Theirs"})
    assert here(machine, "import", machine.write("e.jsonl", [CUSTOMER, others])).code == 1
    account.faults()
    bob = account.one("contacts", "bob@x.example")
    assert here(machine, "retry").code == 0
    assert (links(account, "ada@x.example"), links(account, "bob@x.example")) == (["Acme"], ["Theirs"])
    assert account.one("contacts", "bob@x.example")["updated_at"] == bob["updated_at"]


def test_a_poisonous_record_fails_alone(classic: Machine) -> None:
    account = classic.account
    events = [identify(f"p{n}@x.example", lastName=f"P{n}") for n in range(5)]
    account.seed(leads=[{"email": "p2@x.example", "last_name": "Old"}])
    (lead,) = account.people("leads", "p2@x.example")
    account.faults(Fault("wrapped_429", method="PUT", path=f"/leads/{lead['id']}"))
    done = here(classic, "import", classic.write("e.jsonl", events), "--json")
    assert (done.code, done.outcomes) == (1, {"applied": 4, "failed": 1}), done.err
    assert '"rate_limited"' in done.failures
    account.faults()
    assert here(classic, "retry").code == 0
    assert account.one("leads", "p2@x.example")["last_name"] == "P2"


def test_jobs_that_keep_failing_double_nothing(machine: Machine, ends: dict[str, State]) -> None:
    before(machine.account)
    machine.account.faults(Fault("job_failure", path="bulk_upsert"))
    done = here(machine, "import", machine.write("e.jsonl", mixed()), "--json")
    assert (done.code, done.outcomes) == (0, {"applied": 33}), done.err
    assert not difference(machine.account.state(), ends[machine.account.edition])


def test_a_job_that_outlives_a_killed_run_doubles_nothing(suite: Machine, ends: dict[str, State]) -> None:
    before(suite.account, job_seconds=1.5)
    process = start(suite, "import", suite.write("e.jsonl", mixed()))
    bulk = f"POST {suite.account.sandbox.base_url.removeprefix(suite.account.sandbox.origin)}/api/contacts/bulk_upsert"
    kill_once(process, lambda: bulk in suite.account.sandbox.stats()["requests"])
    done = here(suite, "resume", "--json")
    assert (done.code, done.outcomes) == (0, {"applied": 33}), done.err
    assert not difference(suite.account.state(), ends[suite.account.edition])


@pytest.mark.parametrize("path", ["/leads$", "/deals$", "/sales_activities$"])
def test_a_create_whose_answer_is_lost_again_and_again_is_made_once(classic: Machine, path: str) -> None:
    account = classic.account
    before(account)
    events = [*mixed()[5:8], mixed()[9], {**mixed()[18], "userId": "db-0"}]
    account.faults(Fault("drop_after", method="POST", path=path), Fault("error_after", 0.5, method="POST", path=path))
    done = here(classic, "import", classic.write("e.jsonl", events), "--json")
    assert (done.code, done.outcomes) == (0, {"applied": 5}), done.err
    found = account.records()
    assert [len(found[kind]) for kind in ("leads", "deals", "sales_activities")] == [4, 1, 1]


def test_a_lost_create_is_looked_for_by_the_id_field_where_there_is_one(classic: Machine) -> None:
    """The e-mail would not tell it from another of the same address that somebody else makes meanwhile."""
    field = {"add": [{"name": "cf_user_id", "type": "text"}]}
    classic.account.empty({"fields": {"leads": field, "contacts": field}})
    config = classic.write("fsseg.toml", '[identity]\nid_field = "cf_user_id"\n')
    events = [identify("db-1", email="a@x.example", lastName="A"), identify("db-2", email="b@x.example", lastName="B")]
    classic.account.faults(Fault("drop_after", method="POST", path="/leads$"))
    args = ("import", classic.write("e.jsonl", events), "--config", config, "--json")
    done = here(classic, *args)
    assert (done.code, done.outcomes) == (0, {"applied": 2}), done.err
    assert sorted(lead["custom_field"]["cf_user_id"] for lead in classic.account.records()["leads"]) == ["db-1", "db-2"]


def test_what_can_neither_be_sent_nor_looked_for_is_unknown_and_a_retry_looks_first(classic: Machine) -> None:
    account, events = classic.account, [identify("db-1", email="a@x.example", lastName="A")]
    account.empty()
    account.faults(
        Fault("drop_after", method="POST", path="/leads$", limit=1), Fault("garbage", method="POST", path="/leads$")
    )
    process = here(classic, "dry-run", classic.write("e.jsonl", events))
    assert process.code == 0
    account.faults(
        Fault("drop_after", method="POST", path="/leads$"), Fault("error", method="GET", path="/lookup", rate=1.0)
    )
    done = here(classic, "apply", "--json")
    account.faults()
    assert done.code in (1, 5), done.err
    again = here(classic, "resume" if done.code == 5 else "retry", "--json")
    assert (again.code, again.outcomes) == (0, {"applied": 1}), again.err
    assert len(account.records()["leads"]) == 1


@pytest.mark.parametrize("kind", ["leads", "contacts"])
def test_who_may_have_been_made_by_one_import_is_looked_for_by_another(classic: Machine, kind: str) -> None:
    """A database id may stand beside others of its e-mail, so matching would make it a second time."""
    account, asks = classic.account, {"email": "ada@x.example", "fsContact": kind == "contacts"}
    account.empty()
    account.faults(
        Fault("drop_after", method="POST", path=f"/{kind}$"), Fault("error", method="GET", path=f"/{kind}/view")
    )
    first = here(classic, "import", classic.write("first.jsonl", [identify("u1", lastName="Ada", **asks)]), "--json")
    account.faults()
    assert (first.code, '"unknown_outcome"' in first.failures) == (1, True), first.err
    second = here(classic, "import", classic.write("second.jsonl", [identify("u1", 1, title="CEO", **asks)]), "--json")
    assert (second.code, second.outcomes) == (0, {"applied": 1}), second.err
    for command in ("import", "retry"):
        assert [(row["last_name"], row["job_title"]) for row in account.records()[kind]] == [("Ada", "CEO")], command
        assert here(classic, "retry", first.summary["run_id"]).code == 0


def test_a_tracked_event_whose_answer_is_lost_is_named_and_never_sent_again(classic: Machine) -> None:
    account = classic.account
    classic.environment["FSSEG_APPLICATION_TOKEN"] = "sandbox-app"
    tracked = {"type": "track", "userId": "ada@x.example", "event": "Did", "messageId": "t", "properties": {}}
    events = [identify("ada@x.example", lastName="Ada"), {**tracked, "timestamp": "2024-01-02T00:00:00Z"}]
    config = classic.write("fsseg.toml", '[timeline]\nvia = "tracking"\n')
    account.faults(Fault("drop_after", path="/track/"))
    done = here(classic, "import", classic.write("e.jsonl", events), "--config", config, "--json")
    assert (done.code, done.outcomes) == (1, {"applied": 1, "failed": 1}), done.err
    assert '"unknown_outcome"' in done.failures
    account.faults()
    assert here(classic, "retry").code == 1
    assert len(account.records()["events"]) == 1


def test_entries_that_a_killed_run_had_sent_are_unknown_while_the_list_cannot_be_read(classic: Machine) -> None:
    account = classic.account
    account.empty()
    ada = identify("ada@x.example", lastName="Ada")
    events = [ada, *(track("ada@x.example", f"Did {n}") for n in range(4))]
    account.faults(Fault("slow", method="POST", path="/sales_activities$", seconds=0.5))
    process = start(classic, "import", classic.write("e.jsonl", events))
    kill_once(process, lambda: "POST /api/sales_activities" in account.sandbox.stats()["requests"])
    account.faults(Fault("error", method="GET", path="/sales_activities"))
    done = here(classic, "resume", "--json")
    assert done.code == 1, done.err
    assert done.failures.count('"unknown_outcome"') == done.outcomes["failed"] > 0
    account.faults()
    again = here(classic, "retry", "--json")
    assert (again.code, again.outcomes) == (0, {"applied": 5})
    assert sorted(entry["title"] for entry in account.timeline("ada@x.example")) == [f"Did {n}" for n in range(4)]


def test_a_full_disk_is_told_with_what_to_do_about_it(classic: Machine) -> None:
    path = classic.write("e.jsonl", [identify("ada@x.example", lastName="Ada")])
    process = start(classic, "dry-run", path, prefix=["sh", "-c", 'exec "$@" > /dev/full', "sh"])
    done = finish(process)
    assert done.code == 5, done.err
    assert "No space left on device" in done.err
    assert "hint: make room on that disk first" in done.err


def test_a_deal_of_which_it_is_not_known_whether_it_was_made_is_looked_for_by_a_retry(machine: Machine) -> None:
    account = machine.account
    account.empty()
    ada = identify("ada@x.example", lastName="Ada", fsContact=True, deal={"name": "Pilot", "amount": 1})
    account.faults(
        Fault("drop_after", method="POST", path="/deals$"), Fault("error", method="GET", path=r"/contacts/\d+$")
    )
    done = here(machine, "import", machine.write("e.jsonl", [ada]), "--json")
    assert (done.code, done.outcomes) == (1, {"failed": 1}), done.err
    assert '"unknown_outcome"' in done.failures
    account.faults()
    again = here(machine, "retry", "--json")
    assert (again.code, again.outcomes) == (0, {"applied": 1})
    assert [deal["name"] for deal in account.records()["deals"]] == ["Pilot"]

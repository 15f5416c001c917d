"""The ledger is gone: whoever was imported before is found again, where anything tells who they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.harness import Machine
from tests.faults.process import here
from tests.faults.story import before, mixed

FIELD = {"add": [{"name": "cf_user_id", "type": "text"}]}
CONFIG = '[identity]\nid_field = "cf_user_id"\n'


def forget(machine: Machine) -> None:
    for path in machine.state.glob("*/ledger.db*"):
        path.unlink()


def counted(machine: Machine) -> dict[str, int]:
    return {kind: len(rows) for kind, rows in machine.account.records().items()}


def person(name: str, number: int) -> dict[str, Any]:
    return {
        "type": "identify", "userId": "db-1", "messageId": f"m{number}", "timestamp": f"2024-01-0{number}T00:00:00Z",
        "traits": {"email": "a@x.example", "lastName": name},
    }  # fmt: skip


def test_with_an_id_field_people_known_by_a_database_id_are_found_and_updated(classic: Machine) -> None:
    classic.account.empty({"fields": {"leads": FIELD, "contacts": FIELD}})
    config = classic.write("fsseg.toml", CONFIG)
    assert here(classic, "import", classic.write("1.jsonl", [person("One", 1)]), "--config", config).code == 0
    assert classic.account.one("leads", "a@x.example")["cf_user_id"] == "db-1"
    forget(classic)
    second = classic.write("2.jsonl", [person("Two", 2)])
    told = here(classic, "dry-run", second, "--config", config, "--json").summary
    assert told["records"]["lead"] == {"update": 1}
    assert here(classic, "import", second, "--config", config).code == 0
    assert classic.account.one("leads", "a@x.example")["last_name"] == "Two"


def test_without_one_a_sibling_is_made_as_the_destination_does(classic: Machine) -> None:
    assert here(classic, "import", classic.write("1.jsonl", [person("One", 1)])).code == 0
    assert here(classic, "import", classic.write("2.jsonl", [person("Two", 2)])).code == 0
    assert classic.account.one("leads", "a@x.example")["last_name"] == "Two"
    forget(classic)
    third = classic.write("3.jsonl", [person("Three", 3)])
    told = here(classic, "dry-run", third, "--json").summary
    assert told["records"]["lead"] == {"create": 1}
    assert [row["code"] for row in told["warnings"]] == ["email_exists"]
    assert here(classic, "import", third).code == 0
    assert len(classic.account.people("leads", "a@x.example")) == 2


def test_nothing_that_an_email_or_a_name_tells_is_doubled(machine: Machine) -> None:
    before(machine.account)
    events = [event for event in mixed() if not event["userId"].startswith("db-")]
    path = Path(machine.write("events.jsonl", events))
    assert here(machine, "import", str(path)).code == 0
    counts = counted(machine)
    forget(machine)
    machine.account.forget()
    assert here(machine, "import", str(path)).code == 0
    assert counted(machine) == counts
    assert machine.account.writes == 0

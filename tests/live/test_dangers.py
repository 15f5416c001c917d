"""Import, second import and undo where accounts were seen to do harm, set each way: every record before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from fsseg.sandbox import Fault
from tests.e2e.events import identify, track
from tests.e2e.harness import Machine, Row
from tests.faults.story import difference
from tests.live.story import changes, records

LAG = 1.0
"""Seconds of lag, which are twenty of the clock that fsseg goes by here."""

PATIENCE = 6
"""Resumptions, and retries, after which nothing may be left."""

CALM: Row = {
    "custom_fields": "merge", "bulk_custom_fields": "merge", "association_ids": "always", "deal_links_in_bulk": "keep",
    "tags": "replace", "account_links": "add", "upsert_owner": "keep", "account_phones": "keep", "formats": "free",
    "required": [], "filtered_emails": True,
}  # fmt: skip
"""An account that does nothing unexpected."""

DEFAULTS = '[defaults.lead]\nlead_source_id = "Web"\n[defaults.contact]\nlead_source_id = "Web"\n'
OURS = {"cf_region": "EMEA", "cf_seats": 3, "cf_is_active": True, "cf_interests": "CRM;Billing"}
STAMPS = {"id", "created_at", "display_name", "creater_id", "conversation_time", "links", "avatar"}


@dataclass(frozen=True)
class Way:
    """How an account behaves, and what goes wrong in the import and in the undo.

    `forbids_one`: a record that events speak of.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    forbids_one: bool = False


def lost(kind: str, lag: float) -> Way:
    paths = "/(leads|contacts|deals|sales_accounts|sales_activities)(/upsert|/bulk_upsert|/\\d+)?$"
    writes = [Fault(kind, method=method, path=paths, limit=2) for method in ("POST", "PUT", "DELETE")]
    return Way({"lookup_lag": lag}, tuple(writes))


WAYS = {
    "1 a write replaces custom fields": Way({"custom_fields": "replace"}),
    "1 bulk replaces them, too": Way({"custom_fields": "replace", "bulk_custom_fields": "replace"}),
    "1 a write merges custom fields": Way({"custom_fields": "merge"}),
    "2 ids are told where included": Way({"association_ids": "included", "lookup_rows": "partial"}),
    "2 ids are never told": Way({"association_ids": "included", "unknown_includes": "refuse"}),
    "2 ids are always told": Way({"association_ids": "always"}),
    "3 bulk loses links": Way({"deal_links_in_bulk": "lose"}),
    "3 bulk keeps links": Way({"deal_links_in_bulk": "keep"}),
    **{
        f"4 {kind}, {'look-ups lag' if lag else 'no lag'}": lost(kind, lag)
        for kind in ("drop_after", "error_after", "drop_before", "garbage")
        for lag in (0.0, LAG)
    },
    "5 a phone is not stored": Way({"account_phones": "null"}),
    "5 a phone is stored": Way({"account_phones": "keep"}),
    "6 formats are checked": Way({"formats": "checked"}),
    "6 formats are free": Way({"formats": "free"}),
    "7 others have ten jobs": Way({}, (Fault("bulk_405", limit=3),)),
    "7 there is no bulk": Way({"bulk": False}),
    "7 jobs fail": Way({}, (Fault("job_failure", limit=2),)),
    "8 a source is required": Way({"required": ["email", "lead_source_id"]}),
    "8 nothing is required": Way({"required": []}),
    "9 lists replace": Way({"tags": "replace", "account_links": "replace", "upsert_owner": "reset"}),
    "9 lists add": Way({"tags": "replace", "account_links": "add", "upsert_owner": "keep"}),
    "10 a record is forbidden": Way({}, forbids_one=True),
    "10 views are forbidden": Way({"forbidden": ["/view/", "/filters"]}),
    "10 a burst is refused": Way({}, (Fault("429", limit=8),)),
}


def filled(machine: Machine) -> int:
    """An account of others' making, in which everything has something; the id of one that events speak of."""
    account = machine.account
    owner = account.choice("owners", "robin@fsseg.example")
    house = account.make("sales_accounts", name="Theirs", phone="+47 22 33 44 55", custom_field={"cf_plan": "Pro"})
    people: list[Row] = []
    for kind in ("leads", "contacts") if account.edition == "classic" else ("contacts",):
        for number in range(7):
            more: Row = {"owner_id": owner, "job_title": "CTO", "tags": ["vip"], "custom_field": OURS}
            if kind == "contacts":
                more["sales_accounts"] = [{"id": house["id"], "is_primary": True}]
            if account.edition == "suite":
                more["lifecycle_stage_id"] = account.choice("lifecycle_stages", "Customer")
            people.append(account.make(kind, email=f"{kind}{number}@x.example", last_name="P", **more))
    for number, contact in enumerate(people[-7:]):
        account.make(
            "deals", name=f"Old {number}", amount=5, owner_id=owner, sales_account_id=house["id"],
            contacts_added_list=[contact["id"]],
        )  # fmt: skip
    return int(people[0]["id"])


def events() -> list[Row]:
    """Of those that are there all but the last, others of each kind, and what they did."""
    told = []
    for number in range(6):
        told.append(identify(f"leads{number}@x.example", title="CEO", cfSeats=9, company=f"Small {number}"))
        told.append(
            identify(
                f"contacts{number}@x.example", title="CEO", cfSeats=9, tags=["trial"],
                company={"name": f"Firm {number % 2}", "phone": "call us", "website": "not a url"},
                deal={"name": f"Old {number}", "amount": 6},
            )
        )  # fmt: skip
        told.append(
            identify(
                f"new{number}@x.example", lastName="N" * 300, cfRegion="EMEA", fsContact=number < 5,
                company=f"Firm {number % 2}", deal={"name": f"New {number}", "amount": 7},
            )
        )  # fmt: skip
    people = ("leads0", "contacts0", "new0", "new5")
    return [*told, *(track(f"{name}@x.example", "Visited", number=n) for name in people for n in range(2))]


EVENTS = events()


def content(machine: Machine) -> dict[str, list[str]]:
    """All that is there, ids as names, in no order."""
    found = held(machine)
    names = {id: str(row.get("email") or row.get("name") or row.get("title")) for id, row in found.items()}
    return {"all": [str(sorted(_named(row, names).items())) for row in found.values()]}


def held(machine: Machine) -> dict[int, Row]:
    """All records by id; a lead's company or deal that holds nothing is none."""
    return {
        id: {name: value for name, value in row.items() if not _empty(value)} for id, row in records(machine).items()
    }


def _empty(value: Any) -> bool:
    return isinstance(value, dict) and not any(inner for name, inner in value.items() if name != "id")


def _named(row: Row, names: Mapping[int, str]) -> Row:
    return {name: _by_name(value, names) for name, value in row.items() if name not in STAMPS}


def _by_name(value: Any, names: Mapping[int, str]) -> Any:
    if isinstance(value, list):
        return [_by_name(one, names) for one in value]
    if isinstance(value, dict):
        return {name: _by_name(inner, names) for name, inner in value.items() if name != "id" or inner in names}
    return names.get(value, value) if isinstance(value, int) and not isinstance(value, bool) else value


def brought_to_the_end(machine: Machine, *command: str, config: str) -> str:
    """The run's id, once nothing of it is left."""
    begun = done = machine.run(*command, config=config)
    for _ in range(PATIENCE):
        if done.code not in (1, 5):
            break
        machine.account.faults()
        machine.account.configure(forbidden=[])
        done = machine.run("resume" if done.code == 5 else "retry")
    assert done.code == 0, done.err
    assert begun.folder is not None
    return begun.folder.name


WANTED: dict[str, dict[str, list[str]]] = {}
"""What the import comes to in a calm account, by edition."""


def wanted(machine: Machine, way: Way, path: str) -> dict[str, list[str]]:
    account = machine.account
    different = {name: way.options[name] for name in ("account_phones", "formats") if name in way.options}
    key = f"{account.edition} {different}"
    if key not in WANTED:
        account.empty(**CALM)
        account.configure(**different)
        filled(machine)
        other = Machine(account, machine.home / "calm")
        other.home.mkdir()
        assert other.imports(path, config=DEFAULTS).code == 0
        WANTED[key] = content(machine)
        account.empty()
    return WANTED[key]


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_nothing_is_lost_doubled_moved_or_sent_twice(machine: Machine, way: Way) -> None:
    account, path = machine.account, machine.write("events.jsonl", EVENTS)
    end = wanted(machine, way, path)
    account.configure(**CALM)
    one = filled(machine)
    account.configure(**{**way.options, "forbidden": []})
    before = held(machine)

    def goes_wrong() -> None:
        account.configure(forbidden=[f"/{one}$"] if way.forbids_one else way.options.get("forbidden", []))
        account.faults(*way.faults)

    goes_wrong()
    run = brought_to_the_end(machine, "import", path, config=DEFAULTS)
    account.faults()
    after = held(machine)
    assert not difference(content(machine), end)
    for more in ((), ("--again",)):
        account.forget()
        assert machine.imports(path, *more, config=DEFAULTS).code == 0
        assert account.writes == 0
    assert held(machine) == after
    goes_wrong()
    brought_to_the_end(machine, "undo", run, "--yes", "--delete-created", config=DEFAULTS)
    account.faults()
    left = changes(before, held(machine))
    assert not left, "\n".join(f"{id}: {row}" for id, row in left.items())

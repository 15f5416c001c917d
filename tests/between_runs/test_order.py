"""The law: imports in any order end in the same state, which is that of one import of all of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.between_runs.runs import Event, did, imports, person
from tests.e2e.harness import Account, Machine
from tests.faults.story import difference

File = list[Event]

PEOPLE: dict[str, dict[str, Any]] = {
    "ada@x.example": {},
    "bo@x.example": {},
    "cy@x.example": {"fsContact": True},
    "di@x.example": {"fsContact": True},
    "db-1": {"email": "ed@x.example"},
    "db-2": {"email": "flo@x.example", "fsContact": True},
}
"""Leads and contacts, by e-mail and by database id, with what every identify call says of them."""

words = st.sampled_from(["one", "two", "Ünï"])

traits = st.fixed_dictionaries(
    {},
    optional={
        "title": st.none() | words,
        "phone": st.none() | st.sampled_from(["+31 1", "+31 2"]),
        "firstName": st.none() | words,
        "cfSeats": st.none() | st.integers(0, 3),
        "cfPlan": st.none() | st.sampled_from(["Free", "Pro"]),
        "cfIsActive": st.none() | st.booleans(),
        "cfInterests": st.none() | st.sampled_from([["CRM"], ["Billing", "CRM"]]),
        "tags": st.sampled_from([["one"], ["two", "Ünï"], "three"]),
        "company": st.fixed_dictionaries({}, optional={"city": st.none() | words, "phone": st.none() | words}),
        "deal": st.fixed_dictionaries({"amount": st.integers(1, 3)}, optional={"cf_source_system": words}),
    },
)


@st.composite
def stories(draw: st.DrawFn) -> list[File]:
    """Two to four small files whose events have times of their own, in no order."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=2, max_size=4))
    days = iter(draw(st.permutations(range(1, 27))))
    return [[_event(draw, f"2024-{1 + day % 12:02}-{day:02}") for day in islice(days, size)] for size in sizes]


def _event(draw: st.DrawFn, time: str) -> Event:
    who = draw(st.sampled_from(sorted(PEOPLE)))
    if draw(st.integers(0, 4)) == 0:
        return did(who, time, **({} if "@" in who else {"email": PEOPLE[who]["email"]}))
    said: dict[str, Any] = draw(traits)
    if "deal" in said:
        said["deal"] = {"name": f"deal of {who}", **said["deal"]}
        said.setdefault("company", {})  # the one that the deal belongs to
    if "company" in said:
        said["company"] = {"name": f"company of {who}", **said["company"]}
    return person(who, time, **PEOPLE[who], **said)


EVERYBODY: File = [person(who, "2020-01-01", **said) for who, said in PEOPLE.items()]
"""An identify call of everybody, older than all else, so that no entry is of somebody unknown."""


def after(account: Account, files: Sequence[File]) -> dict[str, list[str]]:
    """What an empty account holds after these imports, each of a file, on a machine of its own."""
    account.empty()
    with TemporaryDirectory() as home:
        machine = Machine(account, Path(home))
        for events in files:
            done = machine.imports(events=events)
            assert done.code == 0, done.out + done.err
    return account.state()


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("edition", ["classic", "suite"])
@settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate], max_examples=12, suppress_health_check=list(HealthCheck)
)
@given(files=stories())
def test_imports_in_any_order_end_as_one_import_of_all_of_it(
    hosts: dict[str, Account], edition: str, files: list[File]
) -> None:
    first, *others = files
    found = after(hosts[edition], [EVERYBODY + first, *others])
    wanted = after(hosts[edition], [[event for events in [EVERYBODY, *files] for event in events]])
    assert not difference(found, wanted)


def test_a_deal_belongs_to_the_company_that_came_with_it(machine: Machine) -> None:
    """Whatever other file tells of another one, and in whatever order."""
    ada, acme = "ada@x.example", {"name": "Acme"}
    imports(
        machine,
        [person(ada, "2024-01-01", fsContact=True, company=acme)],
        [person(ada, "2024-03-01", fsContact=True, company={"name": "Other"})],
        [person(ada, "2024-02-01", fsContact=True, company=acme, deal={"name": "Renewal", "amount": 1})],
    )
    records = machine.account.records()
    ids = {account["name"]: account["id"] for account in records["sales_accounts"]}
    assert [deal["sales_account_id"] for deal in records["deals"]] == [ids["Acme"]]

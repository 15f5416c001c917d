"""A value that doesn't fit can be traced: whose it is, what it is, and in which line it stands."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.e2e.events import identify
from tests.e2e.harness import Machine

KIM, SAM = "kim@north.example", "sam@north.example"


def traced(change: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (one["name"], one["value"], one["file"].rpartition("/")[2], one["line"])
        for one in change["warnings"]
        if isinstance(one, dict) and one["code"] == "bad_value"
    ]


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("form", ["lines", "gaps", "array", "batches"])
def test_person_value_and_line_are_told(classic: Machine, jobs: str, form: str) -> None:
    events = [
        identify(KIM, lastName="Vos", cfSeats=5),
        identify(SAM, lastName="Au", cfSeats="many", cfPlan={"a": 1}),
        identify(KIM, cfSeats="a dozen"),
        identify(SAM, title="CEO", fsContact="maybe"),
    ]
    dumped = list(map(orjson.dumps, events))
    content, lines = {
        "lines": (b"\n".join(dumped), (1, 2, 3, 4)),
        "gaps": (b"\n\n" + dumped[0] + dumped[1] + b"\nnope\n\n" + dumped[2] + b"\n \n" + dumped[3], (3, 3, 6, 8)),
        "array": (b"[\n" + b",\n\n".join(dumped) + b"\n]", (2, 4, 6, 8)),
        "batches": (
            b'{"batch":[' + b",".join(dumped[:2]) + b"]}\n\n" + b'{"batch":[' + b",".join(dumped[2:]) + b"]}\n",
            (1, 1, 3, 3),
        ),
    }[form]
    classic.write("events.jsonl", content)

    result = classic.imports("--jobs", jobs, str(classic.home / "events.jsonl"))

    assert traced(result.change("lead", KIM)) == [("cfSeats", "a dozen", "events.jsonl", lines[2])]
    assert sorted(traced(result.change("lead", SAM))) == [
        ("cfPlan", '{"a":1}', "events.jsonl", lines[1]),
        ("cfSeats", "many", "events.jsonl", lines[1]),
        ("fsContact", "maybe", "events.jsonl", lines[3]),
    ]
    (row,) = [row for row in result.summary["warnings"] if row["name"] == "cfSeats"]
    assert row["count"] == 2
    assert {(one["key"], one["value"], one["line"]) for one in row["samples"]} == {
        (KIM, "a dozen", lines[2]), (SAM, "many", lines[1]),
    }  # fmt: skip
    shown = " ".join(classic.run("report").out.split())
    assert "a dozen" in shown
    assert f"line {lines[2]}" in shown


def test_parts_of_a_person_are_traced_too(machine: Machine) -> None:
    company = {"name": "North", "employee_count": "a lot", "annualRevenue": "much"}
    deal = {"name": "Pilot", "amount": "big"}
    result = machine.imports(
        events=[
            identify(
                KIM, lastName="Vos", fsContact=True, company=company, deal={**deal, "amount": 5, "dealProductId": "x"}
            )
        ]
    )

    (account,) = [row for row in result.changes if row["entity"] == "account"]
    assert [name for name, *_ in traced(account)] == ["company.employee_count", "company.annualRevenue"]
    (planned,) = [row for row in result.changes if row["entity"] == "deal"]
    assert [name for name, *_ in traced(planned)] == ["deal.dealProductId"]


def test_what_was_planned_anew_is_traced_still(machine: Machine) -> None:
    dry = machine.dry_runs(events=[identify(KIM, lastName="Vos", cfSeats="many")])
    machine.imports(events=[identify(KIM, title="CEO")])
    applied = machine.run("apply", dry.folder.name if dry.folder else "")
    entity = "lead" if machine.account.edition == "classic" else "contact"
    assert [name for name, *_ in traced(applied.change(entity, KIM))] == ["cfSeats"]

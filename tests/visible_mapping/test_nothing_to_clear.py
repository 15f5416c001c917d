"""A new record has nothing that could be cleared, so nothing is said to be."""

from __future__ import annotations

from typing import Any

import pytest

from tests.between_runs.runs import person
from tests.e2e.harness import Machine

TRAITS: dict[str, Any] = {"last_name": "Lee", "title": "", "cfInterests": [], "phone": None, "cfIsActive": False}


@pytest.mark.parametrize("command", ["dry-run", "import"])
def test_of_a_new_person_no_empty_value_is_told_as_cleared(machine: Machine, command: str) -> None:
    path = machine.write("new.jsonl", [person("ada@x.example", "2024-05-01", **TRAITS)])
    done = machine.run(command, path)
    assert done.code == 0, done.err
    assert "(cleared)" not in done.out
    (fields,) = [by_field for by_field in done.summary["fields"].values() if by_field]
    assert not any(counts["cleared"] for counts in fields.values()), fields
    assert fields["cf_is_active"]["set"] == 1
    for format in ("text", "markdown", "changes-csv"):
        told = machine.run("report", "--format", format, *(["--person", "ada@x.example"] if format == "text" else []))
        assert "(cleared)" not in told.out, format

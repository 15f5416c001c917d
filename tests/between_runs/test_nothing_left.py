"""What could not begin leaves no run behind."""

from __future__ import annotations

import pytest

from tests.between_runs.runs import PEOPLE
from tests.e2e.harness import Machine

LEAVES_NOTHING: dict[str, tuple[int, dict[str, str | None], list[str]]] = {
    "no token": (2, {"FSSEG_API_TOKEN": None}, []),
    "a wrong token": (3, {"FSSEG_API_TOKEN": "another"}, []),
    "not an address of Freshsales": (2, {"FSSEG_BASE_URL": "{base}/nowhere"}, []),
    "a mapping to no field": (2, {}, ["--config", "wrong.toml"]),
    "no such file": (4, {}, ["no-such-file.jsonl"]),
}


@pytest.mark.parametrize("why", LEAVES_NOTHING)
@pytest.mark.parametrize("command", ["import", "dry-run"])
def test_what_could_not_begin_leaves_nothing_behind(machine: Machine, why: str, command: str) -> None:
    code, environment, args = LEAVES_NOTHING[why]
    base = machine.account.sandbox.base_url
    machine.environment |= {name: value and value.format(base=base) for name, value in environment.items()}
    machine.write("wrong.toml", '[mapping.person]\nplan = "no_such_field"\n')
    paths = [str(machine.home / args[-1])] if code == 4 else [machine.write("events.jsonl", PEOPLE), *args[:1]]
    paths += [str(machine.home / args[-1])] if args[:1] == ["--config"] else []
    done = machine.run(command, *paths)
    assert done.code == code, done.err
    assert not list(machine.state.glob("*/runs/*"))
    assert "resume" not in done.err
    assert machine.run("resume").err.startswith("nothing to resume for ")

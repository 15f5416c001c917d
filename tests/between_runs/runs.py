"""What the state folder says of runs, and what a command advises to do next."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson

from tests.e2e.harness import Account, Machine, Result
from tests.faults.process import start

Event = dict[str, Any]


def runs(machine: Machine, *args: str) -> list[dict[str, Any]]:
    """What `runs list` says of each, newest first."""
    done = machine.run("runs", "list", "--json", *args)
    assert done.code == 0, done.err
    return list(orjson.loads(done.out))


def states(machine: Machine, *args: str) -> list[str]:
    """Command and state of each run, newest first."""
    return [f"{run['command']} {run['state']}" for run in runs(machine, *args)]


def run_of(result: Result) -> str:
    """The run that a command has made."""
    assert result.folder is not None, result.err
    return result.folder.name


def advised(text: str, before: str = "") -> list[list[str]]:
    """The commands that a text tells somebody to type, after these words, without `fsseg` itself."""
    found = re.findall(rf"{re.escape(before)}\s*fsseg ((?:resume|apply|retry|import|undo|report)\b[^\n;,]*)", text)
    assert found, f"no command after {before!r}:\n{text}"
    return [shlex.split(one) for one in found]


@contextmanager
def under_way(machine: Machine, *args: str, **how: Any) -> Iterator[subprocess.Popen[bytes]]:
    """The command, which doesn't outlive the test."""
    with start(machine, *args, **how) as process:
        try:
            yield process
        finally:
            process.kill()
            if process.returncode is None:
                process.communicate()


def entries(account: Account) -> list[str]:
    """What stands on the timelines: the notes, sorted."""
    return sorted(str(row["notes"]) for row in account.records()["sales_activities"])


def person(user: str, time: str, /, *, id: str | None = None, **traits: Any) -> Event:
    """An identify call at this time, such as `2024-05-01`."""
    message = id or f"i {user} {time} {traits}"
    return {"type": "identify", "userId": user, "messageId": message, "timestamp": _time(time), "traits": traits}


def did(user: str, time: str, /, event: str = "Did it", **properties: Any) -> Event:
    """A track call at this time."""
    id = f"t {user} {time} {event}"
    return {
        "type": "track", "userId": user, "messageId": id, "timestamp": _time(time), "event": event,
        "properties": properties,
    }  # fmt: skip


def _time(text: str) -> str:
    return text if "T" in text else f"{text}T09:00:00.000Z"


def imports(machine: Machine, *files: Sequence[Event], args: Sequence[str] = ()) -> list[Result]:
    """Each of these files by a run of its own, in this order."""
    done = []
    for events in files:
        done.append(machine.imports(*args, events=events))
        assert done[-1].code == 0, done[-1].out + done[-1].err
    return done


PEOPLE: list[Event] = [
    person("ada@x.example", "2024-05-01", firstName="Ada", title="CEO"),
    person("bo@x.example", "2024-05-02", firstName="Bo", fsContact=True, company={"name": "Acme", "city": "Delft"}),
    person("db-1", "2024-05-03", email="cy@x.example", lastName="Cy"),
    did("ada@x.example", "2024-05-04", "Signed Up"),
    did("bo@x.example", "2024-05-05", "Signed Up"),
    did("db-1", "2024-05-06", "Signed Up"),
]
"""A lead, a contact with an account, somebody by a database id, and an entry each."""

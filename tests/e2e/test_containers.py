"""The law of containers: the same forty events, in whatever they come, end in the same account, and arrive once."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import Machine
from tests.segment import exports
from tests.segment.exports import Files

PEOPLE = [("Ines", "Marlow"), ("Olek", "Zaremba"), ("Tamsin", "Hale"), ("Joaquim", "Reis")]


def _event(number: int) -> dict[str, Any]:
    first, last = PEOPLE[number % 4]
    email = f"{first}.{last}@quayside.example".lower()
    whole: dict[str, Any] = {
        "messageId": f"forty-{number}",
        "userId": f"u-{number % 4}",
        "anonymousId": f"an-{number % 4}",
        "timestamp": f"2025-05-05T08:{number:02d}:01.120Z",
        "receivedAt": f"2025-05-05T08:{number:02d}:02.000Z",
        "context": {"ip": "203.0.113.9"},
    }
    match number // 4 % 3:
        case 0:
            traits = {"email": email, "first_name": first, "last_name": last, "title": f"Manager {number}"}
            return {"type": "identify", **whole, "traits": traits | {"phone": f"00{number}"}}
        case 1:
            whole["context"]["traits"] = {"email": email}
            return {"type": "track", **whole, "event": "Trial Started", "properties": {"plan": f"Depot {number}"}}
        case _:
            return {"type": "page", **whole, "name": "Pricing", "properties": {"path": "/pricing", "title": "Prices"}}


FORTY = [_event(number) for number in range(40)]
PLAIN = exports.jsonl(FORTY)

CONTAINERS: dict[str, Callable[[], Files]] = {
    "json lines": lambda: {"events.jsonl": PLAIN},
    "array": lambda: {"events.json": json.dumps(FORTY, indent=2).encode()},
    "batch": lambda: {"body": json.dumps({"batch": FORTY}).encode()},
    **{f"json lines, {kind}": (lambda pack=pack: {"e": pack(PLAIN)}) for kind, pack in exports.PACKINGS.items()},  # type: ignore[misc]
    "archive tree": lambda: {
        f"segment-logs/src/17364{day}00000/{day}.gz": gzip.compress(exports.jsonl(FORTY[day::2])) for day in (0, 1)
    },
    "zip": lambda: {"all.zip": exports.zipped({"a.gz": exports.gz(PLAIN), "dummy-object.txt": b"test"})},
    "tar.gz": lambda: {"all.tgz": exports.gz(exports.tarred({"a/1.jsonl": PLAIN, "_SUCCESS": b""}))},
    "zip in tar.zst": lambda: {
        "x": exports.PACKINGS["zst"](exports.tarred({"in.zip": exports.zipped({"t.csv": exports.actions_csv(FORTY)})}))
    },
    **{
        f"Actions CSV with {delimiter!r}": (lambda delimiter=delimiter: {"a": exports.actions_csv(FORTY, delimiter)})  # type: ignore[misc]
        for delimiter in ",;\t|:"
    },
    "Segment CSV import": lambda: {"import.csv": exports.import_csv(FORTY)},
    "S3 source CSV": lambda: exports.source_csvs(FORTY),
    "data lake": lambda: exports.data_lake(FORTY),
    "warehouse tables as Parquet": lambda: {
        f"{name}.parquet": exports.parquet(rows) for name, rows in exports.warehouse_rows(FORTY).items()
    },
    "packed Parquet": lambda: {
        f"{name}.gz": exports.gz(content) for name, content in exports.data_lake(FORTY).items() if "data/" in name
    },
    "warehouse tables": lambda: exports.warehouse_csvs(FORTY),
    "warehouse tables as JSON lines": lambda: exports.warehouse_lines(FORTY),
    "packed warehouse tables": lambda: {
        f"{name}.zst": exports.PACKINGS["zst"](content) for name, content in exports.warehouse_csvs(FORTY).items()
    },
    "AWS S3 CSV, pages of Profile API": lambda: {
        "calls.csv": exports.audience_actions_csv([event for event in FORTY if event["type"] != "page"]),
        **exports.profile_api_pages([event for event in FORTY if event["type"] == "page"]),
    },
    "Profile API": lambda: exports.profile_api_pages(FORTY),
}


def laid(folder: Path, files: Files) -> str:
    """The folder with these files in it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return str(folder)


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("name", CONTAINERS)
def test_the_same_events_end_in_the_same_account(classic: Machine, tmp_path: Path, name: str, jobs: str) -> None:
    assert classic.imports(laid(tmp_path / "plain", {"e.jsonl": PLAIN})).outcomes == {"applied": 40}
    expected = classic.account.state()
    classic.account.empty()
    other = Machine(classic.account, tmp_path / "other")
    done = other.imports("--jobs", jobs, laid(tmp_path / "files", CONTAINERS[name]()))
    assert done.outcomes["applied"] == 40
    assert set(done.outcomes) <= {"applied", "skipped"}  # a track call's row without its properties is a repetition
    assert classic.account.state() == expected


@pytest.mark.parametrize("name", CONTAINERS)
def test_what_comes_in_two_containers_arrives_once(classic: Machine, tmp_path: Path, name: str) -> None:
    first, second = laid(tmp_path / "1", {"e.jsonl": PLAIN}), laid(tmp_path / "2", CONTAINERS[name]())
    done = classic.imports(first, second)
    assert done.outcomes["applied"] == 40
    assert done.reasons == {"duplicate": done.summary["events"]["read"] - 40}
    state, writes = classic.account.state(), classic.account.writes
    again = classic.imports(second)
    assert set(again.outcomes) == {"skipped"}
    assert (classic.account.state(), classic.account.writes) == (state, writes)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_profiles_are_joined_with_their_identifiers_by_the_command(classic: Machine, tmp_path: Path, jobs: str) -> None:
    folder = Path(__file__).parents[2] / "samples" / "exports" / "profiles_sync"
    done = classic.imports("--jobs", jobs, str(folder))
    assert done.outcomes == {"applied": 5, "rejected": 1}
    assert done.failures[0]["_fsseg"]["file"].endswith("user_traits.csv")
    ines = classic.account.one("leads", "ines@quayside.example")
    assert (ines["first_name"], ines["last_name"], ines["job_title"]) == ("Ines", "Marlow", "Fleet Manager")


def test_a_container_on_standard_input_is_what_it_is(classic: Machine) -> None:
    assert classic.imports("-", stdin=exports.zipped({"a.gz": exports.gz(PLAIN)})).outcomes == {"applied": 40}

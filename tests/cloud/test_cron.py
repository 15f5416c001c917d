"""An archive in S3 under cron: only what no run has finished is fetched, and nothing arrives twice."""

from __future__ import annotations

import gzip
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from fsseg.segment import object_list
from tests.e2e.harness import Machine
from tests.store import Store

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
DAYS = [TODAY - timedelta(days=5 - number) for number in range(6)]


def event(number: int, time: datetime, **traits: Any) -> dict[str, Any]:
    return {
        "type": "identify",
        "userId": f"u-{number % 40}",
        "messageId": f"m-{number}-{len(traits)}",
        "timestamp": f"{time:%Y-%m-%dT%H:%M:%S}.000Z",
        "traits": {"email": f"p{number % 40}@north.example", "last_name": f"P{number}", **traits},
    }


def packed(*events: dict[str, Any]) -> bytes:
    return gzip.compress(b"".join(orjson.dumps(one) + b"\n" for one in events), mtime=0)


def key(day: int, number: int) -> str:
    return f"segment-logs/src/{int(DAYS[day].timestamp() * 1_000)}/{number:03d}.gz"


@pytest.fixture
def archive(store: Store) -> Store:
    """600 objects of two events in 6 days."""
    for day in range(6):
        for number in range(100):
            first = day * 200 + number * 2
            times = [DAYS[day] + timedelta(seconds=first + more) for more in range(2)]
            store.put(key(day, number), packed(event(first, times[0]), event(first + 1, times[1])))
    store.put("segment-logs/dummy-object.txt", b"This is a test.")
    store.requests()
    return store


def asked(store: Store) -> Counter[str]:
    """How many lists, and how many objects were fetched."""
    requests = [one for one in store.requests() if one["method"] == "GET"]
    return Counter("list" if "list-type" in one["query"] else "fetch" for one in requests)


def test_only_objects_that_no_run_has_finished_are_fetched(classic: Machine, archive: Store) -> None:
    flags = (f"s3://{archive.bucket}/segment-logs/src/", "--endpoint", archive.endpoint)
    first = classic.imports(*flags)
    assert (first.code, first.outcomes) == (0, {"applied": 1_200})
    assert asked(archive) == {"list": 1, "fetch": 600}

    again = classic.imports(*flags)
    assert (again.code, again.outcomes) == (0, {})
    assert asked(archive) == {"list": 1}
    assert "600 objects were dealt with wholly" in again.err
    assert len(again.err.splitlines()) < 8

    rewritten = packed(event(2, DAYS[0]), event(9_001, DAYS[5], title="CEO"))
    archive.put(key(0, 1), rewritten)
    late = packed(event(9_002, DAYS[1], title="CTO"), event(4, DAYS[0] + timedelta(seconds=4)))
    archive.put(key(5, 100), late)
    archive.put(key(5, 101), packed(event(9_003, DAYS[5], phone="1"), event(9_004, DAYS[5]))[:-12])
    third = classic.imports(*flags)
    assert asked(archive) == {"list": 1, "fetch": 3}
    assert third.code == 1
    assert third.reasons["truncated"] == 1
    assert third.reasons["duplicate"] == 2
    assert third.failures[-1]["_fsseg"]["file"] == f"s3://{archive.bucket}/{key(5, 101)}"


def test_what_goes_while_it_is_listed_is_told_and_the_rest_arrives(
    classic: Machine, archive: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = object_list.listed

    def and_one_goes(path: str, window: object_list.Window) -> Any:
        found = list(listed(path, window))
        archive.delete(key(3, 50))
        return iter(found)

    monkeypatch.setattr("fsseg.segment.inputs.listed", and_one_goes)
    done = classic.imports(f"s3://{archive.bucket}/segment-logs/src/", "--endpoint", archive.endpoint)
    assert (done.code, done.outcomes) == (1, {"applied": 1_198})
    assert f"{key(3, 50)}: it isn't there, or not any more" in done.err


def test_since_leaves_out_older_days_and_is_kept_in_mind(classic: Machine, archive: Store) -> None:
    flags = (f"s3://{archive.bucket}/segment-logs/src/", "--endpoint", archive.endpoint)
    since = f"{DAYS[4] + timedelta(minutes=14):%Y-%m-%dT%H:%M}"
    first = classic.imports(*flags, "--since", since)
    left_out = first.reasons["filtered"]
    assert 0 < left_out < 100
    assert first.outcomes == {"applied": 400 - left_out, "skipped": left_out}
    assert asked(archive) == {"list": 3, "fetch": 200}
    later = f"{DAYS[4] + timedelta(minutes=15):%Y-%m-%dT%H:%M}"
    assert classic.imports(*flags, "--since", later).outcomes == {}
    assert asked(archive) == {"list": 3}
    everything = classic.imports(*flags)
    assert everything.outcomes == {"unchanged": 800 + left_out, "skipped": 400 - left_out}
    assert asked(archive) == {"list": 1, "fetch": 600}


def test_what_the_same_filters_leave_out_keeps_no_object_unfinished(classic: Machine, archive: Store) -> None:
    flags = (f"s3://{archive.bucket}/segment-logs/src/", "--endpoint", archive.endpoint)
    first = classic.imports(*flags, "--only", "track", "--since", "300d")
    assert first.outcomes == {"skipped": 1_200}
    assert asked(archive)["fetch"] == 600
    for same in (("--only", "track", "--since", "299d"), ("--since", "300d", "--only", "track")):
        assert classic.imports(*flags, *same).outcomes == {}
    archive.requests()
    for other in (
        ("--only", "track"),
        ("--only", "track", "--only", "page"),
        ("--only", "track", "--event", "Signed Up"),
        (),
    ):
        assert sum(classic.imports(*flags, *other).outcomes.values()) == 1_200
        assert asked(archive)["fetch"] == 600
    assert classic.imports(*flags, "--only", "track").outcomes == {}  # all was taken, so that is among it
    assert asked(archive)["fetch"] == 0


def test_events_that_the_mapping_ignores_keep_no_object_unfinished(classic: Machine, store: Store) -> None:
    calls = [{**event(n, TODAY), "type": "track", "event": name} for n, name in enumerate(("Signed Up", "Ping"), 2)]
    store.put("e/1.gz", packed(event(2, TODAY, phone="1"), event(3, TODAY, phone="2"), *calls))
    flags = (f"s3://{store.bucket}/e/", "--endpoint", store.endpoint)
    for ignored, fetched in (("Ping", 1), ("Ping", 0), ("Signed Up", 1), ("Signed Up", 0)):
        store.requests()
        classic.imports(*flags, config=f'[mapping.event."{ignored}"]\nignore = true\n')
        assert asked(store)["fetch"] == fetched


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_more_processes_end_in_the_same_account(classic: Machine, archive: Store, jobs: str) -> None:
    flags = (f"s3://{archive.bucket}/segment-logs/src/", "--endpoint", archive.endpoint)
    done = classic.imports(*flags, "--jobs", jobs)
    assert (done.code, done.outcomes) == (0, {"applied": 1_200})
    assert asked(archive) == {"list": 1, "fetch": 600}
    assert sorted(row["email"] for row in classic.account.records()["leads"]) == sorted(
        f"p{number}@north.example" for number in range(40)
    )
    assert classic.account.one("leads", "p7@north.example")["last_name"] == "P1167"


def test_an_object_as_given_by_inspect_names_its_place(classic: Machine, store: Store) -> None:
    store.put("segment-logs/src/1704672000000/a.csv", b"user_id,email\nu-1,a@north.example\n")
    done = classic.run(
        "inspect", f"s3://{store.bucket}/segment-logs/", "--endpoint", store.endpoint, "--offline", "--json"
    )
    (found,) = orjson.loads(done.out)["inputs"]
    assert found == {
        "path": f"s3://{store.bucket}/segment-logs/src/1704672000000/a.csv", "container": "csv", "table": "profiles",
        "events": 1, "bad": 0, "first": "2024-01-08T00:00:00.000Z", "last": "2024-01-08T00:00:00.000Z",
    }  # fmt: skip  # the folder's day is the time of events that have none

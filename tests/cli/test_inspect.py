from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

from fsseg.mapping.catalog import Catalog
from fsseg.mapping.counts import Distinct
from fsseg.mapping.explain import Explainer
from fsseg.mapping.inspection import Inspection
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.rules import Rules
from fsseg.segment.open import Input
from fsseg.segment.read import read
from tests.cli.conftest import SAMPLES, Serve, Shell


def identify(user: str, time: str = "2024-01-02T03:04:05Z", **traits: Any) -> dict[str, Any]:
    return {"type": "identify", "userId": user, "timestamp": time, "traits": traits}


def track(event: str, **more: Any) -> dict[str, Any]:
    return {"type": "track", "event": event, "userId": "ada@example.com", "timestamp": "2024-02-01T00:00:00Z", **more}


def test_an_event_s_own_table_is_called_by_its_name(shell: Shell) -> None:
    columns = "id,received_at,event,event_text,user_id,anonymous_id,timestamp"
    row = "m1,2024-01-01 00:00:00,order_completed,Order Completed,a@x.example,,2024-01-01 00:00:00"
    (shell.folder / "here" / "order_completed").mkdir(parents=True)
    for path in ("order_completed.csv", "order_completed/0000_part_00.csv"):
        shell.write(path, f"{columns},revenue", f"{row},9.5")
        assert "csv: order_completed  " in shell("inspect", path, "--offline").out
    shell.write("some.csv", columns, row)
    assert "csv: tracks  " in shell("inspect", "some.csv", "--offline").out
    shell.write("0000_part_00.csv", f"{columns},revenue", f"{row},9.5")
    assert "csv: tracks  " in shell("inspect", "0000_part_00.csv", "--offline").out


def test_it_tells_what_is_in_the_files(shell: Shell) -> None:
    shell.write("a.jsonl", identify("ada@example.com", jobtitel="CEO"), "no json", track("Signed Up"), "")
    packed = shell.folder / "here" / "b.jsonl.gz"
    packed.write_bytes(gzip.compress(json.dumps(track("Signed Up", messageId="x")).encode()))
    done = shell("inspect", "a.jsonl", "b.jsonl.gz", "--json")
    found = done.json
    assert done.code == 1
    day = {"first": "2024-02-01T00:00:00.000Z", "last": "2024-02-01T00:00:00.000Z"}
    assert found["inputs"] == [
        {"path": "a.jsonl", "container": "jsonl", "events": 3, "bad": 1} | day | {"first": "2024-01-02T03:04:05.000Z"},
        {"path": "b.jsonl.gz", "container": "jsonl.gz", "events": 1, "bad": 0} | day,
    ]
    assert found["events"]["by_type"] == {"identify": 1, "track": 2}
    assert (found["events"]["first"], found["events"]["last"]) == (
        "2024-01-02T03:04:05.000Z",
        "2024-02-01T00:00:00.000Z",
    )
    assert found["names"] == [{"type": "track", "name": "Signed Up", "count": 2}]
    assert [(one["code"], one["first"]) for one in found["reasons"]] == [("not_json", "a.jsonl line 2")]
    text = shell("inspect", "a.jsonl", "b.jsonl.gz")
    assert text.code == 1
    for word in (
        "4 events · 2 track · 1 identify · 1 unusable",
        "Signed Up",
        "not_json",
        "first: a.jsonl line 2: invalid literal",
        "did you mean job_title?",
    ):
        assert word in text.out


def test_people_are_told_apart_by_their_kind_of_id(shell: Shell) -> None:
    visitor = {"type": "page", "anonymousId": "v1", "timestamp": "2024-01-01T00:00:00Z"}
    path = shell.write(
        "a.jsonl",
        identify("ada@example.com"),
        identify("Ada@Example.com", "2024-01-03T00:00:00Z"),
        identify("17", email="kim@example.com"),
        visitor,
        {**visitor, "timestamp": "2024-01-02T00:00:00Z"},
    )
    assert shell("inspect", path, "--json").json["people"] == {
        "email_ids": 1, "database_ids": 1, "anonymous": 1, "exact": True,
    }  # fmt: skip


def test_each_trait_is_told_with_where_it_goes(shell: Shell) -> None:
    shell.write("fsseg.toml", '[mapping.person]\ncreatedAt = "cf_signup_date"\nsecret = false\n')
    company = {"name": "Engines", "employee_count": "a few", "colour": "blue"}
    path = shell.write(
        "a.jsonl",
        identify("ada@example.com", title="CEO", createdAt="2024-01-02", secret=1, company=company, fsContact=True),
        identify("kim@example.com", title={"no": "text"}, address={"city": "Breda", "planet": "Earth"}),
    )
    done = shell("inspect", path, "--json")
    traits = {one["trait"]: one for one in done.json["traits"]}
    assert done.code == 0

    def fields(trait: str) -> set[tuple[str, str]]:
        return {(one["entity"], one["name"]) for one in traits[trait]["fields"]}

    assert fields("title") == {("lead", "job_title"), ("contact", "job_title")}
    assert fields("createdAt") == {("lead", "cf_signup_date"), ("contact", "cf_signup_date")}
    assert fields("company.name") == {("lead.company", "name"), ("account", "name")}
    assert fields("address.city") == {("lead", "city"), ("contact", "city")}
    assert fields("secret") == fields("company.colour") == fields("address.planet") == set()
    assert traits["company.employee_count"]["misfits"] == 1
    assert traits["company.employee_count"]["first_misfit"].endswith("line 1")
    assert traits["title.no"]["misfits"] == 1


def test_with_an_account_its_own_fields_count_and_nothing_is_written(serve: Serve) -> None:
    shell, sandbox = serve("suite")
    path = shell.write("a.jsonl", identify("ada@example.com", cfPlan="Gold"))
    found = shell("inspect", path, "--json").json
    assert (found["fields"], found["edition"]) == ("account", "suite")
    (trait,) = found["traits"]
    assert (trait["fields"][0]["type"], trait["misfits"]) == ("dropdown", 1)
    assert "Pro" in trait["hint"]
    assert sandbox.stats()["writes"] == 0
    total = sandbox.stats()["total"]
    assert shell("inspect", path, "--offline", "--json").json["fields"] == "cached"
    assert sandbox.stats()["total"] == total


def test_an_account_without_a_token_is_no_hindrance(shell: Shell) -> None:
    done = shell.with_env(FSSEG_DOMAIN="acme")("inspect", shell.write("a.jsonl", identify("ada@example.com")), "--json")
    assert (done.code, done.json["fields"], done.json["account"]) == (0, "standard", "acme.freshsales.io")
    assert "no API token" in done.err


def test_standard_input_is_read_too(shell: Shell) -> None:
    done = shell("inspect", "-", "--json", input=json.dumps(identify("ada@example.com")))
    assert (done.code, done.json["events"]["read"]) == (0, 1)


def test_the_samples_are_told_whole(shell: Shell) -> None:
    done = shell("inspect", f"{SAMPLES}/*.json*", "--top", "0")
    assert done.code == 1
    assert done.out.startswith("405 events")
    assert "more: --top" not in done.out


def test_what_cannot_be_read_is_told(shell: Shell) -> None:
    done = shell("inspect", "nothing.jsonl")
    assert (done.code, done.out) == (4, "")
    assert "nothing.jsonl" in done.err
    some = shell("inspect", "nothing.jsonl", shell.write("a.jsonl", identify("ada@example.com")), "--json")
    assert (some.code, some.json["events"]["read"]) == (1, 1)


def test_an_empty_file_holds_nothing_and_is_no_error(shell: Shell) -> None:
    done = shell("inspect", shell.write("a.jsonl"))
    assert done.code == 0
    assert "0 events" in done.out


def test_control_characters_in_the_data_reach_nobody(shell: Shell) -> None:
    traits: dict[str, Any] = {"tr\x1b[31m": 1}
    path = shell.write("a.jsonl", identify("ada@example.com", **traits), track("Ev\x1b]0;x\x07"))
    assert "Ev\\x1b]0;x\\x07" in shell("inspect", path).out
    assert shell("inspect", path, "--json").json["names"][0]["name"] == "Ev\x1b]0;x\x07"


def test_distinct_counts_small_numbers_and_estimates_large_ones() -> None:
    small, large = Distinct(), Distinct()
    for number in range(1000):
        small.add(number % 100 * 0x9E3779B97F4A7C15 % 2**64)
    assert (len(small), small.exact) == (100, True)
    for number in range(400_000):
        large.add(number * 0x9E3779B97F4A7C15 % 2**64)
    assert not large.exact
    assert abs(len(large) - 400_000) < 8_000


def test_names_without_end_are_counted_in_bounded_memory(shell: Shell) -> None:
    def events() -> Iterator[str]:
        for number in range(12_000):
            traits: dict[str, Any] = {f"t{number}": 1}
            yield json.dumps(identify(f"{number}@example.com", **traits))
            yield json.dumps(track(f"e{number}", messageId=f"m{number}"))

    path = shell.write("a.jsonl", *events())
    catalog, rules = Catalog.standard("classic"), Rules(offline=True)
    inspection = Inspection(lambda warnings: Mapper(catalog, rules, warnings), Explainer(catalog, rules))
    inspection.take(Input(str(path), 0), read(Input(str(path), 0)), lambda count: None)
    assert len(inspection.stats.names) == len(inspection.traits()) == 10_001
    assert sum(inspection.stats.names.values()) == 12_000
    assert inspection.stats.duplicates == 0

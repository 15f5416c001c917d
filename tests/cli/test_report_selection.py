"""`fsseg report --person, --event, --reason`: what a run did with one person, event name or reason."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from fsseg.report.changes import entry_told
from fsseg.report.selection import Selection
from tests.cli.conftest import Shell
from tests.report.pages import Page


def lines(shell: Shell, name: str) -> list[dict[str, Any]]:
    (run,) = shell.state.glob("*/runs/*")
    return [json.loads(line) for line in (run / name).read_text().splitlines()]


def chosen(shell: Shell, *arguments: str) -> Any:
    return shell("report", "--json", *arguments).json


def test_a_person_comes_with_record_timeline_and_failed_events(after_import: Shell) -> None:
    entries = [row for row in lines(after_import, "changes.jsonl") if row["entity"] == "timeline"]
    person = entries[0]["key"]
    told = chosen(after_import, "--person", person.upper())
    expected = [row for row in lines(after_import, "changes.jsonl") if row["key"] == person]
    assert {row["entity"] for row in expected} >= {"timeline"}
    assert sorted(map(json.dumps, (row for row in told["changes"] if row["key"] == person))) == sorted(
        map(json.dumps, expected)
    )
    assert all(row["entity"] == "deal" for row in told["changes"] if row["key"] != person)

    text = after_import("report", "--person", person).out
    assert "Timeline" in text and text.count(person) >= len([row for row in expected if row["entity"] == "timeline"])


def test_a_failed_event_comes_with_place_reason_hint_and_the_event_itself(after_import: Shell) -> None:
    failure = next(row for row in lines(after_import, "failures.jsonl") if row["_fsseg"]["code"] == "missing_email")
    told = chosen(after_import, "--person", failure["userId"])
    assert failure in told["failures"]
    text = after_import("report", "--person", failure["userId"]).out
    for part in ("missing_email", f"line {failure['_fsseg']['line']}", failure["_fsseg"]["hint"], failure["messageId"]):
        assert part in text


def test_a_reason_takes_failed_events_and_records_with_that_warning(after_import: Shell) -> None:
    failures = lines(after_import, "failures.jsonl")
    for code in {row["_fsseg"]["code"] for row in failures}:
        told = chosen(after_import, "--reason", code)
        assert [row["_fsseg"]["code"] for row in told["failures"]] == [code] * sum(
            row["_fsseg"]["code"] == code for row in failures
        )
    warned = chosen(after_import, "--reason", "bad_value")["changes"]
    assert warned and all(any(each["code"] == "bad_value" for each in row["warnings"]) for row in warned)


def test_of_what_was_skipped_the_number_is_told(after_import: Shell) -> None:
    told = after_import("report", "--reason", "anonymous").out
    assert "\nWhat to do\n  7 events: no userId: --stitch-anonymous" in told and "Only the number is kept" in told
    assert "\n  2 events: the userId is no e-mail" in after_import("report", "--reason", "missing_email").out


def test_an_event_name_takes_entries_in_the_order_of_time(after_import: Shell) -> None:
    told = chosen(after_import, "--event", "order completed")["changes"]
    times = [entry_told(row, "start_date") for row in told]
    assert told and times == sorted(times)
    titles = {entry_told(row, "title") for row in told}
    assert titles == {title for title in titles if title.startswith("Order Completed: ")}


def test_what_is_chosen_narrows_each_other_and_may_be_nothing(after_import: Shell) -> None:
    one = chosen(after_import, "--event", "Order Completed")["changes"][0]["key"]
    both = chosen(after_import, "--event", "Order Completed", "--person", one)["changes"]
    assert {row["key"] for row in both} == {one}
    nothing = after_import("report", "--person", "nobody@nowhere.example")
    assert (nothing.code, nothing.out) == (0, "") and "nobody@nowhere.example" in nothing.err


def test_a_limit_says_how_many_more_there_are(after_import: Shell) -> None:
    text = after_import("report", "--event", "Order Completed", "--limit", "1").out
    assert " more: --limit " in text


def test_as_a_table_and_to_a_file(after_import: Shell, tmp_path: Path) -> None:
    table = after_import("report", "--reason", "missing_email", "--format", "csv").out
    assert {row["code"] for row in csv.DictReader(io.StringIO(table))} == {"missing_email"}
    changes = after_import("report", "--reason", "bad_value", "--format", "changes-csv").out
    warned = [row["key"] for row in csv.DictReader(io.StringIO(changes)) if row["warnings"]]
    assert len(warned) == len(set(warned)) == len(chosen(after_import, "--reason", "bad_value")["changes"])
    file = tmp_path / "selected.txt"
    assert after_import("report", "--reason", "missing_email", "--output", file).code == 0
    assert "missing_email" in file.read_text() and file.stat().st_mode & 0o777 == 0o600
    nothing = after_import("report", "--person", "nobody@x.example", "--output", file)
    assert "nothing in run" in nothing.err
    assert "written" not in nothing.err
    assert "missing_email" in file.read_text()


WHO = "ada@x.example"
WAY: list[dict[str, Any]] = [
    {"type": "identify", "userId": "u-1", "traits": {"email": WHO, "title": "CTO", "lastName": "L", "city": "Oslo"}},
    {"type": "track", "event": "Signed Up", "userId": "u-1"},
    {"type": "identify", "userId": "u-1", "traits": {"email": WHO, "title": "CEO"}},
    {"type": "page", "name": "Pricing", "userId": WHO},
    {"type": "identify", "userId": "bo@x.example", "traits": {"lastName": "B", "title": "COO"}},
]


@pytest.fixture
def way(shell: Shell) -> Path:
    rows = ({**event, "messageId": f"m-{n}", "timestamp": f"2025-05-0{n + 1}T10:00:00Z"} for n, event in enumerate(WAY))
    return shell.write("way.jsonl", *rows)


@pytest.mark.parametrize("person", [WHO, "ADA@x.example", "u-1"])
def test_a_person_comes_with_the_events_and_which_of_them_set_which_field(shell: Shell, way: Path, person: str) -> None:
    assert shell("import", "--sandbox", "--quiet", way).code == 0
    told = chosen(shell, "--person", person)["history"]
    events = [(event["time"][:10], event["type"], event["name"], sorted(event["sets"])) for event in told["events"]]
    assert events == [
        ("2025-05-01", "identify", "", ["city", "last_name"]),
        ("2025-05-02", "track", "Signed Up", []),
        ("2025-05-03", "identify", "", ["email", "job_title"]),
        ("2025-05-04", "page", "Pricing", []),
    ]
    assert [event["place"].rpartition(" ")[2] for event in told["events"]] == ["1", "2", "3", "4"]
    assert all(event["became"].startswith("created #7") for event in told["events"])
    fields = {field["field"]: (field["value"], field["time"][:10], field["became"]) for field in told["fields"]}
    assert fields["job_title"] == ("CEO", "2025-05-03", "sent")
    assert fields["city"] == ("Oslo", "2025-05-01", "sent")
    text = shell("report", "--person", person).out
    assert (
        "2025-05-03 10:00:00  identify  " in text
        and "sets job_title" in text.replace("email, ", "")
        and "bo@x" not in text
    )


def test_of_a_dry_run_it_is_told_what_is_to_come_and_of_a_second_one_what_was_held(shell: Shell, way: Path) -> None:
    assert shell("dry-run", "--sandbox", "--quiet", way).code == 0
    told = chosen(shell, "--person", WHO)["history"]
    assert {event["became"] for event in told["events"]} == {"to create"}
    assert {field["became"] for field in told["fields"]} == {"to be sent"}
    assert shell("import", "--sandbox", "--quiet", way).code == 0
    assert shell("import", "--sandbox", "--quiet", "--again", way).code == 0
    told = chosen(shell, "--person", WHO)["history"]
    assert {field["became"] for field in told["fields"]} == {"held already"}
    assert f"\n  = 2025-05-02 10:00  Signed Up  {WHO}  #" in shell("report", "--event", "signed up").out


def test_of_a_file_that_has_changed_the_events_are_not_made_up(shell: Shell, way: Path) -> None:
    assert shell("import", "--sandbox", "--quiet", way).code == 0
    shell.write("way.jsonl", *WAY[::-1])
    told = chosen(shell, "--person", WHO)["history"]["events"]
    assert told and all("has changed since" in event["place"] and not event["sets"] for event in told)


def test_a_ticket_and_a_page_hold_the_same_of_a_person(shell: Shell, way: Path) -> None:
    assert shell("import", "--sandbox", "--quiet", way).code == 0
    ticket = shell("report", "--person", WHO, "--format", "markdown").out
    assert ticket.startswith("# ") and "## Events\n\n```\n  2025-05-01" in ticket and ticket.count("```") % 2 == 0
    page = Page(shell("report", "--person", WHO, "--format", "html").out)
    about = json.loads(page.held["about"])
    assert (about["person"], len(about["history"]["events"])) == (WHO, 4)
    assert {row["key"] for row in page.rows("changes-data")} == {WHO}
    assert f"only records and failed events about {WHO}; the counts are the whole run's" in page.words


def test_nothing_in_the_data_ends_a_fence_of_a_ticket(shell: Shell) -> None:
    event = {"type": "track", "event": "``` x", "userId": "```@x.example", "messageId": "m", "timestamp": "2025-05-01"}
    path = shell.write(
        "bad.jsonl", event, {**event, "type": "identify", "messageId": "n", "traits": {"lastName": "```"}}
    )
    shell("import", "--sandbox", "--quiet", path)
    ticket = shell("report", "--event", "``` x", "--format", "markdown").out
    fences = [line for line in ticket.splitlines() if line.startswith("```")]
    assert len(set(fences)) <= 1 and len(fences) % 2 == 0
    assert all(
        len(re.findall("`+", line)[0]) < len(fences[0]) for line in ticket.splitlines() if line.startswith("  `")
    )


def test_changes_are_a_table_with_a_line_for_each_field(shell: Shell, way: Path) -> None:
    assert shell("import", "--sandbox", "--quiet", way).code == 0
    table = csv.DictReader(io.StringIO(shell("report", "--person", WHO, "--format", "changes-csv").out))
    rows = {row["field"]: row for row in table if row["entity"] == "lead"}
    assert rows["job_title"] | {"id": ""} == {
        "action": "create", "entity": "lead", "key": WHO, "id": "", "field": "job_title", "label": "Job title",
        "before": "", "after": "CEO", "warnings": "",
    }  # fmt: skip
    whole = [*csv.DictReader(io.StringIO(shell("report", "--format", "changes-csv").out))]
    assert {row["key"] for row in whole} == {WHO, "bo@x.example"}


@pytest.mark.parametrize(
    ("selection", "change", "taken"),
    [
        (Selection(person="70"), {"entity": "lead", "key": "a@b.example", "id": 70}, True),
        (Selection(person="#70"), {"entity": "lead", "key": "a@b.example", "id": 70}, True),
        (Selection(person="7"), {"entity": "lead", "key": "a@b.example", "id": 70}, False),
        (Selection(person="A@b.example"), {"entity": "deal", "key": "D", "fields": {"contacts": {"after": ["a@B.example"]}}}, True),
        (Selection(event="CEO"), {"entity": "lead", "key": "a", "fields": {"title": {"after": "CEO"}}}, False),
        (Selection(reason="older"), {"entity": "lead", "key": "a", "warnings": ["older"]}, True),
        (Selection(reason="incomplete"), {"entity": "deal", "key": "D", "warnings": ["incomplete: deal.amount"]}, True),
        (Selection(person="none"), {"entity": "lead", "key": None, "id": None}, False),
    ],
)  # fmt: skip
def test_what_fits(selection: Selection, change: dict[str, Any], taken: bool) -> None:
    assert selection.takes_change(change) is taken


def test_hostile_text_of_a_failed_event_reaches_no_terminal(shell: Shell) -> None:
    path = shell.write("bad.jsonl", {"type": "identify", "userId": "\x1b[31m7", "traits": {"x": "\u202ey"}})
    assert shell("import", "--sandbox", path).code == 1
    out = shell("report", "--reason", "missing_email").out
    assert "\x1b" not in out and "\u202e" not in out and "\\x1b[31m7" in out


LEFT_OUT: list[dict[str, Any]] = [
    {"type": "identify", "userId": "u-1", "traits": {"email": WHO, "title": "CEO", "lastName": "L"}},
    {"type": "identify", "userId": "u-1", "messageId": "m-0", "traits": {"email": WHO, "title": "CEO"}},
    {"type": "group", "userId": "u-1", "groupId": "g"},
    {"type": "track", "event": "Paid", "userId": WHO, "integrations": {"All": False}},
    {"type": "track", "event": "Old", "userId": "u-1", "timestamp": "2019-05-01T10:00:00Z"},
    {"type": "track", "event": "Seen", "anonymousId": "a-1", "properties": {"email": WHO}},
    {"type": "identify", "userId": "u-2", "anonymousId": "u-1", "traits": {}},
    {"type": "identify", "userId": "bo@x.example", "traits": {"lastName": "B"}},
    {"type": "track", "event": "Elsewhere", "userId": "bo@x.example", "integrations": {"All": False}},
]


def left_out(shell: Shell) -> Path:
    times = ({"messageId": f"m-{n}", "timestamp": f"2025-05-0{n + 1}T10:00:00Z"} for n in range(len(LEFT_OUT)))
    return shell.write("left-out.jsonl", *(known | event for known, event in zip(times, LEFT_OUT, strict=True)))


@pytest.mark.parametrize("person", [WHO, "u-1"])
def test_events_that_were_left_out_are_among_those_of_a_person_with_the_reason(shell: Shell, person: str) -> None:
    shell("import", "--sandbox", "--quiet", "--since", "2020-01-01", left_out(shell))
    events = chosen(shell, "--person", person)["history"]["events"]
    became = {event["place"].rpartition(" ")[2]: event["became"].partition(" #")[0] for event in events}
    assert became == {
        "1": "created",
        "2": "skipped: duplicate",
        "3": "skipped: unsupported_type",
        "4": "skipped: integrations",
        "5": "skipped: filtered",
        "6": "skipped: anonymous",
        "7": "rejected: missing_email",
    }
    assert "2025-05-04 10:00:00  track  Paid" in shell("report", "--person", person).out
    assert "\nLeft out\n  2019-05-01 10:00:00  track  Old" in shell("report", "--event", "old").out
    (left,) = chosen(shell, "--event", "Paid")["history"]["events"]
    assert left["became"] == "skipped: integrations"
    for both in (("--person", person, "--event", "paid"), ("--event", "Paid", "--reason", "integrations")):
        assert chosen(shell, *both)["history"]["events"] == [left]
    assert chosen(shell, "--event", "Paid", "--reason", "duplicate")["history"]["events"] == []
    by_reason = chosen(shell, "--person", person, "--reason", "duplicate")["history"]
    assert ([each["place"][-1] for each in by_reason["events"]], by_reason["fields"]) == (["2"], [])


def test_of_what_was_delivered_before_the_earlier_runs_are_named(shell: Shell, way: Path) -> None:
    for _ in range(2):
        assert shell("import", "--sandbox", "--quiet", way).code == 0
    second, first = (row["run_id"] for row in shell("runs", "list", "--json").json)
    told = chosen(shell, "--person", WHO)["history"]
    assert (told["earlier"], {event["became"] for event in told["events"]}) == ([first], {"skipped: duplicate"})
    assert f"\n  fsseg report {first} --person {WHO}\n" in shell("report", second, "--person", WHO).out
    assert chosen(shell, first, "--person", WHO)["history"]["earlier"] == []
    assert {json.dumps(chosen(shell, second, "--person", name)["history"]) for name in (WHO, "u-1")} == {
        json.dumps(told)
    }
    assert len(chosen(shell, second, "--person", WHO, "--event", "Signed Up")["history"]["events"]) == 1
    for flags in (["--again"], ["--again"], ["--again"], []):
        assert shell("import", "--sandbox", "--quiet", *flags, way).code == 0
    earlier = chosen(shell, "--person", WHO)["history"]["earlier"]
    newest_first = [row["run_id"] for row in shell("runs", "list", "--json").json]
    assert earlier == [first, *newest_first[1:4]]
    assert "\n  … and 1 more: fsseg runs list\n" in shell("report", "--person", WHO).out


def test_somebody_of_whom_nothing_was_taken_comes_with_what_was_left_out(shell: Shell) -> None:
    shell("import", "--sandbox", "--quiet", "--only", "page", left_out(shell))
    told = chosen(shell, "--person", WHO)
    assert {event["became"] for event in told["history"]["events"]} >= {"skipped: filtered"}
    assert "skipped: filtered" in shell("report", "--person", WHO).out


@pytest.mark.parametrize("name", ["u-1", "id"])
def test_a_person_is_known_by_any_name_with_records_and_timeline_too(shell: Shell, way: Path, name: str) -> None:
    assert shell("import", "--sandbox", "--quiet", way).code == 0
    by_email = chosen(shell, "--person", WHO)
    (record,) = (row for row in by_email["changes"] if row["entity"] == "lead")
    name = f"#{record['id']}" if name == "id" else name
    assert len(by_email["changes"]) == 3
    assert chosen(shell, "--person", name)["changes"] == by_email["changes"]
    assert chosen(shell, "--person", name, "--event", "Signed Up")["changes"] == [
        row for row in by_email["changes"] if row["fields"].get("title", {}).get("after") == "Signed Up"
    ]
    text = shell("report", "--person", name).out
    assert "\nRecords\n" in text and "\nTimeline\n" in text
    about = json.loads(Page(shell("report", "--person", name, "--format", "html").out).held["about"])
    assert about["person"] == WHO


def test_owners_and_other_choices_are_shown_by_name_beside_their_ids(shell: Shell) -> None:
    told = {
        "type": "identify", "userId": WHO, "messageId": "m", "timestamp": "2025-05-01",
        "traits": {"lastName": "L", "ownerId": "Sam Rivera", "leadSourceId": "Web"},
    }  # fmt: skip
    path = shell.write("owned.jsonl", told)
    dry = shell("dry-run", "--sandbox", path)
    owner = re.search(r"owner_id +Sam Rivera \((\d+)\)", dry.out)
    assert owner and re.search(r"lead_source_id +Web \(\d+\)", dry.out)
    assert "+     owner_id: Sam Rivera (" in shell("dry-run", "--sandbox", path, "--format", "markdown").out
    assert shell("import", "--sandbox", "--quiet", path).code == 0
    shell.write("owned.jsonl", told | {"messageId": "n", "timestamp": "2025-05-02", "traits": {"ownerId": "Robin Doe"}})
    assert re.search(r"owner_id +Sam Rivera \(\d+\) → Robin Doe \(\d+\)", shell("dry-run", "--sandbox", path).out)
    assert "Sam Rivera (" in shell("report", "--person", WHO, "--reason", "").out
    changes = [row for row in chosen(shell, "--person", WHO)["changes"] if row["entity"] == "lead"]
    assert changes[0]["fields"]["owner_id"]["before"] == int(owner[1])
    fields = {row["field"]: row["value"] for row in chosen(shell, "--person", WHO)["history"]["fields"]}
    assert re.fullmatch(r"Robin Doe \(\d+\)", fields["owner_id"])
    about = json.loads(Page(shell("report", "--format", "html").out).held["about"])
    assert about["choices"]["lead"]["owner_id"][owner[1]] == "Sam Rivera"


def test_where_the_plan_cannot_be_read_that_is_said_and_the_rest_is_told(shell: Shell, way: Path) -> None:
    assert shell("import", "--sandbox", "--quiet", way).code == 0
    (plan,) = shell.state.glob("*/runs/*/plan.db")
    plan.write_bytes(b"no database at all")
    done = shell("report", "--person", WHO)
    assert done.code == 0 and "\nRecords\n" in done.out
    assert f"which events came in of {WHO} can't be told any more: {plan}" in done.err


def test_of_what_is_only_counted_that_is_said(shell: Shell) -> None:
    told = {"type": "identify", "userId": WHO, "messageId": "m", "traits": {"lastName": "L", "favoriteColor": "red"}}
    assert shell("import", "--sandbox", "--quiet", shell.write("odd.jsonl", told)).code == 0
    text = shell("report", "--reason", "ignored_trait").out
    assert (
        "1 time: no field of that name: map it" in text
        and "\n      favoriteColor 1\n" in text
        and "Only the number is kept" in text
    )
    assert "is about refused" in shell("report", "--reason", "refused").err
    wrong = shell("report", "--reason", "ignored_traits")
    assert (wrong.code, wrong.err.splitlines()[1]) == (2, "hint: did you mean ignored_trait?")


def test_of_a_person_of_whom_the_run_has_nothing_an_earlier_run_is_named(shell: Shell) -> None:
    ann, bo = ({"type": "identify", "userId": f"{name}@x.example", "messageId": name} for name in ("ann", "bo"))
    of_ann, _, latest = (
        shell("import", "--sandbox", "--json", path).json["run_id"]
        for path in (shell.write("ann.jsonl", ann), shell.write("bo.jsonl", bo), shell.write("empty.jsonl"))
    )
    told = shell("report", "--person", "ann@x.example").err
    assert f"nothing in run {latest} is about ann@x.example; an earlier run has this person: fsseg report " in told
    advice = told.partition("person: fsseg ")[2].split()
    assert of_ann in advice
    assert "\nRecords\n" in shell(*advice).out
    assert "fsseg runs list names the other runs" in shell("report", "--person", "cy@x.example").err


COMPANY: list[dict[str, Any]] = [
    {"type": "identify", "userId": "bo@x.example", "traits": {"lastName": "B", "company": {"name": "Acme"}}},
    {"type": "identify", "userId": "u-1", "traits": {"email": WHO, "lastName": "L", "deal": {"name": "Pilot"}}},
    {"type": "identify", "userId": "u-1", "traits": {"email": WHO, "company": {"name": "Acme"}}},
    {"type": "identify", "userId": "u-1", "traits": {"email": WHO, "deal": {"name": "Big", "amount": 5}}},
    {"type": "group", "userId": "u-1", "groupId": "g-1", "traits": {"name": "Group Ltd"}},
    {"type": "track", "event": "Paid", "userId": "ghost@x.example"},
]


def test_an_event_is_told_by_the_person_and_by_the_deals_and_accounts_it_makes(shell: Shell) -> None:
    times = ({"messageId": f"m-{n}", "timestamp": f"2025-05-0{n + 1}T10:00:00Z"} for n in range(len(COMPANY)))
    rows = [known | event for known, event in zip(times, COMPANY, strict=True)]
    for row in rows:
        if row["type"] == "identify":
            row["traits"] = row["traits"] | {"fsContact": True}
    path = shell.write("deals.jsonl", *rows)
    shell("import", "--sandbox", "--quiet", "--with", "group", path)
    told = chosen(shell, "--person", WHO)
    ids = {row["key"]: f"#{row['id']}" for row in lines(shell, "changes.jsonl")}
    events = [(set(event["sets"]), event["became"]) for event in told["history"]["events"]]
    assert events == [
        ({"last_name"}, f"created {ids[WHO]}; deal left out: amount missing"),
        ({"account.name"}, f"created {ids[WHO]}; account created {ids['Acme']}"),
        ({"email", "deal.name", "deal.amount"}, f"created {ids[WHO]}; deal created {ids['Big']}"),
        ({"account.name"}, f"account created {ids['Group Ltd']}"),
    ]
    assert {row["key"] for row in told["changes"] if row["entity"] == "deal"} == {"Pilot", "Big"}
    fields = {(row["record"], row["field"]): row["became"] for row in told["history"]["fields"]}
    table = [*csv.DictReader(io.StringIO(shell("report", "--format", "changes-csv").out))]
    assert [row["label"] for row in table if row["field"] in ("email", "sales_account")] == [
        "Emails",
        "Emails",
        "Sales account",
    ]
    text = shell("report", "--reason", "incomplete").out
    assert "\n  / 2025-05-06 10:00  Paid  ghost@x.example\n" in shell("report", "--reason", "unknown_person").out
    assert (
        "\n      deal.amount 1\n" in text and f"/ deal      Pilot  of {WHO}\n" in text and "Only the number" not in text
    )
    assert fields["deal Pilot", "name"] == "left out" and fields["account Acme", "name"] == "sent"

"""What people do wrong or ask for: one clear message, its exit code, no traceback, stdout for data only."""

from __future__ import annotations

import gzip
import re
import shlex
import socket
from pathlib import Path

import orjson
import pytest
from filelock import FileLock

from tests.e2e.events import identify, track
from tests.e2e.harness import Machine

KIM = "kim@north.example"


def test_inputs_that_cannot_be_read(classic: Machine) -> None:
    good = classic.write("good.jsonl", [identify(KIM, title="CTO")])
    missing = str(classic.home / "missing.jsonl")
    folder = classic.home / "nothing"
    folder.mkdir()

    gone = classic.spawn("import", missing)
    assert gone.code == 4
    assert "missing.jsonl" in gone.err
    assert gone.out == ""
    assert classic.account.requests == 0

    partly = classic.spawn("import", "--json", missing, good)
    assert partly.code == 1
    assert "missing.jsonl" in partly.err
    assert orjson.loads(partly.out)["events"]["outcomes"]["applied"] == 1
    assert classic.account.one("leads", KIM)

    for name, content in (("empty.jsonl", b""), ("blank.jsonl", b"\n \n\r\n"), ("empty.jsonl.gz", gzip.compress(b""))):
        empty = classic.run("import", "--json", classic.write(name, content))
        assert (empty.code, empty.outcomes) == (0, {}), name

    assert classic.run("import").code == 2


def test_a_container_nobody_knows_and_a_cut_one(classic: Machine) -> None:
    unknown = classic.imports(classic.write("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8))
    assert unknown.code in (1, 4)

    lines = b"".join(orjson.dumps(identify(f"p{n}@north.example", lastName="X" * n)) + b"\n" for n in range(200))
    cut = classic.imports(classic.write("cut.jsonl.gz", gzip.compress(lines)[:-200]))
    assert cut.code == 1
    assert cut.reasons["truncated"] == 1
    assert cut.outcomes["applied"] > 0


@pytest.mark.parametrize(
    ("environment", "config", "told"),
    [
        ({"FSSEG_API_TOKEN": None}, "", "FSSEG_API_TOKEN"),
        ({"FSSEG_API_TOKEN": ""}, "", "FSSEG_API_TOKEN"),
        ({}, "nulls = 'keep'\n", "nulls"),
        ({}, "[timeline]\nevent_typ = 'x'\n", "event_typ"),
        ({}, "colour = 'blue'\n", "colour"),
        ({}, "[freshsales\n", "line 1: this can't be read"),
        ({}, "[mapping.person]\nshoe = 'no_such_field'\n", "no_such_field"),
        ({"FSSEG_EDITION": None}, "", "edition"),
        ({"FSSEG_BASE_URL": "http://freshsales.example"}, "", "https"),
        ({"FSSEG_BASE_URL": None}, "", "domain"),
        ({"FSSEG_EDITION": "premium"}, "", "premium"),
    ],
)
def test_a_wrong_setting_is_named_and_ends_with_2(
    classic: Machine, environment: dict[str, str | None], config: str, told: str
) -> None:
    classic.environment.update(environment)

    result = classic.run("import", events=[identify(KIM)], config=config)

    assert result.code == 2, (result.out, result.err)
    assert told in result.err
    assert result.out == ""
    assert classic.account.writes == 0


def test_unknown_flags_and_values_end_with_2(classic: Machine) -> None:
    path = classic.write("good.jsonl", [identify(KIM)])
    for args in (["--nonsense"], ["--match", "phone"], ["--max-time", "soon"], ["--since", "someday"], ["--limit", "0"], ["--config", "no.toml"]):  # fmt: skip
        assert classic.run("import", path, *args).code == 2, args
    assert classic.account.requests == 0


def test_a_refused_token_ends_with_3_before_any_write(machine: Machine) -> None:
    machine.account.configure(refuse_token=True)

    result = machine.spawn("import", events=[identify(KIM)])

    assert result.code == 3
    assert [line.split()[0] for line in result.err.strip().splitlines()] == ["error:", "hint:"]
    assert machine.account.writes == 0


@pytest.mark.parametrize(
    ("forbidden", "events", "code"),
    [
        ("/settings/deals|/deals", [identify(KIM, fsContact=True, lastName="V")], 0),
        ("/selector/owners", [identify(KIM, fsContact=True), track(KIM, "Visited")], 0),
        ("/selector/sales_activity_types", [identify(KIM, fsContact=True, lastName="V")], 0),
        ("/settings/sales_accounts|/sales_accounts", [identify(KIM, fsContact=True, lastName="V")], 0),
        ("/selector/sales_activity_types", [identify(KIM), track(KIM, "Visited")], 3),
        ("/settings/contacts", [identify(KIM, fsContact=True, lastName="V")], 3),
        ("/settings/sales_accounts", [identify(KIM, fsContact=True, company="North Ltd")], 3),
        ("/settings/deals", [identify(KIM, fsContact=True, deal={"name": "Pilot", "amount": 1})], 3),
        ("/lookup", [identify(KIM)], 3),
    ],
)
def test_what_the_key_may_not_do_matters_where_the_run_needs_it(
    machine: Machine, forbidden: str, events: list[dict[str, object]], code: int
) -> None:
    machine.account.configure(forbidden=[forbidden])

    result = machine.imports(events=events)

    assert result.code == code, result.err
    if code == 3:
        assert machine.account.writes == 0
        assert "403" in result.err
    else:
        assert machine.account.one("contacts", KIM)


def test_a_key_that_may_not_write_stops_at_its_first_write(machine: Machine) -> None:
    resource = "leads" if machine.account.edition == "classic" else "contacts"
    machine.account.configure(forbidden=[f"/{resource}/(bulk_)?upsert"])

    result = machine.imports(events=[identify(f"p{n}@north.example", lastName="P") for n in range(12)])

    assert result.code == 3
    assert machine.account.writes == 1
    assert result.outcomes == {"pending": 12}


def test_nobody_at_the_address_is_5_within_the_time_given(classic: Machine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        classic.base_url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        result = classic.spawn("import", "--max-time", "2s", events=[identify(KIM)])

    assert result.code == 5
    assert result.out == ""


def test_another_run_that_holds_the_lock_is_7(classic: Machine) -> None:
    events = [identify(KIM)]
    classic.dry_runs(events=events)
    (folder,) = classic.state.iterdir()
    with FileLock(folder / "lock"):
        result = classic.spawn("import", events=events)

    assert result.code == 7
    assert classic.account.writes == 0
    assert classic.imports(events=events).code == 0


def test_standard_input_is_read_and_its_failures_name_it(classic: Machine) -> None:
    lines = [identify(KIM, title="CTO"), track("nobody@north.example", "Visited"), {"type": "nonsense", "userId": "x"}]
    stdin = b"\n".join(orjson.dumps(line) for line in lines)

    result = classic.spawn("import", "--json", "-", stdin=stdin)

    assert result.code == 1
    assert result.outcomes == {"applied": 1, "rejected": 2}
    assert [row["path"] for row in result.summary["inputs"]] == ["-"]
    assert {row["_fsseg"]["file"] for row in result.failures} == {"-"}
    assert sorted(row["_fsseg"]["line"] for row in result.failures) == [2, 3]


def test_a_moved_state_folder_still_has_what_was_read_from_standard_input(classic: Machine) -> None:
    people = [identify(f"p{number}@north.example", lastName="P") for number in range(9)]
    lines = [orjson.dumps(event) for event in [*people, track("nobody@north.example", "Visited", {"n": 1})]]
    stopped = classic.spawn("import", "--max-requests", "12", "-", stdin=b"\n".join(lines))
    assert stopped.code == 5, stopped.err

    classic.state.rename(moved := classic.state.with_name("moved"))
    classic.environment["FSSEG_STATE_DIR"] = str(moved)
    ended = classic.spawn("resume")

    assert ended.code == 1, ended.err
    (run,) = moved.glob("*/runs/*")
    (failed,) = map(orjson.loads, (run / "failures.jsonl").read_bytes().splitlines())
    assert failed["properties"] == {"n": 1}


def test_json_is_the_summary_and_nothing_else(machine: Machine) -> None:
    events = [identify(KIM, title="CTO"), track("nobody@north.example", "Visited")]

    for command in ("dry-run", "import"):
        result = machine.spawn(command, "--json", events=events)
        assert orjson.loads(result.out) == result.summary
        assert result.summary["schema"] == 1
        assert result.summary["command"] == command
        assert result.summary["dry_run"] == (command == "dry-run")
        assert result.summary["exit_code"] == result.code == 1
        assert "\x1b" not in result.out + result.err


def test_quiet_says_only_what_went_wrong(machine: Machine) -> None:
    fine = machine.spawn("import", "--quiet", events=[identify(KIM, title="CTO")])
    assert (fine.code, fine.out, fine.err) == (0, "", "")

    wrong = machine.spawn("import", "-q", str(machine.home / "missing.jsonl"))
    assert (wrong.code, wrong.out) == (4, "")
    assert "missing.jsonl" in wrong.err


def test_a_pipe_gets_plain_lines_without_colour_or_control_characters(classic: Machine) -> None:
    nasty = "\x1b[31mRed\x1b]0;title\x07‮"
    result = classic.spawn("dry-run", events=[identify(KIM, firstName=nasty, title=nasty), track(KIM, nasty)])

    assert result.code == 0
    assert not any(ord(char) < 32 and char != "\n" for char in result.out + result.err)
    assert "‮" not in result.out
    assert "\\x1b" in result.out
    classic.environment["NO_COLOR"] = "1"
    classic.environment["FORCE_COLOR"] = None
    again = classic.spawn("import", events=[identify("sam@north.example", firstName=nasty)])
    assert "\x1b" not in again.out + again.err
    assert classic.account.one("leads", "sam@north.example")["first_name"].startswith("[31mRed")


def test_formats_and_choice_of_a_dry_run(classic: Machine) -> None:
    classic.account.make("leads", email="old@north.example", last_name="Old", job_title="CTO")
    classic.account.make("contacts", emails="taken@north.example", last_name="T")
    events = [
        identify("old@north.example", title="CEO"),
        identify("new@north.example", title="COO"),
        identify("u-1", email="taken@north.example", fsContact=True),
    ]

    text = classic.run("dry-run", events=events).out
    assert "+ lead" in text
    assert "~ lead" in text
    assert "CTO → CEO" in text
    assert "! contact" in text
    jsonl = classic.run("dry-run", "--format", "jsonl", events=events)
    assert [orjson.loads(line) for line in jsonl.out.splitlines()] == jsonl.changes
    updates = classic.run("dry-run", "--format", "jsonl", "--show", "updates", events=events)
    assert [orjson.loads(line)["key"] for line in updates.out.splitlines()] == ["old@north.example"]
    creates = classic.run("dry-run", "--show", "creates", events=events).out
    assert "new@north.example" in creates
    assert "old@north.example" not in creates
    conflicts = classic.run("dry-run", "--format", "jsonl", "--show", "conflicts", events=events)
    assert [orjson.loads(line)["key"] for line in conflicts.out.splitlines()] == ["taken@north.example"]
    assert classic.run("dry-run", "--format", "markdown", events=events).out.lstrip().startswith("#")
    html = classic.run(
        "dry-run", "--format", "html", events=[*events, identify("x@north.example", title="<script>x</script>")]
    ).out
    assert html.lstrip().lower().startswith("<!doctype html")
    assert "<script>x" not in html
    assert classic.account.writes == 2


@pytest.mark.parametrize(
    ("traits", "told"),
    [({"title": "CEO"}, "update 51 of 101"), ({"title": None}, "clear fields of 11 of 101")],
    ids=["updates", "clears"],
)
def test_the_brake_refuses_mass_changes_and_dry_runs_show_it(
    machine: Machine, traits: dict[str, object], told: str
) -> None:
    machine.account.seed(
        contacts=[{"email": f"p{n}@north.example", "job_title": "CTO", "city": "Oslo"} for n in range(101)]
    )
    many = int(told.split()[-3])
    events = [identify(f"p{n}@north.example", traits if n < many else {"city": "Oslo"}) for n in range(101)]
    under = [identify(f"p{n}@north.example", traits if n < many - 1 else {"city": "Oslo"}) for n in range(101)]

    dry = machine.dry_runs(events=events)
    assert dry.code == 6
    assert "--allow-mass-changes" in dry.err
    assert told in dry.err
    assert dry.actions["contact"]["update"] == many
    assert machine.imports(events=events).code == 6
    assert machine.account.writes == 0
    assert machine.dry_runs(events=under).code == 0
    assert machine.dry_runs("--allow-mass-changes", events=events).code == 0
    assert machine.imports("--allow-mass-changes", events=events).outcomes["applied"] == many


def test_the_brake_refuses_a_dry_run_that_was_stopped_and_goes_on(machine: Machine) -> None:
    machine.account.seed(contacts=[{"email": f"p{n}@north.example", "job_title": "CTO"} for n in range(101)])
    path = machine.write("events.jsonl", [identify(f"p{n}@north.example", title="CEO") for n in range(101)])
    assert machine.dry_runs(path, "--max-requests", "6").code == 5
    resumed = machine.run("resume")
    assert resumed.code == 6
    assert "the safety brake: " in resumed.err and "--allow-mass-changes" in resumed.err


@pytest.mark.parametrize(("command", "lifted_by"), [("dry-run", "apply"), ("import", "resume")])
def test_what_the_brake_advises_lifts_it(machine: Machine, command: str, lifted_by: str) -> None:
    machine.account.seed(contacts=[{"email": f"p{n}@north.example", "job_title": "CTO"} for n in range(101)])
    refused = machine.run(command, events=[identify(f"p{n}@north.example", title="CEO") for n in range(101)])
    assert refused.code == 6
    assert re.search(r"^  fields +to set +to clear\n  contact +job_title +101 +0$", refused.out, re.MULTILINE)
    (advised,) = re.findall(r"^hint: if this is meant: fsseg (.*)$", refused.err, re.MULTILINE)
    words = shlex.split(advised)
    assert (words[0], words[-1]) == (lifted_by, "--allow-mass-changes")
    if command == "import":
        assert f"the safety brake holds it; if it is meant: fsseg {advised}" in machine.run("resume").err
    assert machine.account.writes == 0
    assert machine.run(*words).code == 0
    assert machine.account.one("contacts", "p100@north.example")["job_title"] == "CEO"


def test_an_import_that_may_change_many_may_still_when_it_goes_on(machine: Machine) -> None:
    many = 130
    kind = "leads" if machine.account.edition == "classic" else "contacts"
    machine.account.seed(**{kind: [{"email": f"p{n}@x.example", "last_name": "P"} for n in range(many)]})
    events = [identify(f"p{n}@x.example", lastName="Q") for n in range(many)]
    planned = machine.dry_runs("--allow-mass-changes", events=events).summary["requests"]["total"]
    budget = str(planned + 3)
    assert machine.imports("--allow-mass-changes", "--max-requests", budget, events=events).code == 5
    assert machine.run("resume").code == 0
    assert {row["last_name"] for row in machine.account.records()[kind]} == {"Q"}


def test_the_brake_leaves_small_runs_and_new_people_alone(machine: Machine) -> None:
    machine.account.seed(contacts=[{"email": f"p{n}@north.example", "job_title": "CTO"} for n in range(100)])

    assert machine.dry_runs(events=[identify(f"p{n}@north.example", title=None) for n in range(100)]).code == 0
    assert machine.dry_runs(events=[identify(f"n{n}@north.example", title="CTO") for n in range(150)]).code == 0


def test_failures_are_whole_events_that_can_be_mended_and_imported(machine: Machine) -> None:
    events = [identify("u-1", title="CTO", extra={"kept": [1]}), track("u-2", "Visited", {"n": 1}), identify(KIM)]
    first = machine.imports(events=events)
    assert [{name: value for name, value in row.items() if name != "_fsseg"} for row in first.failures] == events[:2]
    about = first.failures[0]["_fsseg"]
    assert {name: about[name] for name in ("line", "stage", "code", "retryable", "status")} == {
        "line": 1, "stage": "map", "code": "missing_email", "retryable": False, "status": None,
    }  # fmt: skip
    assert set(about) == {"file", "line", "stage", "code", "message", "hint", "retryable", "status"}
    assert b"missing_email" in first.file("failures.csv")
    as_table = machine.run("import", f"{first.summary['run_dir']}/failures.csv")
    assert (as_table.code, "mend failures.jsonl beside it" in as_table.err) == (4, True)

    mended = first.failures
    mended[0]["traits"]["email"] = "new@north.example"
    mended[1]["properties"]["email"] = KIM
    second = machine.imports(machine.write("mended.jsonl", mended))

    assert second.outcomes == {"applied": 2}
    assert machine.account.timeline(KIM)[0]["notes"].startswith("n: 1")
    resource = "leads" if machine.account.edition == "classic" else "contacts"
    assert machine.account.one(resource, "new@north.example")["job_title"] == "CTO"


def test_refused_records_carry_the_words_of_freshsales_and_stop_nobody_else(machine: Machine) -> None:
    machine.account.empty({"fields": {"contacts": {"add": [{"name": "cf_code", "type": "text", "unique": True}]}}})
    machine.account.make("contacts", emails="first@north.example", last_name="F", custom_field={"cf_code": "A"})
    events = [
        identify(f"p{n}@north.example", fsContact=True, lastName="P", cfCode="A" if n == 3 else f"B{n}")
        for n in range(8)
    ]
    events.append(track("p3@north.example", "Visited"))

    result = machine.imports(events=events)

    assert result.code == 1
    assert result.outcomes == {"applied": 7, "failed": 2}
    assert result.reasons == {"refused": 2}
    about = result.failures[0]["_fsseg"]
    assert (about["code"], about["stage"], about["status"]) == ("refused", "push", 400)
    assert "unique" in about["message"].lower() or "taken" in about["message"].lower()
    assert result.actions["contact"] == {"create": 7, "failed": 1}


def test_files_of_a_run_are_private_and_hold_no_token(machine: Machine) -> None:
    machine.imports("--verbose", events=[identify(KIM), track("nobody@north.example", "Visited")])

    token = machine.account.sandbox.token.encode()
    files = [path for path in machine.state.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"plan.db", "summary.json", "changes.jsonl", "failures.jsonl", "ledger.db"}
    for path in files:
        assert token not in path.read_bytes(), path
        assert path.stat().st_mode & 0o077 == 0, path
    (runs,) = machine.state.glob("*/runs/*")
    assert Path(runs).stat().st_mode & 0o777 == 0o700


def test_a_failed_event_of_a_database_id_names_the_person_it_was_for(classic: Machine) -> None:
    classic.account.seed(contacts=[{"email": "kim@north.example", "last_name": "Vos"}])
    events = [
        identify("u-77", {"email": "kim@north.example", "lastName": "Vos", "fsContact": True}),
        {"type": "track", "userId": "u-77", "event": "Seen", "messageId": "m-1", "timestamp": "2024-05-01T00:00:00Z"},
    ]
    done = classic.imports(events=events)
    assert [row["_fsseg"]["code"] for row in done.failures] == ["email_exists"] * 2
    assert [row["_fsseg"]["key"] for row in done.failures] == ["kim@north.example"] * 2
    found = orjson.loads(classic.run("report", "--person", "kim@north.example", "--json").out)
    assert len(found["failures"]) == 2

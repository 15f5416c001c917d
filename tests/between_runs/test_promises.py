"""What a run that was held, declined or tried out says of itself is so in every report, and its advice works as typed."""

from __future__ import annotations

import re
import time

import pytest

from fsseg.sandbox import Fault
from tests.between_runs.runs import PEOPLE, advised, person, run_of, states, under_way
from tests.between_runs.terminal import CTRL_C, answered
from tests.e2e.events import page
from tests.e2e.harness import Machine, Result

REPORTS = ("report", "report --quiet", "report --format html", "runs show")


def told(machine: Machine, run: str, *more: str) -> dict[str, str]:
    """What each of these reports says of the run; none of them sends anything."""
    said = {}
    for command in (*REPORTS, *more):
        verb, dashes, flags = command.partition(" --")
        done = machine.run(*verb.split(), run, *(dashes + flags).split())
        assert done.code == 0, done.err
        said[command] = done.out + done.err
    return said


@pytest.mark.parametrize("command", ["dry-run", "import"])
def test_what_the_brake_holds_is_told_with_what_lifts_it_in_every_report(machine: Machine, command: str) -> None:
    kind = "leads" if machine.account.edition == "classic" else "contacts"
    machine.account.seed(**{kind: [{"email": f"p{n}@x.example", "last_name": "L"} for n in range(110)]})
    held = machine.run(command, events=[person(f"p{n}@x.example", "2024-05-01", title="CEO") for n in range(110)])
    assert held.code == 6
    verb = {"dry-run": "apply", "import": "resume"}[command]
    lifts = f"fsseg {verb} {run_of(held)} --allow-mass-changes"
    assert f"hint: if this is meant: {lifts}" in held.err
    assert lifts in held.file("report.html").decode()
    said = told(machine, run_of(held))
    assert [name for name, text in said.items() if lifts not in text] == []
    assert "The safety brake refused the run; nothing was written" in _markdown(machine, run_of(held))
    done = machine.run(*advised(said["report"], "Lift the brake:")[0])
    assert done.code == 0, done.err
    assert all(row["job_title"] == "CEO" for row in machine.account.records()[kind])
    assert not any("--allow-mass-changes" in text for text in told(machine, run_of(held)).values() if verb == "resume")


def _markdown(machine: Machine, run: str) -> str:
    return machine.run("report", run, "--format", "markdown").out.replace("\\", "")


def test_markdown_says_how_a_run_ended_that_was_stopped_and_what_it_could_not_read(classic: Machine) -> None:
    path, bad = classic.write("events.jsonl", PEOPLE), classic.write("bad.bin", bytes(range(256)) * 9)
    stopped = classic.imports(path, bad, "--max-requests", "9")
    assert stopped.code == 5
    text = _markdown(classic, run_of(stopped))
    assert re.search(r"^Stopped early after .*; nothing is lost\.$", text, re.MULTILINE), text
    assert "Why it stopped: all of the 9 requests allowed are spent" in text
    assert f"Not read: {bad}" in text
    assert classic.run("resume").code == 1
    assert "topped" not in _markdown(classic, run_of(stopped))


@pytest.mark.parametrize("answer", ["n", CTRL_C])
def test_a_no_to_a_resumed_import_is_told_as_to_one_that_was_not(classic: Machine, answer: str) -> None:
    stopped = classic.imports("--max-requests", "9", events=PEOPLE)
    assert stopped.code == 5
    _, seen = answered(classic, "resume", answers=[answer])
    assert "+ lead" not in seen, "the diff is what d shows"
    assert seen.count("fsseg ") == 1
    pushes = f"fsseg apply {run_of(stopped)}"
    for text in (stopped.file("report.html").decode(), *told(classic, run_of(stopped)).values()):
        assert "Go on where it stopped" not in text
    assert pushes in stopped.file("report.html").decode()
    assert pushes in classic.run("report", run_of(stopped)).out
    assert classic.run(*advised(seen, "what would still push it:")[0]).code == 0


def test_one_event_is_it_and_several_are_them(classic: Machine) -> None:
    bad = [person(f"nobody{n}", "2024-05-07", title="CEO") for n in range(2)]
    one, two = classic.imports(events=bad[:1]), classic.imports(events=bad)
    assert ("Mend it, then:" in one.out, "Mend them, then:" in one.out) == (True, False)
    assert ("Mend it, then:" in two.out, "Mend them, then:" in two.out) == (False, True)


def test_mended_events_of_an_import_that_takes_them_again_are_no_duplicates(classic: Machine, fast: None) -> None:
    """They were delivered before."""
    events = [person("ada@x.example", "2024-05-01", title="CEO")]
    assert classic.imports(events=events).code == 0
    classic.account.change("leads", classic.account.one("leads", "ada@x.example")["id"], job_title="Other")
    classic.account.faults(Fault("error", method="PUT"))
    failed = classic.imports("--again", events=events)
    assert failed.code == 1, failed.err
    classic.account.faults()
    classic.account.forget()
    again = classic.imports(str(failed.folder / "failures.jsonl"), *_flags(failed)) if failed.folder else failed
    assert (again.code, again.outcomes) == (0, {"applied": 1})


def _flags(result: Result) -> list[str]:
    return str(result.summary["import_flags"]).split()


def test_an_undo_that_was_tried_out_says_what_would_not_be_put_back(classic: Machine) -> None:
    classic.account.seed(leads=[{"email": f"p{n}@x.example", "last_name": "L", "job_title": "Old"} for n in range(3)])
    imported = classic.imports(events=[person(f"p{n}@x.example", "2024-05-01", title="CEO") for n in range(3)])
    for number, left in enumerate(("1 record", "2 records")):
        classic.account.change("leads", classic.account.one("leads", f"p{number}@x.example")["id"], job_title="Mine")
        for flags in ((), ("--quiet",)):
            tried = classic.run("undo", run_of(imported), "--dry-run", *flags)
            assert f"{left} would not be put back" in tried.out + tried.err
            assert not re.search("(was|were) not put back", tried.out + tried.err)
    done = classic.run("undo", run_of(imported), "--yes")
    assert "2 records were not put back" in done.out


@pytest.mark.parametrize(
    ("flags", "others", "code", "advice"),
    [
        ([], [], "anonymous", "--stitch-anonymous"),
        (["--stitch-anonymous"], [], "anonymous", ""),
        ([], ["group"], "unsupported_type", "--with group"),
        ([], ["screen"], "unsupported_type", ""),
        (["--with", "group"], ["screen", "group"], "unsupported_type", ""),
    ],
    ids=str,
)
def test_nothing_is_advised_that_was_done_or_would_not_help(
    classic: Machine, flags: list[str], others: list[str], code: str, advice: str
) -> None:
    more = [
        {**page("ada@x.example", "Home"), "type": kind, "messageId": kind, "groupId": "g", "traits": {"name": "Acme"}}
        for kind in others
    ]
    nobodys = {**page("", "Home"), "messageId": "n", "anonymousId": "z"}
    nobodys.pop("userId")
    planned = classic.dry_runs(*flags, events=[*PEOPLE[:1], *more, nobodys])
    (hint,) = [row["hint"] for row in planned.summary["reasons"] if row["code"] == code]
    assert ([flag for flag in ("--stitch-anonymous", "--with group") if flag in hint] or [""]) == [advice]
    assert hint in " ".join(planned.out.split())


def test_a_run_that_is_under_way_is_not_said_to_be_resumable_by_prune(classic: Machine) -> None:
    classic.account.faults(Fault("slow", seconds=20, path="leads|lookup"))
    with under_way(classic, "import", classic.write("events.jsonl", PEOPLE)):
        while states(classic) not in (["import planning"], ["import running"]):
            time.sleep(0.05)
        time.sleep(1.1)  # that it is old enough
        prune = ("runs", "prune", "--older-than", "1s", "--yes")
        done = classic.run(*prune)
        assert (done.code, done.err) == (0, "kept 1 run that is under way\ndeleted 0 runs, 0 MB freed\n")
        assert classic.run(*prune, "--all").code == 7


def test_a_retry_that_was_stopped_is_gone_on_with_by_what_its_reports_advise(classic: Machine, fast: None) -> None:
    classic.account.faults(Fault("error", method="POST", path="leads"))
    failed = classic.imports(events=[person("ada@x.example", "2024-05-01", title="CEO")])
    assert failed.code == 1
    classic.account.faults()
    assert classic.run("retry", "--max-requests", "2").code == 5
    done = classic.run(*advised(classic.run("report", "--quiet").err, "push again what failed:")[0])
    assert (done.code, failed.outcomes) == (0, {"applied": 1}), done.err

"""What is printed is true."""

from __future__ import annotations

import re
import time
from pathlib import Path

import orjson
import pytest

from fsseg.sandbox import Fault
from fsseg.state.run_folder import Run
from tests.between_runs.runs import PEOPLE, Event, advised, person, run_of, states, under_way
from tests.e2e.harness import Machine
from tests.faults.process import finish

CROWD: list[Event] = [person(f"p{n}@x.example", "2024-05-01", title="CEO") for n in range(40)]


def test_a_key_that_is_taken_away_midway_does_not_mean_that_nothing_was_written(classic: Machine) -> None:
    classic.account.faults(Fault("slow", method="POST", seconds=0.05))
    with under_way(classic, "import", classic.write("events.jsonl", CROWD)) as process:
        while classic.account.writes < 10:
            assert process.poll() is None
            time.sleep(0.005)
        classic.account.configure(refuse_token=True)
        done = finish(process)
    classic.account.configure(refuse_token=False)
    classic.account.faults()
    assert done.code == 3
    assert classic.account.records()["leads"]
    assert "nothing was written" not in done.out
    assert classic.run(*advised(done.err, "go on with:")[0]).code == 0
    assert len(classic.account.records()["leads"]) == len(CROWD)


def test_the_time_that_a_run_took_leaves_out_how_long_it_lay_there(classic: Machine) -> None:
    stopped = classic.imports("--max-requests", "15", events=PEOPLE)
    assert stopped.folder is not None
    Run(stopped.folder).note(started_at="2024-01-02T03:04:05.000000Z")
    done = classic.run("resume")
    assert done.code == 0
    assert not re.search(r"Done in .* (d|h)\b", done.out), done.out.splitlines()[2]


def test_the_second_look_says_how_many_records_it_looked_at(machine: Machine) -> None:
    run = run_of(machine.dry_runs(events=PEOPLE))
    (told,) = re.findall(r"Recheck: (\d+) records", machine.run("apply", run).err)
    assert int(told) == 4


def test_what_older_means_is_said_where_it_is_warned_of(machine: Machine) -> None:
    for day, title in (("2025-01-01", "CEO"), ("2024-01-01", "Intern")):
        done = machine.imports(events=[person("ada@x.example", day, title=title)])
    line = next(line for line in done.out.splitlines() if line.startswith("Warning older"))
    assert "; " in line, f"no word of explanation: {line}"


def test_a_file_is_said_to_be_of_the_run_that_imported_it(machine: Machine) -> None:
    """Also where a run that was stopped before it had planned has met it since."""
    path = machine.write("events.jsonl", PEOPLE)
    first = run_of(machine.imports(path))
    assert machine.imports(path, "--max-requests", "1").code == 5
    assert machine.run("resume").code == 0
    done = machine.imports(path)
    assert f"was dealt with wholly by run {first}" in done.err


def test_what_another_run_has_found_unchanged_can_still_be_deleted(machine: Machine) -> None:
    """Two imports of a file, of which one has made everything and the other has found it."""
    path = machine.write("events.jsonl", PEOPLE)
    assert machine.imports(path, "--max-requests", "9").code == 5
    whole = run_of(machine.imports(path))
    assert machine.run("resume").code == 0
    done = machine.run("undo", whole, "--yes", "--delete-created")
    assert done.code == 0, done.out
    assert not any(machine.account.records().values())


def test_an_undo_that_was_stopped_is_not_listed_as_having_nothing_to_put_back(classic: Machine) -> None:
    for day, title in (("2024-01-01", "Intern"), ("2025-01-01", "CEO")):
        classic.imports(events=[person("ada@x.example", day, title=title)])
    assert classic.run("undo", "--yes", "--max-requests", "7").code == 5
    assert states(classic)[0] == "undo stopped"
    assert "nothing to put back" not in classic.run("runs", "list").out
    assert classic.run("resume").code == 0
    assert "put back 1" in classic.run("runs", "list").out


@pytest.mark.parametrize("budget", ["1", "15"])
def test_what_is_stopped_says_so_in_all_places(classic: Machine, budget: str) -> None:
    done = classic.imports("--max-requests", budget, events=PEOPLE)
    assert done.code == 5
    assert states(classic) == ["import stopped"]
    run = run_of(done)
    shown = classic.run("runs", "show", run)
    assert advised(shown.out, "Go on where it stopped:") == [["resume", run]]
    report = classic.run("report", run)
    assert f"fsseg resume {run}" in report.out + report.err


def test_what_came_to_its_end_advises_nobody_to_go_on(machine: Machine) -> None:
    path = machine.write("events.jsonl", PEOPLE)
    run = run_of(machine.imports(path))
    for command in (["runs", "show", run], ["report", run], ["resume", run], ["retry", run], ["import", path]):
        done = machine.run(*command)
        assert done.code == 0, done.err
        assert "fsseg resume" not in done.out + done.err
        assert "fsseg apply" not in done.out + done.err


def test_what_was_applied_or_superseded_says_by_which_run(classic: Machine) -> None:
    path = classic.write("events.jsonl", PEOPLE)
    dry, later = (run_of(classic.dry_runs(path)) for _ in range(2))
    assert (
        f"run {later} has taken its files since: fsseg apply {dry} pushes it all the same"
        in classic.run("resume", dry).err
    )
    applying = run_of(classic.run("apply", later))
    for command in ("apply", "resume", "retry"):
        done = classic.run(command, later)
        assert done.code == (2 if command == "apply" else 0)
        assert applying in done.err
    assert classic.run("apply", dry).code == 0
    assert states(classic) == ["apply done", "apply done", "dry-run applied", "dry-run applied"]


def test_what_a_dry_run_took_is_no_part_of_what_is_told_of_its_apply(classic: Machine) -> None:
    """Neither of the forecast, nor of the requests by time."""
    dry = classic.dry_runs(events=CROWD)
    applied = classic.run("apply", run_of(dry)).summary
    spent, forecast = applied["requests"]["total"], applied["forecast"]["requests"]
    assert abs(spent - forecast) <= 2
    assert sum(applied["traffic"]["sent"]) == spent
    to_write = dry.summary["forecast"]["requests"] - dry.summary["requests"]["total"]
    assert f"{to_write} of them to write what is planned" in " ".join(dry.out.split())


def test_what_a_run_took_is_compared_with_what_was_forecast_for_all_of_it(classic: Machine) -> None:
    """Also where another run has delivered a part in between, so that the rest is planned anew."""
    samples = Path(__file__).parents[2] / "samples"
    path, config = str(samples / "signups.jsonl"), str(samples / "fsseg.toml")
    first = classic.imports(path, "--config", config, "--max-requests", "30")
    forecast = first.summary["forecast"]
    assert first.code == 5
    assert classic.imports(path, "--config", config, "--since", "2025-04-10").code == 0
    resumed = classic.run("resume", run_of(first))
    assert resumed.code == 0, resumed.err
    whole = orjson.loads(classic.run("runs", "show", run_of(first), "--json").out)
    assert whole["forecast"] == forecast
    assert re.search(rf"\(forecast (up to )?{forecast['requests']}\)", resumed.out)


def test_every_report_of_an_undo_and_of_an_apply_says_of_which_run_it_is(classic: Machine) -> None:
    """Whoever opens one later can't tell from the run's own id."""
    planned = run_of(classic.run("dry-run", events=PEOPLE))
    applied = run_of(classic.run("apply", "--yes"))
    for run, what in ((applied, f"applies {planned}"), (run_of(classic.run("undo", "--yes")), f"undoes {applied}")):
        for format in ("text", "markdown", "html"):
            told = classic.run("report", run, "--format", format).out.replace("\\", "")
            assert what in told, (format, what)
        assert orjson.loads(classic.run("report", run, "--format", "json").out)["of"] == what.split()[1]

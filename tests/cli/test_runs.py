from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path

from fsseg.cli.connect import locked
from fsseg.plan.run import new_run
from tests.cli.conftest import Shell


def run_of(shell: Shell) -> Path:
    return next((shell.state / "sandbox-classic" / "runs").iterdir())


def unfinished(shell: Shell) -> Path:
    """A run that was killed before it had pushed everything."""
    run = new_run(shell.state / "sandbox-classic")
    with closing(run.open()) as store:
        store.put("command", "import")
        store.put("started_at", "2024-01-02T03:04:05Z")
        store.put("stage", "planned")
    return run.folder


def age(run: Path, days: int) -> None:
    """Make it look as if the run had ended so many days ago."""
    then = time.time() - days * 86_400
    os.utime(run / "plan.db", (then, then))
    (run / "summary.json").unlink(missing_ok=True)


def test_without_a_run_it_says_so_and_lists_nothing(shell: Shell) -> None:
    text, data = shell("runs"), shell("runs", "--json")
    assert (text.code, text.out) == (0, "")
    assert "no run yet" in text.err
    assert (data.code, data.json) == (0, [])


def test_the_list_tells_what_each_run_was_and_how_it_stands(after_import: Shell) -> None:
    killed = unfinished(after_import)
    done = after_import("runs")
    assert done.code == 0
    head, *rows = done.out.splitlines()
    assert head.split() == ["run", "command", "started", "account", "state", "events"]
    assert [row.split()[0] for row in rows] == sorted((killed.name, run_of_import(after_import)), reverse=True)
    by_run = {row.split()[0]: row for row in rows}
    assert "2024-01-02 03:04" in by_run[killed.name]
    assert "resumable" in by_run[killed.name]
    assert "rejected (exit 1)" in by_run[run_of_import(after_import)]


def run_of_import(shell: Shell) -> str:
    return next(run["run_id"] for run in shell("runs", "list", "--json").json if run["state"] == "done")


def test_the_list_as_json_has_the_outcomes_of_each_run(after_import: Shell) -> None:
    (run,) = after_import("runs", "list", "--json").json
    assert run["run_id"] == run_of(after_import).name
    assert (run["command"], run["account"], run["state"]) == ("import", "sandbox-classic", "done")
    assert run["outcomes"]["applied"] > 0
    assert run["bytes"] > 0


def test_only_the_runs_of_the_account_given_are_listed(after_import: Shell) -> None:
    assert len(after_import("runs", "--sandbox", "--json").json) == 1
    assert after_import("runs", "list", "--domain", "other", "--json").json == []
    assert after_import("runs", "--domain", "other", "list", "--json").json == []


def test_show_prints_the_totals_or_the_summary_of_a_run(after_import: Shell) -> None:
    run = run_of(after_import)
    text, data = after_import("runs", "show", run.name), after_import("runs", "show", run.name, "--json")
    assert (text.code, data.code) == (0, 0)
    assert "missing_email" in text.out
    assert data.json["run_id"] == run.name
    assert data.json["schema"] == 1


def test_a_run_is_found_whatever_account_is_configured(after_import: Shell) -> None:
    assert after_import.with_env(FSSEG_DOMAIN="other")("runs", "show", run_of(after_import).name).code == 0


def test_a_run_without_a_summary_is_shown_as_it_stands(after_import: Shell) -> None:
    killed = unfinished(after_import)
    done = after_import("runs", "show", killed.name)
    assert done.code == 0
    assert "not reported yet" in done.out


def test_an_unknown_run_is_a_usage_error(after_import: Shell) -> None:
    for arguments in (["runs", "show", "nope"], ["runs", "show", "../sandbox-classic"], ["report", "nope"]):
        done = after_import(*arguments)
        assert (done.code, done.out) == (2, "")
        assert "there is no run" in done.err


def test_prune_deletes_old_runs_and_says_what_it_freed(after_import: Shell) -> None:
    run = run_of(after_import)
    done = after_import("runs", "prune", "--older-than", "1d", "--yes", "--json")
    assert (done.code, done.json) == (0, {"deleted": [], "kept": [], "freed_bytes": 0})
    assert run.exists()
    age(run, 40)
    done = after_import("runs", "prune", "--yes", "--json")
    assert (done.code, done.json["deleted"]) == (0, [run.name])
    assert done.json["freed_bytes"] > 10_000
    assert "deleted 1 run" in done.err
    assert not run.exists()
    assert (after_import.state / "sandbox-classic" / "ledger.db").exists()


def test_prune_keeps_what_could_be_resumed_unless_told_otherwise(after_import: Shell) -> None:
    killed = unfinished(after_import)
    age(killed, 40)
    done = after_import("runs", "prune", "--yes")
    assert done.code == 0
    assert "kept 1 run that can be resumed" in done.err
    assert killed.exists()
    assert after_import("runs", "prune", "--yes", "--all").code == 0
    assert not killed.exists()


def test_prune_deletes_nothing_where_nobody_agrees(after_import: Shell) -> None:
    run = run_of(after_import)
    age(run, 40)
    done = after_import("runs", "prune")
    assert done.code == 2
    assert "--yes" in done.err
    code, seen = after_import.on_terminal("runs", "prune", keys="n\n")
    assert (code, "nothing was deleted" in seen) == (0, True)
    assert run.exists()
    code, seen = after_import.on_terminal("runs", "prune", keys="y\n")
    assert (code, "deleted 1 run" in seen) == (0, True)
    assert not run.exists()


def test_prune_waits_for_no_run_under_way(after_import: Shell) -> None:
    run = run_of(after_import)
    age(run, 40)
    with locked(after_import.state / "sandbox-classic", "2024-01-01-000000-aa"):
        done = after_import("runs", "prune", "--yes")
    assert done.code == 7
    assert "2024-01-01-000000-aa" in done.err
    assert run.exists()


def test_a_duration_that_is_none_is_a_usage_error(after_import: Shell) -> None:
    done = after_import("runs", "prune", "--older-than", "soon", "--yes")
    assert done.code == 2
    assert "--older-than" in done.err


def test_a_damaged_run_is_listed_as_such_and_left_alone(after_import: Shell) -> None:
    killed = unfinished(after_import)
    (killed / "plan.db").write_bytes(b"no database at all, and longer than a header of one would be" * 20)
    by_run = {run["run_id"]: run["state"] for run in after_import("runs", "--json").json}
    assert by_run[killed.name] == "damaged"

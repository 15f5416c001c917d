from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fsseg.cli.connect import locked
from fsseg.state.run_folder import Run, RunState, new_run
from tests.cli.conftest import SAMPLES, Shell

SANDBOX = "sandbox-classic"


def run_of(shell: Shell) -> Path:
    return next((shell.state / SANDBOX / "runs").iterdir())


def begun(shell: Shell, account: str = SANDBOX, **what: Any) -> Run:
    """A run that has only just been written down, with what is given noted of it."""
    run = new_run(shell.state / account, account=account, edition="classic", command=what.pop("command", "import"))
    run.note(**what)
    return run


def unfinished(shell: Shell) -> Path:
    """A run whose process was killed while it pushed."""
    return begun(shell, state=RunState.RUNNING, started_at="2024-01-02T03:04:05.000000Z", inputs=["/x/a.jsonl"]).folder


def age(run: Path, days: int) -> None:
    """Make it look as if the run had ended so many days ago."""
    then = datetime.now(UTC) - timedelta(days=days)
    Run(run).note(started_at=then.isoformat(), finished_at=then.isoformat())


def listed(shell: Shell) -> dict[str, str]:
    """The line of each run in a pipe, by its id."""
    done = shell("runs", "list")
    assert done.code == 0
    return {line.split()[0]: line for line in done.out.splitlines()[2:]}


def seen_on_terminal(shell: Shell, *arguments: str) -> list[str]:
    """The lines of 80 columns that somebody sees, without colours."""
    code, seen = shell.with_env(COLUMNS="80").on_terminal("runs", *arguments)
    assert code == 0
    return [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in seen.splitlines()]


def test_without_a_run_it_says_so_and_lists_nothing(shell: Shell) -> None:
    text, data = shell("runs"), shell("runs", "--json")
    assert (text.code, text.out) == (0, "")
    assert "no run yet" in text.err and str(shell.state) in text.err
    assert (data.code, data.json) == (0, [])


def test_the_list_tells_what_each_run_was_and_how_it_stands(after_import: Shell) -> None:
    killed = unfinished(after_import)
    done = after_import("runs")
    assert done.code == 0
    account, head, imported, stopped = done.out.splitlines()
    assert account == SANDBOX
    assert head.split() == ["run", "state", "command", "inputs", "started", "took", "outcome"]
    assert imported.split()[1:3] == ["done", "import"]
    assert "  messy.jsonl +1  " in imported
    assert re.search(r" (<1|\d+) s  applied \d+, rejected 17, exit 1$", imported)
    assert stopped.split() == [killed.name, "stopped", "import", "a.jsonl", "2024-01-02", "03:04", "–", "–"]


def test_a_run_is_under_way_only_while_its_process_holds_the_lock(after_import: Shell) -> None:
    running = begun(after_import, state=RunState.RUNNING, outcomes={"applied": 3})
    planning = begun(after_import)
    states = []
    for holder in (running, planning):
        with locked(after_import.state / SANDBOX, holder.id):
            lines = listed(after_import)
        states.append([lines[run.id].split()[1] for run in (running, planning)])
        assert lines[holder.id].endswith("  –")
    assert states == [["running", "stopped"], ["stopped", "planning"]]
    assert [listed(after_import)[run.id].split()[1] for run in (running, planning)] == ["stopped", "stopped"]


def test_a_dry_run_is_planned_until_it_is_applied_or_something_later_takes_its_files(shell: Shell) -> None:
    config = ("--config", str(SAMPLES / "fsseg.toml"))
    for name in ("shop.json", "signups.jsonl"):
        assert shell("dry-run", "--sandbox", "--quiet", *config, SAMPLES / name).code == 0
    signups, shop = listed(shell)
    assert [line.split()[1] for line in listed(shell).values()] == ["planned", "planned"]
    assert re.search(r"  signups.jsonl  .*  would apply \d+$", listed(shell)[signups])
    assert shell("apply", "--yes", "--quiet", signups).code == 0
    assert shell("import", "--sandbox", "--quiet", *config, SAMPLES / "shop.json").code == 0
    lines = listed(shell)
    imported, applying, *dry = lines
    assert dry == [signups, shop]
    assert lines[signups].split()[1] == "applied"
    assert re.search(r"  would apply \d+$", lines[signups])
    assert lines[shop].split()[1] == "superseded"
    assert lines[applying].split()[1:3] == ["done", "apply"]
    assert f"  (applies {signups})  " in lines[applying]
    assert re.search(r"  applied \d+$", lines[imported])


def test_an_undo_names_its_run_and_what_it_put_back(after_import: Shell) -> None:
    imported = run_of(after_import).name
    assert after_import("undo", "--yes", "--quiet", "--delete-created", imported).code == 0
    lines = listed(after_import)
    (undo,) = lines.keys() - {imported}
    assert lines[undo].split()[1:3] == ["done", "undo"]
    assert f"  (undoes {imported})  " in lines[undo]
    assert re.search(r"  deleted \d+", lines[undo])
    assert lines[imported].split()[1] == "undone"


def test_accounts_are_named_above_their_runs(after_import: Shell) -> None:
    other = begun(after_import, "127.0.0.1:8000")
    (other.folder.parent / "2026-01-01-000000-00").mkdir()
    broken = begun(after_import, "127.0.0.1:8000")
    (broken.folder / "run.json").write_text("{")
    lines = after_import("runs").out.splitlines()
    assert [line for line in lines if len(line.split()) == 1] == ["127.0.0.1:8000", SANDBOX]
    assert {line.split()[0] for line in lines[2:4]} == {other.id, broken.id}


def test_the_list_fits_80_columns_and_breaks_no_word(after_import: Shell) -> None:
    imported = run_of(after_import).name
    now = datetime.now(UTC).isoformat()
    long = f"/exports/{'customers-of-the-year-' * 4}2026.jsonl.gz"
    bad = {"applied": 1_234_567, "rejected": 123_456, "failed": 12_345, "pending": 1_234_567}
    begun(after_import, state=RunState.RUNNING, inputs=[long] * 12, seconds=7_500.0, outcomes=bad, exit_code=130)
    begun(after_import, command="undo", of=imported, state=RunState.DONE, seconds=99_999.0)
    begun(after_import, command="dry-run", dry=True, state=RunState.SUPERSEDED, inputs=["-"], started_at=now)
    begun(after_import, "a-company-with-quite-a-long-name.myfreshworks.com", started_at="2019-01-02T03:04:05Z")
    (unfinished(after_import) / "run.json").write_text("{")
    whole = set(after_import("runs").out.split())
    dates = {word.partition("-")[2] for word in whole if re.fullmatch(r"\d{4}-\d\d-\d\d", word)}
    lines = seen_on_terminal(after_import, "list")
    assert max(map(len, lines)) <= 80
    assert {word for line in lines for word in line.split() if "…" not in word} <= whole | dates
    cut = {word for line in lines for word in line.split() if "…" in word}
    assert cut
    assert all(word.startswith("…") for word in cut)


def test_an_ordinary_list_has_inputs_and_duration_in_80_columns(after_import: Shell) -> None:
    begun(after_import, state=RunState.STOPPED, inputs=["/x/events-of-november.jsonl"], seconds=750.0)
    _, head, stopped, imported, outcome = seen_on_terminal(after_import)
    assert head.split() == ["run", "state", "command", "inputs", "started", "took"]
    assert "  …ts-of-november.jsonl  " in stopped
    assert stopped.endswith("  12 m")
    assert "  messy.jsonl +1  " in imported
    assert re.fullmatch(r"  applied \d+, rejected 17, exit 1", outcome)


def test_states_are_coloured_on_a_terminal(after_import: Shell) -> None:
    unfinished(after_import)
    _, seen = after_import.on_terminal("runs")
    assert "\x1b[33mstopped" in seen


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
    account, _, line, how = done.out.splitlines()
    assert (account, line.split()[:2]) == (SANDBOX, [killed.name, "stopped"])
    assert how == f"Go on where it stopped:  fsseg resume {killed.name} --sandbox"
    with locked(after_import.state / SANDBOX, killed.name):
        assert "resume" not in after_import("runs", "show", killed.name).out


@pytest.mark.parametrize("beginning", ["2024", "latest"])
def test_any_unique_beginning_of_an_id_will_do_and_so_will_latest(after_import: Shell, beginning: str) -> None:
    imported = run_of(after_import)
    imported.rename(imported.with_name(f"2024{imported.name[4:]}"))
    done = after_import("runs", "show", beginning)
    assert done.code == 0
    assert "missing_email" in done.out


def test_the_help_of_show_tells_how_a_run_is_named(shell: Shell) -> None:
    told = " ".join(shell.with_env(NO_COLOR="1", COLUMNS="200")("runs", "show", "--help").out.split())
    assert "any unique beginning of it, or `latest`" in told


def test_an_unknown_run_is_a_usage_error(after_import: Shell) -> None:
    for arguments in (["runs", "show", "nope"], ["runs", "show", "../sandbox-classic"], ["report", "nope"]):
        done = after_import(*arguments)
        assert (done.code, done.out) == (2, "")
        assert "there is no run" in done.err


def test_where_a_run_was_looked_for_is_told_to_whoever_is_in_another_state_folder(
    after_import: Shell, tmp_path: Path
) -> None:
    elsewhere = str(tmp_path / "elsewhere")
    id = run_of(after_import).name
    for command in (["report"], ["report", id], ["runs", "show", id], ["undo", id, "--yes"], ["resume", id]):
        done = after_import(*command, "--state-dir", elsewhere)
        assert (done.code, elsewhere in done.err) == (2, True), command


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
    asked = (
        "Delete 1 run of sandbox-classic? It can't be shown, retried or undone any more; what it delivered stays known"
        " (the ledger is kept)."
    )
    assert done.err.strip() == f"error: {asked} There is nobody to ask here\nhint: give --yes"
    code, seen = after_import.on_terminal("runs", "prune", keys="n\n")
    assert (code, "nothing was deleted" in seen) == (0, True)
    assert f"{asked} [y/N]" in seen
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


@pytest.mark.parametrize("number", ["30", " 0.5 "])
def test_an_age_without_a_unit_deletes_nothing(after_import: Shell, number: str) -> None:
    run = run_of(after_import)
    age(run, 2)
    done = after_import("runs", "prune", "--older-than", number, "--yes")
    assert (done.code, run.exists()) == (2, True)
    assert f"--older-than: {number.strip()} of what?" in done.err and "30d is days" in done.err


def test_prune_deletes_what_a_killed_process_left_before_it_had_begun_a_run(after_import: Shell) -> None:
    runs = after_import.state / SANDBOX / "runs"
    old, young, foreign = runs / "2024-01-01-000000-00", runs / "2024-01-01-000000-01", runs / "notes"
    for folder in (old, young, foreign):
        folder.mkdir()
        (folder / "plan.db").write_bytes(b"begun")
    then = time.time() - 40 * 86_400
    for folder in (old, foreign):
        os.utime(folder, (then, then))
    assert old.name not in listed(after_import)
    done = after_import("runs", "prune", "--yes", "--json")
    assert (done.code, done.json["deleted"]) == (0, [old.name])
    assert (old.exists(), young.exists(), foreign.exists()) == (False, True, True)


def test_a_damaged_run_is_listed_as_such_and_left_alone(after_import: Shell) -> None:
    killed = unfinished(after_import)
    (killed / "run.json").write_bytes(b"no JSON at all")
    by_run = {run["run_id"]: run["state"] for run in after_import("runs", "--json").json}
    assert by_run[killed.name] == "damaged"
    assert listed(after_import)[killed.name].split()[1:] == ["damaged", *"–––––"]
    assert (killed / "run.json").read_bytes() == b"no JSON at all"


def test_an_age_of_none_is_told_to_be_too_little(after_import: Shell) -> None:
    for age_of_none in ("0s", "0"):
        done = after_import("runs", "prune", "--older-than", age_of_none, "--yes")
        assert done.code == 2
        assert "--older-than: it must be more than zero" in done.err
        assert "reads like" not in done.err

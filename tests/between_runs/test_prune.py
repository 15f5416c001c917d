"""`runs prune` keeps what other runs, or the ledger, still need, and says why."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from fsseg.sandbox import Fault
from fsseg.state.run_folder import Run
from tests.between_runs.runs import PEOPLE, imports, person, run_of
from tests.e2e.harness import Machine


def aged(machine: Machine, run: str) -> Path:
    """The folder of the run, which now looks as if it had ended long ago."""
    (folder,) = machine.state.glob(f"*/runs/{run}")
    then = (datetime.now(UTC) - timedelta(days=40)).isoformat()
    Run(folder).note(started_at=then, finished_at=then)
    return folder


def pruned(machine: Machine, *args: str) -> tuple[list[str], str]:
    """The runs that were deleted, and what was said."""
    done = machine.run("runs", "prune", "--yes", "--json", *args)
    assert done.code == 0, done.err
    return orjson.loads(done.out)["deleted"], done.err


def stopped_undo(machine: Machine, original: str) -> str:
    """An undo of that run that stopped on its way."""
    done = machine.run("undo", original, "--yes", "--delete-created", "--max-requests", "12")
    assert done.code == 5, done.err
    return run_of(done)


def test_the_run_that_a_stopped_undo_takes_back_is_kept_until_the_undo_is_done(classic: Machine) -> None:
    (done,) = imports(classic, [*PEOPLE, *(person(f"p{n}@x.example", "2024-05-01", title="CEO") for n in range(20))])
    original = run_of(done)
    undo = stopped_undo(classic, original)
    folder = aged(classic, original)
    for args in ((), ("--all",)):
        gone, said = pruned(classic, *args)
        assert gone == []
        assert f"kept 1 run that run {undo} goes back to: fsseg resume {undo}\n" in said
    aged(classic, undo)
    gone, said = pruned(classic)
    assert gone == []
    assert "kept 1 run that can be resumed; --all deletes such runs, too\n" in said
    assert f"kept 1 run that run {undo} goes back to" in said
    assert classic.run("resume", undo).code == 0
    assert not any(classic.account.records()["leads"])
    aged(classic, undo)
    gone, said = pruned(classic)
    assert sorted(gone) == sorted([original, undo])
    assert "kept" not in said
    assert not folder.exists()


def test_with_all_an_old_undo_and_what_it_takes_back_go_together(classic: Machine) -> None:
    (done,) = imports(classic, [person(f"p{n}@x.example", "2024-05-01", title="CEO") for n in range(20)])
    undo = stopped_undo(classic, run_of(done))
    aged(classic, run_of(done))
    aged(classic, undo)
    gone, said = pruned(classic, "--all")
    assert sorted(gone) == sorted([run_of(done), undo])
    assert "kept" not in said


def test_the_dry_run_of_an_apply_that_is_still_open_is_kept(classic: Machine) -> None:
    people = [person(f"p{n}@x.example", "2024-05-01", title="CEO") for n in range(20)]
    dry = run_of(classic.run("dry-run", classic.write("events.jsonl", people)))
    apply = classic.run("apply", dry, "--yes", "--max-requests", "15")
    assert apply.code == 5, apply.err
    aged(classic, dry)
    gone, said = pruned(classic)
    assert gone == []
    assert f"kept 1 run that run {run_of(apply)} goes back to" in said
    assert classic.run("resume").code == 0
    assert pruned(classic)[0] == [dry]


def test_a_run_that_the_ledger_is_in_doubt_of_is_kept_until_that_is_settled(classic: Machine, fast: None) -> None:
    events = [*PEOPLE]
    classic.account.faults(
        Fault("drop_after", path="/sales_activities", method="POST", limit=1),
        Fault("error", path="/sales_activities", method="GET"),
        Fault("error", path="/activities", method="GET"),
    )
    done = classic.imports(classic.write("events.jsonl", events))
    classic.account.faults()
    assert done.code == 1, done.err
    assert "unknown_outcome" in done.reasons
    aged(classic, run_of(done))
    for args in ((), ("--all",)):
        gone, said = pruned(classic, *args)
        assert gone == []
        assert f"fsseg retry {run_of(done)} looks for it\n" in said
    assert classic.run("retry", run_of(done)).code == 0
    aged(classic, run_of(done))
    assert pruned(classic)[0] == [run_of(done)]

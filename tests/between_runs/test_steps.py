"""What a run is said to need next fits how it stands now."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest

from fsseg.sandbox import Fault
from fsseg.state.run_folder import Run, RunState
from tests.between_runs.runs import PEOPLE, advised, entries, person, run_of, runs, states
from tests.between_runs.terminal import CTRL_C, QUESTION, answered, on_terminal
from tests.e2e.events import identify
from tests.e2e.harness import Machine


@pytest.fixture
def path(machine: Machine) -> str:
    return machine.write("events.jsonl", PEOPLE)


def told(machine: Machine, run: str, *commands: str) -> str:
    """All that these commands, and those that report on it, say of a run; none of them sends anything."""
    machine.account.forget()
    text = ""
    for command in ("report", "report --quiet", "report --format html", "runs show", *commands):
        verb, dashes, flags = command.partition(" --")
        done = machine.run(*verb.split(), run, *(dashes + flags).split())
        assert done.code == 0, done.err
        text += done.out + done.err
    assert machine.account.writes == 0
    return text


@pytest.mark.parametrize("budget", ["1", "9"])
def test_a_superseded_run_is_not_to_be_gone_on_with(machine: Machine, path: str, budget: str) -> None:
    first = run_of(machine.imports(path, "--max-requests", budget))
    summarised = machine.run("report", first).code == 0
    if summarised:
        assert "fsseg resume" in told(machine, first)
    assert machine.imports(path).code == 0
    assert states(machine) == ["import done", "import superseded"]
    if summarised:
        text = told(machine, first, "resume", "retry")
    else:
        done = machine.run("report", first)
        text = done.out + done.err + machine.run("resume", first).err + machine.run("runs", "show", first).out
        assert (done.code, "superseded" in done.err) == (2, True)
    assert "fsseg resume" not in text
    assert "fsseg retry" not in text


def test_an_applied_dry_run_is_not_to_be_applied_and_a_superseded_one_may_be(machine: Machine, path: str) -> None:
    older, dry = (run_of(machine.dry_runs(path)) for _ in range(2))
    before = machine.run("report", dry, "--json").out
    assert f"fsseg apply {dry}" in told(machine, dry)
    assert machine.run("apply", dry).code == 0
    assert "fsseg apply" not in told(machine, dry, "resume", "retry", "undo")
    assert f"fsseg apply {older}" in told(machine, older)
    assert machine.run("report", dry, "--json").out == before, "JSON is the summary as it was written"


def test_an_undone_run_is_not_to_be_retried(classic: Machine) -> None:
    classic.account.seed(leads=[{"email": "ada@x.example", "last_name": "Old", "job_title": "Intern"}])
    done = classic.imports(events=[*PEOPLE[:1], person("bo@x.example", "2024-05-01", workNumber="+1" * 200)])
    assert done.folder is not None
    run = run_of(done)
    Run(done.folder).note(failed=1)
    summary = done.summary | {"exit_code": 1, "reasons": [{"code": "refused", "outcome": "failed", "count": 1}]}
    summary["events"]["outcomes"]["failed"] = 1
    (done.folder / "summary.json").write_bytes(orjson.dumps(summary))
    assert f"fsseg retry {run}" in told(classic, run)
    assert classic.run("undo", run, "--yes").code == 0
    assert "fsseg retry" not in told(classic, run, "retry")


def test_what_was_declined_is_told_once(classic: Machine) -> None:
    """In a pipe too: the sentence on stderr says what pushes it."""
    path = classic.write("events.jsonl", PEOPLE)
    answered(classic, "import", path, answers="n")
    (run,) = runs(classic)
    for command in ("resume", "retry"):
        done = classic.run(command, run["run_id"])
        assert (done.out + done.err).count(f"fsseg apply {run['run_id']}") == 1
    assert f"fsseg apply {run['run_id']}" in told(classic, run["run_id"])


def test_a_plan_whose_apply_stopped_names_what_goes_on(machine: Machine, path: str) -> None:
    dry = run_of(machine.dry_runs(path))
    machine.account.forget()
    applying = run_of(machine.run("apply", dry, "--max-requests", "9"))
    assert states(machine)[0] == "apply stopped"
    refused = machine.run("apply", dry)
    assert refused.code == 2
    assert f"was applied by run {applying}, which stopped on its way" in refused.err
    (command,) = advised(refused.err)
    assert command == ["resume", applying]
    assert f"go on with: fsseg resume {applying}" in machine.run("apply").err
    assert machine.run(*command).code == 0
    assert len(entries(machine.account)) == 3
    done = machine.run("apply", dry)
    assert (done.code, f"was applied already, by run {applying}: fsseg runs show {applying}" in done.err) == (2, True)


def test_a_plan_whose_apply_was_undone_says_by_which_run(classic: Machine) -> None:
    classic.account.seed(leads=[{"email": "ada@x.example", "last_name": "Old", "job_title": "Intern"}])
    dry = run_of(classic.dry_runs(events=PEOPLE))
    applying = run_of(classic.run("apply", dry))
    undoing = run_of(classic.run("undo", applying, "--yes"))
    done = classic.run("apply", dry)
    assert done.code == 2
    assert f"was applied by run {applying}, which run {undoing} has undone" in done.err
    assert "make a dry run anew" in done.err
    assert "runs show" not in done.err


def test_a_plan_whose_apply_was_pruned_names_no_run_that_is_gone(classic: Machine) -> None:
    dry = run_of(classic.dry_runs(events=PEOPLE))
    applied = classic.run("apply", dry)
    assert applied.folder is not None
    Run(applied.folder).note(finished_at="2024-01-01T00:00:00.000000Z")
    assert classic.run("runs", "prune", "--yes").code == 0
    done = classic.run("apply", dry)
    assert (done.code, "runs show" in done.err) == (2, False)
    assert "was applied already" in done.err


def test_an_event_that_is_still_there_is_compared_and_not_sent_by_again(machine: Machine, path: str) -> None:
    first = run_of(machine.imports(path))
    done = machine.imports(path)
    said = done.out + done.err
    assert f"{path} was dealt with wholly by run {first}" in done.err
    assert "sends it" not in said
    assert said.count("--again compares it once more") == 2, "the note, and the reason"
    machine.account.forget()
    again = machine.imports(path, "--again")
    assert (again.outcomes, machine.account.writes) == ({"unchanged": 6}, 0)
    help = " ".join(machine.run("import", "--help").out.replace("│", " ").split())
    assert "they are compared once more" in help


@pytest.mark.usefixtures("fast")
def test_what_only_a_retry_mends_is_not_to_be_mended_by_hand(classic: Machine) -> None:
    classic.account.faults(Fault("error", method="POST"))
    done = classic.imports(events=PEOPLE)
    classic.account.faults()
    assert done.code == 1
    assert {row["code"] for row in done.summary["reasons"]} <= {"unavailable", "unknown_outcome"}
    assert advised(done.out, "Push again what failed:") == [["retry", run_of(done)]]
    assert "Mend" not in done.out
    assert classic.run("retry").code == 0


def test_the_run_that_is_gone_on_with_is_named_before_anything_is_sent(classic: Machine) -> None:
    """Somebody who has named none sees which it is before, and not after, it was pushed."""
    run = run_of(classic.imports("--max-requests", "15", events=PEOPLE))
    classic.account.faults(Fault("error", method="POST"))
    done = classic.run("resume")
    assert done.err.startswith(f"resuming {run}, the import of 20"), done.err
    classic.account.faults()
    done = classic.run("retry")
    assert done.err.startswith(f"retrying {run}, the import of 20"), done.err
    assert done.code == 0


@pytest.mark.parametrize("flags", [[], ["--delete-created"]])
def test_an_undo_that_was_tried_out_says_how_it_is_done(machine: Machine, flags: Sequence[str]) -> None:
    known = [{"email": "ada@x.example", "last_name": "Old", "job_title": "Intern"}]
    machine.account.seed(**{"leads" if machine.account.edition == "classic" else "contacts": known})
    run = run_of(machine.imports(events=PEOPLE))
    tried = machine.run("undo", run, "--dry-run", *flags)
    assert tried.code == 0
    assert ("which was undone" in tried.out, "that was undone" in tried.out) == (False, False)
    (command,) = advised(tried.out, "Undo it:")
    assert command == ["undo", run, *flags]
    assert tried.out.rstrip().splitlines()[-1].endswith(" ".join(["fsseg", *command]))
    assert f"Undo it:  fsseg {' '.join(command)}" in told(machine, run_of(tried))
    assert "undoes" not in tried.summary, "the summary stays as it is"
    done = machine.run(*command, "--yes")
    assert done.code == 0
    assert "Undo it" not in done.out
    assert "Undo it" not in machine.run("report", run_of(tried)).out
    assert ("Deleted" in done.out or "deleted" in done.out) is bool(flags)


def test_what_is_left_there_is_told_truly_where_nothing_was_put_back(classic: Machine) -> None:
    run = run_of(classic.imports(events=PEOPLE))
    for flags in (["--dry-run"], ["--yes"]):
        done = classic.run("undo", run, *flags)
        assert "Nothing to put back" in done.out
        assert "--delete-created deletes it" in done.out
        assert "was undone" not in done.out
        assert "Undo it" not in done.out


def test_undo_s_help_says_that_what_was_created_is_counted(classic: Machine) -> None:
    assert "count what it created" in " ".join(classic.run("undo", "--help").out.split())


def test_apply_without_a_run_names_what_it_would_not_take_by_itself(classic: Machine) -> None:
    path = classic.write("events.jsonl", PEOPLE)
    nothing = classic.run("apply")
    assert "there is no dry run to apply: fsseg dry-run makes one" in nothing.err
    dry = run_of(classic.dry_runs(path))
    answered(classic, "apply", answers=[CTRL_C])
    assert states(classic) == ["dry-run declined"]
    refused = classic.run("apply")
    assert (refused.code, classic.account.writes) == (2, 0)
    assert f"run {dry} is declined" in refused.err
    assert "fsseg dry-run" not in refused.err
    (command,) = advised(refused.err)
    assert command == ["apply", dry]
    assert classic.run(*command).code == 0
    assert "there is no dry run to apply: fsseg dry-run makes one" in classic.run("apply").err


def test_apply_without_a_run_says_where_the_newest_was_made_offline(classic: Machine) -> None:
    offline = run_of(classic.dry_runs("--offline", events=PEOPLE))
    done = classic.run("apply")
    assert done.code == 2
    assert f"{offline} was planned offline" in done.err
    assert "make a dry run online" in done.err


def test_what_a_d_doesn_t_show_is_in_the_file_that_it_names(classic: Machine) -> None:
    events = [person(f"p{n}@x.example", "2024-05-01", title="CEO") for n in range(60)]
    with on_terminal(classic, "import", classic.write("events.jsonl", events)) as terminal:
        terminal.answer("d")
        terminal.until(QUESTION, times=2)
        (named,) = re.findall(r"10 more changes of this kind \(lead\): (\S+) holds them all", terminal.seen)
        assert len(Path(named).read_bytes().splitlines()) == 60
        terminal.answer("n", times=2)
        assert terminal.end() == 0


@pytest.mark.parametrize("where", ["flag", "file"])
def test_mended_events_are_imported_with_the_token_of_their_run(classic: Machine, where: str) -> None:
    classic.environment["FSSEG_API_TOKEN"] = None
    token = classic.write("my token", classic.account.sandbox.token)
    bad = [PEOPLE[0], person("nobody", "2024-05-07", title="CEO")]
    config = f"[freshsales]\napi_token_file = {token!r}\n" if where == "file" else ""
    done = classic.imports(*(["--api-token-file", token] if where == "flag" else []), events=bad, config=config)
    (command,) = advised(done.out, "Mend it, then:")
    path = Path(command[1])
    path.write_text(path.read_text().replace('"title":"CEO"', '"title":"CEO","email":"now@x.example"', 1))
    again = classic.run(*command)
    assert again.code == 0, again.err
    assert "--api-token-file" not in classic.imports("--sandbox", "--api-token-file", token, events=bad).out


def test_a_no_after_requests_says_that_nothing_was_written(classic: Machine) -> None:
    path = classic.write("events.jsonl", PEOPLE)
    _, seen = answered(classic, "import", path, answers="n")
    assert re.search(r"\d+ requests, none refused", seen)
    assert "nothing was written; what would still push it" in seen
    assert "nothing was sent" not in seen
    (run,) = runs(classic)
    assert run["state"] == RunState.DECLINED
    _, seen = answered(classic, "apply", run["run_id"], answers="n")
    assert "nothing was written; what would still push it" in seen
    assert "nothing was sent" not in seen


def test_apply_says_of_the_latest_dry_run_why_there_is_nothing_to_apply(classic: Machine) -> None:
    path = classic.write("events.jsonl", [identify("ada@x.example", lastName="L")])
    planned = classic.dry_runs(path)
    assert classic.run("apply", "--yes").code == 0
    again = classic.run("apply", "--yes")
    assert (again.code, again.err.count("was applied already, by run")) == (2, 1)
    assert planned.summary["run_id"] in again.err
    empty = classic.dry_runs(path).summary["run_id"]
    assert f"the latest, {empty}, has nothing to apply" in classic.run("apply", "--yes").err


def test_what_stopped_before_another_import_of_its_files_says_so_and_is_ended_by_a_resumption(machine: Machine) -> None:
    path, other = machine.write("events.jsonl", PEOPLE), machine.write("other.jsonl", PEOPLE[:1])
    run = run_of(machine.imports(path, "--max-requests", "15"))
    assert states(machine) == ["import stopped"]
    machine.imports(other)
    machine.imports(path, "--limit", "1")
    assert "since" not in machine.run("runs", "list").err
    assert "Go on where it stopped:" in machine.run("report", run).out
    later = run_of(machine.imports(path))
    assert states(machine)[-1] == "import stopped"

    listed = machine.run("runs", "list").err
    assert f"{run} stopped, and run {later} has imported its files since: fsseg resume {run}" in listed
    for command in (["report", run], ["runs", "show", run]):
        assert (
            f"Run {later} has imported its files since; this ends it:  fsseg resume {run}" in machine.run(*command).out
        )
    machine.account.forget()
    assert machine.run("resume", run).code == 0
    assert (states(machine)[-1], machine.account.writes) == ("import done", 0)
    assert "since" not in machine.run("runs", "list").err

"""On a terminal somebody is asked before anything is pushed, and a no is a no."""

from __future__ import annotations

import pytest

from tests.between_runs.runs import PEOPLE, advised, entries, person, run_of, runs, states
from tests.between_runs.terminal import CTRL_C, QUESTION, answered, on_terminal
from tests.e2e.harness import Machine


@pytest.fixture
def path(machine: Machine) -> str:
    return machine.write("events.jsonl", PEOPLE)


def is_empty(machine: Machine) -> bool:
    """Whether nothing was ever sent to the account."""
    return machine.account.writes == 0 and not any(machine.account.records().values())


def is_imported(machine: Machine) -> bool:
    """Whether all of the people and their entries are there, once."""
    records = machine.account.records()
    people = sorted(row["email"] for kind in ("leads", "contacts") for row in records.get(kind, ()))
    return people == ["ada@x.example", "bo@x.example", "cy@x.example"] and len(entries(machine.account)) == 3


def test_a_no_declines_the_run_which_no_resume_pushes_but_apply_does(machine: Machine, path: str) -> None:
    code, seen = answered(machine, "import", path, answers="n")
    (run,) = runs(machine)
    assert (code, run["state"]) == (0, "declined")
    assert is_empty(machine)
    assert "fsseg resume" not in seen
    assert f"nothing was written; what would still push it: fsseg apply {run['run_id']}" in seen
    bare = machine.run("resume")
    host = machine.account.sandbox.origin.removeprefix("http://")
    assert (bare.code, bare.err.strip()) == (0, f"nothing to resume for {host}")
    named = machine.run("resume", run["run_id"])
    assert named.code == 0
    assert f"nothing to resume: somebody said no to it: fsseg apply {run['run_id']}" in named.err
    assert is_empty(machine)
    (command,) = {tuple(one) for one in advised(seen)}
    assert machine.run(*command).code == 0
    assert is_imported(machine)
    assert states(machine) == ["apply done", "import applied"]


def test_apply_without_a_run_and_retry_never_take_what_was_declined(classic: Machine) -> None:
    answered(classic, "import", classic.write("events.jsonl", PEOPLE), answers="n")
    for command, code in (("apply", 2), ("retry", 0), ("undo", 0)):
        done = classic.run(command)
        assert done.code == code, done.err
        assert "there is no dry run to apply" in done.err or f"nothing to {command}" in done.err
    assert is_empty(classic)
    assert states(classic) == ["import declined"]


def test_a_declined_import_leaves_its_files_to_be_imported(classic: Machine) -> None:
    path = classic.write("events.jsonl", PEOPLE)
    answered(classic, "import", path, answers="n")
    assert classic.imports(path).outcomes == {"applied": 6}
    assert is_imported(classic)


@pytest.mark.parametrize("answer", ["", "x"])
def test_whatever_is_not_a_yes_is_a_no(classic: Machine, answer: str) -> None:
    code, _ = answered(classic, "import", classic.write("events.jsonl", PEOPLE), answers=[answer])
    assert (code, states(classic)) == (0, ["import declined"])
    assert is_empty(classic)


def test_a_d_shows_the_diff_and_asks_again_and_a_y_pushes(classic: Machine) -> None:
    with on_terminal(classic, "import", classic.write("events.jsonl", PEOPLE)) as terminal:
        terminal.until(QUESTION)
        assert "job_title" not in terminal.seen
        assert classic.account.edition in terminal.seen
        assert "Signed Up 3" in terminal.seen
        terminal.answer("d")
        terminal.until(QUESTION, times=2)
        diff = terminal.seen.partition(QUESTION)[2]
        for told in ("ada@x.example", "job_title", "CEO", "bo@x.example", "Acme", "cy@x.example"):
            assert told in diff
        assert is_empty(classic)
        terminal.answer("D", times=2)
        terminal.answer("YES", times=3)
        assert terminal.end() == 0
    assert is_imported(classic)
    assert states(classic) == ["import done"]
    assert classic.run("resume").err.startswith("nothing to resume for ")


def test_ctrl_c_at_the_question_is_a_no_of_exit_130(classic: Machine) -> None:
    with on_terminal(classic, "import", classic.write("events.jsonl", PEOPLE)) as terminal:
        terminal.interrupt()
        code, seen = terminal.end(), terminal.seen
    (run,) = runs(classic)
    assert (code, run["state"], run["exit_code"]) == (130, "declined", 130)
    assert f"nothing was written; what would still push it: fsseg apply {run['run_id']}" in seen
    assert classic.run("resume").err.startswith("nothing to resume for ")
    assert is_empty(classic)
    assert "fsseg resume" not in seen, "there is nothing to resume"
    assert classic.run(*advised(seen)[0]).code == 0
    assert is_imported(classic)


def test_a_terminal_that_is_closed_at_the_question_has_said_no(classic: Machine) -> None:
    with on_terminal(classic, "import", classic.write("events.jsonl", PEOPLE)) as terminal:
        terminal.until(QUESTION)
        terminal.close()
    classic.run("resume")
    assert is_empty(classic), "nobody has agreed to it"


def test_yes_asks_nothing_and_shows_what_it_pushes(classic: Machine) -> None:
    code, seen = answered(classic, "import", classic.write("events.jsonl", PEOPLE), "--yes")
    assert code == 0
    assert "create" in seen
    assert QUESTION not in seen
    assert is_imported(classic)


def test_the_sandbox_asks_nothing(classic: Machine) -> None:
    code, seen = answered(classic, "import", "--sandbox", classic.write("events.jsonl", PEOPLE))
    assert (code, states(classic, "--sandbox")) == (0, ["import done"])
    assert QUESTION not in seen
    assert is_empty(classic)


def test_where_there_is_nothing_to_push_nothing_is_asked(classic: Machine) -> None:
    path = classic.write("events.jsonl", PEOPLE)
    classic.imports(path)
    code, seen = answered(classic, "import", path)
    assert code == 0
    assert "Nothing to push." in seen
    assert QUESTION not in seen


def test_apply_asks_too_and_a_no_leaves_the_dry_run_declined(machine: Machine, path: str) -> None:
    dry = run_of(machine.dry_runs(path))
    code, seen = answered(machine, "apply", answers="n")
    assert (code, states(machine)) == (0, ["dry-run declined"])
    assert f"applying {dry}" in seen
    assert f"nothing was written; what would still push it: fsseg apply {dry}" in seen
    for command in ("resume", "apply"):
        machine.run(command)
        assert is_empty(machine)
    assert machine.run(*advised(seen)[0]).code == 0
    assert is_imported(machine)
    assert states(machine) == ["apply done", "dry-run applied"]


def test_apply_pushes_after_a_yes_and_not_after_ctrl_c(classic: Machine) -> None:
    dry = run_of(classic.dry_runs(events=PEOPLE))
    assert answered(classic, "apply", dry, answers=[CTRL_C])[0] == 130
    assert is_empty(classic)
    assert states(classic) == ["dry-run declined"]
    assert answered(classic, "apply", dry, answers="dy")[0] == 0
    assert is_imported(classic)
    assert states(classic) == ["apply done", "dry-run applied"]


@pytest.mark.parametrize("command", ["import", "apply"])
def test_in_a_pipe_nothing_is_asked(machine: Machine, path: str, command: str) -> None:
    if command == "apply":
        machine.dry_runs(path)
    done = machine.spawn(*(["import", path] if command == "import" else ["apply"]), stdin=b"n\n")
    assert done.code == 0
    assert QUESTION not in done.out + done.err
    assert is_imported(machine)


def test_a_resumption_asks_where_nobody_was_asked_before(machine: Machine, path: str) -> None:
    """It stopped while it planned, and what it would change has been seen by nobody."""
    assert machine.imports(path, "--max-requests", "6").code == 5
    code, seen = answered(machine, "resume", answers="n")
    assert (code, is_empty(machine)) == (0, True)
    assert states(machine) == ["import declined"]
    (command,) = {tuple(one) for one in advised(seen)}
    assert machine.run(*command).code == 0
    assert is_imported(machine)


def test_whoever_has_agreed_is_not_asked_again(machine: Machine, path: str) -> None:
    with on_terminal(machine, "import", path, "--max-requests", "12") as terminal:
        terminal.answer("y")
        assert terminal.end() == 5
    with on_terminal(machine, "resume") as terminal:
        assert terminal.end() == 0
        assert QUESTION not in terminal.seen
    assert is_imported(machine)


@pytest.mark.parametrize("way", ["yes", "nobody to ask"])
def test_a_resumption_asks_nobody_who_said_yes_or_isn_t_there(classic: Machine, way: str) -> None:
    path = classic.write("events.jsonl", PEOPLE)
    assert classic.imports(path, "--max-requests", "6").code == 5
    if way == "yes":
        with on_terminal(classic, "resume", "--yes") as terminal:
            assert terminal.end() == 0
            assert QUESTION not in terminal.seen
    else:
        assert classic.run("resume").code == 0
    assert is_imported(classic)


def test_an_import_takes_the_place_of_one_that_stopped_before_it_sent_anything(machine: Machine, path: str) -> None:
    assert machine.imports(path, "--max-requests", "6").code == 5
    first = runs(machine)[0]["run_id"]
    assert machine.imports(path).code == 0
    assert states(machine) == ["import done", "import superseded"]
    machine.account.forget()
    for command, code in (("resume", 0), ("apply", 2)):
        done = machine.run(command, first)
        assert done.code == code, done.err
        assert "pushes it" not in done.err
    assert machine.account.writes == 0


@pytest.mark.parametrize("strict", [False, True])
def test_a_plan_whose_question_was_left_is_read_again_before_it_is_applied(classic: Machine, strict: bool) -> None:
    (id,) = classic.account.seed(leads=[{"email": "ada@x.example", "last_name": "Old", "job_title": "Intern"}])["leads"]
    classic.dry_runs(events=PEOPLE)
    with on_terminal(classic, "apply") as terminal:
        terminal.until(QUESTION)
        terminal.process.kill()
        terminal.process.wait()
    classic.account.change("leads", id, job_title="by a colleague")
    done = classic.run("apply", runs(classic)[-1]["run_id"], "--yes", *(["--strict"] if strict else []))
    assert done.code == 1, done.out
    assert classic.account.one("leads", "ada@x.example")["job_title"] == "by a colleague"
    assert not (strict and classic.account.writes > 2)
    assert len(runs(classic)) == 2


def test_what_moves_on_while_an_apply_is_stopped_is_left_alone(classic: Machine) -> None:
    people = [{"email": f"p{n}@x.example", "last_name": "P", "job_title": "Intern"} for n in range(40)]
    ids = classic.account.seed(leads=people)["leads"]
    classic.account.forget()
    classic.dry_runs(events=[person(f"p{n}@x.example", "2024-05-01", title="CEO") for n in range(40)])
    assert classic.run("apply", "--max-requests", str(classic.account.requests + 10)).code == 5
    waiting = [id for id, title in zip(ids, titles(classic), strict=True) if title == "Intern"]
    assert 0 < len(waiting) < 40
    classic.account.change("leads", waiting[-1], job_title="by a colleague")
    assert classic.run("resume").code == 1
    assert sorted({*titles(classic)}) == ["CEO", "by a colleague"]
    assert titles(classic).count("by a colleague") == 1


def titles(machine: Machine) -> list[str]:
    return [str(machine.account.one("leads", f"p{n}@x.example")["job_title"]) for n in range(40)]

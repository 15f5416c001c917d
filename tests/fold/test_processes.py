"""Processes that help: what they are asked and answer, and how they end."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from multiprocessing import active_children
from pathlib import Path

import pytest

from fsseg import processes
from fsseg.processes import Processes, ProcessLost

Close = Callable[[Processes], None]
LONG = 200_000
"""More bytes than a pipe holds."""


def dismissed_and_closed(ours: Processes) -> None:
    ours.dismiss()
    ours.close()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Processes]:
    with closing(Processes(2, tmp_path)) as ours:
        yield ours


@pytest.fixture(params=[1, 2, 3])
def ours(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Processes]:
    with closing(Processes(request.param, tmp_path)) as some:
        yield some


def repeated(text: str) -> str:
    return text * 2


class TwoWords(Exception):
    """An error that Python's pickle can't make again."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} {other}")


def refused(text: str) -> None:
    raise TwoWords(text, "refused")


def without_room(folder: Path) -> bytes:
    """Takes away the folder in which long answers are put."""
    shutil.rmtree(folder)
    return b"long" * LONG


def ended(number: int) -> int:
    """Ends the process that it is done by, for one of the numbers."""
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("ahead", [1, 2, 300])
def test_results_come_in_the_order_of_their_tasks(ours: Processes, ahead: int) -> None:
    some, others = ours.results(str, range(500), ahead), ours.results(abs, range(-500, 0), ahead)
    assert list(zip(some, others, strict=True)) == [(str(at), 500 - at) for at in range(500)]


def test_what_is_longer_than_a_pipe_goes_through_as_well(ours: Processes) -> None:
    texts = [letter * LONG for letter in "abcdefgh"]
    assert list(ours.results(repeated, texts, 10)) == [text * 2 for text in texts]


def test_an_error_is_raised_where_the_result_is_asked_for_and_says_where_it_came_up(two: Processes) -> None:
    results = two.results(int, ["1", "two", "3"])
    assert next(results) == 1
    with pytest.raises(ValueError, match="'two'") as raised:
        next(results)
    assert "work_on" in str(raised.value.__cause__)
    assert list(two.results(int, ["4"])) == [4]


def test_errors_of_any_kind_are_told(two: Processes) -> None:
    with pytest.raises(RuntimeError, match="this refused"):
        next(two.results(refused, ["this"]))
    with pytest.raises(FileNotFoundError):
        next(two.results(without_room, [two.folder]))
    two.folder.mkdir()
    begun = two.results(time.sleep, [0.5] * 2), two.results(repeated, ["a" * LONG])
    shutil.rmtree(two.folder, ignore_errors=True)  # with the task that waits there
    list(begun[0])
    with pytest.raises(FileNotFoundError):
        list(begun[1])
    assert list(two.results(abs, [-1])) == [1]


def test_whoever_waits_is_told_that_a_process_is_lost(two: Processes) -> None:
    before = two.results(ended, range(10), 10)
    with pytest.raises(ProcessLost):
        list(before)
    with pytest.raises(ProcessLost):
        list(two.results(ended, [1, 2]))
    two.meanwhile(ended, 1)


def test_all_may_be_lost_before_anything_is_asked(two: Processes) -> None:
    for child in active_children():
        child.kill()
        child.join()
    with pytest.raises(ProcessLost):
        list(two.results(repeated, ["a" * LONG] * 100, 100))


def test_this_process_gets_no_thread(two: Processes) -> None:
    before = threading.active_count()
    results = two.results(repeated, ["a" * LONG] * 10)
    next(results)
    two.meanwhile(abs, 1)
    assert threading.active_count() == before


@pytest.mark.parametrize("end", [Processes.close, dismissed_and_closed])
def test_what_nobody_waits_for_is_done_to_its_end(tmp_path: Path, end: Close) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    ours = Processes(2, folder)
    for number in range(20):
        ours.meanwhile(Path.touch, tmp_path / str(number))
    end(ours)
    assert len(list(tmp_path.iterdir())) == 21


@pytest.mark.parametrize("end", [Processes.close, dismissed_and_closed])
def test_processes_end_with_what_they_do(tmp_path: Path, end: Close) -> None:
    before = set(active_children())
    ours = Processes(2, tmp_path)
    (result,) = ours.results(partial(round, 1.6), [0])
    assert result == 2
    end(ours)
    assert set(active_children()) <= before
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("end", [Processes.close, dismissed_and_closed])
def test_what_nobody_will_look_at_any_more_is_not_waited_for(tmp_path: Path, end: Close) -> None:
    before = set(active_children())
    ours = Processes(2, tmp_path)
    ours.results(time.sleep, [60, 60, 60])
    begun = time.monotonic()
    end(ours)
    assert time.monotonic() - begun < 10
    assert set(active_children()) <= before
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("end", [Processes.close, dismissed_and_closed])
@pytest.mark.parametrize("which", [0, 1])
def test_one_that_was_killed_as_it_waited_keeps_nobody_from_ending(tmp_path: Path, end: Close, which: int) -> None:
    before = set(active_children())
    ours = Processes(2, tmp_path)
    list(ours.results(abs, range(4)))
    time.sleep(0.2)  # until both wait, one of them with the lock
    begun = time.monotonic()
    sorted(set(active_children()) - before, key=lambda one: one.name)[which].kill()
    end(ours)
    assert time.monotonic() - begun < 10
    assert set(active_children()) <= before


@pytest.mark.parametrize("end", [Processes.close, dismissed_and_closed])
def test_a_process_that_does_not_end_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: Close
) -> None:
    monkeypatch.setattr(processes, "_END_S", 0.3)
    before = set(active_children())
    ours = Processes(2, tmp_path)
    ours.meanwhile(time.sleep, 60)
    begun = time.monotonic()
    end(ours)
    assert time.monotonic() - begun < 20
    assert set(active_children()) <= before
    assert not list(tmp_path.iterdir())

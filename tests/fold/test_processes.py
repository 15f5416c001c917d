"""Processes that help: how they end."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from multiprocessing import active_children
from pathlib import Path

import pytest

from fsseg import processes
from fsseg.processes import Processes

Close = Callable[[Processes], None]


def dismissed_and_closed(ours: Processes) -> None:
    ours.dismiss()
    ours.close()


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
def test_a_process_that_does_not_end_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: Close
) -> None:
    monkeypatch.setattr(processes, "_END_S", 0.3)
    before = set(active_children())
    ours = Processes(2, tmp_path)
    ours.results(time.sleep, [60, 60])
    begun = time.monotonic()
    end(ours)
    for child in set(active_children()) - before:
        child.join(10)
    assert time.monotonic() - begun < 20
    assert set(active_children()) <= before
    assert not list(tmp_path.iterdir())

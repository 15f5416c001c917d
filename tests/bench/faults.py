"""What kills and faults leave behind."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple
from pathlib import Path
from unittest.mock import patch

from fsseg.freshsales import pacer
from fsseg.sandbox.options import FAULTS
from tests.bench.table import table
from tests.e2e.harness import Machine
from tests.faults.clock import FastClock
from tests.faults.faulty import suffer, undisturbed
from tests.faults.kills import kill
from tests.faults.server import account, stop
from tests.faults.ways import WAYS, Way, elsewhere

EDITIONS = ("classic", "suite")

Counts = tuple[int, int, int, int, int]
"""Kills and faults survived, records lost and doubled, and what a repetition wrote that had nothing to do."""


def faults(kills: int, rounds: int, ways: Mapping[str, Way] = WAYS, seed: int = 1) -> str:
    """The table of some ways: so many kills over all, and so many rounds of each kind of fault for each.

    The faults hit a fifth of the requests to every endpoint. A piece that is missing and told counts as lost only if
    a retry without faults does not bring it.
    """
    rows, each = [], max(1, kills // (len(ways) * len(EDITIONS)))
    with patch.object(pacer, "SystemClock", FastClock):
        for edition in EDITIONS:
            for name, way in ways.items():
                with _machine(edition) as machine:
                    counts = [_kills(machine, each, seed, way), *_faults(machine, rounds, seed, way)]
                rows.append((f"{name}, {edition}", *map(sum, zip(*counts, strict=True))))
    total = ("all", *map(sum, zip(*(row[1:] for row in rows), strict=True)))
    head = ("", "kills survived", "faults survived", "records lost", "records doubled", "written again")
    return table(
        "What kills and faults leave behind", head, [(str(name), *map(str, row)) for name, *row in (*rows, total)]
    )


@contextmanager
def _machine(edition: str) -> Iterator[Machine]:
    with tempfile.TemporaryDirectory() as folder:
        host = account(Path(folder) / "s.db", edition)
        try:
            yield Machine(host, Path(folder))
        finally:
            stop(host)


def _kills(machine: Machine, kills: int, seed: int, way: Way) -> Counts:
    ends = kill(elsewhere(machine, "killed"), kills, seed, way)
    lost, doubled = (sum(len(rows) for rows in kind) for kind in zip(*map(astuple, ends.differences), strict=True))
    return ends.kills, 0, lost, doubled, ends.written_again


def _faults(machine: Machine, rounds: int, seed: int, way: Way) -> Iterator[Counts]:
    wanted = undisturbed(elsewhere(machine, "fair"), way)
    for number in range(rounds):
        for kind in FAULTS:
            came_to = suffer(elsewhere(machine, f"{kind} {number}"), [kind], wanted, seed + number, way)
            lost = len(came_to.unnamed) + len(came_to.final.lost)
            yield 0, came_to.hits, lost, len(came_to.final.doubled), came_to.written_again

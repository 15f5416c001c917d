"""On a cluster the plan is that of one process: to the last row, count and line number, whatever becomes of workers."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fsseg.cluster import Cluster
from fsseg.fold import partitions
from fsseg.fold.engines import cluster as engine
from fsseg.fold.engines import local
from fsseg.fold.engines.cluster import ClusterEngine
from fsseg.fold.engines.cluster_tasks import packed_tools
from fsseg.fold.engines.local import LocalEngine
from fsseg.fold.partitions import HASHES
from fsseg.freshsales.errors import Halted, Interrupted
from fsseg.segment.inputs import expand
from fsseg.segment.key import event_key
from fsseg.segment.open import Input
from fsseg.state.ledger import Ledger
from tests.cluster import workers
from tests.cluster.inline import InlineCluster
from tests.e2e.test_containers import CONTAINERS, laid
from tests.fold.test_engines import CATALOG, RULES, files, mixed, planned, planned_by, spill

__all__ = ["files"]


def spread(
    cluster: Any, folder: Path, paths: Sequence[Path | str], ledger: Ledger | None = None, keys: Sequence[int] = ()
) -> dict[str, Any]:
    """What the workers of a cluster plan."""
    folder.mkdir(mode=0o700)
    delivered = None if ledger is None else ledger.delivered()
    return planned_by(ClusterEngine(cluster, CATALOG, RULES, delivered), folder, paths, keys)


def several_parts(paths: Sequence[Path], patch: pytest.MonkeyPatch) -> None:
    """Let the first file be read in five parts."""
    patch.setattr(engine, "PARTS", (paths[0].stat().st_size // 5,) * 2)


@pytest.fixture
def parts(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Files, the first of which is read in parts."""
    several_parts(files, monkeypatch)
    return files


def test_the_plan_is_that_of_one_process(tmp_path: Path, cluster: Cluster, parts: list[Path]) -> None:
    one, other = planned(tmp_path / "one", parts, 1), spread(cluster, tmp_path / "other", parts)
    assert one["counts"].reasons["skipped", "duplicate"] > 100
    assert other == one


@pytest.mark.parametrize(("count", "largest"), [(1, None), (40, partitions.LARGEST), (3, 5_000), (17, 2_000)])
def test_into_however_many_parts_and_pieces_it_is_cut_the_plan_is_the_same(
    tmp_path: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch, count: int, largest: int | None
) -> None:
    spill(monkeypatch, largest)
    monkeypatch.setattr(engine, "PARTS", (files[0].stat().st_size // count + 1,) * 2)
    (tmp_path / "empty.jsonl").touch()
    files = [tmp_path / "empty.jsonl", *files]
    keys = [event_key(f"m{number}".encode()) for number in range(0, 3_000, 7)]
    with closing(Ledger(tmp_path / "ledger.db")) as ledger:
        ledger.delivered().add(keys)
        (tmp_path / "one").mkdir()
        one = planned_by(LocalEngine(tmp_path / "one", CATALOG, RULES), tmp_path / "one", files, keys)
        assert spread(InlineCluster(count, 2), tmp_path / "other", files, ledger, keys) == one


def test_events_that_were_delivered_before_are_left_out(tmp_path: Path, cluster: Cluster, parts: list[Path]) -> None:
    keys = [event_key(f"m{number}".encode()) for number in range(0, 3_000, 3)]
    with closing(Ledger(tmp_path / "ledger.db")) as ledger:
        ledger.delivered().add(keys)
        (tmp_path / "one").mkdir()
        one = planned_by(LocalEngine(tmp_path / "one", CATALOG, RULES), tmp_path / "one", parts, keys)
        assert one["counts"].reasons["skipped", "duplicate"] > 700
        assert spread(cluster, tmp_path / "other", parts, ledger) == one


def test_every_container_is_read_where_the_workers_are(tmp_path: Path, cluster: Cluster) -> None:
    folders = [laid(tmp_path / str(at), content()) for at, content in enumerate(CONTAINERS.values())]
    paths, unreadable = expand(folders)
    assert unreadable == []
    assert spread(cluster, tmp_path / "other", paths) == planned(tmp_path / "one", paths, 1)


def test_a_worker_that_is_killed_between_shuffle_and_fold_changes_nothing(
    tmp_path: Path, cluster: Cluster, parts: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    eight = [range(begin, begin + HASHES // 8) for begin in range(0, HASHES, HASHES // 8)]
    for module in (engine, local):
        monkeypatch.setattr(module, "together", lambda size: eight)
    one = planned(tmp_path / "one", parts, 1)
    folder = tmp_path / "other"
    folder.mkdir()
    spread_engine = ClusterEngine(cluster, CATALOG, RULES, None)
    noted: list[str] = []
    fold = spread_engine.fold

    def note(text: str) -> None:
        if not noted:
            pid = next(iter(cluster.run(os.getpid).values()))
            os.kill(pid, signal.SIGKILL)
        noted.append(text)

    monkeypatch.setattr(spread_engine, "fold", lambda size: fold(size, note))
    assert planned_by(spread_engine, folder, parts) == one
    assert noted[-1] == "8 of 8 partitions"


def test_a_part_whose_worker_is_killed_is_read_by_another(
    tmp_path: Path, cluster: Cluster, parts: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "read_part", workers.read_unlucky)
    assert spread(cluster, tmp_path / "other", parts) == planned(tmp_path / "one", parts, 1)
    assert list(tmp_path.glob("big.jsonl.1"))


@pytest.mark.parametrize(
    ("work", "told"),
    [(workers.read_never, "failed 3 times on the cluster: LookupError: no such luck"), (workers.read_deadly, "ended")],
)
def test_a_part_that_fails_three_times_is_told_by_its_name(
    tmp_path: Path, cluster: Cluster, parts: list[Path], monkeypatch: pytest.MonkeyPatch,
    work: Callable[..., Any], told: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(engine, "read_part", work)
    with pytest.raises(Halted, match=f"big.jsonl from byte [0-9,]+ on.*{told}"):
        spread(cluster, tmp_path / "other", parts)
    if work is workers.read_never:
        assert Path(f"{parts[0]}.tries").read_text() == "xxx"


def test_whoever_wants_to_stop_needs_not_wait_for_the_workers(
    tmp_path: Path, cluster: Cluster, parts: list[Path]
) -> None:
    def tick(count: int) -> None:
        raise Interrupted("interrupted")

    waiting = cluster.submit(workers.wait_long)
    with pytest.raises(Interrupted):
        cluster.value(waiting, "a long wait", tick)
    cluster.release([waiting])


def test_calls_that_depend_on_each_other_are_let_go_of_and_the_scheduler_stays(cluster: Cluster) -> None:
    first = cluster.submit(workers.wait_long)
    last = cluster.submit(repr, cluster.submit(repr, first))  # nobody asks for the one between them
    cluster.release([first, last])
    assert cluster.value(cluster.submit(len, "three"), "a length", lambda count: None) == 5


def test_a_process_of_this_machine_that_is_gone_for_good_is_replaced(tmp_path: Path) -> None:
    with closing(Cluster("local:1", [], tmp_path)) as cluster:
        cluster._client.retire_workers(list(cluster.run(os.getpid)))
        assert cluster.value(cluster.submit(len, "three"), "a length", lambda count: None) == 5


def test_workers_see_no_token(cluster: Cluster) -> None:
    assert set(cluster.run(workers.token).values()) == {None}
    assert b"token" not in packed_tools(CATALOG, RULES).replace(b"application_token_set", b"")


def test_small_inputs_are_read_together_and_big_ones_in_parts(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.jsonl" for number in range(5)]
    for path, count in zip(paths, (3, 3, 40, 3, 3), strict=True):
        path.write_bytes(b"\n".join(mixed(1, count)) + b"\n")
    inputs = [Input(str(path), number) for number, path in enumerate(paths)]
    found = engine.parts_in(inputs, paths[2].stat().st_size // 2, absolute_paths=True)
    numbers = [[input.number for input in part.inputs] for part in found]
    assert numbers[0] == [0, 1]
    assert numbers[-1] == [3, 4]
    assert {number for part in numbers[1:-1] for number in part} == {2}
    assert [part.number for part in found] == list(range(len(found)))

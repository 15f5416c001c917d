"""What became of the events on which day: every event is counted once, whoever has read it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.cli.conftest import SAMPLES, Shell


def counted(summary: dict[str, Any]) -> tuple[Counter[str], Counter[str]]:
    """Events by type, and by outcome, over all days."""
    types, outcomes = Counter[str](), Counter[str]()
    for by_type in summary["events"]["by_time"]["from"].values():
        for kind, found in by_type.items():
            types[kind] += sum(found.values())
            outcomes.update(found)
    return types, outcomes


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_days_add_up_to_what_was_read(shell: Shell, jobs: str) -> None:
    files = [SAMPLES / name for name in ("messy.jsonl", "signups.jsonl", "shop.json", "saas-events.jsonl.gz")]
    done = shell("import", "--sandbox", "--json", "--jobs", jobs, "--config", SAMPLES / "fsseg.toml", *files)
    summary = done.json
    types, outcomes = counted(summary)
    assert types == summary["events"]["by_type"]
    assert summary["events"]["by_time"]["step"] == "day"
    whole = summary["events"]["outcomes"]
    assert (outcomes["applied"], outcomes["skipped"]) == (whole["applied"], whole["skipped"])
    # What is no event has no day.
    assert outcomes["rejected"] == whole["rejected"] - (summary["events"]["read"] - sum(types.values()))

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from fsseg.report.formats import DiffFormat, Report, ReportFormat
from fsseg.report.show import Show

from .samples import capturing, changes, dry_summary, failures, import_summary, shown

REPORTS = [
    *((format, import_summary) for format in ReportFormat),
    *((format, dry_summary) for format in DiffFormat),
]


@pytest.mark.parametrize(("format", "summary"), REPORTS)
def test_every_format_writes_a_report_and_nothing_where_it_is_quiet(
    format: ReportFormat | DiffFormat, summary: Callable[[], dict[str, Any]]
) -> None:
    for quiet in (False, True):
        console = capturing(quiet=quiet)
        format.load().write(console, Report(summary(), changes(), failures()))
        assert (shown(console) == "") is quiet


def test_formats_are_named_without_importing_any() -> None:
    code = (
        "import sys; import fsseg.report.formats;"
        "print([name for name in sys.modules if name.startswith(('fsseg.report.formats.', 'rich', 'jinja2', 'orjson'))])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_kinds_of_changes_are_of_actions_that_all_changes_have() -> None:
    assert all(show.actions <= Show.ALL.actions for show in Show)

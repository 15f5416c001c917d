"""Every number of a run's page is that of its summary.json: the strip, tiles, charts, tables, filters and lists."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from fsseg.sandbox import running
from tests.between.refusing import coded, refusing
from tests.browser.conftest import Opened, file_address, opened
from tests.e2e.conftest import TOKEN
from tests.e2e.events import anonymous, identify, page, track
from tests.e2e.harness import Account, Machine, Result

KIM = "kim@x.example"
WRITTEN = ("create", "update", "delete")


def ended_in_every_way(machine: Machine) -> Result:
    """A run with events of every outcome, and records and entries that were made, changed, refused and not reached."""
    refusing(machine.account, "taken")
    kim = identify(KIM, lastName="Vos", title="CTO")
    assert machine.spawn("import", "--yes", events=[kim]).code == 0
    events = [
        {**kim, "messageId": "again"},
        anonymous("a1", "Seen"),
        {"type": "identify", "userId": "u1", "traits": {"lastName": "X"}, "timestamp": "2024-03-02T00:00:00Z"},
        {"userId": "u2", "timestamp": "2024-03-02T00:00:00Z"},
        *coded("p", "taken", "free"),
        identify("lee@x.example", lastName="Lee", favoriteColor="red", company={"name": "North"}),
        *(track(KIM, "Order Completed", {"order_id": f"o{n}"}) for n in range(8)),
        *(page(KIM, f"Page {n}") for n in range(20)),
    ]
    result = machine.spawn("import", "--yes", "--max-requests", "32", events=events)
    assert result.outcomes.keys() == {"applied", "unchanged", "skipped", "rejected", "failed", "pending"}, (
        result.outcomes
    )
    return result


def numbered(texts: list[str]) -> dict[str, int]:
    """`34 leads` and so on, by the words."""
    found = (re.fullmatch(r"([\d,]+) (.+)", text) for text in texts)
    return {match[2]: int(match[1].replace(",", "")) for match in found if match}


def table(shown: Opened, selector: str) -> list[list[str]]:
    rows = shown.page.locator(f"{selector} tr").all()
    return [[cell.inner_text().split("\n")[0] for cell in row.locator("th, td").all()] for row in rows]


def titles(shown: Opened, chart: str) -> Counter[str]:
    """What the bars of a chart say: `2025-01-06: 7 applied` and so on, added up by their last word."""
    counts = Counter[str]()
    for text in shown.page.locator(f"{chart} svg rect title").all_text_contents():
        count, kind = text.rpartition(": ")[2].split(" ")
        counts[kind] += int(count.replace(",", ""))
    return counts


def options(shown: Opened, form: str, name: str) -> dict[str, int]:
    texts = shown.page.locator(f"{form} [name={name}] option").all_text_contents()
    found = (re.fullmatch(r"(.+) \(([\d,]+)\)", text) for text in texts)
    return {match[1]: int(match[2].replace(",", "")) for match in found if match}


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Result]:
    db = tmp_path / "classic.db"
    with running(db, edition="classic", token=TOKEN) as sandbox, closing(Account("classic", sandbox, db)) as account:
        yield ended_in_every_way(Machine(account, tmp_path))


def test_all_numbers_are_those_of_the_summary(browser: Browser, run: Result) -> None:
    assert run.folder is not None
    summary, changes = run.summary, run.changes
    records = {entity: Counter(counts) for entity, counts in summary["records"].items() if counts}
    by_column = sum(records.values(), Counter[str]())
    with opened(browser, file_address(run.folder / "report.html")) as shown:
        strip = numbered(shown.texts(".strip li a"))
        written = {entity: sum(counts[action] for action in WRITTEN) for entity, counts in records.items()}
        nouns = {"timeline": "entries"}
        words = {
            f"{nouns.get(entity, entity)}{'s' * (n != 1 and entity not in nouns)}": n
            for entity, n in written.items()
            if n
        }
        assert strip == run.outcomes | words
        assert shown.page.inner_text("#events small").startswith(f"{summary['events']['read']} read")
        kinds, counts = shown.texts(".tiles dt"), shown.texts(".tiles dd")
        assert dict(zip(kinds, map(int, counts), strict=True)) == run.outcomes
        assert titles(shown, "#by-time") + Counter(rejected=1) == run.outcomes
        assert shown.texts("#by-time small") == ["without 1 event whose time or type can't be read"]
        check_records(shown, summary, records, by_column)
        check_reasons(shown, summary)
        assert shown.texts(".notes li") == [f"Why it stopped: {summary['stopped_by']}"]
        assert options(shown, "#change-filters", "action") == by_column
        assert options(shown, "#change-filters", "entity") == {kind: counts.total() for kind, counts in records.items()}
        assert numbered(shown.texts("#change-count")) == {"records and entries": len(changes)}
        assert numbered(shown.texts("#failure-count")) == {"events": len(run.failures)}
        assert titles(shown, "#traffic").total() in (0, summary["requests"]["total"])


def check_records(shown: Opened, summary: Any, records: dict[str, Counter[str]], by_column: Counter[str]) -> None:
    head, *rows = table(shown, "section:has(#records) > .card table")
    columns = [{"created": "create", "updated": "update"}.get(name, name) for name in head[1:]]
    assert {row[0]: dict(zip(columns, map(int, row[1:]), strict=True)) for row in rows} == {
        entity: {column: counts[column] for column in columns} for entity, counts in records.items()
    }
    assert set(columns) == set(by_column)
    fields = [counts for of_entity in summary["fields"].values() for counts in of_entity.values()]
    shown.page.locator("#by-field details.numbers summary").click()
    drawn = table(shown, "#by-field table")[1:]
    assert (len(drawn), sum(int(n) for row in drawn for n in row[1:])) == (
        len(fields), sum(counts["set"] + counts["cleared"] for counts in fields),
    )  # fmt: skip
    entries = {f"{row['event']} → {row['type']}": row["count"] for row in summary["entries"]}
    assert entries["Order Completed → Order Completed"] == 8  # of as many titles
    assert sum(entries.values()) == records["timeline"]["create"]
    shown.page.locator("#by-event details.numbers summary").click()
    assert {name: int(count) for name, count in table(shown, "#by-event table")[1:]} == entries


def check_reasons(shown: Opened, summary: Any) -> None:
    told = {row["code"]: row["count"] for row in summary["reasons"]}
    rows = [*table(shown, "section:has(#needs-you) table"), *table(shown, "section:has(#reasons) table")]
    assert {row[0]: int(row[1]) for row in rows if row[0] != "reason"} == told
    needs = {row["code"]: row["count"] for row in summary["reasons"] if row["outcome"] != "skipped"}
    assert options(shown, "#failure-filters", "code") == needs
    warned = {row["code"] for row in summary["warnings"]}
    assert {text.split(" ")[0] for text in shown.texts("section:has(#warnings) h3")} == warned

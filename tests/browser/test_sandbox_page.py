"""The sandbox's page in a browser, after an import whose changes are marked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import opened

BAD = "<script>document.title='run'</script>"
EVENTS = [
    {"type": "identify", "userId": "kim@x.example", "traits": {"firstName": "Kim", "lastName": "Vos", "title": "CTO", "fsContact": True, "company": {"name": "North"}}},
    {"type": "identify", "userId": "bad@x.example", "traits": {"firstName": BAD, "lastName": "\u202eX", "title": BAD}},
    {"type": "identify", "userId": "lee@x.example", "traits": {"lastName": "Lee"}},
    {"type": "track", "event": "Signed Up", "userId": "kim@x.example", "properties": {"plan": BAD}},
]  # fmt: skip
LATER: list[dict[str, Any]] = [
    {"type": "identify", "userId": "kim@x.example", "traits": {"title": "CEO", "fsContact": True}},
    {"type": "track", "event": "Signed In", "userId": "lee@x.example"},
]


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("sandbox")
    env = {**os.environ, "HOME": str(folder), "FSSEG_STATE_DIR": str(folder / "state")}
    for name, events, hour in (("first", EVENTS, 1), ("later", LATER, 2)):
        path = folder / f"{name}.jsonl"
        rows = [
            {"messageId": f"{name}-{n}", "timestamp": f"2025-05-01T0{hour}:00:00Z", **event}
            for n, event in enumerate(events)
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        fsseg(env, "import", "--sandbox", "--quiet", path)
    command = [sys.executable, "-m", "fsseg", "sandbox", "serve", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, b"}\n")
        yield json.loads(b"".join(lines) + b"}")["base_url"]
        process.terminate()


def fsseg(env: dict[str, str], *arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "fsseg", *map(str, arguments)], env=env, check=True, capture_output=True)


def test_what_the_last_run_changed_is_marked_and_alone_if_wanted(browser: Browser, origin: str) -> None:
    with opened(browser, f"{origin}/?kind=contacts") as shown:
        page = shown.page
        assert "Contacts 1" in page.inner_text("#tabs").replace("contacts", "Contacts")
        assert "changed" in page.inner_text("tbody tr")
        page.click("tbody a")
        page.locator("h2", has_text="Kim Vos").wait_for()
        row = page.locator(".fields tr.changed")
        assert " ".join(row.inner_text().split()) == "Job title was CTO CEO"
        assert "Signed Up" in page.inner_text(".timeline")
        page.locator(".tied a", has_text="North").click()
        page.locator("h2", has_text="North").wait_for()
        assert "Kim Vos" in page.inner_text(".tied")
    with opened(browser, f"{origin}/?kind=leads") as shown:
        assert shown.page.inner_text("#total") == "2 leads"
        assert shown.texts(".mark") == ["new on the timeline"]
        shown.page.locator("button[aria-pressed]", has_text="(1)").click()
        shown.page.locator("#total", has_text="1 lead").wait_for()
        shown.page.click("tbody a")
        shown.page.locator("h2 .mark", has_text="new on the timeline").wait_for()
        assert shown.texts(".timeline .mark") == ["new"]


def test_a_search_finds_as_one_types(browser: Browser, origin: str) -> None:
    with opened(browser, f"{origin}/?kind=leads") as shown:
        shown.page.fill("#query", "LEE@")
        shown.page.locator("#total", has_text="1 lead").wait_for()
        assert shown.texts("tbody a") == ["Lee"]


def test_markup_in_data_is_only_text(browser: Browser, origin: str) -> None:
    with opened(browser, f"{origin}/?kind=leads&q=bad@") as shown:
        shown.page.locator("tbody a").click()
        shown.page.locator("h2", has_text=BAD).wait_for()
        assert "\u202e" not in shown.page.inner_text("body") and "\\u202eX" in shown.page.inner_text("h2")
        assert shown.page.title() != "run"


def test_what_is_gone_is_told(browser: Browser, origin: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{origin}/contacts/1")
        page.locator("#problem", has_text="no such record").wait_for()


@pytest.mark.parametrize("width", [360, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_usable_by_all_and_no_wider_than_the_window(
    browser: Browser, axe: str, origin: str, width: int, scheme: Any
) -> None:
    with opened(
        browser, f"{origin}/?kind=contacts", viewport={"width": width, "height": 900}, color_scheme=scheme
    ) as shown:
        assert shown.violations(axe) == []
        shown.page.click("tbody a")
        shown.page.locator("h2", has_text="Kim Vos").wait_for()
        assert shown.violations(axe) == []
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= width

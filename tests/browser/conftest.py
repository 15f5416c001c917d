"""A headless Chromium of the system, and pages opened in it that may say nothing on the console and fetch nothing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
AXE = "axe-core@4.10.3"


@dataclass
class Opened:
    """A page in the browser, what it said, and what it asked for beside itself."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def texts(self, selector: str) -> list[str]:
        """The texts of all elements that are shown."""
        return [each for each in self.page.locator(selector).all_inner_texts() if each.strip()]

    def choose(self, form: str, **parts: str) -> None:
        """Set some of a form's fields, as somebody would."""
        for name, held in parts.items():
            part = self.page.locator(f"{form} [name={name}]")
            if part.evaluate("part => part.tagName") == "SELECT":
                part.select_option(held)
            else:
                part.fill(held)

    def violations(self, axe: str) -> list[str]:
        """What an automatic check of accessibility finds."""
        # Not as an element: the page's policy lets no other script in.
        self.page.evaluate(f"{axe}; 0")
        found: Any = self.page.evaluate("axe.run({resultTypes: ['violations']})")
        return [
            f"{each['id']}: {each['help']}: {node['html'][:200]}"
            for each in found["violations"]
            for node in each["nodes"][:3]
        ]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for a module: it would hold this process's event loop for other tests."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, address: str, **context: Any) -> Iterator[Opened]:
    """Open a page and wait until it has drawn all; at the end, fail for anything it complained of."""
    with browser.new_context(**context) as held:
        page = held.new_page()
        page.set_default_timeout(15_000)
        shown = Opened(page)

        def said(message: ConsoleMessage) -> None:
            shown.complaints.append(f"{message.type}: {message.text}")

        def asked(request: Request) -> None:
            shown.requests.append(request.url)

        page.on("console", said)
        page.on("pageerror", lambda error: shown.complaints.append(str(error)))
        page.on("request", asked)
        page.goto(address)
        page.wait_for_selector("html[data-ready]", state="attached")
        yield shown
        assert shown.complaints == []


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script of axe-core, which npm has; it is fetched once for all processes."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm to get axe-core with")
    folder = tmp_path_factory.getbasetemp().parent / "axe"
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    with FileLock(f"{folder}.lock"):
        if not script.exists():
            command = [npm, "install", "--silent", "--ignore-scripts", "--no-audit", "--prefix", str(folder), AXE]
            try:
                subprocess.run(command, check=True, capture_output=True, timeout=120)
            except (OSError, subprocess.SubprocessError):
                pytest.skip(f"npm can't get {AXE}")
    return script.read_text("utf-8")


def file_address(path: Path) -> str:
    """What a browser opens a file by."""
    return path.resolve().as_uri()

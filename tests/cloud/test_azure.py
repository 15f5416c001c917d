"""Objects in Azure Blob Storage, whose lists have a version without the quotes that it has everywhere else."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest

from fsseg.segment import stores
from tests.cloud.test_cron import packed
from tests.cloud.web import StoreHandler, names_below, served
from tests.e2e.harness import Machine
from tests.segment.messages import message

OBJECTS = {
    f"logs/17361{day}000000/{number:03d} \u00e9.gz": packed(message(messageId=f"m-{day}-{number}"))
    for day in (216, 302)
    for number in range(4)
}
PAGE = 3
"""Objects on a page of a list."""


class Handler(StoreHandler):
    asked: ClassVar[Counter[str]] = Counter()

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: found[0] for name, found in parse_qs(url.query).items()}
        _, account, container, *key = unquote(url.path).split("/", 3)
        assert (account, container) == ("acme", "events")
        self.asked["list" if "comp" in query else self.command] += 1
        if "comp" in query:
            self.answer(200, listed(query).encode(), {})
        elif content := OBJECTS.get(key[0]):
            self.answer(200, content, {"ETag": '"0x1"'})
        else:
            self.answer(404, b"", {})


def listed(query: dict[str, str]) -> str:
    """A page of objects, or of folders, as XML."""
    names = names_below(OBJECTS, query, query.get("marker", ""))
    body = "".join(
        f"<BlobPrefix><Name>{escape(name)}</Name></BlobPrefix>" if name.endswith("/") else
        f"<Blob><Name>{escape(name)}</Name><Properties><Last-Modified>{Handler.CHANGED}</Last-Modified><Etag>0x1</Etag>"
        f"<Content-Length>{len(OBJECTS[name])}</Content-Length><Content-Type>text/plain</Content-Type></Properties></Blob>"
        for name in names[:PAGE]
    )  # fmt: skip
    more = escape(names[PAGE - 1]) if names[PAGE:] else ""
    return f"<EnumerationResults><Blobs>{body}</Blobs><NextMarker>{more}</NextMarker></EnumerationResults>"


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with served(Handler) as address:
        for name, value in {
            "ACCOUNT_NAME": "acme", "ACCOUNT_KEY": base64.b64encode(b"a key").decode(), "ENDPOINT": f"{address}/acme",
        }.items():  # fmt: skip
            monkeypatch.setenv(f"AZURE_STORAGE_{name}", value)
        monkeypatch.setenv("AZURE_ALLOW_HTTP", "true")
        stores.store_of.cache_clear()
        Handler.asked.clear()
        yield "az://events"
        stores.store_of.cache_clear()


@pytest.mark.parametrize("flags", [(), ("--since", "2025-01-06")])
def test_objects_that_a_run_has_finished_are_not_fetched_again(
    classic: Machine, container: str, flags: tuple[str, ...]
) -> None:
    first = classic.imports(f"{container}/logs/", *flags)
    assert (first.code, first.outcomes) == (0, {"applied": 8})
    assert Handler.asked["GET"] == 8
    lists = Handler.asked["list"]
    again = classic.imports(f"{container}/logs/", *flags)
    assert (again.code, again.outcomes) == (0, {})
    assert Handler.asked == {"GET": 8, "list": 2 * lists}
    assert "8 objects were dealt with wholly" in again.err


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_several_processes_read_the_same(classic: Machine, container: str, jobs: str) -> None:
    assert classic.imports(f"{container}/logs/*/00*.gz", "--jobs", jobs).outcomes == {"applied": 8}

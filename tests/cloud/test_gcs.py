"""Objects in Google Cloud Storage, whose ways differ from S3's: what it stores as gzip it unpacks for who doesn't ask."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import orjson
import pytest

from fsseg.segment import Input, expand, object_list, read, stores
from fsseg.segment.object_list import Window
from tests.cloud.web import StoreHandler, names_below, served
from tests.segment.messages import lines, message

PACKED = "logs/2024-01-09/packed.gz"
KEYS = ("logs/2024-01-08/a b.jsonl", "logs/2024-01-08/c#d+é%41.jsonl", "logs/2024-01-09/e[1].jsonl", PACKED)
CONTENT = lines(*(message(messageId=f"m-{n}") for n in range(40)))
OBJECTS = {key: gzip.compress(CONTENT) if key == PACKED else CONTENT for key in KEYS}
PAGE = 3
"""Keys on a page of a list."""


class Handler(StoreHandler):
    def do_GET(self) -> None:
        url = urlsplit(self.path)
        _, bucket, *key = unquote(url.path).split("/", 2)
        assert bucket == "acme-events"
        if key and key[0] in OBJECTS:
            self._object(key[0])
        elif key:
            self.answer(404, b"", {})
        else:
            assert "Accept-Encoding" not in self.headers  # the list would be packed
            self.answer(200, listed({name: found[0] for name, found in parse_qs(url.query).items()}).encode(), {})

    def _object(self, key: str) -> None:
        content = OBJECTS[key]
        if key == PACKED and self.headers.get("Accept-Encoding") != "gzip":
            self.send_response(200)  # unpacked on the way, so that nobody knows how long it will be
            self.send_header("Last-Modified", self.CHANGED)
            self.end_headers()
            self.wfile.write(gzip.decompress(content))
            return
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        ranges = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if start else {}
        self.answer(206 if start else 200, content[start:], {**ranges, "ETag": '"1"'})


def listed(query: dict[str, str]) -> str:
    """A page of keys, or of folders, as XML."""
    names = names_below(OBJECTS, query, query.get("continuation-token", ""))
    body = "".join(
        f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" if name.endswith("/") else
        f"<Contents><Key>{escape(name)}</Key><LastModified>2024-01-09T00:00:00.000Z</LastModified>"
        f"<Size>{len(OBJECTS[name])}</Size><ETag>\"1\"</ETag></Contents>"
        for name in names[:PAGE]
    )  # fmt: skip
    more = f"<NextContinuationToken>{escape(names[PAGE - 1])}</NextContinuationToken>" if names[PAGE:] else ""
    return f"<?xml version='1.0' encoding='UTF-8'?><ListBucketResult>{body}{more}</ListBucketResult>"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with served(Handler) as address:
        account = {
            "gcs_base_url": address, "disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": "",
        }  # fmt: skip
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", orjson.dumps(account).decode())
        monkeypatch.setenv("GOOGLE_ALLOW_HTTP", "true")
        stores.store_of.cache_clear()
        yield "gs://acme-events"
        stores.store_of.cache_clear()


def test_objects_are_listed_page_by_page_by_prefix_pattern_and_day(bucket: str) -> None:
    def found(address: str, window: Window = object_list.EVER) -> list[str]:
        files, unreadable = expand([f"{bucket}/{address}"], window)
        assert unreadable == []
        return [file.removeprefix(f"{bucket}/") for file in files]

    assert found("logs/") == [*KEYS]
    assert found("logs/*/*.jsonl") == [*KEYS[:3]]
    assert found("logs/", Window(since="2024-01-09T00:00:00.000")) == [*KEYS[2:]]
    assert [found(key) for key in KEYS] == [[key] for key in KEYS]


@pytest.mark.parametrize("key", KEYS)
def test_an_object_is_read_as_it_is_stored(bucket: str, key: str) -> None:
    reader = read(Input(f"{bucket}/{key}", 0))
    assert len([*reader]) == 40
    assert reader.container == ("jsonl.gz" if key == PACKED else "jsonl")

"""An S3 behind a real socket that counts what it is asked, and can cut, change or lose what it serves.

`python -m tests.store` prints its port. `/_requests` tells the requests since it was last asked.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import httpx
import orjson

SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=testing/20240101/us-east-1/s3/aws4_request, SignedHeaders=host,"
    " Signature=0"
}
"""What makes requests those of the bucket's owner; nobody looks at the signature."""
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Store:
    """The running server, and one bucket in it."""

    def __init__(self, port: int, bucket: str) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        self.bucket = bucket
        self._http = httpx.Client(base_url=self.endpoint, trust_env=False, headers=SIGNED)
        assert self._http.put(f"/{bucket}").is_success

    def close(self) -> None:
        self._http.close()

    def put(self, key: str, content: bytes) -> None:
        assert self._http.put(f"/{self.bucket}/{key}", content=content).is_success

    def delete(self, key: str) -> None:
        assert self._http.delete(f"/{self.bucket}/{key}").is_success

    def requests(self) -> list[dict[str, str]]:
        """What it was asked since this was asked last: method, path, query and range of each."""
        return list(self._http.get("/_requests").json())

    def cut(self, key: str, after: int, times: int = 1) -> None:
        """Let the next answers with this object end after so many bytes."""
        self._http.post("/_cut", json={"path": f"/{self.bucket}/{key}", "after": after, "times": times})

    def swap(self, key: str, after: int, content: bytes) -> None:
        """As `cut`, and then have another object in its place."""
        self._http.post(
            "/_cut",
            json={"path": f"/{self.bucket}/{key}", "after": after, "times": 1, "then": content.decode()},
        )


@contextmanager
def serving() -> Iterator[int]:
    """The port of a server of its own process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _watched(inner: Wsgi) -> Wsgi:
    asked: list[dict[str, str]] = []
    cuts: list[dict[str, Any]] = []
    lock = Lock()

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/_requests":
            start("200 OK", [("Content-Type", "application/json")])
            body = orjson.dumps(asked)
            asked.clear()
            return [body]
        if path == "/_cut":
            cuts.append(orjson.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))))
            start("200 OK", [])
            return [b""]
        asked.append(
            {
                "method": environ["REQUEST_METHOD"],
                "path": path,
                "query": environ.get("QUERY_STRING", ""),
                "range": environ.get("HTTP_RANGE", ""),
            }
        )
        with lock:  # moto isn't made for threads
            body = b"".join(inner(environ, start))
        cut = next((cut for cut in cuts if cut["path"] == path and environ["REQUEST_METHOD"] == "GET"), None)
        if cut:
            cut["times"] -= 1
            if not cut["times"]:
                cuts.remove(cut)
            if "then" in cut:
                httpx.put(
                    f"http://{environ['HTTP_HOST']}{path}",
                    content=cut["then"].encode(),
                    headers=SIGNED,
                    trust_env=False,
                )
            return [body[: cut["after"]]]
        return [body]

    return answer


def main() -> None:
    """Serve until somebody ends it."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    app: Any = _watched(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from fsseg.sandbox import Fault, Options, Sandbox, reset, running


class Api:
    """A raw client of one running sandbox: paths below /api, the token sent."""

    def __init__(self, sandbox: Sandbox, db: Path) -> None:
        self.sandbox, self.db = sandbox, db
        self.http = httpx.Client(
            base_url=f"{sandbox.base_url}/api",
            headers={"Authorization": f"Token token={sandbox.token}"},
            trust_env=False,
        )

    @property
    def edition(self) -> str:
        return "suite" if self.sandbox.base_url.endswith("/crm/sales") else "classic"

    def configure(self, **changes: Any) -> None:
        self.sandbox.configure(**changes)

    def faults(self, *faults: Fault, seed: int = 0) -> None:
        self.sandbox.faults(*faults, seed=seed)

    def stats(self) -> Mapping[str, Any]:
        return self.sandbox.stats()

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.http.get(path, params=query)

    def post(self, path: str, body: Any = None, **query: Any) -> httpx.Response:
        return self.http.post(path, json=body, params=query)

    def put(self, path: str, body: Any) -> httpx.Response:
        return self.http.put(path, json=body)

    def delete(self, path: str) -> httpx.Response:
        return self.http.delete(path)

    def make(self, resource: str, **attributes: Any) -> dict[str, Any]:
        """A new record, which must be accepted."""
        singular = resource.removesuffix("ies") + "y" if resource.endswith("ies") else resource.removesuffix("s")
        response = self.post(f"/{resource}", {singular: attributes})
        assert response.status_code in (200, 201), response.text
        return dict(response.json()[singular])

    def choice(self, selector: str, name: str) -> int:
        """The id of a selector's row by its name."""
        (rows,) = self.get(f"/selector/{selector}").json().values()
        return next(int(row["id"]) for row in rows if name in (row.get("name"), row.get("email")))


@contextmanager
def serving(db: Path, edition: str, options: Options | None = None, account: Any = None) -> Iterator[Api]:
    if account is not None:
        reset(db, edition, account)
    with running(db, edition=edition, options=options) as sandbox:
        api = Api(sandbox, db)
        try:
            yield api
        finally:
            api.http.close()


def refused(response: httpx.Response, status: int = 400) -> str:
    """The one message of a refusal."""
    assert response.status_code == status, response.text
    errors = response.json()["errors"]
    assert errors["code"] == status
    (message,) = errors["message"]
    return str(message)

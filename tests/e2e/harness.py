"""One Freshsales account behind a real socket, and one machine with fsseg on it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
from typer.testing import CliRunner

from fsseg.sandbox import Fault, Options, Sandbox, dump, reset, seed
from tests.forked import forked

Row = dict[str, Any]
STATE_KEYS = frozenset(
    [
        "id",
        "created_at",
        "updated_at",
        "links",
        "display_name",
        "creater_id",
        "updater_id",
        "owner_id",
        "sales_activity_type_id",
        "targetable_id",
        "targetables",
        "conversation_time",
        "sales_account_id",
        "contact_ids",
        "avatar",
    ]
)
"""What two accounts of the same content may differ in, or what `Account.state` tells by name."""


UNHURRIED = {
    "job_seconds": 0.0, "lookup_lag": 0.0, "quota": 1_000_000, "per_minute": None, "unknown_attributes": "refuse",
    "unknown_custom_fields": "refuse", "bad_choices": "refuse",
}  # fmt: skip
"""What tests need not wait for, and what fsseg itself must never send."""


@dataclass
class Result:
    """What one command did."""

    code: int
    out: str
    err: str
    folder: Path | None

    @property
    def summary(self) -> Row:
        return dict(orjson.loads(self.file("summary.json")))

    @property
    def changes(self) -> list[Row]:
        return _lines(self.file("changes.jsonl"))

    @property
    def failures(self) -> list[Row]:
        assert self.folder is not None, self.err
        return _lines(self.file("failures.jsonl")) if (self.folder / "failures.jsonl").exists() else []

    def file(self, name: str) -> bytes:
        assert self.folder is not None, f"no run: {self.err}"
        return (self.folder / name).read_bytes()

    @property
    def outcomes(self) -> dict[str, int]:
        """The outcomes that there are; they always add up to what was read."""
        events = self.summary["events"]
        assert sum(events["outcomes"].values()) == events["read"], events
        return {name: count for name, count in events["outcomes"].items() if count}

    @property
    def reasons(self) -> dict[str, int]:
        return {row["code"]: row["count"] for row in self.summary["reasons"]}

    @property
    def warnings(self) -> dict[str, int]:
        """Counts by `code`, or `code name` where there is a name."""
        return {f"{row['code']} {row['name']}".strip(): row["count"] for row in self.summary["warnings"]}

    @property
    def actions(self) -> dict[str, dict[str, int]]:
        """How many records of each entity had which action, of those that had any."""
        return {entity: counts for entity, counts in self.summary["records"].items() if counts}

    def change(self, entity: str, key: str) -> Row:
        (found,) = [row for row in self.changes if (row["entity"], row["key"]) == (entity, key)]
        return found

    def fields(self, entity: str, key: str) -> dict[str, tuple[Any, Any]]:
        """Before and after of each field that changes."""
        cells = self.change(entity, key)["fields"]
        return {name: (cell["before"], cell["after"]) for name, cell in cells.items()}


def _lines(data: bytes) -> list[Row]:
    return [orjson.loads(line) for line in data.splitlines()]


@dataclass
class Account:
    """One running sandbox, empty at the start of a test, looked at from behind."""

    edition: str
    sandbox: Sandbox
    db: Path

    def __post_init__(self) -> None:
        self._api = httpx.Client(
            base_url=f"{self.sandbox.base_url}/api",
            headers={"Authorization": f"Token token={self.sandbox.token}"},
            trust_env=False,
        )

    def close(self) -> None:
        self._api.close()

    def empty(self, account: Mapping[str, Any] | None = None, **options: Any) -> None:
        """Begin anew, with another account or options where given."""
        reset(self.db, self.edition, account)
        self.configure(**{**Options().plain(), **UNHURRIED, **options})
        self.forget()

    def configure(self, **options: Any) -> None:
        self.sandbox.configure(**options)

    def forget(self) -> None:
        """Begin to count requests anew."""
        self._api.post(f"{self.sandbox.origin}/_sandbox/stats")

    def faults(self, *faults: Fault) -> None:
        self.sandbox.faults(*faults)

    def seed(self, **records: Sequence[Row]) -> dict[str, list[int]]:
        return seed(self.db, self.edition, records)

    def make(self, resource: str, /, **attributes: Any) -> Row:
        """A record made through the API, as somebody else would; which must be accepted."""
        return self._sent("POST", f"/{resource}", resource, attributes)

    def change(self, resource: str, id: int, /, **attributes: Any) -> Row:
        return self._sent("PUT", f"/{resource}/{id}", resource, attributes)

    def _sent(self, method: str, path: str, resource: str, attributes: Row) -> Row:
        key = resource.removesuffix("ies") + "y" if resource.endswith("ies") else resource.removesuffix("s")
        answer = self._api.request(method, path, json={key: attributes})
        assert answer.is_success, answer.text
        return dict(answer.json()[key])

    def delete(self, resource: str, id: int) -> None:
        assert self._api.delete(f"/{resource}/{id}").is_success

    def choice(self, selector: str, name: str) -> int:
        """The id of a selector's row."""
        (rows,) = self._api.get(f"/selector/{selector}").json().values()
        return next(int(row["id"]) for row in rows if name in (row.get("name"), row.get("email")))

    @property
    def requests(self) -> int:
        return int(self.sandbox.stats()["total"])

    @property
    def writes(self) -> int:
        return int(self.sandbox.stats()["writes"])

    def records(self) -> dict[str, list[Row]]:
        return dump(self.db)

    def people(self, resource: str, email: str) -> list[Row]:
        return [row for row in self.records()[resource] if row["email"].casefold() == email.casefold()]

    def one(self, resource: str, key: str) -> Row:
        """The only record with this e-mail or name: its attributes, custom fields flat among them, unset ones left out."""
        name = "email" if resource in ("leads", "contacts") else "name"
        (found,) = [row for row in self.records()[resource] if row[name] == key]
        return {key: value for key, value in {**found, **found.get("custom_field", {})}.items() if value is not None}

    def timeline(self, email: str) -> list[Row]:
        """The sales activities of the people with this e-mail, in the order of their times."""
        ids = {row["id"] for kind in ("leads", "contacts") for row in self.people(kind, email)}
        found = [row for row in self.records()["sales_activities"] if row["targetable_id"] in ids]
        return sorted(found, key=lambda row: str(row["start_date"]))

    def state(self) -> dict[str, list[str]]:
        """Everything in the account without ids and stamps, links by name, in no order: equal states are equal."""
        found = self.records()
        names = {row["id"]: row.get("email") or row.get("name") for rows in found.values() for row in rows}
        types = {row["id"]: row["name"] for row in self.activity_types()}
        return {kind: sorted(_stated(row, names, types) for row in rows) for kind, rows in found.items()}

    def activity_types(self) -> list[Row]:
        import sqlite3
        from contextlib import closing

        with closing(sqlite3.connect(self.db)) as db:
            (text,) = db.execute("SELECT value FROM meta WHERE key = 'account'").fetchone()
        return list(orjson.loads(text)["selectors"]["sales_activity_types"])


def _stated(row: Row, names: Mapping[int, Any], types: Mapping[int, str]) -> str:
    plain = _bare(row)
    plain["tags"] = sorted(row.get("tags") or ())
    plain["~type"] = types.get(row.get("sales_activity_type_id", 0))
    plain["~of"] = names.get(row.get("targetable_id") or 0) or names.get(row.get("sales_account_id") or 0)
    plain["~with"] = sorted(str(names.get(id)) for id in row.get("contact_ids", ()))
    return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS).decode()


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _bare(inner) for name, inner in value.items() if name not in STATE_KEYS}
    return [_bare(inner) for inner in value] if isinstance(value, list) else value


@dataclass
class Machine:
    """A home folder with fsseg pointed at one account. `run` is the command in this process, `spawn` in one of its own."""

    account: Account
    home: Path
    base_url: str = ""
    environment: dict[str, str | None] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        return self.home / "state"

    def write(self, name: str, content: str | bytes | Iterable[Row]) -> str:
        """A file in the home folder, events as JSON lines; its path."""
        if not isinstance(content, str | bytes):
            content = b"".join(orjson.dumps(row) + b"\n" for row in content)
        path = self.home / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def run(
        self, *args: str, events: Iterable[Row] | None = None, stdin: bytes | None = None, config: str = ""
    ) -> Result:
        """One command in this process; `events` become its file, `config` its fsseg.toml."""
        from fsseg.cli.app import full_app

        before = set(self._runs())
        done = CliRunner().invoke(
            full_app(), self._args(args, events, config), input=stdin, env=self.env(), catch_exceptions=False
        )
        return self._result(done.exit_code, done.stdout, done.stderr, before)

    def spawn(
        self, *args: str, events: Iterable[Row] | None = None, stdin: bytes | None = None, config: str = ""
    ) -> Result:
        """One command in a process of its own."""
        before = set(self._runs())
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FSSEG_")}
        env = {name: value for name, value in {**kept, **self.env()}.items() if value is not None}
        command, pipe = ["fsseg", *self._args(args, events, config)], subprocess.PIPE
        with forked(command, stdin=pipe, stdout=pipe, stderr=pipe, env=env, cwd=self.home) as process:
            out, err = (data.decode() for data in process.communicate(stdin, timeout=120))
        assert "Traceback" not in err, err
        return self._result(process.returncode, out, err, before)

    def imports(self, *args: str, **kwargs: Any) -> Result:
        return self.run("import", *args, **kwargs)

    def dry_runs(self, *args: str, **kwargs: Any) -> Result:
        """A dry run, which writes nothing."""
        before = self.account.writes
        result = self.run("dry-run", *args, **kwargs)
        assert self.account.writes == before, "a dry run wrote"
        return result

    def _args(self, args: Sequence[str], events: Iterable[Row] | None, config: str) -> list[str]:
        command, *rest = args
        if events is not None:
            rest.append(self.write(f"events-{len(list(self.home.iterdir()))}.jsonl", events))
        if config:
            rest += ["--config", self.write("settings.toml", config)]
        return [command, *rest]

    def env(self) -> dict[str, str | None]:
        ours = {name: None for name in os.environ if name.startswith("FSSEG_")}
        return {
            **ours,
            "HOME": str(self.home),
            "COLUMNS": "120",
            "FSSEG_STATE_DIR": str(self.state),
            "FSSEG_BASE_URL": self.base_url or self.account.sandbox.base_url,
            "FSSEG_EDITION": self.account.edition,
            "FSSEG_API_TOKEN": self.account.sandbox.token,
            **self.environment,
        }

    def _runs(self) -> list[Path]:
        return sorted(self.state.glob("*/runs/*")) if self.state.exists() else []

    def _result(self, code: int, out: str, err: str, before: set[Path]) -> Result:
        new = [path for path in self._runs() if path not in before]
        assert self.account.sandbox.token not in out + err
        return Result(code, out, err, new[0] if new else None)

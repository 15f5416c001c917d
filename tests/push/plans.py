"""A plan put together by hand, and pushed to an account of the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fsseg.freshsales.names import Entity
from fsseg.match.finders import fetch
from fsseg.match.remote_record import keep
from fsseg.push.context import PushContext
from fsseg.push.executor import push
from fsseg.push.refusals import Refusals
from fsseg.segment.json_codec import dumps
from fsseg.state.actions import Action, Status
from fsseg.state.plan_store import Record, Store
from tests.client import Client
from tests.report.stores import add, add_entry

KIND = {"lead": "person", "contact": "person"}
LINKS = {"sales_accounts", "sales_account", "contacts"}


class Plan:
    """What is to be written to one account; `context` may be given anything that `PushContext` takes."""

    def __init__(self, client: Client, store: Store, **context: Any) -> None:
        self.client = client
        self.store = store
        self.said: list[str] = []
        catalog = client.catalog()
        self.context = PushContext(
            store,
            catalog,
            client.reader,
            client.writer,
            lambda seconds: client.http.pacer.pause(seconds, "a test"),
            **{
                "match_mode": "email",
                "say": self.said.append,
                "refusals": Refusals(catalog, store, self.said.append),
                **context,
            },
        )

    def create(self, entity: Entity, key: str, columns: dict[str, Any] | None = None, **fields: Any) -> int:
        """Plan a new record, whose row's id it gives; a person's address and everything else's name are among its fields."""
        named = {"email" if entity in KIND else "name": key}
        return self._add(entity, key, Action.CREATE, {**named, **fields}, dict.fromkeys(fields), columns)

    def update(self, entity: Entity, id: int, columns: dict[str, Any] | None = None, **fields: Any) -> int:
        """Plan to change a record that is there; its row's id."""
        existing = fetch(self.client.reader, entity, id)
        assert existing is not None
        key = str(existing.get("email") or existing.get("name"))
        held = {"existing": keep(existing, fields), "remote_id": id}
        return self._add(entity, key, Action.UPDATE, fields, existing, {**held, **(columns or {})})

    def _add(
        self,
        entity: Entity,
        key: str,
        action: Action,
        fields: dict[str, Any],
        before: dict[str, Any],
        columns: dict[str, Any] | None,
    ) -> int:
        changes = {name: [before.get(name), after] for name, after in fields.items()}
        desired = {name: after for name, after in fields.items() if name not in LINKS}
        kind = KIND.get(entity, entity)
        add(
            self.store, entity, action, kind=kind, key=key, match_key=key.casefold(), fields=changes,
            desired=desired, matched=1, **(columns or {}),
        )  # fmt: skip
        return int(max(record.id for record in self.store.records()))

    def entry(self, person: int, name: str, columns: dict[str, Any] | None = None, **payload: Any) -> int:
        """Plan an entry on the timeline of the person in that row; its row's id. `via` sales activities unless told."""
        number = len(list(self.store.entries())) + 1
        types = self.context.catalog.activity_types
        told = {
            "kind": "track", "name": name, "via": "sales_activity", "type_id": types["segment event"].id,
            "message_id": f"m-{number}", "properties": {}, **payload,
        }  # fmt: skip
        row = {"person": person, "position": number, "time": f"2024-03-0{number}T10:00:00.000", **(columns or {})}
        add_entry(self.store, name, payload=dumps(told), **row)
        return int(max(entry.id for entry in self.store.entries()))

    def push(self) -> None:
        """Send all of it; requests are counted from here on."""
        self.client.account.forget()
        push(self.context, _stages)

    def record(self, id: int) -> Record:
        return self.store.record(id)

    @property
    def statuses(self) -> list[str]:
        return [record.status for record in self.store.records()]

    @property
    def is_done(self) -> bool:
        return set(self.statuses) == {Status.DONE}

    @property
    def warnings(self) -> list[str]:
        return [text for record in self.store.records() for text in record.warnings]


@contextmanager
def _stages(name: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    yield lambda count: None

"""The throw-away records of a probe: made with as little as the account says it takes, found again, and deleted."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from fsseg.freshsales.errors import FreshsalesError, Halted, Refused, Unavailable
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Reader, Row
from fsseg.freshsales.views import newest, view_of_all
from fsseg.freshsales.writer import Writer
from fsseg.mapping.catalog import EMAILS, Catalog
from fsseg.mapping.coerce import BAD
from fsseg.mapping.field_types import coercer
from fsseg.mapping.fields import Field

ANY_VALUES: tuple[Any, ...] = ("fsseg probe", 1, True, "2030-01-01")
"""One of these fits a field of any type."""

MOST_REQUIRED = 20
"""Fields of one entity that are asked for, one after the other, until it is given up."""


@dataclass
class ProbeRecords:
    """What one probe makes, one record of an entity. `defaults` are those of the settings, by entity.

    `wanted` gives the field of an entity that a refusal speaks of.
    """

    writer: Writer
    catalog: Catalog
    defaults: Mapping[Entity, Mapping[str, Any]]
    wanted: Callable[[Entity, str], str | None]
    token: str = field(default_factory=lambda: secrets.token_hex(6))
    required: dict[Entity, list[str]] = field(default_factory=dict)
    """The fields without which a record was refused."""
    sent: dict[Entity, int | None] = field(default_factory=dict)
    """The ids of the records that are there, until they are deleted; None where it isn't known whether there is one."""

    @property
    def email(self) -> str:
        """The address of the people."""
        return f"fsseg-probe-{self.token}@example.com"

    @property
    def name(self) -> str:
        """What all of them are called."""
        return f"fsseg probe {self.token} (delete me)"

    def body(self, entity: Entity) -> Row:
        """As little as the account's own description of its fields allows, so that it is seen what it needs besides."""
        body: Row = {"name": self.name} if entity == "deal" else {"last_name": self.name}
        if entity != "deal":
            body["emails" if entity == "contact" else "email"] = self.email
        samples = {one.name: _sample(one) for one in self.catalog.required(entity) if one.name not in (*EMAILS, *body)}
        known = {name: value for name, value in samples.items() if value is not None}
        for name, value in (known | dict(self.defaults.get(entity, {}))).items():
            body = _with(body, name, value, is_custom=name.startswith("cf_"))
        return body

    def create(self, entity: Entity, body: Row) -> int:
        """Make it, and give its id; each field that is asked for gets a sample, so that one probe finds all of them.

        Raises `FreshsalesError`.
        """
        while True:
            try:
                with self.sending(entity):
                    self.sent[entity] = id = int(self.writer.create(entity, body)["id"])
                return id
            except Refused as error:
                fuller = self.fuller(entity, body, error.message)
                if fuller is None:
                    raise
                body = fuller

    @contextmanager
    def sending(self, entity: Entity) -> Iterator[None]:
        """A request that makes it: what ends it by an error may have made it only where its answer was lost."""
        self.sent[entity] = None
        try:
            yield
        except FreshsalesError as error:
            if not (isinstance(error, Halted | Unavailable) and error.sent):
                del self.sent[entity]
            raise

    def fuller(self, entity: Entity, body: Row, refusal: str) -> Row | None:
        """The body with a sample of the field that a refusal asks for; None where there is none to be given."""
        name, required = self.wanted(entity, refusal), self.required.setdefault(entity, [])
        wanted = self.catalog.fields(entity).get(name or "")
        sample = _sample(wanted) if wanted is not None and name not in required else None
        if wanted is None or sample is None or len(required) >= MOST_REQUIRED:
            return None
        required.append(wanted.name)
        return _with(body, wanted.name, sample, is_custom=wanted.custom)

    def delete(self, reader: Reader, writer: Writer) -> Iterator[str]:
        """Delete all of them, last made first; what is to be deleted by hand, and why, where that fails."""
        for entity, id in reversed(list(self.sent.items())):
            told = f"the probe's {entity} {self.name!r}" if id is None else f"the probe's {entity} #{id} ({self.email})"
            try:
                found = self.find(reader, entity) if id is None else id
                if found is not None:
                    writer.delete(entity, found)
                    del self.sent[entity]
                else:
                    yield f"{told} is not there, but may come late: delete it by hand then"
            except FreshsalesError as error:
                yield f"{told} could not be deleted, do so by hand: {error}"

    def find(self, reader: Reader, entity: Entity) -> int | None:
        """The id of the one that was made without its being told, among the newest; None where there is none."""
        view = view_of_all(reader, entity)
        if view is None:
            raise Refused("no view of all of them is known")
        rows = newest(reader, entity, view).rows
        called = "name" if entity == "deal" else "last_name"
        return next((int(row["id"]) for row in rows if row.get(called) == self.name), None)


def _with(body: Row, name: str, value: Any, *, is_custom: bool) -> Row:
    if is_custom:
        return {**body, "custom_field": {**body.get("custom_field", {}), name: value}}
    return {**body, name: value}


def _sample(wanted: Field) -> Any:
    """A value that a field of this type takes; None where none is known."""
    choices = [choice.text for choice in (wanted.choices or ())[:1]]
    fitting = (coercer(wanted)(value) for value in (*choices, *ANY_VALUES))
    return next((value for value in fitting if value is not BAD), None)

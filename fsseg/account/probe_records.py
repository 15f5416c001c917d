"""The throw-away records of a probe: made with as little as the account says it takes, found again, and deleted."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from msgspec import Struct, field

from fsseg.freshsales.errors import FreshsalesError, Halted, NotFound, Refused, Unavailable
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


class ProbeRecords(Struct):
    """What one probe makes, one record of an entity. `defaults` are those of the settings, by entity.

    `wanted` gives the field of an entity that a refusal speaks of. `keep` keeps what is in `sent`, each time before
    something may be made and after it was deleted.
    """

    writer: Writer
    catalog: Catalog
    defaults: Mapping[Entity, Mapping[str, Any]]
    wanted: Callable[[Entity, str], str | None]
    keep: Callable[[str, dict[Entity, int | None]], None]
    token: str = field(default_factory=lambda: secrets.token_hex(6))
    required: dict[Entity, list[str]] = field(default_factory=dict)
    """The fields without which a record was refused."""
    sent: dict[Entity, int | None] = field(default_factory=dict)
    """The ids of the records that are there, until they are deleted; None where it isn't known whether there is one."""

    @property
    def email(self) -> str:
        """The e-mail of the probe's people."""
        return _email(self.token)

    @property
    def name(self) -> str:
        """The name that all records of the probe have."""
        return _name(self.token)

    def body(self, entity: Entity) -> Row:
        """What a record is made with: only what the account says is required, so that other needs show."""
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
                    id = int(self.writer.create(entity, body)["id"])
                self.note(entity, id)
                return id
            except Refused as error:
                fuller = self.fuller(entity, body, error.message)
                if fuller is None:
                    raise
                body = fuller

    @contextmanager
    def sending(self, entity: Entity) -> Iterator[None]:
        """Surrounds the request that makes a record: after an error there is none, unless the answer was lost."""
        self.note(entity, None)
        try:
            yield
        except FreshsalesError as error:
            if not (isinstance(error, Halted | Unavailable) and error.sent):
                self.forget(entity)
            raise

    def note(self, entity: Entity, id: int | None) -> None:
        """The record has this id, or may have been made."""
        self.sent[entity] = id
        self.keep(self.token, self.sent)

    def forget(self, entity: Entity) -> None:
        """There is no such record."""
        del self.sent[entity]
        self.keep(self.token, self.sent)

    def fuller(self, entity: Entity, body: Row, refusal: str) -> Row | None:
        """The body with a sample of the field that a refusal asks for; None where there is none to be given."""
        name, required = self.wanted(entity, refusal), self.required.setdefault(entity, [])
        wanted = self.catalog.fields(entity).get(name or "")
        sample = _sample(wanted) if wanted is not None and name not in required else None
        if wanted is None or sample is None or len(required) >= MOST_REQUIRED:
            return None
        required.append(wanted.name)
        return _with(body, wanted.name, sample, is_custom=wanted.custom)

    def delete(self, reader: Reader, writer: Writer, *, earlier: bool = False) -> Iterator[str]:
        """Delete all of them, last made first; what is to be deleted by hand, and why, where that fails.

        `earlier`: another probe has sent them, so that what can't be found by now isn't there.
        """
        for entity, id in reversed(list(self.sent.items())):
            try:
                found = self._find(reader, entity, earlier=earlier) if id is None else id
                if found is None and not earlier:
                    yield f"{self.named(entity)} is not there, but may come late: check --probe looks for it again"
                    continue
                if found is not None:
                    with suppress(NotFound):
                        writer.delete(entity, found)
                self.forget(entity)
            except FreshsalesError as error:
                yield f"{self.named(entity)} could not be deleted, do so by hand: {error}"

    def named(self, entity: Entity) -> str:
        """The words by which somebody can find the record in Freshsales."""
        return name_of(self.token, entity, self.sent[entity])

    def _find(self, reader: Reader, entity: Entity, *, earlier: bool) -> int | None:
        """The id of the one that was made without its being told; None where there is none."""
        view = view_of_all(reader, entity)
        if view is None and not earlier:
            raise Refused("no view of all of them is known")
        rows = newest(reader, entity, view).rows if view is not None else []
        called = "name" if entity == "deal" else "last_name"
        rows = [row for row in rows if row.get(called) == self.name]
        if not rows and earlier:
            reader.wait_out_lag()
            by, value = ("name", self.name) if entity == "deal" else ("email", self.email)
            try:
                rows = reader.lookup(value, by, (entity,))[entity]
            except Refused:  # not every account looks deals up by their name
                if view is None:
                    raise
        return int(rows[0]["id"]) if rows else None


def name_of(token: str, entity: Entity, id: int | None) -> str:
    """The words by which somebody can find a probe's record in Freshsales."""
    return f"the probe's {entity} {_name(token)!r}" if id is None else f"the probe's {entity} #{id} ({_email(token)})"


def _name(token: str) -> str:
    return f"fsseg probe {token} (delete me)"


def _email(token: str) -> str:
    return f"fsseg-probe-{token}@example.com"


def _with(body: Row, name: str, value: Any, *, is_custom: bool) -> Row:
    if is_custom:
        return {**body, "custom_field": {**body.get("custom_field", {}), name: value}}
    return {**body, name: value}


def _sample(wanted: Field) -> Any:
    """A value that a field of this type takes; None where none is known."""
    choices = [choice.text for choice in (wanted.choices or ())[:1]]
    fitting = (coercer(wanted)(value) for value in (*choices, *ANY_VALUES))
    return next((value for value in fitting if value is not BAD), None)

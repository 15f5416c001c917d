"""Noticing that an account refuses every new record of an entity for the same reason, before a quota is spent on it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

from fsseg.freshsales.errors import Refused
from fsseg.mapping.catalog import Catalog
from fsseg.push.refused_field import missing_field
from fsseg.state.plan_store import Record, Store

MOST = 20
"""Equal refusals in a row after which no more new records of the entity are sent."""

_OWN = re.compile(r"\S+@\S+|\d+")
"""What a refusal says of the one record."""


class Refusals:
    """Counts what new records of each entity are refused for. Shared by the workers of one push."""

    def __init__(self, catalog: Catalog, store: Store, say: Callable[[str], None]) -> None:
        self._catalog = catalog
        self._store = store
        self._say = say
        self._lock = threading.Lock()
        self._row: dict[str, tuple[str, int]] = {}
        self._stopped: dict[str, str] = {}

    def stopped(self, record: Record) -> str | None:
        """Why a new record of this kind isn't sent any more; None while it is."""
        return self._stopped.get(record.entity) if record.existing is None else None

    def check(self, record: Record) -> None:
        """Raise `Refused` where no more new records of this kind are sent."""
        if (why := self.stopped(record)) is not None:
            raise Refused(why, status=400)

    def accepted(self, record: Record) -> None:
        """Note that a record was written."""
        if record.existing is None:
            with self._lock:
                self._row.pop(record.entity, None)

    def refused(self, record: Record, message: str) -> None:
        """Note that a record was refused with these words."""
        if record.existing is not None or record.entity in self._stopped:
            return
        reason = _OWN.sub("", message)
        with self._lock:
            before, count = self._row.get(record.entity, (reason, 0))
            count = count + 1 if before == reason else 1
            self._row[record.entity] = reason, count
            if count < MOST:
                return
            self._stopped[record.entity] = why = self._why(record, message)
        self._say(why)

    def note(self) -> None:
        """Keep the reasons in the plan, for the report."""
        if self._stopped:
            self._store.meta.refused_all = {**self._store.meta.refused_all, **self._stopped}

    def _why(self, record: Record, message: str) -> str:
        sent = dict.fromkeys(record.fields)
        field = missing_field(self._catalog, record, sent, message)
        wanted = f": set {field} under [defaults.{record.entity}]" if field else ""
        return f"{MOST} new {record.entity}s in a row were refused ({message}), so no more were sent{wanted}"

"""A copy of an account's people and accounts, filled by paging the views and refreshed by what was updated since."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Page, Reader
from fsseg.freshsales.views import first_page, latest, read_all
from fsseg.mapping.names import fold_name
from fsseg.match.remote_record import Existing, addresses, flatten, updated
from fsseg.state.database import StateError
from fsseg.state.mirror_store import Copy, MirrorStore


class Mirror:
    """The account's mirror. A cache: losing it costs requests, never correctness."""

    def __init__(self, path: Path) -> None:
        self._store = MirrorStore(path)

    @classmethod
    def usable(cls, path: Path, say: Callable[[str], None]) -> Mirror:
        """The copy at `path`; one that can't be used is thrown away, which is told, and begun anew."""
        try:
            mirror = cls(path)
            if mirror._store.is_whole:
                return mirror
            mirror.close()
        except StateError:
            pass
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()
        say(f"{path} could not be used and is made anew: records are read again where it would have told them")
        return cls(path)

    def close(self) -> None:
        self._store.close()

    def ready(self, entity: Entity) -> bool:
        """Whether the entity was read wholly once."""
        return self._store.has_all(entity)

    def refresh(self, reader: Reader, entity: Entity, view: int, most: int) -> bool:
        """Read what changed since the last reading, newest first; whether the copy is whole and up to date again.

        It isn't where records were deleted, or where it would take more than `most` requests.
        """
        newest = self._store.newest(entity)
        since = updated({"updated_at": newest})
        for number in range(1, most + 1):
            page = latest(reader, entity, view, number)
            news = self._keep(entity, page.rows)
            newest = _later(newest, page.rows)
            # Many may share the instant of the newest; one page of them that brings nothing new is enough.
            if not page.rows or updated(page.rows[-1]) < since or not (news or updated(page.rows[-1]) > since):
                if page.total is not None and self._store.count(entity) != page.total:
                    return False
                self._store.note_all(entity, newest)
                return True
        return False

    def fill(self, reader: Reader, entity: Entity, view: int, probe: Page) -> bool:
        """Read everything; `probe` is the first page of `latest`. Whether the copy is whole.

        Deletions on the way move rows to pages that were read already; a second reading settles that.
        """
        for _ in range(2):
            self._store.forget(entity)
            self._keep(entity, probe.rows)
            if self._store.count(entity) == probe.total or self._read_all(reader, entity, view):
                # Whatever changed while this was read is newer than what was newest at the beginning.
                self._store.note_all(entity, _later("", probe.rows))
                return True
        return False

    def _read_all(self, reader: Reader, entity: Entity, view: int) -> bool:
        def keep(rows: list[dict[str, Any]]) -> int:
            self._keep(entity, rows)
            return self._store.count(entity)

        return read_all(reader, entity, view, first_page(reader, entity, view), keep)

    def _keep(self, entity: Entity, rows: list[dict[str, Any]]) -> bool:
        """Whether any of the rows was not here yet just as it is."""
        records = (flatten(entity, row) for row in rows)
        return self._store.keep(entity, (Copy(record, _names(entity, record)) for record in records))

    def find(self, entity: Entity, name: str) -> Iterator[Existing]:
        """All records of this e-mail (people) or name (accounts), folded."""
        return self._store.find(entity, name)

    def get(self, entity: Entity, id: int) -> Existing | None:
        """The record with this id as it was when last read."""
        return self._store.get(entity, id)


def _later(newest: str, rows: list[dict[str, Any]]) -> str:
    """The latest of `newest` and the rows' times of change."""
    found = [newest, *(row["updated_at"] for row in rows if isinstance(row.get("updated_at"), str))]
    return str(max(found, key=lambda text: updated({"updated_at": text})))


def _names(entity: Entity, flat: Existing) -> set[str]:
    if entity in ("lead", "contact"):
        return addresses(flat)
    return {fold_name(flat.get("name"))}

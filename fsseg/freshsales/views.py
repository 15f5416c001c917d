"""The views that list every record of an entity, paged."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from fsseg.freshsales.errors import BadAnswer, Forbidden, Refused
from fsseg.freshsales.includes import LINKS
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Page, Reader
from fsseg.freshsales.sizes import PAGE_SIZE

ALL = frozenset({
    "all", "alle", "alla", "alles", "tous", "toutes", "todos", "todas", "tutti", "tutte", "wszystkie", "все",
    "すべての", "所有",
})  # fmt: skip
ARTICLES = frozenset({"the", "les", "los", "las", "os", "as", "i", "gli", "le", "die", "de"})
CALLED: dict[Entity, frozenset[str]] = {
    "lead": frozenset({"leads", "prospects", "interessenten"}),
    "contact": frozenset({
        "contacts", "contacten", "contactpersonen", "kontakte", "kontakter", "kontakty", "contactos", "contatos",
        "contatti",
    }),
    "account": frozenset({
        "accounts", "sales accounts", "account", "konten", "kunden", "comptes", "cuentas", "contas", "bedrijven",
    }),
    "deal": frozenset({"deals", "affaires", "negocios", "negócios", "trattative", "transaktionen", "opportunities"}),
}  # fmt: skip
"""How the built-in views of all records are called, in the languages of Freshsales."""

MAX_COUNTED = 6
"""Views whose records are counted in search of the one of all, where none is called so."""


def view_of_all(reader: Reader, entity: Entity) -> int | None:
    """The view that is sure to hold every record, so that absence from it proves something; None if none is known.

    It is the one that the settings name, or one of a known name, or a built-in one that holds as many records as there
    are. Users name views, and in their own language; one called "All customers in York" leaves most out.
    """
    if entity not in reader.known_views:
        named = next((row["id"] for row in reader.views(entity) if _names_all(entity, row)), None)
        reader.known_views[entity] = _of_the_total(reader, entity) if named is None else named
    return reader.known_views[entity]


def _names_all(entity: Entity, view: dict[str, Any]) -> bool:
    first, *rest = [*str(view.get("name") or "").casefold().split(), ""]
    noun = " ".join(word for word in rest if word and word not in ARTICLES)
    return first in ALL and noun in CALLED[entity]


def _of_the_total(reader: Reader, entity: Entity) -> int | None:
    try:
        total = reader.total(entity)
        # A view of deleted records may hold as many by chance.
        for row in [row for row in reader.views(entity) if row.get("is_default")][:MAX_COUNTED] if total else ():
            page = reader.rows(entity, row["id"], sort="created_at", sort_type="desc")
            if page.total == total and not any(record.get("is_deleted") for record in page.rows):
                return int(row["id"])
    except (Forbidden, Refused, BadAnswer):
        pass
    return None


def latest(reader: Reader, entity: Entity, view: int, number: int = 1) -> Page:
    """A page of everything, what changed last first."""
    include = LINKS.get(entity, ())
    return reader.rows(entity, view, page=number, sort="updated_at", sort_type="desc", include=include)


def newest(reader: Reader, entity: Entity, view: int, number: int = 1) -> Page:
    """A page of everything, what was made last first."""
    include = LINKS.get(entity, ())
    return reader.rows(entity, view, page=number, sort="created_at", sort_type="desc", include=include)


def first_page(reader: Reader, entity: Entity, view: int, number: int = 1) -> Page:
    """A page of everything, oldest first, so that records made meanwhile come at the end."""
    return reader.rows(entity, view, page=number, sort="created_at", sort_type="asc", include=LINKS.get(entity, ()))


def read_all(
    reader: Reader, entity: Entity, view: int, first: Page, keep: Callable[[list[dict[str, Any]]], int]
) -> bool:
    """Page through everything, `first` being the first page, whose rows may be fewer than asked for.

    `keep` is given the rows of each page, and says how many records were read by now. Whether that is all of them: it
    isn't where records were deleted meanwhile, since others may have moved to a page that was read already.
    """
    page, before = first, 0
    for number in range(2, 1_000_000):
        have, total = keep(page.rows), page.total
        if total is not None and total < before:
            return False
        before = total or 0
        if not page.rows or have == total:
            return total is None or have == total
        page = first_page(reader, entity, view, number)
    return False


def pages(total: int) -> int:
    """Requests to page through `total` rows."""
    return max(1, math.ceil(total / PAGE_SIZE))

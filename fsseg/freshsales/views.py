"""The views that list every record of an entity, paged."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Page, Reader, is_of_all
from fsseg.freshsales.sizes import PAGE_SIZE

INCLUDE: dict[str, tuple[str, ...]] = {"contact": ("sales_accounts",), "deal": ("contacts",)}


def view_of_all(reader: Reader, entity: Entity) -> int | None:
    """The view that is sure to hold every record; None where none is known as that."""
    return next((view["id"] for view in reader.views(entity) if is_of_all(entity, view)), None)


def latest(reader: Reader, entity: Entity, view: int, number: int = 1) -> Page:
    """A page of everything, what changed last first."""
    include = INCLUDE.get(entity, ())
    return reader.rows(entity, view, page=number, sort="updated_at", sort_type="desc", include=include)


def first_page(reader: Reader, entity: Entity, view: int, number: int = 1) -> Page:
    """A page of everything, oldest first, so that records made meanwhile come at the end."""
    return reader.rows(entity, view, page=number, sort="created_at", sort_type="asc", include=INCLUDE.get(entity, ()))


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

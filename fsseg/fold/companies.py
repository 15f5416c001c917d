"""Companies: whatever many people and groups say of one becomes one planned account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import orjson

from fsseg.fold.desired import COMPANY, Misfit, fields_for
from fsseg.fold.merge import merge_all, restore
from fsseg.state.company_rows import add_records, companies_told_of, forget_companies
from fsseg.state.plan_store import Store, encode


def fold_companies(store: Store) -> None:
    """Make one record per company name, whoever spoke of it: group calls, and people who are contacts."""
    with store.transaction():
        columns = ("key", "match_key", "desired", "times", "sources", "warnings")
        add_records(store, "account", columns, _rows(companies_told_of(store)))
        forget_companies(store)


def _rows(parts: Iterable[tuple[str, bytes]]) -> Iterator[tuple[Any, ...]]:
    for key, group in groupby(parts, key=lambda row: row[0]):
        part = merge_all(restore(orjson.loads(dumped)) for _, dumped in group)[key]
        misfits: list[Misfit] = []
        desired, times = fields_for("contact", part, misfits)
        yield (
            desired.get("name") or "", key.removeprefix(COMPANY), encode(desired), encode(times), encode(part.sources),
            encode(misfits),
        )  # fmt: skip

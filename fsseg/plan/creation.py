"""What new records are made with; people, of whom there may be a great many, by the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from fsseg.mapping.catalog import EMAILS, LEAD_STAGE, Catalog
from fsseg.plan.defaults import Defaults
from fsseg.plan.limits import fitted, left_out
from fsseg.processes import Processes, ProcessLost
from fsseg.state.actions import Code
from fsseg.state.decided_rows import NewPerson, create_people, new_people, new_people_ids
from fsseg.state.plan_store import Store, encode
from fsseg.working_process import shared

PAGE = 1_000
"""People at a time."""


class Creation(NamedTuple):
    """What says how a new record is filled. `strict`: what Freshsales can't hold is wanted all the same."""

    catalog: Catalog
    defaults: Defaults | None
    strict: bool
    required: Mapping[str, tuple[str, ...]]
    """What this account says it wants of each kind of new person, but for the e-mail."""

    def lacking(self, entity: str, wanted: Mapping[str, Any]) -> list[str]:
        """A warning for each field that this account requires of a new person, and that is not there."""
        names = self.required.get(entity, ())
        return [f"{Code.REQUIRED}: {name}" for name in names if wanted.get(name) is None]

    def fitted(self, entity: str, desired: dict[str, Any], warnings: list[Any]) -> tuple[dict[str, Any], list[Any]]:
        """What Freshsales can hold of what is desired, with a warning for each field where that isn't all."""
        if self.strict:
            return desired, warnings
        fits, changed = fitted(self.catalog, entity, desired)
        return fits, warnings + [left_out(name, value) for name, value in changed.items()] if changed else warnings

    def person(self, entity: str, email: str, desired: dict[str, Any], *, asks_contact: bool) -> dict[str, Any]:
        """What is wanted of a new person, who needs an e-mail.

        A suite account has no leads: a new "lead" is a contact in the stage of that name, unless asked for as one.
        """
        wanted, catalog = {"email": email} | desired, self.catalog
        if self.defaults:
            wanted = self.defaults.fill(entity, wanted, is_lead=catalog.edition == "suite" and not asks_contact)
        if catalog.edition == "suite" and not asks_contact and "lifecycle_stage_id" not in wanted:
            stage = catalog.choice_id("contact", "lifecycle_stage_id", LEAD_STAGE)
            wanted |= {} if stage is None else {"lifecycle_stage_id": stage}
        return wanted


def required_of_people(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """The fields that the metadata wants of each kind of new person, but for the e-mail, which everybody has."""
    return {
        entity: tuple(field.name for field in catalog.required(entity) if field.name not in EMAILS)
        for entity in catalog.people
    }


Rows = list[tuple[str, int]]
"""JSON of some kind, and the id of the record it belongs to."""


def create_new_people(store: Store, creation: Creation, processes: Processes, advance: Callable[[int], None]) -> None:
    """Decide on all new people, whose accounts are decided on already."""
    try:
        for fields, warnings in _made(store, creation, processes):
            create_people(store, fields, warnings)
            advance(len(fields))
    except ProcessLost:  # one process can do the rest
        for page in new_people(store, PAGE):
            create_people(store, *_rows(store, creation, page))
            advance(len(page))


def _made(store: Store, creation: Creation, processes: Processes) -> Iterator[tuple[Rows, Rows]]:
    if processes.jobs <= 2:  # of two, one may be writing the lines of timeline entries, for which it has a core
        return (_rows(store, creation, page) for page in new_people(store, PAGE))
    tools = processes.share(creation)
    return processes.results(_page, ((str(store.path), tools, ids) for ids in new_people_ids(store, PAGE)))


def _page(task: tuple[str, str, range]) -> tuple[Rows, Rows]:
    path, tools, ids = task
    with closing(Store(Path(path))) as store:
        return _rows(store, shared(tools), next(new_people(store, PAGE, ids)))


def _rows(store: Store, creation: Creation, people: list[NewPerson]) -> tuple[Rows, Rows]:
    """What `decision` comes to for new people: the JSON of their fields, and warnings."""
    companies = {person.id: orjson.loads(person.companies) for person in people if person.companies != "[]"}
    accounts = store.accounts(name for names in companies.values() for name in names)
    rows, warnings = [], []
    for person in people:
        desired, unfit = creation.fitted(person.entity, orjson.loads(person.desired), [])
        wanted = creation.person(person.entity, person.key, desired, asks_contact=bool(person.asks_contact))
        fields: dict[str, tuple[Any, Any]] = {
            name: (None, value) for name, value in wanted.items() if value is not None
        }
        if links := [accounts[name].key for name in companies.get(person.id, ()) if name in accounts]:
            fields["sales_accounts"] = ([], links)
        rows.append((encode(fields), person.id))
        warnings += [(text, person.id) for text in (*unfit, *creation.lacking(person.entity, wanted))]
    return rows, warnings

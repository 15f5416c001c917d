"""The names that people see of an account's fields, choices and owners, and where its records are to be seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from fsseg.account.fields import last_read
from fsseg.mapping.catalog import LEAD_COMPANY, LEAD_DEAL, Catalog, Edition
from fsseg.mapping.fields import Field
from fsseg.report.changes import Change

T = TypeVar("T")

ChoiceNames = dict[str, dict[str, dict[str, str]]]
"""By entity, field and id: what the choice is called."""

_NESTED = {"company.": LEAD_COMPANY, "deal.": LEAD_DEAL}
_HELD_IN = {("contact", "email"): "emails", ("deal", "sales_account"): "sales_account_id"}
"""The fields in which Freshsales holds what a change calls otherwise."""
_RESOURCES = {"lead": "leads", "contact": "contacts", "account": "accounts", "deal": "deals"}


def labels(edition: str, account_folder: Path | None) -> dict[str, dict[str, str]]:
    """By entity and internal name: the labels of the fields that the last online run has read, else of the standard."""
    found = _by_entity(edition, account_folder, lambda field: field.label)
    for (entity, name), field in _HELD_IN.items():
        if label := found.get(entity, {}).get(field):
            found[entity].setdefault(name, label)
    return found


def choice_names(edition: str, account_folder: Path | None) -> ChoiceNames:
    """What the ids mean that fields hold, such as owners, by what the last online run has read."""
    found = _by_entity(edition, account_folder, _choices)
    return {entity: fields for entity, fields in found.items() if fields}


def _choices(field: Field) -> dict[str, str]:
    return {str(choice.id): choice.text for choice in field.choices or ()} if field.by_id else {}


def activity_type_names(edition: str, account_folder: Path | None) -> dict[int, str]:
    """What the types of sales activity are called, by their ids."""
    catalog = _catalog(edition, account_folder)
    return {kind.id: kind.name for kind in catalog.activity_types.values()} if catalog else {}


def with_choice_names(
    changes: Iterable[Change], summary: Mapping[str, Any] | None, run_dir: Path | None
) -> Iterator[Change]:
    """The same changes for people: beside an id stands what it means, where that is known."""
    folder = run_dir or (Path(summary["run_dir"]) if summary and summary.get("run_dir") else None)
    known = choice_names(str((summary or {}).get("edition", "")), folder.parent.parent if folder else None)
    for change in changes:
        fields, names = change.get("fields") or {}, known.get(str(change.get("entity")), {})
        if names.keys().isdisjoint(fields):
            yield change
            continue
        yield {**change, "fields": {name: _with_names(cell, names.get(name, {})) for name, cell in fields.items()}}


def _with_names(cell: Any, names: Mapping[str, str]) -> Any:
    return {side: named(held, names) for side, held in cell.items()} if names and isinstance(cell, dict) else cell


def named(held: Any, names: Mapping[str, str]) -> Any:
    """What a field holds; an id that has a name with the name before it."""
    return f"{names[str(held)]} ({held})" if str(held) in names else held


def _by_entity(edition: str, account_folder: Path | None, told: Callable[[Field], T]) -> dict[str, dict[str, T]]:
    """What is told of each field, where that isn't empty; those of a lead's company and deal are the lead's, too."""
    catalog = _catalog(edition, account_folder)
    if catalog is None:
        return {}

    def of(entity: str, prefix: str = "") -> dict[str, T]:
        return {f"{prefix}{name}": known for name, field in catalog.fields(entity).items() if (known := told(field))}

    found = {entity: of(entity) for entity in _RESOURCES}
    for prefix, entity in _NESTED.items():
        found["lead"] |= of(entity, prefix)
    return found


def _catalog(edition: str, account_folder: Path | None) -> Catalog | None:
    if account_folder is not None and (found := last_read(account_folder)) is not None:
        return found
    known: tuple[Edition, ...] = get_args(Edition)
    return next((Catalog.standard(each) for each in known if each == edition), None)


def record_addresses(account: str, edition: str) -> Mapping[str, str]:
    """By entity, what the id of a record follows in its address; nothing where there is no such page."""
    host, _, port = account.partition(":")
    loopback = host in ("127.0.0.1", "localhost") and port.isdigit()
    if not loopback and ("." not in host or port or not host.replace(".", "").replace("-", "").isalnum()):
        return {}
    base = f"http://{account}/" if loopback else f"https://{host}/{'crm/sales/' if edition == 'suite' else ''}"
    return {entity: f"{base}{resource}/" for entity, resource in _RESOURCES.items()}

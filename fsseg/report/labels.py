"""The names that people see of an account's fields, and where its records are to be seen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from fsseg.mapping.catalog import LEAD_COMPANY, LEAD_DEAL, Catalog, Edition

_NESTED = {"": "lead", "company.": LEAD_COMPANY, "deal.": LEAD_DEAL}
_RESOURCES = {"lead": "leads", "contact": "contacts", "account": "accounts", "deal": "deals"}


def labels(edition: str, account_folder: Path | None) -> dict[str, dict[str, str]]:
    """By entity and internal name: the labels of the fields that the last online run has read, else of the standard."""
    catalog = _catalog(edition, account_folder)
    if catalog is None:
        return {}
    found = {entity: _labels(catalog, entity) for entity in _RESOURCES}
    for prefix, entity in _NESTED.items():
        found["lead"] |= {f"{prefix}{name}": label for name, label in _labels(catalog, entity).items()}
    return found


def _labels(catalog: Catalog, entity: str) -> dict[str, str]:
    return {name: field.label for name, field in catalog.fields(entity).items() if field.label}


def _catalog(edition: str, account_folder: Path | None) -> Catalog | None:
    if account_folder is not None:
        try:
            return Catalog.from_json((account_folder / "fields.json").read_bytes())
        except (OSError, ValueError, KeyError):
            pass
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

"""The account of a local Freshsales: its fields, selectors and views, and how a test or a user changes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from fsseg.sandbox import defaults

Row = dict[str, Any]

SINGULAR = {"contacts": "contact", "leads": "lead", "sales_accounts": "sales_account", "deals": "deal"}
MODELS = {"contacts": "Contact", "leads": "Lead", "sales_accounts": "SalesAccount", "deals": "Deal"}
RESOURCE_OF = {model: resource for resource, model in MODELS.items()}
NESTED = {"company": "LeadCompany", "deal": "LeadDeal"}

COMPUTED = re.compile(
    r"last_seen|last_contacted.*|lead_score|customer_fit|recent_note|creater_id|updater_id|web_form_ids?|last_assigned_at"
    r"|.*_sales_sequences|total_sessions|.*_seen_chat|(open|won)_deals_.*|age|expected_deal_value|stage_updated_time"
    r"|upcoming_activities_time|base_currency_amount|lists|phone_numbers|contacts"
)
"""System fields: listed in the metadata like any other, never writable."""

CALCULATED = ("formula", "auto_number")
"""Types of custom fields that Freshsales fills itself."""

MONEY = frozenset({"amount", "base_currency_amount", "expected_deal_value", "annual_revenue"})
"""Read back as text."""

SELECTOR_OF = {
    "owner_id": "owners",
    "territory_id": "territories",
    "lead_source_id": "lead_sources",
    "lead_stage_id": "lead_stages",
    "lead_reason_id": "lead_reasons",
    "campaign_id": "campaigns",
    "contact_status_id": "contact_statuses",
    "lifecycle_stage_id": "lifecycle_stages",
    "industry_type_id": "industry_types",
    "business_type_id": "business_types",
    "deal_pipeline_id": "deal_pipelines",
    "deal_stage_id": "deal_stages",
    "deal_reason_id": "deal_reasons",
    "deal_type_id": "deal_types",
    "deal_product_id": "deal_products",
    "deal_payment_status_id": "deal_payment_statuses",
    "currency_id": "currencies",
    "sales_activity_type_id": "sales_activity_types",
    "sales_activity_outcome_id": "sales_activity_outcomes",
    "creater_id": "owners",
    "updater_id": "owners",
}
"""Which selector a built-in dropdown takes its choices from."""


@dataclass
class Account:
    """One account; plain data, kept as JSON in the sandbox's database.

    `fields` by resource (`leads`, `contacts`, `sales_accounts`, `deals`, `sales_activities`), each a list of metadata
    objects as the field metadata reference shows them, with the private keys `_unique` and `_read_only` besides.
    `selectors` by name, each a list of rows.
    """

    edition: str
    fields: dict[str, list[Row]]
    selectors: dict[str, list[Row]]
    views: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def resources(self) -> tuple[str, ...]:
        """The record resources of this edition."""
        return tuple(resource for resource in SINGULAR if resource in self.fields)

    @cached_property
    def by_model(self) -> dict[str, dict[str, Row]]:
        """Fields by base model, then by internal name."""
        found: dict[str, dict[str, Row]] = {}
        for rows in self.fields.values():
            for row in rows:
                found.setdefault(row["base_model"], {})[row["name"]] = row
        return found

    @cached_property
    def ids(self) -> dict[str, dict[int, Row]]:
        """Selector rows by selector and id."""
        return {name: {row["id"]: row for row in rows} for name, rows in self.selectors.items()}

    def blank(self, resource: str) -> Row:
        """A record with nothing set, without its custom fields: what reading shows of one."""
        return self._blanks[resource][0]

    def blank_custom(self, resource: str) -> Row:
        """The custom fields of a record with nothing set."""
        return self._blanks[resource][1]

    @cached_property
    def _blanks(self) -> dict[str, tuple[Row, Row]]:
        found: dict[str, tuple[Row, Row]] = {}
        for resource in self.resources:
            fields = self.by_model[MODELS[resource]]
            built_in = {name: None for name, field in fields.items() if field["default"]}
            extras = dict(defaults.READ_EXTRAS[resource])
            if resource == "contacts":
                extras |= defaults.EDITION_READ_EXTRAS[self.edition]
            shown = {name: value for name, value in built_in.items() if name not in defaults.HIDDEN} | extras
            found[resource] = (shown, {name: None for name in fields if name not in built_in})
        return found

    def first(self, selector: str) -> Row | None:
        """The default row of a selector, else its first."""
        rows = self.selectors.get(selector, [])
        return next((row for row in rows if row.get("is_default")), rows[0] if rows else None)

    def metadata(self, resource: str) -> list[Row]:
        """The fields as GET /settings/{resource}/fields lists them."""
        return [{key: value for key, value in row.items() if not key.startswith("_")} for row in self.fields[resource]]

    def me(self) -> int:
        """The user whose key is used."""
        return int(self.selectors["owners"][0]["id"])


def build(edition: str, changes: Mapping[str, Any] | None = None) -> Account:
    """The default account of an edition (`classic` or `suite`), changed as a description says:

    `{"fields": {RESOURCE: {"add": [FIELD…], "remove": [NAME…], "change": {NAME: {KEY: VALUE}}}},
    "selectors": {NAME: {"add": [ROW…], "remove": [NAME…]}}}`

    A FIELD needs `name` and `type`; `label`, `choices` (texts), `required`, `unique` and `base_model` are optional.
    A ROW is a name, or an object with `name` and whatever else that selector's rows hold. Raises ValueError.
    """
    if edition not in ("classic", "suite"):
        raise ValueError(f"edition must be classic or suite, not {edition!r}")
    changes = changes or {}
    if unknown := set(changes) - {"fields", "selectors"}:
        raise ValueError(f"unknown part of an account: {', '.join(sorted(unknown))}")
    numbers = iter(range(31_000_000_101, 32_000_000_000))
    selectors = defaults.selectors(edition, numbers)
    for name, change in changes.get("selectors", {}).items():
        if name not in selectors:
            raise ValueError(f"no selector {name} in {edition}")
        _change_selector(selectors[name], name, change, numbers)
    specs = defaults.fields(edition)
    fields = {resource: [_field(spec, next(numbers)) for spec in specs[resource]] for resource in specs}
    for resource, change in changes.get("fields", {}).items():
        if resource not in fields:
            raise ValueError(f"no resource {resource} in {edition}")
        fields[resource] = _change_fields(fields[resource], resource, change, numbers)
    for rows in fields.values():
        for position, row in enumerate(rows):
            row["position"] = position + 1
            if row["default"] and row["name"] in SELECTOR_OF:
                row["choices"] = [_choice(choice) for choice in selectors.get(SELECTOR_OF[row["name"]], [])]
    views = {
        resource: [{"id": next(numbers), "kind": kind} for kind in defaults.VIEWS]
        for resource in SINGULAR
        if resource in fields
    }
    return Account(edition, fields, selectors, views)


def _change_selector(rows: list[Row], name: str, change: Mapping[str, Any], numbers: Iterator[int]) -> None:
    gone = set(change.get("remove", ()))
    rows[:] = [row for row in rows if row.get("name") not in gone]
    for item in change.get("add", ()):
        new = {"name": item} if isinstance(item, str) else dict(item)
        rows.append({"partial": True, "id": next(numbers), **defaults.EXTRAS.get(name, {}), **new})
        if name == "sales_activity_types":
            rows[-1].setdefault("internal_name", defaults.snake(new["name"]))
    for place, row in enumerate(rows):
        row["position"] = place + 1


def _change_fields(rows: list[Row], resource: str, change: Mapping[str, Any], numbers: Iterator[int]) -> list[Row]:
    gone = set(change.get("remove", ()))
    kept = [row for row in rows if row["name"] not in gone]
    for row in kept:
        values = change.get("change", {}).get(row["name"], {})
        row.update({"_unique" if key == "unique" else key: value for key, value in values.items()})
    added = [{"base_model": defaults.MODEL_OF[resource], **spec} for spec in change.get("add", ())]
    return kept + [_field(spec, next(numbers)) for spec in added]


def _field(spec: Mapping[str, Any], number: int) -> Row:
    name = spec["name"]
    if not re.fullmatch(r"[a-z][a-z0-9_\-]*", name):
        raise ValueError(f"not an internal field name: {name!r}")
    custom = name.startswith("cf_")
    choices = [
        {"id": number * 100 + place, "position": place + 1, **(item if isinstance(item, dict) else {"value": item})}
        for place, item in enumerate(spec.get("choices", ()))
    ]
    row = {
        "id": number,
        "label": spec.get("label") or defaults.label(name),
        "name": name,
        "type": spec["type"],
        "default": not custom,
        "actionable": True,
        "position": 0,
        "choices": choices,
        "base_model": spec["base_model"],
        "required": bool(spec.get("required")),
        "quick_add_position": None,
        "visible": True,
        "_unique": bool(spec.get("unique")),
        "_read_only": spec["type"] in CALCULATED if custom else COMPUTED.fullmatch(name) is not None,
    }
    if spec["type"] == "auto_complete":
        row |= {"multiple": name == "tags", "creatable": True, "creatable_data_key": name, "auto_suggest_url": None}
    return row


def _choice(row: Row) -> Row:
    extras = ("is_active", "forecast_type", "deal_pipeline_id")
    value = row.get("display_name") or row.get("currency_code") or row["name"]
    return {
        "id": row["id"],
        "value": value,
        "position": row.get("position", 1),
        **{key: row[key] for key in extras if key in row},
    }

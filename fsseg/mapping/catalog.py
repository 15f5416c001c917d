"""The account's fields, choices and activity types: what events can be mapped onto."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Literal, NamedTuple

import orjson
from msgspec.structs import replace

from fsseg.mapping import standard
from fsseg.mapping.field_types import DROPDOWN, NUMBER
from fsseg.mapping.fields import Field, Id, Row, choice_table
from fsseg.mapping.metadata import field_of
from fsseg.mapping.names import camel

Edition = Literal["classic", "suite"]

LEAD_COMPANY, LEAD_DEAL = "lead.company", "lead.deal"
"""The entities that hold the fields nested in a lead, beside `lead`, `contact`, `account` and `deal`."""

LEAD_STAGE = "Lead"
"""The lifecycle stage of a contact of the suite that is what a lead is in the classic edition."""

PARTS: Mapping[str, Literal["account", "deal"]] = {"company": "account", "deal": "deal"}
"""What is nested in a lead, and the entity that it is by itself beside a contact."""

_NESTED = {"LeadCompany": LEAD_COMPANY, "LeadDeal": LEAD_DEAL}
_NESTED_IN_LEADS = (
    (LEAD_COMPANY, standard.LEAD_COMPANY, "account"),
    (LEAD_DEAL, standard.LEAD_DEAL, "deal"),
)
SELECTOR_OF = {
    "owner_id": "owners",
    "territory_id": "territories",
    "lead_source_id": "lead_sources",
    "campaign_id": "campaigns",
    "contact_status_id": "contact_statuses",
    "lifecycle_stage_id": "lifecycle_stages",
    "lead_stage_id": "lead_stages",
    "lead_reason_id": "lead_reasons",
    "industry_type_id": "industry_types",
    "business_type_id": "business_types",
    "deal_pipeline_id": "deal_pipelines",
    "deal_stage_id": "deal_stages",
    "deal_type_id": "deal_types",
    "deal_reason_id": "deal_reasons",
    "deal_product_id": "deal_products",
    "deal_payment_status_id": "deal_payment_statuses",
    "currency_id": "currencies",
}
"""The selector that lists the choices of a field."""
EMAILS = frozenset({"email", "emails"})
"""Field names that mean the person's e-mail, wherever the metadata lists it."""


class ActivityType(NamedTuple):
    """A kind of sales activity. One that demands an outcome cannot hold a Segment event."""

    id: int
    name: str
    builtin: bool
    outcome_mandatory: bool


class TraitRow(NamedTuple):
    """One line of `fsseg fields`."""

    trait: str
    name: str
    label: str
    type: str
    required: bool
    writable: bool


class Catalog:
    """Fields by entity, compiled from raw API answers.

    `assumed` tells the standard fields from an account's own: then custom fields are not known, and taken as existing.
    """

    def __init__(
        self,
        edition: Edition,
        fields: Mapping[str, Sequence[Row]],
        selectors: Mapping[str, Sequence[Row]],
        *,
        assumed: bool = False,
    ) -> None:
        self.edition = edition
        self.assumed = assumed
        self._raw = {"edition": edition, "fields": fields, "selectors": selectors, "assumed": assumed}
        self._fields = _compile(standard.FIELDS[edition] | dict(fields), selectors, assumed=assumed)
        types = [_activity_type(row) for row in selectors.get("sales_activity_types", ()) if row.get("name")]
        self.activity_types: Mapping[str, ActivityType] = {kind.name.strip().casefold(): kind for kind in types[::-1]}

    @classmethod
    def from_api(
        cls, edition: Edition, fields: Mapping[str, Sequence[Row]], selectors: Mapping[str, Sequence[Row]]
    ) -> Catalog:
        """From what Freshsales answers; what is not given is taken as standard.

        `fields` are the rows of `/settings/…/fields` by entity, `selectors` those of `/selector/…` by name: the names
        of `SELECTOR_OF`, where `owners` are the users, and `sales_activity_types`.
        """
        return cls(edition, fields, selectors)

    @classmethod
    def standard(cls, edition: Edition) -> Catalog:
        """The fields every account starts with."""
        return cls(edition, {}, {}, assumed=True)

    def to_json(self) -> bytes:
        """For a cache on disk; `from_json` reads it back."""
        return orjson.dumps(self._raw)

    @classmethod
    def from_json(cls, data: bytes | str) -> Catalog:
        """Raises ValueError (orjson.JSONDecodeError) or KeyError if that is not what `to_json` wrote."""
        raw = orjson.loads(data)
        return cls(raw["edition"], raw["fields"], raw["selectors"], assumed=raw["assumed"])

    @cached_property
    def people(self) -> tuple[str, ...]:
        """The entities a person can be."""
        return ("lead", "contact") if self.edition == "classic" else ("contact",)

    def fields(self, entity: str) -> Mapping[str, Field]:
        """Internal name → field, in the account's order; empty for an entity this edition lacks."""
        return self._fields.get(entity, {})

    def required(self, entity: str) -> tuple[Field, ...]:
        """The fields this account demands on create."""
        return tuple(field for field in self.fields(entity).values() if field.required and field.writable)

    def choice_id(self, entity: str, field: str, text: str) -> Id | None:
        """The id of the choice of that text (any case; an owner's e-mail does too), None if there is none."""
        found = self.fields(entity).get(field)
        return choice_table(found.choices or (), by_id=True).get(text.strip().casefold()) if found else None


def describe(catalog: Catalog, entity: str) -> list[TraitRow]:
    """The entity's fields with the trait names that reach them, in the account's order."""
    return [
        # The e-mail has a way of its own, so its field is reachable whatever the metadata calls it.
        TraitRow(
            "email" if mail else camel(name), name, field.label, field.type, field.required, mail or field.writable
        )
        for name, field in catalog.fields(entity).items()
        for mail in (name in EMAILS,)
    ]


def _compile(
    rows: Mapping[str, Sequence[Row]], selectors: Mapping[str, Sequence[Row]], *, assumed: bool
) -> dict[str, dict[str, Field]]:
    compiled: dict[str, dict[str, Field]] = {}

    def add(entity: str, row: Row) -> None:
        if isinstance(row.get("name"), str):
            field = field_of(row, selectors.get(SELECTOR_OF.get(row["name"], "")), assumed=assumed)
            compiled.setdefault(entity, {}).setdefault(field.name, field)

    for entity, entity_rows in rows.items():
        for row in entity_rows:
            add(_NESTED.get(row.get("base_model", ""), entity), row)
    if "lead" in compiled:
        # A classic account may list only the lead's own fields; what a lead can nest is documented all the same.
        for entity, documented, twin in _NESTED_IN_LEADS:
            if entity not in compiled:
                for row in documented:
                    add(entity, row)
            compiled[entity] = {
                name: _nested(field, compiled.get(twin, {}).get(name)) for name, field in compiled[entity].items()
            }
    return compiled


def _nested(field: Field, twin: Field | None) -> Field:
    if field.name == "number_of_employees":
        return replace(field, type=NUMBER.name, choices=None)  # a lead's company takes the number itself
    if field.type == DROPDOWN.name and not field.choices and twin:
        return replace(field, choices=twin.choices)
    return field


def _activity_type(row: Row) -> ActivityType:
    return ActivityType(
        id=int(row["id"]),
        name=str(row["name"]),
        builtin=bool(row.get("is_default")),
        outcome_mandatory=bool(row.get("is_outcome_mandatory")),
    )

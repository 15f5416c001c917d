"""What a person, a company and a deal are made of: which entities they may be, and the traits with a home of their own.

The exceptions (`title`, `phone`, `email`, `fsContact`, `company`, `deal`) are documented for the destination; `name`,
`address` and the company's `industry` and `employee_count` are reserved traits of the Segment spec.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fsseg.mapping.catalog import LEAD_COMPANY, LEAD_DEAL, Catalog
from fsseg.mapping.coerce import as_text
from fsseg.mapping.entity_fields import EntityFields
from fsseg.mapping.field_rule import FieldRule
from fsseg.mapping.intents import UNSAID
from fsseg.mapping.object_targets import ToAddress, ToName, ToPart
from fsseg.mapping.resolve import Resolver
from fsseg.mapping.rules import Compiled, Rules
from fsseg.mapping.targets import Target, ToContact, ToEmail, ToField
from fsseg.mapping.warning_counter import MappingWarning

PERSON_ALIASES = {"title": "job_title", "phone": "work_number"}
COMPANY_ALIASES = {
    "industry": "industry_type_id",
    "employee_count": "number_of_employees",
    "employees": "number_of_employees",
}
ADDRESS = {
    "street": "address",
    "city": "city",
    "state": "state",
    "region": "state",
    "postalCode": "zipcode",
    "postal_code": "zipcode",
    "zipcode": "zipcode",
    "zip": "zipcode",
    "country": "country",
}


def people(catalog: Catalog, rules: Rules, compiled: Compiled) -> Resolver:
    """The resolver of identify traits."""
    tables = compiled.fields
    entities = [
        EntityFields(catalog, entity, _prefix(catalog, entity), tables["person"] | tables[entity])
        for entity in catalog.people
    ]

    def specials(resolver: Resolver) -> dict[str, Target]:
        bad_name = MappingWarning("bad_value", "name", "first_name takes text")
        return {
            "email": ToEmail(),
            "name": ToName(
                resolver.to_field("first_name", "name"),
                resolver.to_field("last_name", "name"),
                bad_name,
                _nothing(rules),
            ),
            "address": _address(resolver, rules),
            "company": ToPart("company", companies(catalog, rules, compiled)),
            "deal": ToPart("deal", _deals(catalog, rules, compiled), rules.deal_id_field),
            "fsContact": ToContact("fsContact"),
            "fs_contact": ToContact("fs_contact"),
        }

    return Resolver(
        entities, PERSON_ALIASES, specials, keep_nulls=rules.nulls == "ignore", all_must_fit=rules.all_must_fit
    )


def companies(catalog: Catalog, rules: Rules, compiled: Compiled, label: str = "company.") -> Resolver:
    """The resolver of a company: an account, or what is nested in a lead."""
    call = "group" if label == "group." else "identify"
    ruled = {key: rule for key, rule in compiled.fields["account"].items() if rule.when.is_of(call)}
    return Resolver(
        _nested_fields(catalog, LEAD_COMPANY, "account", ruled),
        COMPANY_ALIASES,
        lambda resolver: {"name": _part_name(label), "address": _address(resolver, rules)},
        keep_nulls=rules.nulls == "ignore",
        all_must_fit=rules.all_must_fit,
        label=label,
    )


def _deals(catalog: Catalog, rules: Rules, compiled: Compiled) -> Resolver:
    return Resolver(
        _nested_fields(catalog, LEAD_DEAL, "deal", compiled.fields["deal"]),
        {},
        lambda resolver: {"name": _part_name("deal.")},
        keep_nulls=rules.nulls == "ignore",
        all_must_fit=rules.all_must_fit,
        label="deal.",
    )


def _nested_fields(catalog: Catalog, in_lead: str, alone: str, rules: Mapping[str, FieldRule]) -> list[EntityFields]:
    """The fields of a company or deal: nested in a lead, and those of a record of its own beside a contact."""
    entities = {"lead": in_lead, "contact": alone}
    return [EntityFields(catalog, entities[person], _prefix(catalog, person), rules) for person in catalog.people]


def _prefix(catalog: Catalog, person: str) -> str:
    return f"{person}:" if len(catalog.people) > 1 else ""


def _part_name(label: str) -> Target:
    return ToField("name", as_text, MappingWarning("bad_value", f"{label}name", "a name takes text"))


def _address(resolver: Resolver, rules: Rules) -> Target:
    members = {member: resolver.to_field(field, f"address.{member}") for member, field in ADDRESS.items()}
    rest = resolver.to_field("address", "address")
    return ToAddress(f"{resolver.label}address", members, rest, _nothing(rules))


def _nothing(rules: Rules) -> Any:
    """What stands for a line of an address, or part of a name, that an event tells no more."""
    return None if rules.nulls == "clear" else UNSAID

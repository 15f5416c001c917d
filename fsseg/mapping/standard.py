"""The fields every account starts with, in the shape of the field metadata, for use without the account's own.

Suite contacts, accounts and deals are as recorded from an account's metadata; classic leads and contacts as the
attribute tables of the API reference have them. Of a dropdown without `choices` only the account knows them.
"""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]

_EMPLOYEES = {1: "1-10", 11: "11-50", 51: "51-200", 201: "201-500", 501: "501-1000", 1001: "1001-5000",
              5001: "5001-10000", 10001: "10001+"}  # fmt: skip
_SUBSCRIPTION = {0: "Unsubscribed", 1: "Subscribed", 2: "Not subscribed", 3: "Reported as spam", 4: "Bounced"}
_SUBSCRIPTION_TYPES = {
    1: "Non-marketing", 2: "Newsletter", 3: "Promotional", 4: "Product updates", 5: "Conferences & events"
}  # fmt: skip
_CHOICES = {
    "number_of_employees": _EMPLOYEES,
    "subscription_status": _SUBSCRIPTION,
    "subscription_types": _SUBSCRIPTION_TYPES,
}
_REQUIRED = {("SalesAccount", "name"), ("Deal", "name"), ("Deal", "amount")}

_PERSON = "first_name last_name mobile_number work_number job_title address city state zipcode country"
_SOCIAL = "facebook twitter linkedin medium keyword"
_PLACE = "address city state zipcode country"


def _rows(model: str, **names_by_type: str) -> list[Row]:
    rows: list[Row] = []
    for kind, names in names_by_type.items():
        for name in names.split():
            label = name.removesuffix("_id").replace("_", " ").capitalize()
            row: Row = {"name": name, "label": label, "type": kind, "default": True, "base_model": model}
            row["required"] = (model, name) in _REQUIRED
            if name in _CHOICES and "dropdown" in kind:
                row["choices"] = [{"id": choice, "value": text} for choice, text in _CHOICES[name].items()]
            rows.append(row)
    return rows


LEAD_COMPANY = _rows(
    "LeadCompany",
    text=f"name {_PLACE} website phone",
    dropdown="industry_type_id business_type_id",
    number="number_of_employees annual_revenue",
)
LEAD_DEAL = _rows("LeadDeal", text="name", number="amount", date="expected_close", dropdown="deal_product_id")

_LEAD = _rows(
    "Lead",
    text=f"{_PERSON} email department {_SOCIAL} time_zone",
    dropdown="owner_id territory_id campaign_id lead_stage_id lead_reason_id lead_source_id",
    checkbox="has_authority do_not_disturb",
    auto_complete="tags",
)
_CLASSIC_CONTACT = _rows(
    "Contact",
    text=f"{_PERSON} department {_SOCIAL} time_zone",
    dropdown="owner_id territory_id campaign_id lead_source_id contact_status_id",
    checkbox="has_authority do_not_disturb",
    group_field="emails sales_accounts",
    auto_complete="tags",
)
_SUITE_CONTACT = _rows(
    "Contact",
    text=f"{_PERSON} external_id work_email {_SOCIAL} locale other_unsubscription_reason first_campaign first_medium "
    "first_source last_campaign last_medium last_source latest_campaign latest_medium latest_source",
    dropdown="owner_id subscription_status unsubscription_reason whatsapp_subscription_status sms_subscription_status "
    "lifecycle_stage_id contact_status_id lost_reason_id time_zone territory_id lead_source_id campaign_id",
    multi_select_dropdown="subscription_types",
    group_field="emails phone_numbers sales_accounts",
    auto_complete="tags lists",
)
_ACCOUNT = _rows(
    "SalesAccount",
    text=f"name website phone {_PLACE} facebook twitter linkedin",
    dropdown="owner_id number_of_employees industry_type_id business_type_id territory_id",
    number="annual_revenue",
    auto_complete="tags",
)
_DEAL = _rows(
    "Deal",
    text="name",
    number="amount probability",
    dropdown="deal_pipeline_id deal_stage_id deal_reason_id owner_id currency_id deal_payment_status_id territory_id "
    "forecast_category deal_type_id deal_product_id lead_source_id campaign_id",
    date="closed_date expected_close",
    auto_complete="sales_account_id contacts tags",
)

FIELDS: dict[str, dict[str, list[Row]]] = {
    "classic": {"lead": _LEAD, "contact": _CLASSIC_CONTACT, "account": _ACCOUNT, "deal": _DEAL},
    "suite": {"contact": _SUITE_CONTACT, "account": _ACCOUNT, "deal": _DEAL},
}
"""Metadata rows by edition and entity."""

"""The default account of the local Freshsales: what a small company's account believably holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Row = dict[str, Any]

MODEL_OF = {
    "contacts": "Contact",
    "leads": "Lead",
    "sales_accounts": "SalesAccount",
    "deals": "Deal",
    "sales_activities": "SalesActivity",
}
VIEWS = ("recycled", "mine", "recent", "all")
"""What views there are of each resource, in the order in which they are listed."""
VIEW_NAMES = {
    "en": ({"all": "All {}", "mine": "My {}", "recent": "Recently Modified {}", "recycled": "Recycle Bin"},
           {"contacts": "Contacts", "leads": "Leads", "sales_accounts": "Accounts", "deals": "Deals"}),
    "nl": ({"all": "Alle {}", "mine": "Mijn {}", "recent": "Onlangs gewijzigde {}", "recycled": "Prullenbak"},
           {"contacts": "contactpersonen", "leads": "leads", "sales_accounts": "accounts", "deals": "deals"}),
    "de": ({"all": "Alle {}", "mine": "Meine {}", "recent": "Kürzlich geänderte {}", "recycled": "Papierkorb"},
           {"contacts": "Kontakte", "leads": "Leads", "sales_accounts": "Konten", "deals": "Deals"}),
}  # fmt: skip
"""What they are called, by the account's language."""
LABELS = {
    "owner_id": "Sales owner",
    "mobile_number": "Mobile",
    "work_number": "Work",
    "cf_alternate_number": "Alternate contact number",
    "sales_accounts": "Accounts",
    "lead_source_id": "Source",
}

PERSON = (
    ("text", "first_name last_name mobile_number work_number job_title address city state zipcode country"),
    ("text", "facebook twitter linkedin medium keyword"),
    (
        "dropdown",
        "owner_id time_zone territory_id lead_source_id campaign_id last_contacted_mode creater_id updater_id",
    ),
    ("dropdown", "last_contacted_sales_activity_mode"),
    ("auto_complete", "tags"),
    ("date", "last_contacted last_contacted_via_sales_activity last_seen created_at updated_at last_assigned_at"),
    ("number", "lead_score"),
    ("textarea", "recent_note"),
    ("multi_select_dropdown", "active_sales_sequences completed_sales_sequences web_form_ids"),
)
CLASSIC_PERSON = (("text", "department"), ("checkbox", "has_authority do_not_disturb"))
SUITE_CONTACT = (
    ("text", "external_id work_email locale other_unsubscription_reason first_campaign first_medium first_source"),
    ("text", "last_campaign last_medium last_source latest_campaign latest_medium latest_source"),
    ("dropdown", "subscription_status unsubscription_reason whatsapp_subscription_status sms_subscription_status"),
    ("dropdown", "lifecycle_stage_id lost_reason_id customer_fit"),
    ("multi_select_dropdown", "subscription_types"),
    ("group_field", "phone_numbers"),
    ("auto_complete", "lists"),
    ("date", "last_seen_chat first_seen_chat"),
    ("number", "total_sessions"),
)
PLACE = "address city state zipcode country"
LEAD_COMPANY = (
    ("text", f"name {PLACE} website phone"),
    ("number", "number_of_employees annual_revenue"),
    ("dropdown", "industry_type_id business_type_id"),
)
LEAD_DEAL = (("text", "name"), ("number", "amount"), ("date", "expected_close"), ("dropdown", "deal_product_id"))
SALES_ACCOUNT = (
    ("text", f"name website phone {PLACE} facebook twitter linkedin"),
    ("dropdown", "owner_id number_of_employees industry_type_id business_type_id territory_id last_contacted_mode"),
    ("dropdown", "last_contacted_sales_activity_mode creater_id updater_id"),
    ("number", "annual_revenue"),
    ("auto_complete", "tags parent_sales_account_id"),
    ("multi_select_dropdown", "web_form_ids active_sales_sequences completed_sales_sequences"),
    ("date", "last_contacted last_contacted_via_sales_activity created_at updated_at last_assigned_at"),
    ("textarea", "recent_note"),
)
DEAL = (
    ("text", "name"),
    ("number", "amount base_currency_amount probability age expected_deal_value"),
    ("auto_complete", "sales_account_id contacts tags"),
    ("dropdown", "deal_pipeline_id deal_stage_id deal_reason_id owner_id currency_id deal_payment_status_id"),
    ("dropdown", "territory_id forecast_category deal_type_id deal_product_id lead_source_id campaign_id"),
    ("dropdown", "last_contacted_sales_activity_mode creater_id updater_id web_form_id"),
    ("date", "closed_date expected_close last_contacted_via_sales_activity created_at updated_at"),
    ("date", "upcoming_activities_time stage_updated_time last_assigned_at"),
    ("textarea", "recent_note"),
    ("multi_select_dropdown", "active_sales_sequences completed_sales_sequences"),
)
SALES_ACTIVITY = (
    ("text", "title"),
    ("date_time_split", "start_date end_date"),
    ("auto_complete", "targetable targetables"),
    ("dropdown", "sales_activity_type_id owner_id sales_activity_outcome_id"),
    ("textarea", "notes"),
    ("text", "location checkedout_location"),
    ("date", "checkedin_at checkedout_at"),
    ("number", "checkedin_duration"),
    ("checkbox", "status"),
    ("date_time_split", "completed_date"),
)
REQUIRED = {
    "SalesAccount": {"name"},
    "Deal": {"name", "amount"},
    "SalesActivity": {"title", "start_date", "end_date", "targetable", "targetables", "sales_activity_type_id"},
}

ZONES = ("Amsterdam", "Berlin", "Chennai", "Eastern Time (US & Canada)", "London", "Pacific Time (US & Canada)", "UTC")
EMPLOYEES = {
    1: "1-10", 11: "11-50", 51: "51-200", 201: "201-500", 501: "501-1000", 1001: "1001-5000", 5001: "5001-10000",
    10001: "10001+",
}  # fmt: skip
CHOICES: dict[str, list[Row]] = {
    "time_zone": [{"id": zone, "value": zone} for zone in ZONES],
    "number_of_employees": [{"id": start, "value": text} for start, text in EMPLOYEES.items()],
    "subscription_status": [
        {"id": number, "value": text}
        for number, text in enumerate(("Unsubscribed", "Subscribed", "Not subscribed", "Reported as spam", "Bounced"))
    ],
    "subscription_types": [
        {"id": number + 1, "value": text}
        for number, text in enumerate(
            ("Non-marketing", "Newsletter", "Promotional", "Product updates", "Conferences & events")
        )
    ],
    "forecast_category": [{"id": n + 1, "value": text} for n, text in enumerate(("Best case", "Commit", "Pipeline"))],
    "status": [{"id": "true", "value": "true"}, {"id": "false", "value": "false"}],
}

PLANS = ("Free", "Pro", "Business", "Enterprise")
CUSTOM_PERSON: tuple[Row, ...] = (
    {"name": "cf_alternate_number", "type": "text"},
    {"name": "cf_plan", "type": "dropdown", "choices": PLANS},
    {"name": "cf_region", "type": "text"},
    {"name": "cf_signup_date", "type": "date"},
    {"name": "cf_is_active", "type": "checkbox"},
    {"name": "cf_seats", "type": "number"},
    {"name": "cf_interests", "type": "multi_select_dropdown", "choices": ("Analytics", "Billing", "CRM", "Support")},
    {"name": "cf_no-go_reason", "type": "text", "label": "No-go reason"},
    {"name": "cf_trial_power_users", "type": "checkbox"},
    {"name": "cf_lifetime_value", "type": "number"},
    {"name": "cf_segment_user_id", "type": "text"},
)
CUSTOM_ACCOUNT: tuple[Row, ...] = (
    {"name": "cf_plan", "type": "dropdown", "choices": PLANS},
    {"name": "cf_domain_name", "type": "text"},
    {"name": "cf_segment_group_id", "type": "text"},
)
CUSTOM_DEAL: tuple[Row, ...] = ({"name": "cf_source_system", "type": "text"},)

USERS = (("Robin Doe", "robin@fsseg.example", True), ("Sam Rivera", "sam@fsseg.example", True),
         ("Kit Former", "kit@fsseg.example", False))  # fmt: skip
STATUSES = {
    "Lead": ("New", "Contacted", "Interested", "Unqualified"),
    "Sales Qualified Lead": ("Qualified", "Negotiation", "Lost"),
    "Customer": ("Won", "Churned"),
}
PIPELINES = {
    "Default Pipeline": ("New", "Qualification", "Discovery", "Demo", "Negotiation", "Won", "Lost"),
    "Renewals": ("Due", "Won", "Lost"),
}
NAMES: dict[str, tuple[str, ...]] = {
    "territories": ("Europe", "North America"),
    "deal_reasons": ("Price", "Competitor", "No budget"),
    "deal_types": ("New Business", "Existing Business"),
    "deal_products": ("Starter", "Team", "Company"),
    "deal_payment_statuses": ("Unpaid", "Paid"),
    "lead_sources": (
        "Web", "Organic Search", "Email", "Phone", "Chat", "Web Form", "Referral", "Direct", "Paid Search", "Blogs",
        "Social Media", "Display Ads", "Events", "Webinar",
    ),
    "lead_stages": ("New", "Contacted", "Interested", "Qualified", "Unqualified"),
    "lead_reasons": ("No budget", "Not reachable"),
    "industry_types": (
        "Aerospace", "Agriculture", "Automotive", "Banking", "Consulting", "Education", "Healthcare", "Manufacturing",
        "Retail", "Software", "Technology", "Telecommunications",
    ),
    "business_types": ("Competitor", "Customer", "Partner", "Prospect", "Reseller"),
    "campaigns": ("Spring launch", "Newsletter"),
    "sales_activity_types": (
        "Chat", "Phone", "Appointment", "Task", "Email", "SMS outgoing", "Reminder", "SMS incoming",
        "Segment event", "Page view", "Order Completed", "Trial Started",
    ),
}  # fmt: skip
BUILT_IN_TYPES = 8
EXTRAS: dict[str, Row] = {
    "sales_activity_types": {
        "show_in_conversation": True, "is_default": False, "is_checkedin": False, "is_checkedin_mandatory": False,
        "is_outcome_mandatory": False,
    },
    "owners": {"is_active": True, "work_number": None, "mobile_number": None},
}  # fmt: skip


ZERO_DEALS: Row = {
    "open_deals_amount": "0.0",
    "won_deals_amount": "0.0",
    "open_deals_count": 0,
    "won_deals_count": 0,
}
READ_EXTRAS: dict[str, Row] = {
    "contacts": {"avatar": None, "lead_score": 0, "tags": [], "emails": [], "email": None, **ZERO_DEALS},
    "leads": {"avatar": None, "lead_score": 0, "lead_quality": None, "email_status": None, "tags": [], "emails": [],
              "phone_numbers": [], "appointment_ids": [], "company": None, "deal": None},
    "sales_accounts": {"avatar": None, "tags": [], **ZERO_DEALS},
    "deals": {"tags": [], "age": 0, "products": []},
}  # fmt: skip
EDITION_READ_EXTRAS: dict[str, Row] = {
    "classic": {"has_duplicates": False, "appointment_ids": []},
    "suite": {"customer_fit": 0, "phone_numbers": [], "system_tags": [], "mcr_id": 0, "record_type_id": "71010794476"},
}
HIDDEN = frozenset({"sales_accounts", "contacts", "lists"})


def snake(text: str) -> str:
    """`SMS outgoing` as `sms_outgoing`."""
    return re.sub(r"\W+", "_", text.lower())


def label(name: str) -> str:
    """A field's label, from its internal name."""
    return LABELS.get(name) or name.removeprefix("cf_").removesuffix("_id").replace("_", " ").capitalize()


def selectors(edition: str, numbers: Iterator[int]) -> dict[str, list[Row]]:
    """The selectors' rows, ids taken from `numbers`."""

    def rows(names: tuple[str, ...], extra: Row | None = None) -> list[Row]:
        return [
            {"partial": True, "id": next(numbers), "name": name, "position": place + 1, **(extra or {})}
            for place, name in enumerate(names)
        ]

    found = {name: rows(names, EXTRAS.get(name)) for name, names in NAMES.items()}
    for place, row in enumerate(found["sales_activity_types"]):
        row |= {"internal_name": snake(row["name"]), "is_default": place < BUILT_IN_TYPES}
        row["show_in_conversation"] = row["name"] != "Reminder"
    phone = found["sales_activity_types"][1]["id"]
    found["sales_activity_outcomes"] = rows(("Interested", "No answer"), {"sales_activity_type_id": phone})
    task = found["sales_activity_types"][3]
    kind = {"sales_activity_type_id": task["id"], "sales_activity_type_name": task["name"]}
    found["sales_activity_entity_types"] = rows(("Follow up", "Demo"), kind)
    found["owners"] = [
        {"id": next(numbers), "display_name": name, "email": email, **EXTRAS["owners"], "is_active": active}
        for name, email, active in USERS
    ]
    found["currencies"] = [
        {"partial": True, "id": next(numbers), "is_active": True, "currency_code": code, "exchange_rate": rate,
         "currency_type": kind}
        for code, rate, kind in (("USD", "1.0", 1), ("EUR", "0.9", 2))
    ]  # fmt: skip
    _staged(found, edition, rows)
    return found


def _staged(found: dict[str, list[Row]], edition: str, rows: Any) -> None:
    found["deal_pipelines"] = rows(tuple(PIPELINES))
    found["deal_stages"] = []
    for place, pipeline in enumerate(found["deal_pipelines"]):
        stages = rows(PIPELINES[pipeline["name"]], {"deal_pipeline_id": pipeline["id"], "forecast_type": "Open"})
        for stage in stages:
            if stage["name"] in ("Won", "Lost"):
                stage["forecast_type"] = f"Closed {stage['name']}"
        pipeline |= {"is_default": place == 0}
        found["deal_stages"] += stages
    found["contact_statuses"] = []
    stages = rows(tuple(STATUSES))
    for stage in stages:
        statuses = rows(STATUSES[stage["name"]], {"forecast_type": "Open"})
        if edition == "suite":
            stage |= {"disabled": False, "default": stage["name"] == "Lead", "type": stage["name"]}
            stage["contact_status_ids"] = [status["id"] for status in statuses]
            for status in statuses:
                status["lifecycle_stage_id"] = stage["id"]
        found["contact_statuses"] += statuses
    if edition == "suite":
        found["lifecycle_stages"] = stages
        del found["lead_stages"], found["lead_reasons"]


def fields(edition: str) -> dict[str, list[Row]]:
    """The specifications of all fields by resource, built-in ones first."""
    contact = (*PERSON, ("dropdown", "contact_status_id"), ("group_field", "sales_accounts emails"))
    found = {
        "contacts": _specs(
            "Contact", contact + (SUITE_CONTACT if edition == "suite" else CLASSIC_PERSON), CUSTOM_PERSON
        ),
        "sales_accounts": _specs("SalesAccount", SALES_ACCOUNT, CUSTOM_ACCOUNT),
        "deals": _specs("Deal", DEAL, CUSTOM_DEAL),
        "sales_activities": _specs("SalesActivity", SALES_ACTIVITY, ()),
    }
    if edition == "classic":
        stages = (("dropdown", "lead_stage_id lead_reason_id"), ("text", "email"), ("date", "stage_updated_time"))
        found["leads"] = (
            _specs("Lead", PERSON + CLASSIC_PERSON + stages, CUSTOM_PERSON)
            + _specs("LeadCompany", LEAD_COMPANY, ())
            + _specs("LeadDeal", LEAD_DEAL, ())
        )
    return found


def _specs(model: str, built_in: tuple[tuple[str, str], ...], custom: tuple[Row, ...]) -> list[Row]:
    specs = [
        {"name": name, "type": kind, "base_model": model, "required": name in REQUIRED.get(model, ()),
         "choices": () if model == "LeadCompany" else CHOICES.get(name, ())}
        for kind, names in built_in
        for name in names.split()
    ]  # fmt: skip
    return specs + [{"base_model": model, **field} for field in custom]

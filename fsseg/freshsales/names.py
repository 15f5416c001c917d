"""Freshsales' resource names for our entities."""

from __future__ import annotations

from typing import Literal

Entity = Literal["lead", "contact", "account", "deal", "timeline"]

SINGULAR: dict[Entity, str] = {
    "lead": "lead",
    "contact": "contact",
    "account": "sales_account",
    "deal": "deal",
    "timeline": "sales_activity",
}
"""The key that wraps a body."""

PLURAL: dict[Entity, str] = {
    "lead": "leads",
    "contact": "contacts",
    "account": "sales_accounts",
    "deal": "deals",
    "timeline": "sales_activities",
}
"""The path segment and the key of lists."""


TARGETABLE: dict[Entity, str] = {"lead": "Lead", "contact": "Contact", "account": "SalesAccount", "deal": "Deal"}
"""What a sales activity's or note's `targetable_type` calls the entity."""

FILTERED_SEARCH = "/api/filtered_search/"
"""A POST that reads."""

"""What must be asked for by `include` before an answer tells it."""

from __future__ import annotations

from collections.abc import Iterable

from fsseg.freshsales.names import Entity

LINKS: dict[Entity, tuple[str, ...]] = {"contact": ("sales_accounts",), "deal": ("contacts",)}
"""What tells whom a record is tied to."""

_REVEALS: dict[Entity, dict[str, str]] = {
    "contact": {
        "owner": "owner_id", "lifecycle_stage": "lifecycle_stage_id", "contact_status": "contact_status_id",
        "territory": "territory_id", "source": "lead_source_id", "campaign": "campaign_id",
    },
    "lead": {
        "owner": "owner_id", "lead_stage": "lead_stage_id", "lead_reason": "lead_reason_id",
        "territory": "territory_id", "source": "lead_source_id", "campaign": "campaign_id",
    },
    "account": {
        "owner": "owner_id", "territory": "territory_id", "business_type": "business_type_id",
        "industry_type": "industry_type_id",
    },
    "deal": {
        "sales_account": "sales_account_id", "owner": "owner_id", "currency": "currency_id",
        "source": "lead_source_id", "campaign": "campaign_id", "deal_type": "deal_type_id",
        "deal_reason": "deal_reason_id", "deal_product": "deal_product_id",
        "deal_payment_status": "deal_payment_status_id",
    },
}  # fmt: skip
"""The ids that live accounts leave out of a record unless what they name is included."""


def revealing(entity: Entity, fields: Iterable[str]) -> tuple[str, ...]:
    """The includes by which a record tells these of its fields, as far as there are such."""
    wanted = set(fields)
    return tuple(name for name, id in _REVEALS.get(entity, {}).items() if id in wanted)

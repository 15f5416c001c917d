"""Notes of timeline entries as a sales rep reads them: what matters of an event's kind first, all the rest below."""

from __future__ import annotations

from typing import Any
from unicodedata import category

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsseg.mapping.entry_text import MAX_PRODUCTS, MAX_TITLE, MAX_TITLE_PART, plain, property_lines, title_maker
from tests.mapping.test_laws import JSON


@pytest.mark.parametrize(
    ("name", "properties", "lines"),
    [
        (
            "Order Completed",
            {
                "order_id": "A-100",
                "total": 1049.9,
                "tax": 10,
                "currency": "EUR",
                "coupon": "SPRING",
                "products": [
                    {"product_id": "p1", "sku": "SEAT-10", "name": "Ten seats", "price": 500, "quantity": 2},
                    {"sku": "SET", "price": "49.90"},
                    {"product_id": 7},
                ],
                "checkout": "web",
            },
            [
                "Order: A-100", "Total: 1,049.90 EUR", "Tax: 10.00 EUR", "Coupon: SPRING", "Products:",
                "- 2 × Ten seats (SEAT-10), 500.00 EUR", "- SET, 49.90 EUR", "- 7", "checkout: web",
            ],
        ),
        ("Order Refunded", {"orderId": "B", "revenue": 1.234}, ["Order: B", "Revenue: 1.234"]),
        ("Order Completed", {"currency": "EUR", "products": "none"}, ["currency: EUR", "products: none"]),
        (
            "Trial Started",
            {"trial_plan_name": "Business", "seats": 5, "trial_end_date": "2024-05-01", "amount": 90, "currency": "USD"},
            ["Plan: Business", "Seats: 5", "Until: 2024-05-01", "Amount: 90.00 USD"],
        ),
        ("Subscription Upgraded", {"plan": "Pro", "mrr": 99.5, "from": "Free"}, ["Plan: Pro", "MRR: 99.50", "from: Free"]),
        (
            "Email Opened",
            {"campaign_id": "c", "campaign_name": "Spring", "email_subject": "Hello"},
            ["Subject: Hello", "Campaign: Spring", "campaign_id: c"],
        ),
        (
            "Invite Sent",
            {"invitee_first_name": "Al", "invitee_email": "al@x.example", "invitee_role": "admin"},
            ["Invited: Al al@x.example", "Role: admin"],
        ),
        ("Emailed", {"email_subject": "x"}, ["email_subject: x"]),
        ("Cart Viewed", {"cart_id": "c", "products": [{"name": "A"}]}, ["Cart: c", "Products:", "- A"]),
        ("Basket shared", {"products": [{"name": "A", "quantity": 2}], "n": None}, ["Products:", "- 2 × A", "n: null"]),
        ("", {"plan": "Pro"}, ["plan: Pro"]),
    ],
)  # fmt: skip
def test_what_matters_stands_first(name: str, properties: dict[str, Any], lines: list[str]) -> None:
    assert property_lines(name, properties) == lines


@pytest.mark.parametrize(
    ("name", "properties", "told"),
    [
        ("Order Completed", {"order_id": "A-1", "total": 1049.9, "currency": "EUR"}, "Order Completed: A-1, 1,049.90 EUR"),
        ("Order Refunded", {"orderId": 7, "revenue": 5}, "Order Refunded: 7, 5.00"),
        ("Checkout Started", {"value": "12.5", "currency": "USD"}, "Checkout Started: 12.5 USD"),
        ("Cart Viewed", {"cart_id": "c", "total": None, "price": True}, "Cart Viewed: c"),
        ("Trial Started", {"trial_plan_name": "Business", "seats": 5}, "Trial Started: Business, 5 seats"),
        ("Subscription Upgraded", {"plan": "Pro", "seats": 1, "mrr": 9, "currency": "EUR"}, "Subscription Upgraded: Pro, 1 seat, 9.00 EUR"),
        ("Email Opened", {"email_subject": " Spring\nis here ", "campaign_name": "May"}, "Email Opened: Spring is here, May"),
        ("Invite Sent", {"invitee_email": "al@x.example"}, "Invite Sent: al@x.example"),
        ("Order Completed", {"order_id": "", "total": [], "products": []}, ""),
        ("Order Completed", {"order_id": "x" * 500}, f"Order Completed: {'x' * MAX_TITLE_PART}"),
        ("Order " + "y" * 400, {"order_id": "x"}, "Order " + "y" * (MAX_TITLE - 6)),
    ],
)  # fmt: skip
def test_titles_tell_what_matters_most(name: str, properties: dict[str, Any], told: str) -> None:
    title = title_maker(name)
    assert title is not None
    assert title(properties) == told


@pytest.mark.parametrize("name", ["Report Exported", "Ordered", "Page", ""])
def test_titles_of_other_events_are_their_names(name: str) -> None:
    assert title_maker(name) is None


def test_many_products_are_counted() -> None:
    lines = property_lines(
        "Order Completed", {"products": [{"name": str(number)} for number in range(MAX_PRODUCTS + 3)]}
    )
    assert lines[-1] == "- and 3 more"
    assert len(lines) == MAX_PRODUCTS + 2


NAMES = st.sampled_from(["Order Completed", "Trial Started", "Email Opened", "Invite Sent", "Other"])
KEYS = st.sampled_from(
    ["products", "total", "currency", "order_id", "orderId", "plan", "email_subject", "x\ny", "invitee_email"]
)


@settings(max_examples=50, deadline=None)
@given(NAMES, st.dictionaries(KEYS, JSON, max_size=5))
def test_any_properties_make_lines_of_one_line_each(name: str, properties: dict[str, Any]) -> None:
    title = title_maker(name)
    told = [title(properties)] if title else []
    for line in [*property_lines(name, properties), *filter(None, told)]:
        assert line.splitlines() == [line]
        assert not {category(character) for character in line} & {"Cc", "Cs", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("क्\u200dष", "क्\u200dष"),
        ("👩\u200d👩\u200d👧 \U0001fae8", "👩\u200d👩\u200d👧 \U0001fae8"),
        ("a\u202eb\u2028c\x00d\u00a0e", "a b c d e"),
        (" \u200d ", ""),
    ],
)
def test_what_can_be_seen_stays(text: str, line: str) -> None:
    assert plain(text) == line

"""The latest by event time wins, also across runs; of two companies of a lead the fields are never mixed."""

from __future__ import annotations

from typing import Any

from fsseg.plan.latest_wins import Newest, newest

ACME = {"company.name": "Acme", "company.city": "Oslo"}


def test_what_is_older_than_what_was_delivered_is_left_out() -> None:
    found = newest({"title": "CTO", "city": "Oslo"}, {"title": 1, "city": 9}, {"title": 5, "city": 9}, {})
    assert found == Newest({"city": "Oslo"}, {"city": 9}, ["title"])


def test_another_company_is_older_as_a_whole() -> None:
    times = {"company.name": 1, "company.city": 9}
    found = newest(ACME, times, {"company.name": 5}, {"company.name": "Beta"})
    assert (found.desired, found.older) == ({}, ["company.name", "company.city"])


def test_a_newer_company_takes_nothing_of_the_one_before_it() -> None:
    delivered = {"company.name": 5, "company.city": 20, "company.website": 5, "company.phone": 5}
    held = {"company.name": "Beta", "company.city": "Rome", "company.website": "beta.example", "company.phone": None}
    found = newest(ACME, {"company.name": 9, "company.city": 9}, delivered, held)
    assert found.desired == {**ACME, "company.website": None}
    assert (found.times["company.website"], found.older) == (0, [])


def test_of_the_same_company_each_field_is_for_itself() -> None:
    delivered = {"company.name": 5, "company.city": 20, "company.website": 5}
    held: dict[str, Any] = {"company.name": "ACME", "company.website": "acme.example"}
    found = newest(ACME, {"company.name": 9, "company.city": 9}, delivered, held)
    assert found == Newest({"company.name": "Acme"}, {"company.name": 9}, ["company.city"])

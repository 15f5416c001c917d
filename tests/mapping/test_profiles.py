"""What the values of a trait are like, in one word."""

from __future__ import annotations

import pytest

from fsseg.mapping.profiles import Profile, kind_of


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("+49 151 5550000", "phone"),
        ("+4915155500000", "phone"),
        ("0044 20 7946 0204", "phone"),
        ("020 7946 0204", "phone"),
        ("(555) 010-0199", "phone"),
        ("555-010-0199", "phone"),
        ("$1,250.00", "amount"),
        ("1 250 000", "amount"),
        ("25 seats", "amount"),
        ("00", "number"),
        ("10000", "number"),
        ("+12", "number"),
        ("20240102", "number"),
        ("02/01/2024", "date"),
        ("2024-01-02T03:04:05Z", "date"),
        ("ada@example.com", "e-mail"),
        ("yes", "boolean"),
        ("Pro plan", "text"),
        (12, "number"),
        ([1], "list"),
    ],
)
def test_the_kind_of_a_value(value: object, kind: str) -> None:
    assert kind_of(value) == kind


def test_a_trait_is_of_the_kind_of_most_of_its_values() -> None:
    profile = Profile()
    for value in ("+49 151 5550000", "+44 20 7946 0204", "unknown", None, ""):
        profile.add(value)
    assert (profile.count, profile.kind) == (3, "phone")

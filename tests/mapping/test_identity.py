from __future__ import annotations

from typing import Any

import pytest

from fsseg.mapping.identity import address, is_address, person_key
from fsseg.mapping.intents import PersonIntent, Refused
from fsseg.mapping.warning_counter import WarningCounter
from tests.mapping.accounts import identify, mapper


@pytest.mark.parametrize(
    "text",
    ["ada@acme.example", "a.b+c@mail.acme-corp.example", "O'Hara@x.co", "ada@bücher.example", "jørgen@acme.example"],
)
def test_addresses(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    ["", "ada", "ada@", "@acme.example", "a b@acme.example", "a..b@acme.example", "ada@acme", "ada@acme..example",
     "ada@-acme.example", "ada.@acme.example", "ada@acme-.example", "ada@acme.example\n", "a" * 250 + "@acme.example", "ada@@acme.example", "a@" * 5000],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    assert not is_address(text)


@pytest.mark.parametrize(
    "text",
    [" ada@acme.example", "ada@acme.example\u200b", "\ufeffada@acme.example", "ad\u00ada@acme.example", "mailto:ada@acme.example",
     "MAILTO:ada@acme.example?subject=Hi", "Ada Byron <ada@acme.example>", '"Byron, Ada" <ada@acme.example>', "<ada@acme.example>",
     "\u00a0ada@acme.example\u00a0", "\u202aada@acme.example\u202c", "ada\x00@acme.example"],
)  # fmt: skip
def test_an_address_is_found_in_what_stands_around_it(text: str) -> None:
    assert address(text) == "ada@acme.example"
    assert person_key(text.strip()) == "@ada@acme.example"


@pytest.mark.parametrize(
    "text", ["Ada <ada>", "a@b.example, c@d.example", "<a@b.example> <c@d.example>", "mailto:", "x" * 900 + "@"]
)
def test_what_holds_no_address_or_two_is_none(text: str) -> None:
    assert address(text) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada@Acme.Example", "ada@acme.example"),
        ("ada@bücher.example", "ADA@BÜCHER.EXAMPLE"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@bücher.example", "ada@XN--BCHER-KVA.example"),
        ("jørgen@acme.example", "JØRGEN@acme.example"),
        ("andré@acme.example", "andre\u0301@acme.example"),
        ("ελλη@acme.example", "ΕΛΛΗ@acme.example"),
    ],
)
def test_spellings_of_one_address_are_one_person(one: str, other: str) -> None:
    assert person_key(one) == person_key(other)
    assert person_key(one).startswith("@")


def test_an_email_as_user_id_is_the_person_as_written_and_folded_for_matching() -> None:
    mapped = mapper().map(identify({}, userId=" Ada@Acme.Example "))
    assert isinstance(mapped, PersonIntent)
    assert mapped.key == "@ada@acme.example"
    assert mapped.parts[""] == {"email": "Ada@Acme.Example"}


@pytest.mark.parametrize(
    ("trait", "warned"),
    [
        ("ADA@acme.example", False),
        (None, False),
        ("", False),
        ("ada@new.example", True),
        ("no address", True),
        (5, True),
    ],
)
def test_an_email_as_user_id_stays_the_email(trait: Any, warned: bool) -> None:
    warnings = WarningCounter()
    mapped = mapper(warnings=warnings).map(identify({"email": trait}, userId="ada@acme.example"))
    assert isinstance(mapped, PersonIntent)
    assert mapped.parts[""]["email"] == "ada@acme.example"
    assert warnings.counts == ({("bad_value", "email"): 1} if warned else {})


def test_a_database_id_takes_its_email_from_the_traits() -> None:
    mapped = mapper().map(identify({"email": " Ada@Acme.example "}, userId="u-7"))
    assert mapped == PersonIntent("#u-7", {"": {"email": "Ada@Acme.example"}}, [])


@pytest.mark.parametrize("traits", [{}, {"email": None}, {"email": ""}, {"email": "  "}])
def test_a_database_id_without_an_email_is_refused(traits: dict[str, Any]) -> None:
    mapped = mapper().map(identify(traits))
    assert isinstance(mapped, Refused)
    assert mapped.code == "missing_email"


@pytest.mark.parametrize("email", ["ada at acme", "ada@acme", 5, True, ["ada@acme.example"], {"value": "a@b.example"}])
def test_a_database_id_with_an_unusable_email_is_refused(email: Any) -> None:
    mapped = mapper().map(identify({"email": email}))
    assert isinstance(mapped, Refused)
    assert mapped.code == "bad_email"


def test_the_email_is_found_in_any_case_and_the_documented_spelling_wins() -> None:
    emails = {"Email": "b@acme.example", "email": "a@acme.example"}
    for traits, email in ((emails, "a@acme.example"), ({"EMAIL": "c@acme.example"}, "c@acme.example")):
        mapped = mapper().map(identify(traits))
        assert isinstance(mapped, PersonIntent)
        assert mapped.parts[""] == {"email": email}


def test_the_id_field_keeps_a_database_id_whatever_the_traits_say() -> None:
    it = mapper(id_field="cf_region")
    mapped = it.map(identify({"email": "a@b.example", "cfRegion": "EMEA"}, userId="u-7"))
    assert isinstance(mapped, PersonIntent)
    assert mapped.parts[""] == {"email": "a@b.example", "cf_region": "u-7"}
    mapped = it.map(identify({"cfRegion": "EMEA"}, userId="ada@acme.example"))
    assert isinstance(mapped, PersonIntent)
    assert mapped.parts[""] == {"email": "ada@acme.example", "cf_region": "EMEA"}

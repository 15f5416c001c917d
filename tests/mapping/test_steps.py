"""Richer rules: where a value is from, when a rule holds, and what is made of the value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsseg.mapping.intents import PersonIntent
from fsseg.mapping.mistakes import MappingError
from fsseg.mapping.warning_counter import WarningCounter
from tests.mapping.accounts import cells_of, event, identify, mapper
from tests.mapping.test_laws import JSON


def one(traits: dict[str, Any], rule: dict[str, Any], key: str = "x", **rules: Any) -> Any:
    """What the rule makes of traits, in cf_region unless it names another field; None where it says nothing."""
    rule = {"field": "cf_region"} | rule
    return cells_of(traits, mapping={"person": {key: rule}}, **rules).get(rule["field"], "nothing")


@pytest.mark.parametrize(
    ("rule", "given", "expected"),
    [
        ({"trim": True}, "  North \t West ", "North West"),
        ({"case": "lower"}, "ADA@Example", "ada@example"),
        ({"case": "upper"}, "emea", "EMEA"),
        ({"case": "title"}, "anne-marie o'NEIL", "Anne-Marie O'neil"),
        ({"replace": {"_": " ", "N/A": "none"}}, "a_b_N/A", "a b none"),
        ({"replace": {"a": "b", "b": "a"}}, "ab", "ba"),
        ({"split": ",", "join": " / "}, "a, b ,,c", "a / b / c"),
        ({"split": " ", "item": -1}, "Ada King Lovelace", "Lovelace"),
        ({"join": "|"}, ["a", 1, None, True], "a|1|true"),
        ({"item": 0}, ["first", "second"], "first"),
        ({"split": ","}, "a,b", "a, b"),
        ({"field": "cf_interests", "split": "|"}, "sales|DATA", "Sales;Data"),
        ({"field": "cf_birthday", "date": "%d/%m/%Y"}, "03/04/1981", "1981-04-03"),
        ({"field": "cf_birthday", "date": ["%Y%m%d", "%d %b %Y"]}, 19810403, "1981-04-03"),
        ({"field": "cf_birthday", "date": ["%Y%m%d", "%d %b %Y"]}, "3 Apr 1981", "1981-04-03"),
        ({"field": "cf_last_login", "date": "%d.%m.%Y %H:%M %z"}, "03.04.2024 09:30 +0200", "2024-04-03T07:30:00.000Z"),
        ({"field": "cf_last_login", "date": "%d.%m.%Y %H:%M"}, "03.04.2024 09:30", "2024-04-03T09:30:00.000Z"),
        ({"field": "cf_seats", "number": True}, "USD 1,234.50", 1234.5),
        ({"field": "cf_seats", "number": True}, "$ -12", -12),
        ({"field": "cf_seats", "number": True}, "-€12.5", -12.5),
        ({"field": "cf_seats", "number": True}, "25 seats", 25),
        ({"field": "cf_seats", "number": True}, "1 250 000 kr", 1250000),
        ({"field": "cf_seats", "number": True}, 7, 7),
        ({"field": "cf_seats", "number": "comma"}, "1.234,50 €", 1234.5),
        ({"field": "cf_plan", "trim": True, "values": {"Gold plan": "Pro"}}, " gold  PLAN ", "Pro"),
        ({"field": "cf_plan", "values": {"none": None}}, "none", None),
        ({"case": "upper"}, None, None),
    ],
)  # fmt: skip
def test_a_step_changes_the_value(rule: dict[str, Any], given: Any, expected: Any) -> None:
    assert one({"x": given}, rule) == expected


@pytest.mark.parametrize(
    ("rule", "given"),
    [
        ({"field": "cf_seats", "number": True}, "1.2M"),
        ({"field": "cf_seats", "number": True}, "3 thousand"),
        ({"field": "cf_seats", "number": True}, "1.234,50"),
        ({"field": "cf_seats", "number": True}, "12,34"),
        ({"field": "cf_seats", "number": True}, "(12)"),
        ({"field": "cf_seats", "number": True}, "about 12 or 13"),
        ({"field": "cf_birthday", "date": "%d/%m/%Y"}, "04/31/1981"),
        ({"field": "cf_birthday", "date": "%d/%m/%Y"}, "1981-04-03"),
        ({"join": "|"}, [{"a": 1}]),
    ],
)
def test_what_a_step_cannot_take_leaves_the_field_out_and_is_told(rule: dict[str, Any], given: Any) -> None:
    warnings = WarningCounter()
    assert one({"x": given}, rule, warnings=warnings) == "nothing"
    assert warnings.counts == {("bad_value", "x"): 1}


@pytest.mark.parametrize(
    ("traits", "expected"),
    [
        ({"plan": "pro"}, "Pro"),
        ({"subscription": {"plan": "free"}}, "Free"),
        ({"plan": "", "subscription": {"plan": "free"}}, "Free"),
        ({"plan": "pro", "subscription": {"plan": "free"}}, "Pro"),
        ({"items": [{"tier": "Pro"}]}, "Pro"),
        ({"a": {"b": {"c": "pro"}}}, "Pro"),
        ({"plan": None}, None),
        ({"other": 1}, "nothing"),
        ({"subscription": "x", "items": {}, "a": {"b": [1]}}, "nothing"),
    ],
)
def test_the_first_of_several_traits_that_has_a_value(traits: dict[str, Any], expected: Any) -> None:
    paths = ["plan", "subscription.plan", "items.0.tier", "a.b.c"]
    assert one(traits, {"field": "cf_plan", "from": paths}) == expected


def test_a_path_of_any_depth_is_a_rule_of_its_own_and_what_stands_beside_it_is_told() -> None:
    warnings = WarningCounter()
    mapping = {"person": {"a.b.c": "cf_region", "a.d": "cf_seats", "list.0.x": "cf_alternate_number"}}
    traits = {"a": {"b": {"c": "EMEA", "e": 1}, "d": 5, "f": 2}, "list": [{"x": "7"}]}
    cells = cells_of(traits, mapping=mapping, warnings=warnings)
    assert cells == {"cf_region": "EMEA", "cf_seats": 5, "cf_alternate_number": "7"}
    assert warnings.counts == {("ignored_trait", "a.b.e"): 1, ("ignored_trait", "a.f"): 1}


def test_constants_defaults_and_templates() -> None:
    assert one({}, {"value": "Web"}) == "Web"
    assert one({}, {"default": "none"}) == one({"x": ""}, {"default": "none"}) == "none"
    assert one({"x": "here"}, {"default": "none"}) == "here"
    rule = {"template": "{first} {middle} {address.city}"}
    assert one({"first": "Ada", "address": {"city": "London"}}, rule) == "Ada London"
    assert one({"other": 1}, rule) == "nothing"


def test_a_rule_under_a_name_of_its_own_leaves_the_trait_of_that_name_alone() -> None:
    rule = {"field": "cf_region", "template": "{title}, {city}"}
    warnings = WarningCounter()
    cells = cells_of({"title": "CEO", "city": "Oslo"}, mapping={"person": {"title": rule}}, warnings=warnings)
    assert cells == {"cf_region": "CEO, Oslo", "job_title": "CEO", "city": "Oslo"}
    assert not warnings


def test_what_a_template_or_condition_looks_at_is_not_told_as_ignored() -> None:
    warnings = WarningCounter()
    rule = {"template": "{nick} of {team.name}", "when": {"trait": "kind", "is": ["staff", "Owner"]}}
    assert one({"nick": "Al", "team": {"name": "A", "x": 1}, "kind": "owner"}, rule, warnings=warnings) == "Al of A"
    assert warnings.counts == {("ignored_trait", "team.x"): 1}


@pytest.mark.parametrize(
    ("when", "traits", "holds"),
    [
        ({"trait": "plan", "is": "pro"}, {"plan": " PRO "}, True),
        ({"trait": "plan", "is": "pro"}, {"plan": "free"}, False),
        ({"trait": "plan", "is": "pro"}, {}, False),
        ({"trait": "n", "is": [1, 2]}, {"n": 2}, True),
        ({"trait": "ok", "is": True}, {"ok": "true"}, True),
        ({"trait": "plan", "is_not": ["free", "trial"]}, {"plan": "free"}, False),
        ({"trait": "plan", "is_not": ["free", "trial"]}, {}, True),
        ({"trait": "a.b", "exists": True}, {"a": {"b": 0}}, True),
        ({"trait": "a.b", "exists": True}, {"a": {"b": None}}, False),
        ({"trait": "a.b", "exists": False}, {"a": {}}, True),
        ({"type": "identify"}, {}, True),
    ],
)
def test_a_rule_may_hold_under_a_condition(when: dict[str, Any], traits: dict[str, Any], holds: bool) -> None:
    assert one({"x": "1", **traits}, {"when": when}) == ("1" if holds else "nothing")


def test_rules_of_leads_and_contacts_keep_their_cells_apart() -> None:
    mapping = {
        "person": {"x": {"field": "cf_region", "value": "all"}},
        "lead": {"x": {"field": "cf_region", "value": "lead"}},
    }
    assert cells_of({}, mapping=mapping) == {"lead:cf_region": "lead", "contact:cf_region": "all"}


def test_a_derived_rule_reaches_company_deal_and_email() -> None:
    mapping = {
        "person": {
            "firm": {"field": "company.name", "from": ["org.title", "firm"], "trim": True},
            "mail": {"field": "email", "from": ["mails.0", "mail"], "replace": {" at ": "@"}},
        },
        "account": {"site": {"field": "website", "template": "https://{domain}"}},
        "deal": {"source": {"field": "amount", "value": 5}},
    }
    traits = {
        "org": {"title": " Acme  BV "},
        "mails": ["ada at acme.example"],
        "deal": "D",
        "company": {"domain": "acme.example"},
    }
    mapped = mapper(mapping=mapping).map(identify(traits))
    assert isinstance(mapped, PersonIntent)
    assert mapped.parts[""]["email"] == "ada@acme.example"
    assert mapped.parts["company:acme bv"] == {"name": "Acme BV", "website": "https://acme.example"}
    assert mapped.parts["deal:d"]["amount"] == 5


def test_rules_of_accounts_can_be_for_group_calls_alone() -> None:
    rule = {"field": "cf_tier", "value": "grouped", "when": {"type": "group"}}
    it = mapper(mapping={"account": {"x": rule}}, with_group=True)
    grouped = it.map(event("group", groupId="g", userId="u", traits={"name": "Acme"}))
    told = it.map(identify({"company": {"name": "Acme"}}, userId="ada@acme.example"))
    assert "grouped" in grouped.parts["company:acme"].values()  # type: ignore[union-attr]
    assert told.parts["company:acme"] == {"name": "Acme"}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("rule", "mistake"),
    [
        ({"trim": "yes"}, "mapping.person.x.trim: it can't be 'yes'; trim is true or false"),
        ({"case": "camel"}, "mapping.person.x.case: it can't be 'camel'; case is one of: lower, upper, title"),
        ({"split": ""}, "mapping.person.x.split: it can't be ''; split is the text between the items, such as \",\""),
        ({"join": 1}, "mapping.person.x.join: it can't be 1; join is the text to put between the items, such as \", \""),
        ({"item": True}, "mapping.person.x.item: it can't be True; item is the number of an item: 0 is the first, -1 the last"),
        ({"replace": {"": "x"}}, "mapping.person.x.replace: it can't be {'': 'x'}; replace is a table of texts: { \"old\" = \"new\" }"),
        ({"date": "%d/%m"}, "mapping.person.x.date: it can't be '%d/%m'; date is how the dates are written, or a list of ways: \"%d/%m/%Y\""),
        ({"number": "dot"}, "mapping.person.x.number: it can't be 'dot'; number is true, or how fractions begin: point, comma"),
        ({"number": True, "date": "%Y-%m-%d"}, "mapping.person.x.number: a value is a date or a number, not both"),
        ({"value": "a", "from": "b"}, "mapping.person.x: its value comes from two places; give one of from, value, template"),
        ({"from": []}, "mapping.person.x.from: it can't be []; from is a trait or a list of them: [\"plan\", \"subscription.plan\"]"),
        ({"template": "none"}, "mapping.person.x.template: it can't be 'none'; a template is text with traits in braces: \"{first_name} {last_name}\""),
        ({"template": "{a"}, "mapping.person.x.template: it can't be '{a'; a template is text with traits in braces: \"{first_name} {last_name}\""),
        ({"default": {}}, "mapping.person.x.default: it can't be {}; it is a text, a number, true, false or a list"),
        ({"values": []}, "mapping.person.x.values: it can't be []; values is a table: { gold = \"Business\", silver = \"Pro\" }"),
        ({"when": "pro"}, "mapping.person.x.when: it is no condition; a condition reads like { trait = \"plan\", is = \"pro\" }"),
        ({"when": {"trait": "plan"}}, "mapping.person.x.when: it doesn't say what plan must be; give is, is_not or exists"),
        ({"when": {"is": "x"}}, "mapping.person.x.when.is: it says of no trait; name the trait: trait = \"plan\""),
        ({"when": {"type": "trak"}}, "mapping.person.x.when.type: there is no type 'trak'; types: identify, group, track, page"),
        ({"when": {"type": "track"}}, "mapping.person.x.when: no such call is mapped here; rules for track and page calls stand under [mapping.event]"),
        ({"field": "cf_plan", "value": "Enterprize"}, "mapping.person.x.value: 'Enterprize' does not fit cf_plan; did you mean Enterprise?"),
        ({"field": "cf_seats", "default": "many"}, "mapping.person.x.default: 'many' does not fit cf_seats; cf_seats takes a number"),
    ],
)  # fmt: skip
def test_each_part_of_a_rule_is_checked_when_it_is_read(rule: dict[str, Any], mistake: str) -> None:
    with pytest.raises(MappingError) as raised:
        one({}, rule)
    assert mistake in str(raised.value).splitlines()


EVERYTHING = mapper(
    mapping={
        "person": {
            "plan": {"field": "cf_plan", "from": ["plan", "usage.plan", "company.tier"], "default": "Free"},
            "seats": {"field": "cf_seats", "number": True},
            "tags": {"field": "tags", "split": ","},
            "title": {"field": "job_title", "template": "{title} ({city})", "when": {"trait": "city", "exists": True}},
            "birth": {"field": "cf_birthday", "from": ["birth", "cfBirthday"], "date": "%Y-%m-%d"},
            "firm": {"field": "company.name", "from": ["name", "deal.name"], "case": "upper", "item": 0},
            "usage.seats.0": {"field": "cf_region", "join": ";", "trim": True},
            "amount": {"field": "cf_alternate_number", "number": "comma", "replace": {"x": "1"}},
        },
        "account": {"industry": {"field": "cf_tier", "from": ["industry", "x"], "case": "title"}},
        "event": {"*": {"fields": {"cf_region": "name", "cf_seats": {"take": "sum", "of": "amount", "number": True}}}},
    }
)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "plan",
                "seats",
                "tags",
                "title",
                "city",
                "birth",
                "name",
                "deal",
                "usage",
                "amount",
                "company",
                "industry",
            ]
        ),
        JSON,
    )
)
def test_no_value_breaks_a_rule_and_like_traits_fill_like_cells(traits: dict[str, Any]) -> None:
    call = identify(traits, userId="ada@acme.example")
    mapped = EVERYTHING.map(call)
    assert isinstance(mapped, PersonIntent)
    EVERYTHING.map(event("track", userId="ada@acme.example", event="x", properties=traits))
    assert EVERYTHING.map(call) == mapped


CHANGING = mapper(
    mapping={
        "person": {
            "a": {"field": "cf_region", "trim": True, "case": "upper"},
            "b": {"field": "cf_alternate_number", "values": {"x": "y", "z": None}},
            "c": {"field": "cf_seats", "number": True},
            "d": {"field": "city", "template": "{a} {e}"},
            "f": {"field": "state", "from": ["f", "a"], "when": {"trait": "e", "is": "x"}},
            "g": {"field": "job_title", "split": ","},
        }
    }
)
WORDS = st.sampled_from(["", " ", "x", "z", "X", "1", "12 pcs", "a,b"])


@settings(max_examples=200, deadline=None)
@given(*(st.dictionaries(st.sampled_from("abcdefg"), WORDS, min_size=2) for _ in range(2)))
def test_calls_that_are_told_alike_fill_the_same_cells_and_are_warned_of_alike(one: Any, other: Any) -> None:
    other = {name: other.get(name, "x") for name in one}
    calls = [CHANGING.person("@ada@acme.example", "ada@acme.example", traits) for traits in (one, other)]
    keys = [CHANGING.equivalence_key(traits) for traits in (one, other)]
    if keys[0] is not None and keys[0] == keys[1]:
        first, second = calls
        assert isinstance(first, PersonIntent) and isinstance(second, PersonIntent)
        assert first.parts[""].keys() == second.parts[""].keys()
        assert first.warnings == second.warnings

"""The diff, by itself: applied to what there is it gives what is wanted, and touches nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fsseg.mapping.catalog import Catalog
from fsseg.plan.diff import Create, Unchanged, Update, diff, field_of, same
from tests.laws import worlds

CATALOGS = {edition: Catalog.standard(edition) for edition in ("classic", "suite")}
some = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])

PLACES = [("classic", "lead"), ("classic", "contact"), ("suite", "contact"), ("suite", "account"), ("suite", "deal")]

values = worlds.maybe(
    st.one_of(
        worlds.words,
        worlds.numbers,
        worlds.numbers.map(str),
        st.booleans(),
        worlds.dates,
        st.just(""),
        st.just("b;a"),
        st.just("a;b"),
    )
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Catalog, str, dict[str, Any], dict[str, Any]]:
    edition, entity = draw(st.sampled_from(PLACES))
    catalog = CATALOGS[edition]
    names = st.sampled_from(sorted(set(catalog.fields(entity)) - {"emails", "sales_accounts"}))
    desired = draw(st.dictionaries(names, values, max_size=5))
    existing = draw(st.dictionaries(names, values, max_size=5))
    return catalog, entity, desired, existing


@some
@given(cases())
def test_a_diff_applied_to_what_there_is_gives_what_is_wanted(
    case: tuple[Catalog, str, dict[str, Any], dict[str, Any]],
) -> None:
    catalog, entity, desired, existing = case

    change = diff(catalog, entity, desired, existing)

    match change:
        case Update(fields):
            assert fields
        case Unchanged():
            fields = {}
        case _:
            raise AssertionError(change)
    applied = existing | {name: after for name, (_, after) in fields.items()}
    assert set(fields) <= set(desired)
    for name, (before, after) in fields.items():
        assert before == existing.get(name)
        assert after == desired[name]
        assert not same(before, after, field_of(catalog, entity, name))
    for name, value in desired.items():
        assert same(applied.get(name), value, field_of(catalog, entity, name))
    assert diff(catalog, entity, desired, applied) == Unchanged()


@some
@given(cases())
def test_being_the_same_is_an_equivalence(case: tuple[Catalog, str, dict[str, Any], dict[str, Any]]) -> None:
    catalog, entity, desired, existing = case
    for name, value in {**desired, **existing}.items():
        field = field_of(catalog, entity, name)
        assert same(value, value, field)
        for other in desired.values():
            assert same(value, other, field) == same(other, value, field)


@some
@given(cases())
def test_nothing_is_created_with_nulls(case: tuple[Catalog, str, dict[str, Any], dict[str, Any]]) -> None:
    catalog, entity, desired, _ = case
    change = diff(catalog, entity, desired, None)
    if isinstance(change, Create):
        assert all(before is None and after is not None for before, after in change.fields.values())

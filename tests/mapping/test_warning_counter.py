from __future__ import annotations

from fsseg.mapping.warning_counter import MAX_NAMES, REST, MappingWarning, WarningCounter

COLOR = MappingWarning("ignored_trait", "color")
SEATS = MappingWarning("bad_value", "seats", "seats takes a number")


def counted(*warnings: MappingWarning) -> WarningCounter:
    counter = WarningCounter()
    counter.add(warnings)
    return counter


def test_warnings_are_counted_by_code_and_name() -> None:
    total = counted(COLOR, SEATS, COLOR)
    assert total.counts == {("ignored_trait", "color"): 2, ("bad_value", "seats"): 1}
    assert [row["hint"] for row in total.rows()] == ["", "seats takes a number"]


def test_warnings_that_differ_in_their_hint_only_are_one_warning() -> None:
    total = counted(SEATS, MappingWarning("bad_value", "seats"))
    assert total.rows() == [{"code": "bad_value", "name": "seats", "count": 2, "hint": "seats takes a number"}]


def test_names_are_bounded_in_length_and_number() -> None:
    warnings = counted(*(MappingWarning("ignored_trait", f"{n:06}" * 50) for n in range(MAX_NAMES + 5)))
    assert len(warnings.counts) <= MAX_NAMES + 1
    assert max(len(name) for _, name in warnings.counts) <= 100
    assert sum(warnings.counts.values()) == MAX_NAMES + 5
    assert warnings.counts["ignored_trait", REST] >= 5


def test_an_empty_counter_is_false() -> None:
    assert not WarningCounter()
    assert counted(COLOR)

from __future__ import annotations

from fsseg.mapping.tally import MAX_NAMES, REST, Note, Tally

COLOR = Note("ignored_trait", "color")
SEATS = Note("bad_value", "seats", "seats takes a number")


def counted(*notes: Note) -> Tally:
    tally = Tally()
    tally.add(notes)
    return tally


def test_tallies_add_up() -> None:
    total = counted(COLOR, SEATS) + counted(COLOR)
    assert total.counts == {("ignored_trait", "color"): 2, ("bad_value", "seats"): 1}
    assert [row["hint"] for row in total.rows()] == ["", "seats takes a number"]


def test_notes_that_differ_in_their_hint_only_are_one_warning() -> None:
    total = counted(SEATS) + counted(Note("bad_value", "seats"))
    assert total.rows() == [{"code": "bad_value", "name": "seats", "count": 2, "hint": "seats takes a number"}]


def test_names_are_bounded_in_length_and_number() -> None:
    tally = counted(*(Note("ignored_trait", f"{n:06}" * 50) for n in range(MAX_NAMES + 5)))
    assert len(tally.counts) <= MAX_NAMES + 1
    assert max(len(name) for _, name in tally.counts) <= 100
    assert sum(tally.counts.values()) == MAX_NAMES + 5
    assert tally.counts["ignored_trait", REST] >= 5


def test_an_empty_tally_is_false() -> None:
    assert not Tally()
    assert counted(COLOR)

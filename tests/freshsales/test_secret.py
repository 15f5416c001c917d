from __future__ import annotations

import copy
import pickle

import pytest

from fsseg.freshsales.secret import Token


def test_a_token_shows_stars_however_it_is_made_text() -> None:
    token = Token(" s3cret\n")
    assert {str(token), repr(token), f"{token}", f"{token!r}", f"{token:>9}", f"{[token]}"[1:-1]} == {"***"}
    assert token.reveal() == "s3cret"


@pytest.mark.parametrize("store", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_token_is_never_stored_or_copied(store: object) -> None:
    with pytest.raises(TypeError):
        store(Token("s3cret"))  # type: ignore[operator]


@pytest.mark.parametrize("value", ["", "  ", "two words", "new\nline", "tökén", "nul\x00"])
def test_what_cannot_travel_in_a_header_is_refused_without_being_quoted(value: str) -> None:
    with pytest.raises(ValueError, match="visible ASCII") as caught:
        Token(value)
    assert not value.strip() or value not in str(caught.value)

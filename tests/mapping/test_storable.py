"""What may stand in a field."""

from __future__ import annotations

import pytest

from fsseg.mapping.storable import storable


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("a\x00b\x0bc\td\n", "ab c\td\n"),
        (" \u200d\u3000\x07", ""),
        ("\U0001fae8", "\U0001fae8"),
        ("\ue000 \x00", ""),
    ],
)
def test_what_shows_is_stored_without_what_only_machines_see(text: str, stored: str) -> None:
    assert storable(text) == stored

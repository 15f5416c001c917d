"""What new records hold that no event says anything of."""

from __future__ import annotations

from typing import Any

import pytest

from fsseg.mapping.mistakes import MappingError
from fsseg.mapping.rules import Rules
from fsseg.plan.defaults import Defaults
from tests.mapping.accounts import catalog

MAPPING: dict[str, dict[str, Any]] = {
    "person": {
        "full": {"template": "{foo} of {bar}", "field": "city"},
        "origin": {"value": "web", "field": "state"},
        "quiet": False,
    },
    "deal": {"label": {"template": "{sort} {size}", "field": "name"}},
}
COMPOSED = '"$city" is what the rule full puts together'
PLAIN = 'say under [mapping.person] which field takes it, as in {0} = "cf_region"'


@pytest.mark.parametrize(
    ("entity", "default", "hint"),
    [
        ("lead", "$full", COMPOSED),
        ("contact", "$origin", '"$state" is what the rule origin puts together'),
        ("lead", "$foo", f"{COMPOSED}; for foo alone {PLAIN.format('foo')}"),
        ("lead", "$quiet", PLAIN.format("quiet")),
        ("contact", "$nope", PLAIN.format("nope")),
        ("deal", "$size", '"$name" is what the rule label puts together; for size alone say under [mapping.deal]'),
    ],
)
def test_a_trait_that_reaches_no_field_is_told_with_what_to_write(entity: str, default: str, hint: str) -> None:
    with pytest.raises(MappingError) as raised:
        Defaults(
            catalog(),
            {entity: {"zipcode" if entity != "deal" else "forecast_category": default}},
            Rules(mapping=MAPPING),
        )
    (mistake,) = raised.value.mistakes
    assert f"trait {default[1:]} reaches no field" in mistake.text
    assert mistake.hint.startswith(hint)


def test_a_field_is_named_whatever_fills_it() -> None:
    defaults = Defaults(catalog(), {"lead": {"zipcode": "$city"}}, Rules(mapping=MAPPING))
    assert defaults.fill("lead", {"city": "A of B"}) == {"city": "A of B", "zipcode": "A of B"}

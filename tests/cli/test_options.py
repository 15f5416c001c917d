from __future__ import annotations

from typing import get_args, get_type_hints

import pytest
from pydantic import BaseModel

from fsseg.cli import options as o
from fsseg.cli.option_groups import Setting, flags, names_of
from fsseg.settings import Settings, WrongSettings, load

GROUPS = (o.AccountOptions, o.EventOptions, o.LimitOptions, o.DisplayOptions)


@pytest.mark.parametrize(
    "path",
    [
        extra.path
        for group in GROUPS
        for hint in get_type_hints(group, include_extras=True).values()
        for extra in get_args(hint)
        if isinstance(extra, Setting)
    ],
)
def test_every_option_that_is_a_setting_names_one_that_there_is(path: str) -> None:
    *sections, key = path.split(".")
    model: type[BaseModel] = Settings
    for section in sections:
        model = type(model.model_fields[section].default)
    assert key in model.model_fields


def test_what_is_not_given_is_left_to_the_environment_and_the_file() -> None:
    assert flags(*(group() for group in GROUPS)) == {}


def test_what_is_given_goes_where_the_settings_have_it() -> None:
    account = o.AccountOptions(domain="acme", sandbox=True)
    events = o.EventOptions(event=["Order Completed"], limit=3, with_=[o.With.group])
    assert flags(account, events) == {
        "freshsales": {"domain": "acme"},
        "sandbox": True,
        "filter": {"events": ["Order Completed"]},
        "limit": 3,
        "with_group": True,
    }


def test_an_error_calls_a_setting_by_its_option_where_it_was_given_by_one() -> None:
    names = names_of(*(group() for group in GROUPS))
    assert (names["filter.since"], names["with_group"], names["limits.max_time"]) == ("--since", "--with", "--max-time")
    with pytest.raises(WrongSettings) as wrong:
        load({"filter": {"until": "someday"}, "trait": ["=pro"], "endpoint": "minio:9000"}, None, names)
    assert [(one.text, one.hint.split(",")[0]) for one in wrong.value.told] == [
        ("--until: it can't be 'someday'", "a time reads like 2024-01-02"),
        ("--trait: it can't be '=pro'", "a trait reads like plan"),
        ("--endpoint: it can't be 'minio:9000'", "an endpoint reads like https://minio.example:9000"),
    ]

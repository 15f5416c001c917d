from __future__ import annotations

from typing import Any

import pytest

from fsseg.sandbox import Fault, reset
from tests.cli.conftest import TOKEN, Serve, Shell

NO_TYPES = {"selectors": {"sales_activity_types": {"remove": ["Segment event", "Page view"]}}}


def states(data: dict[str, Any]) -> dict[str, str]:
    return {finding["name"]: finding["state"] for finding in data["findings"]}


@pytest.mark.parametrize("edition", ["classic", "suite"])
def test_where_all_is_there_it_ends_0_and_has_only_read(serve: Serve, edition: str) -> None:
    shell, sandbox = serve(edition, quota=5000)
    text, data = shell("check"), shell("check", "--json")
    assert (text.code, data.code, data.json["exit_code"]) == (0, 0, 0)
    assert "5,000 requests/hour" in text.out
    assert "Segment event" in text.out
    assert (data.json["requests_per_hour"], data.json["edition"]) == (5000, edition)
    assert 5000 - sandbox.stats()["total"] <= data.json["quota_left"] < 5000  # where its hour is over, it is all there
    assert set(states(data.json).values()) == {"ok"}
    assert sandbox.stats()["writes"] == 0
    assert sandbox.stats()["total"] < 50


def test_missing_activity_types_are_named(serve: Serve) -> None:
    shell, _ = serve("classic")
    reset(shell.folder / "classic.db", "classic", NO_TYPES)
    done = shell("check", "--json")
    assert done.code == 1
    assert states(done.json)["activity type Segment event"] == "missing"
    assert done.json["timeline"]["track"].startswith("none")
    assert "Page view" in done.err
    tracked = shell.with_env(FSSEG_APPLICATION_TOKEN="app")("check", "--json")
    assert (tracked.code, tracked.json["timeline"]["track"]) == (0, "the tracking API")


def test_what_the_settings_name_must_be_there(serve: Serve) -> None:
    shell, _ = serve("classic")
    shell.write(
        "fsseg.toml",
        '[mapping.person]\nlevel = "cf_nothing"\n[mapping.event."Order Completed"]\ntype = "Sold"\n',
    )
    done = shell("check", "--json")
    assert done.code == 1
    lacking = {name for name, state in states(done.json).items() if state == "missing"}
    assert lacking == {"mapping.person.level", "activity type Sold"}
    assert "cf_nothing" in shell("check").out


def test_a_suite_without_the_lead_stage_is_told(serve: Serve) -> None:
    shell, _ = serve("suite")
    reset(shell.folder / "suite.db", "suite", {"selectors": {"lifecycle_stages": {"remove": ["Lead"]}}})
    done = shell("check", "--json")
    assert (done.code, states(done.json)["lifecycle stage Lead"]) == (1, "missing")


def test_refused_credentials_end_3_and_show_no_token(serve: Serve) -> None:
    shell, _ = serve("classic")
    wrong = shell.with_env(FSSEG_API_TOKEN="not-the-right-one")
    text, data = wrong("check", "--verbose"), wrong("check", "--json")
    assert (text.code, data.code) == (3, 3)
    assert states(data.json) == {"credentials": "refused"}
    assert "not-the-right-one" not in text.out + text.err + data.out + data.err


@pytest.mark.parametrize(
    ("path", "code", "name", "state"),
    [
        ("/settings/leads/fields", 3, "lead fields", "refused"),
        ("/lookup", 3, "lookup", "refused"),
        ("/settings/deals/fields", 1, "deal fields", "forbidden"),
        ("/selector/sales_activity_types", 1, "selector sales_activity_types", "forbidden"),
        ("/sales_activities", 1, "sales activities", "forbidden"),
        ("/leads/filters", 1, "lead views", "forbidden"),
    ],
)
def test_a_permission_that_lacks_is_named(serve: Serve, path: str, code: int, name: str, state: str) -> None:
    shell, _ = serve("classic", forbidden=[path])
    done = shell("check", "--json")
    assert (done.code, states(done.json)[name]) == (code, state)
    assert name in done.err


def test_an_edition_that_the_address_is_not_is_told(serve: Serve) -> None:
    shell, _ = serve("classic")
    done = shell.with_env(FSSEG_EDITION="suite", FSSEG_BASE_URL=shell.env["FSSEG_BASE_URL"] + "/crm/sales")("check")
    assert done.code == 2
    assert "edition" in done.err


@pytest.mark.parametrize(
    ("env", "message"),
    [({}, "no Freshsales account given"), ({"FSSEG_DOMAIN": "acme"}, "no API token")],
)
def test_without_an_account_or_a_token_it_is_a_usage_error(shell: Shell, env: dict[str, str], message: str) -> None:
    done = shell.with_env(**env)("check")
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_nobody_at_the_address_ends_5(shell: Shell) -> None:
    env = {"FSSEG_BASE_URL": "http://127.0.0.1:9", "FSSEG_EDITION": "classic", "FSSEG_API_TOKEN": TOKEN}
    done = shell.with_env(**env)("check", "--max-time", "1s")
    assert (done.code, done.out) == (5, "")


def test_quiet_says_only_what_lacks(serve: Serve) -> None:
    shell, _ = serve("classic", forbidden=["/settings/deals/fields"])
    done = shell("check", "--quiet")
    assert (done.code, done.out) == (1, "")
    assert "deal fields" in done.err


def test_entries_that_are_to_be_tracked_need_the_application_token(serve: Serve) -> None:
    shell, _ = serve("classic")
    shell.write("fsseg.toml", '[timeline]\nvia = "tracking"\n')
    done = shell("check", "--json")
    assert (done.code, states(done.json)["application token"]) == (1, "missing")
    assert "FSSEG_APPLICATION_TOKEN" in shell("check").out
    tracked = shell.with_env(FSSEG_APPLICATION_TOKEN="app")("check", "--json")
    assert (tracked.code, states(tracked.json)["application token"]) == (0, "ok")
    assert tracked.json["timeline"] == {"track": "the tracking API", "page": "the tracking API"}


def test_an_activity_type_that_demands_an_outcome_is_as_good_as_none(serve: Serve) -> None:
    shell, _ = serve("classic")
    demanding = {"name": "Segment event", "is_outcome_mandatory": True}
    types = {"remove": ["Segment event"], "add": [demanding]}
    reset(shell.folder / "classic.db", "classic", {"selectors": {"sales_activity_types": types}})
    done = shell("check", "--json")
    assert (done.code, states(done.json)["activity type Segment event"]) == (1, "missing")
    assert "make the outcome optional" in shell("check").out


def test_a_list_that_cannot_be_understood_is_named(serve: Serve) -> None:
    shell, _ = serve("classic", faults=[Fault("garbage", path="/sales_activities")])
    done = shell("check", "--json")
    assert (done.code, states(done.json)["sales activities"]) == (1, "missing")


def test_rules_whose_fields_are_all_there_are_counted(serve: Serve) -> None:
    shell, _ = serve("classic")
    shell.write("fsseg.toml", '[mapping.person]\nlevel = "cf_plan"\nnickname = false\n')
    done = shell("check")
    assert done.code == 0
    assert "every field of 2 rules is there" in done.out


def test_defaults_that_every_import_would_be_refused_for_are_named(serve: Serve) -> None:
    shell, _ = serve("classic")
    shell.write("fsseg.toml", '[defaults.deal]\namount = ""\n')
    done = shell("check")
    assert done.code == 1
    assert "defaults.deal.amount" in done.out
    assert "to create, enable or correct: defaults.deal.amount" in done.err

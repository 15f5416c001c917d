"""Mistakes in the settings file are told all at once, each with file, line, reason and what would be right."""

from __future__ import annotations

import orjson
import pytest

from fsseg.settings_file import lines_of
from tests.e2e.events import identify, page, track
from tests.e2e.harness import Machine

ADA = "ada@case.example"


def told(machine: Machine, config: str, *args: str, command: str = "import") -> list[str]:
    before = machine.account.writes
    result = machine.run(command, *args, events=[identify(ADA, lastName="L")], config=config)
    assert (result.code, result.out) == (2, "")
    assert machine.account.writes == before
    lines = result.err.replace(str(machine.home / "settings.toml"), "FILE").splitlines()
    return [line for line in lines if not line.startswith("settings: ")]


def test_all_that_is_wrong_is_told_at_once_whatever_part_it_is_in(classic: Machine) -> None:
    config = """# mine
nuls = "ignore"
strict = "si"

[timeline]
via = "sales_activty"
[limits]
max_requests = 0
max_time = "soon"

[mapping.person]
plan = { field = "cf_plan", trimm = true }
"""
    assert told(classic, config) == [
        "error: FILE line 2: nuls: there is no such setting",
        "hint: did you mean nulls?",
        "error: FILE line 3: strict: it can't be 'si'",
        "hint: it is true or false",
        "error: FILE line 6: timeline.via: it can't be 'sales_activty'",
        "hint: did you mean sales_activity?",
        "error: FILE line 8: limits.max_requests: it can't be 0",
        "hint: it is more than 0",
        "error: FILE line 9: limits.max_time: it can't be 'soon'",
        "hint: a duration reads like 90s, 50m, 3h or 2d",
        "error: FILE line 12: mapping.person.plan.trimm: there is no key 'trimm' here",
        "hint: did you mean trim?",
    ]


def test_a_setting_in_the_wrong_place_is_told_its_own(classic: Machine) -> None:
    config = """suppress_file = "x"
views = { lead = 5 }
jobs = 2
[freshsales]
nulls = "ignore"
via = "note"
[mapping]
plan = "cf_plan"
[defaults]
lead_source_id = "Web"
"""
    hints = [line for line in told(classic, config) if line.startswith("hint")]
    assert hints == [
        "hint: it stands in [filter]",
        "hint: it stands in [freshsales]",
        "hint: it is an option: --jobs",
        "hint: it stands at the top of the file, before the first [table]",
        "hint: it stands in [timeline]",
        "hint: it goes into one of [mapping.person], [mapping.lead], [mapping.contact], [mapping.account], [mapping.deal], [mapping.event]",
        "hint: it goes into one of [defaults.lead], [defaults.contact], [defaults.account], [defaults.deal]",
    ]


def test_what_the_account_lacks_is_told_before_anything_is_sent(classic: Machine) -> None:
    config = """
[mapping.person]
plan = "cf_plann"
tier = { field = "cf_plan", values = { gold = "Businss" } }
[mapping.event."Order Completed"]
type = "Ordr"
fields.cf_region = { take = "sum", of = "total" }
[defaults.lead]
lead_source_id = "Webb"
cf_sigup_date = "2024-01-01"
"""
    assert told(classic, config) == [
        "error: FILE line 3: mapping.person.plan: no field 'cf_plann' in this Freshsales",
        "hint: did you mean cf_plan?",
        "error: FILE line 4: mapping.person.tier.values.gold: 'Businss' does not fit cf_plan",
        "hint: did you mean Business?",
        "error: FILE line 7: mapping.event.Order Completed.fields.cf_region: cf_region is no number, so nothing can be added up in it",
        "hint: it takes a field that is a number",
        "error: FILE line 9: defaults.lead.lead_source_id: 'Webb' doesn't fit lead_source_id",
        "hint: did you mean Web?",
        "error: FILE line 10: defaults.lead.cf_sigup_date: leads have no field cf_sigup_date that can be written",
        "hint: did you mean cf_signup_date?",
    ]


def test_an_activity_type_that_is_not_there_is_told_first_and_the_rest_goes_on(classic: Machine) -> None:
    config = '[mapping.event."Order Completed"]\ntype = "Ordr"\n[mapping.event.Seen]\ntype = "segment event"\n'
    events = [identify(ADA, lastName="L"), track(ADA, "Order Completed")]
    result = classic.imports(events=events, config=config)
    lines = result.err.replace(str(classic.home / "settings.toml"), "FILE").splitlines()
    at = lines.index("error: FILE line 2: mapping.event.Order Completed.type: there is no sales activity type 'Ordr'")
    assert lines[at + 1].startswith("hint: ")
    assert result.outcomes == {"applied": 1, "rejected": 1}


@pytest.mark.parametrize(
    ("config", "line", "hint"),
    [
        (
            'nulls = "clear"\nstrict = \n',
            "FILE line 2: this can't be read, from column 10 on: strict =",
            "a line reads like",
        ),
        ('nulls = "clear\n', "FILE line 1: this can't be read, from column 15 on: nulls = \"clear", "a quotation mark"),
        ("[timeline\nvia = 1\n", "FILE line 1: this can't be read, from column 10 on: [timeline", "a bracket"),
        ("strict = true\nstrict = false\n", "FILE line 2: this can't be read", "it stands there a second time"),
    ],
)
def test_what_is_no_toml_is_told_by_its_line(classic: Machine, config: str, line: str, hint: str) -> None:
    first, second = told(classic, config)
    assert first.startswith(f"error: {line}")
    assert second.startswith(f"hint: {hint}")


def test_programs_get_them_too(classic: Machine) -> None:
    config = 'nuls = "ignore"\nstrict = 5\n'
    result = classic.run("import", "--json", events=[identify(ADA)], config=config)
    error = orjson.loads(result.out)["error"]
    assert error["code"] == 2
    assert len(error["message"].splitlines()) == 2
    assert error["hints"] == ["did you mean nulls?", "it is true or false"]


def test_a_wrong_flag_is_told_without_a_line(classic: Machine) -> None:
    result = classic.run("import", "--max-time", "soon", events=[identify(ADA)])
    assert result.err.splitlines() == [
        "error: --max-time: it can't be 'soon'",
        "hint: a duration reads like 90s, 50m, 3h or 2d",
    ]


def test_lines_are_those_in_which_settings_begin() -> None:
    text = '''# first

[mapping.person]
"a.b" = "x"

tags = [
  "one",  # [not.a.table]
  "two",
]
c.d = { field = "y", values = { k = "v" } }
[[list]]
e = 1
text = """
f = 1
"""
f = 2'''
    names = [
        ("mapping",), ("mapping", "person", "a.b"), ("mapping", "person", "tags"), ("mapping", "person", "tags", "1"),
        ("mapping", "person", "c", "d", "values", "k"), ("list", "0", "f"), ("mapping", "person", "c", "d", "nope"), ("no",),
    ]  # fmt: skip
    assert lines_of(text, names) == [3, 4, 6, 6, 10, 16, 10, None]


def test_inspect_tells_the_events_of_the_mapping_that_the_files_do_not_have(classic: Machine) -> None:
    config = '[mapping.event."Order Complete"]\ntitle = "x"\n[mapping.event.Seen]\ntitle = "y"\n'
    config += '[mapping.event."*".fields]\ncf_region = "$event"\n'
    events = [track(ADA, "Order Completed"), track(ADA, "Seen")]
    result = classic.run("inspect", events=events, config=config)
    told = "Not in these files, but in the settings: event 'Order Complete'; did you mean Order Completed?"
    assert [line for line in result.out.splitlines() if line.startswith("Not in")] == [told]
    rows = orjson.loads(classic.run("inspect", "--json", events=events, config=config).out)["unmet_events"]
    assert rows == [{"name": "Order Complete", "hint": "did you mean Order Completed?"}]


UNMET = """
[mapping.event."Order Complete"]
title = "x"
[mapping.event." completed order "]
title = "y"
[mapping.event."*".fields]
cf_region = { of = "$event", when = { event = ["PRICING", "Prising"] } }
"""


def unmet(machine: Machine, *args: str) -> dict[str, str]:
    known = {"timestamp": "2025-01-01T00:00:00Z"}
    events = [identify(ADA, lastName="L"), track(ADA, "Order Completed") | known, page(ADA, "Pricing") | known]
    result = machine.run(*args, events=events, config=UNMET)
    return {w["name"]: w["hint"] for w in result.summary["warnings"] if w["code"] == "unmet_event"}


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_dry_runs_and_imports_tell_the_events_of_the_settings_that_the_input_does_not_have(
    classic: Machine, jobs: str
) -> None:
    told = {"Order Complete": "did you mean Order Completed?", "prising": "did you mean Pricing?"}
    assert unmet(classic, "dry-run", "--json", "--jobs", jobs) == told
    assert unmet(classic, "dry-run", "--json", "--offline", "--jobs", jobs) == told
    assert unmet(classic, "import", "--json", "--jobs", jobs) == told
    named = unmet(classic, "dry-run", "--json", "--event", "Odrer Completed", "--event", "Pricing")
    assert named == told | {"Odrer Completed": "did you mean Order Completed?"}


def test_what_a_limit_leaves_unread_may_have_the_event(classic: Machine) -> None:
    assert unmet(classic, "dry-run", "--json", "--limit", "1") == {}


def test_events_that_the_input_does_not_have_are_one_line_of_the_last_words(classic: Machine) -> None:
    events = [identify(ADA, lastName="L"), track(ADA, "Order Completed")]
    lines = " ".join(classic.run("dry-run", events=events, config=UNMET).out.split())
    told = (
        "Events that are named, but not in the input: Order Complete (did you mean Order Completed?), pricing, prising;"
    )
    assert told in lines
    assert lines.count("Order Complete ") == 1

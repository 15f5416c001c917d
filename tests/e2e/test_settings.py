"""What settings and flags change: which events are taken, where traits go, which way the timeline takes."""

from __future__ import annotations

from fsseg.sandbox import Fault
from tests.e2e.events import anonymous, identify, page, track
from tests.e2e.harness import Machine

KIM = "kim@north.example"


def test_filters_choose_events_and_everything_else_is_counted(classic: Machine) -> None:
    old = {"timestamp": "2020-01-01T00:00:00Z"}
    events = [
        identify(KIM, title="CTO"),
        track(KIM, "Visited"),
        track(KIM, "Signed Up"),
        page(KIM, "Home"),
        identify("old@north.example", envelope=old),
    ]
    path = classic.write("events.jsonl", events)

    def outcomes(*args: str, config: str = "") -> dict[str, int]:
        return classic.dry_runs(path, *args, config=config).outcomes

    assert outcomes() == {"applied": 5}
    assert outcomes("--only", "identify") == {"applied": 2, "skipped": 3}
    assert outcomes("--only", "track", "--only", "page", "--create-missing") == {"applied": 3, "skipped": 2}
    assert outcomes("--event", "Signed Up", "--create-missing") == {"applied": 1, "skipped": 4}
    assert outcomes("--since", "2024-01-01") == {"applied": 4, "skipped": 1}
    assert outcomes("--until", "2024-01-01") == {"applied": 1, "skipped": 4}
    assert outcomes("--limit", "2") == {"applied": 2}
    assert outcomes("--only", "identify", "--limit", "2") == {"applied": 2, "skipped": 3}
    assert outcomes("--only", "identify", "--limit", "1") == {"applied": 1}
    assert outcomes(config='[filter]\nonly = ["page"]\n') == {"rejected": 1, "skipped": 4}
    suppressed = classic.write("suppressed.txt", "KIM@north.example\n\nsomebody\n")
    assert outcomes(config=f'[filter]\nsuppress_file = "{suppressed}"\n') == {"applied": 1, "skipped": 4}


def test_integrations_consent_and_duplicates(machine: Machine) -> None:
    name = {"classic": "Freshsales", "suite": "Freshsales Suite - CRM"}[machine.account.edition]
    consenting = {"context": {"consent": {"categoryPreferences": {"Marketing": True, "Ads": False}}}}
    refusing = {"context": {"consent": {"categoryPreferences": {"Marketing": False}}}}
    first = identify(KIM, envelope={"integrations": {"All": True, name: True}})
    events = [
        first,
        first,
        identify("no@north.example", envelope={"integrations": {name: False}}),
        identify("none@north.example", envelope={"integrations": {"All": False}}),
        identify("only@north.example", envelope={"integrations": {"All": False, name: {"option": 1}}}),
        identify("yes@north.example", envelope=consenting),
        identify("refused@north.example", envelope=refusing),
    ]

    lax = machine.dry_runs(events=events)
    assert lax.outcomes == {"applied": 4, "skipped": 3}
    assert lax.reasons == {"integrations": 2, "duplicate": 1}
    strict = machine.imports(events=events, config='[filter]\nconsent = ["Marketing"]\n')
    assert strict.reasons == {"integrations": 2, "duplicate": 1, "consent": 1}
    both = machine.dry_runs(events=events, config='[filter]\nconsent = ["Marketing", "Ads"]\n')
    assert both.reasons["consent"] == 2


def test_values_that_do_not_fit_are_dropped_or_reject_the_event_when_strict(machine: Machine) -> None:
    events = [identify(KIM, title="CTO", fsContact=True, cfSeats="many", cfPlan="Gold", cfSignupDate="soon")]

    strict = machine.imports("--strict", events=events)
    assert (strict.code, strict.outcomes, strict.reasons) == (1, {"rejected": 1}, {"bad_value": 1})
    lax = machine.imports(events=events)
    assert (lax.code, lax.outcomes) == (0, {"applied": 1})
    assert {name for name in lax.warnings if name.startswith("bad_value")} == {
        "bad_value cfSeats", "bad_value cfPlan", "bad_value cfSignupDate",
    }  # fmt: skip
    assert machine.account.one("contacts", KIM)["job_title"] == "CTO"


def test_nulls_can_be_ignored(machine: Machine) -> None:
    machine.account.make("contacts", emails=KIM, last_name="Vos", job_title="CTO")
    events = [identify(KIM, title=None)]

    assert machine.imports(events=events, config='nulls = "ignore"\n').outcomes == {"unchanged": 1}
    assert machine.account.one("contacts", KIM)["job_title"] == "CTO"
    assert machine.imports("--again", events=events).outcomes == {"applied": 1}
    assert "job_title" not in machine.account.one("contacts", KIM)


def test_own_mappings_win(classic: Machine) -> None:
    config = """
[mapping.person]
title = "department"
shoeSize = "cf_seats"
[mapping.contact]
title = "job_title"
[mapping.account]
size = "cf_domain_name"
[mapping.deal]
value = "amount"
[mapping.event."Signed Up"]
type = "Trial Started"
title = "Signed up for a trial"
"""
    events = [
        identify("lea@north.example", title="Boss", shoeSize=43),
        identify(
            KIM,
            fsContact=True,
            title="Boss",
            company={"name": "North Ltd", "size": "L"},
            deal={"name": "Pilot", "value": 9},
        ),
        track(KIM, "Signed Up"),
    ]

    result = classic.imports(events=events, config=config)

    assert result.code == 0, result.err
    lead = classic.account.one("leads", "lea@north.example")
    assert (lead["department"], lead["cf_seats"], lead.get("job_title")) == ("Boss", 43, None)
    contact = classic.account.one("contacts", KIM)
    assert (contact["job_title"], contact.get("department")) == ("Boss", None)
    assert classic.account.one("sales_accounts", "North Ltd")["cf_domain_name"] == "L"
    assert classic.account.one("deals", "Pilot")["amount"] == "9.0"
    (entry,) = classic.account.timeline(KIM)
    assert entry["title"] == "Signed up for a trial"
    assert entry["sales_activity_type_id"] == classic.account.choice("sales_activity_types", "Trial Started")


def test_the_id_field_tells_who_a_database_id_is(machine: Machine) -> None:
    config = '[identity]\nid_field = "cf_segment_user_id"\n'
    resource = "leads" if machine.account.edition == "classic" else "contacts"
    machine.imports(events=[identify("u-1", email=KIM, title="CTO")], config=config)
    assert machine.account.one(resource, KIM)["cf_segment_user_id"] == "u-1"

    elsewhere = Machine(machine.account, machine.home / "elsewhere")
    elsewhere.home.mkdir()
    result = elsewhere.imports(events=[identify("u-1", email="moved@north.example", title="CEO")], config=config)

    assert result.outcomes == {"applied": 1}
    (person,) = machine.account.records()[resource]
    assert (person["email"], person["job_title"]) == ("moved@north.example", "CEO")


def test_the_timeline_goes_the_way_that_is_chosen(machine: Machine) -> None:
    events = [
        identify(KIM, lastName="Vos", fsContact=True),
        track(KIM, "Visited", {"n": 1}),
        page(KIM, "Home", {"url": "https://north.example/"}),
    ]

    lacking = machine.imports(events=events, config='[timeline]\nvia = "tracking"\n')
    assert lacking.reasons == {"timeline_unavailable": 2}
    assert "create the type" not in lacking.summary["reasons"][0]["hint"]
    noted = machine.imports(events=events, config='[timeline]\nvia = "note"\n')
    assert noted.outcomes == {"applied": 2, "skipped": 1}
    notes = machine.account.records()["notes"]
    assert any(note["description"].startswith(f"Visited\n{events[1]['timestamp']}") for note in notes)
    assert all("messageId: " in note["description"].splitlines()[-1] for note in notes)
    again = machine.imports("--again", events=events, config='[timeline]\nvia = "note"\n')
    assert again.outcomes == {"unchanged": 3}

    machine.environment["FSSEG_APPLICATION_TOKEN"] = machine.account.sandbox.application_token
    tracked = machine.imports("--again", events=events, config='[timeline]\nvia = "tracking"\n')
    assert tracked.outcomes == {"applied": 2, "unchanged": 1}
    found = machine.account.records()
    assert [row["name"] for row in found["events"]] == ["Visited"]
    assert [row["url"] for row in found["page_views"]] == ["https://north.example/"]
    missing = machine.imports(
        "--again", events=events, config='[timeline]\nvia = "sales_activity"\nevent_type = "No such type"\n'
    )
    assert missing.reasons == {"activity_type_missing": 1}
    assert "No such type" in missing.failures[0]["_fsseg"]["message"]


def test_without_a_fitting_type_the_timeline_is_unavailable_or_tracked(machine: Machine) -> None:
    machine.account.empty({"selectors": {"sales_activity_types": {"remove": ["Segment event", "Page view"]}}})
    events = [identify(KIM, lastName="Vos", fsContact=True), track(KIM, "Visited"), track(KIM, "Trial Started")]

    result = machine.imports(events=events)
    assert result.outcomes == {"applied": 2, "rejected": 1}
    assert result.reasons == {"timeline_unavailable": 1}
    assert "Segment event" in result.failures[0]["_fsseg"]["message"]
    machine.environment["FSSEG_APPLICATION_TOKEN"] = machine.account.sandbox.application_token
    assert machine.imports(events=events).outcomes == {"applied": 1, "skipped": 2}
    assert [row["name"] for row in machine.account.records()["events"]] == ["Visited"]


DAILY = '[timeline]\naggregate = "daily"\n'
DAY = [track(KIM, "Visited", timestamp=f"2024-05-01T{hour:02}:00:00Z") for hour in range(5)]


def test_a_days_events_can_be_one_entry(machine: Machine) -> None:
    next_day = track(KIM, "Visited", timestamp="2024-05-02T00:00:00Z")
    events = [
        identify(KIM, fsContact=True, lastName="Vos"),
        *DAY,
        next_day,
        track(KIM, "Other", timestamp="2024-05-01T00:00:00Z"),
    ]

    result = machine.imports(events=events, config=DAILY)

    assert result.outcomes == {"applied": 8}
    titles = sorted(entry["title"] for entry in machine.account.timeline(KIM))
    assert titles == ["Other", "Visited", "Visited (5 times)"]
    assert machine.imports("--again", events=events, config=DAILY).outcomes == {"unchanged": 8}


def test_a_day_that_was_undone_is_imported_anew_with_all_of_its_events(machine: Machine) -> None:
    events = [identify(KIM, fsContact=True, lastName="Vos"), *DAY]
    for _ in range(2):
        assert machine.imports(events=events, config=DAILY).outcomes == {"applied": 6}
        assert [entry["title"] for entry in machine.account.timeline(KIM)] == ["Visited (5 times)"]
        assert machine.run("undo", "--yes", "--delete-created", config=DAILY).code == 0
        assert machine.account.timeline(KIM) == []


def test_of_a_day_of_which_it_is_not_known_whether_it_was_written_no_part_is_written(classic: Machine) -> None:
    classic.environment["FSSEG_APPLICATION_TOKEN"] = "sandbox-app"
    config = DAILY + 'via = "tracking"\n'
    classic.account.faults(Fault("drop_after", path="/track/", limit=1))
    events = [identify(KIM, fsContact=True, lastName="Vos"), *DAY]
    assert classic.imports(events=events, config=config).outcomes == {"applied": 1, "failed": 5}
    assert classic.imports(events=DAY[1:], config=config).outcomes == {"failed": 4}
    assert len(classic.account.records()["events"]) == 1


def test_anonymous_ids_alone_never_make_anybody(machine: Machine) -> None:
    result = machine.imports("--create-missing", "--stitch-anonymous", events=[anonymous("a-1", "Visited")])

    assert result.outcomes == {"skipped": 1}
    assert machine.account.writes == 0

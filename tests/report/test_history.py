"""The way of one person through a run, told by its plan and by its inputs, read again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from fsseg.mapping.catalog import Catalog
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.rules import Rules
from fsseg.mapping.warning_counter import WarningCounter
from fsseg.report.history import History, HistoryEvent, history_of, left_out_events
from fsseg.state.plan_store import Store
from fsseg.state.run_folder import Run
from tests.e2e.conftest import accounts, classic
from tests.e2e.harness import Machine, Row

__all__ = ["accounts", "classic"]

WHO = "ada@x.example"
WAY: list[Row] = [
    {"type": "identify", "userId": "u-1", "traits": {"email": WHO, "title": "CTO", "lastName": "L", "city": "Oslo"}},
    {"type": "track", "event": "Signed Up", "userId": "u-1"},
    {"type": "identify", "userId": "u-1", "traits": {"email": WHO, "title": "CEO"}},
    {"type": "page", "name": "Pricing", "userId": WHO},
    {"type": "identify", "userId": "bo@x.example", "traits": {"lastName": "B", "title": "COO"}},
    {"type": "identify", "userId": "u-1", "messageId": "m-0", "traits": {"email": WHO}},
    {"type": "group", "userId": "u-1", "groupId": "g"},
    {"type": "track", "event": "Paid", "userId": WHO, "integrations": {"All": False}},
    {"type": "track", "event": "Seen", "anonymousId": "a-1", "properties": {"email": WHO}},
    {"type": "identify", "userId": "u-2", "anonymousId": "u-1", "traits": {}},
    {"type": "track", "event": "Paid", "userId": "ghost@x.example"},
]


def ran(machine: Machine, command: str, rows: list[Row]) -> Run:
    """A run of these events, a day after the other."""
    known = ({"messageId": f"m-{n}", "timestamp": f"2025-05-{n + 1:02}T10:00:00Z"} for n in range(len(rows)))
    events = [told | row for told, row in zip(known, rows, strict=True)]
    path = machine.write("way.jsonl", events)
    folder = machine.run(command, path, "--quiet").folder
    assert folder is not None
    return Run(folder)


@pytest.fixture
def imported(classic: Machine) -> Iterator[Store]:
    """The plan of an import."""
    with ran(classic, "import", WAY).reading() as store:
        yield store


def mapper() -> Mapper:
    return Mapper(Catalog.standard("classic"), Rules(application_token_set=True, offline=True), WarningCounter())


def told(store: Store, person: str = WHO, *, dry_run: bool = False, **how: Any) -> History:
    return history_of(store, person, mapper(), dry_run=dry_run, **how)


def lines(history: History) -> dict[int, str]:
    """What became of the event on each line, without ids."""
    return {int(event.place.rpartition(" ")[2]): event.became.partition(" #")[0] for event in history.events}


@pytest.mark.parametrize("person", [WHO, "ADA@x.example", "u-1"])
def test_all_events_of_a_person_are_told_by_time_with_what_they_set(imported: Store, person: str) -> None:
    history = told(imported, person)
    assert [(event.time[:10], event.type, event.name, sorted(event.sets)) for event in history.events][:4] == [
        ("2025-05-01", "identify", "", ["city", "last_name"]),
        ("2025-05-02", "track", "Signed Up", []),
        ("2025-05-03", "identify", "", ["email", "job_title"]),
        ("2025-05-04", "page", "Pricing", []),
    ]
    assert lines(history) == {
        1: "created",
        2: "created",
        3: "created",
        4: "created",
        6: "skipped: duplicate",
        7: "skipped: unsupported_type",
        8: "skipped: integrations",
        9: "skipped: anonymous",
        10: "rejected: missing_email",
    }
    assert history.has_duplicates


def test_each_field_is_told_with_its_value_and_since_when(imported: Store) -> None:
    fields = {row.field: (row.value, row.time[:10], row.became) for row in told(imported).fields}
    assert fields["job_title"] == ("CEO", "2025-05-03", "sent")
    assert fields["city"] == ("Oslo", "2025-05-01", "sent")


def test_it_is_known_by_its_names_its_id_and_its_keys(imported: Store) -> None:
    history = told(imported)
    email, id = history.names
    assert (email, told(imported, f"#{id}").names) == (WHO, history.names)
    assert {f"@{WHO}", "#u-1"} <= history.keys
    assert told(imported, "nobody@x.example").events == []


def test_keys_of_earlier_runs_bring_what_no_record_is_made_of(imported: Store) -> None:
    assert lines(told(imported, "known-before", other_keys=["@ghost@x.example"])) == {11: "unknown_person"}


def test_without_the_settings_of_the_run_what_was_left_out_is_not_looked_for(imported: Store) -> None:
    history = history_of(imported, WHO, None, dry_run=False)
    assert len(history.events) == 4
    assert not history.has_duplicates


def test_choices_are_told_by_name_beside_their_ids(classic: Machine) -> None:
    owned = [{"type": "identify", "userId": WHO, "traits": {"lastName": "L", "leadSourceId": "Web"}}]
    source = classic.account.choice("lead_sources", "Web")
    with ran(classic, "import", owned).reading() as store:
        names = {"lead": {"lead_source_id": {str(source): "Web"}}}
        values = {row.field: row.value for row in history_of(store, WHO, mapper(), names, dry_run=False).fields}
    assert values["lead_source_id"] == f"Web ({source})"


def test_of_a_dry_run_it_is_told_what_is_to_come(classic: Machine) -> None:
    with ran(classic, "dry-run", WAY).reading() as store:
        history = told(store, dry_run=True)
        stopped = told(store, dry_run=False)
    assert [lines(history)[line] for line in (1, 2)] == ["to create", "to create"]
    assert {row.became for row in history.fields} == {"to be sent"}
    assert lines(stopped)[1] == "still to be sent"


def test_of_a_file_that_has_changed_no_event_is_made_up(classic: Machine) -> None:
    run = ran(classic, "import", WAY)
    classic.write("way.jsonl", [{"type": "identify", "userId": "someone@x.example", "traits": {}}])
    with run.reading() as store:
        events = told(store).events
    assert events
    assert all("has changed since" in event.place and not event.sets for event in events)


def test_deals_and_accounts_are_told_beside_the_person_that_they_are_of(classic: Machine) -> None:
    rows: list[Row] = [
        {"type": "identify", "userId": WHO, "traits": {"fsContact": True, "lastName": "L", "deal": {"name": "Pilot"}}},
        {"type": "identify", "userId": WHO, "traits": {"fsContact": True, "company": {"name": "Acme"}}},
        {"type": "identify", "userId": WHO, "traits": {"fsContact": True, "deal": {"name": "Big", "amount": 5}}},
    ]
    with ran(classic, "import", rows).reading() as store:
        history = told(store)
    became = [event.became for event in history.events]
    assert became[0].startswith("created #")
    assert became[0].endswith("; deal left out: amount missing")
    assert "; account created #" in became[1]
    assert "; deal created #" in became[2]
    assert {"deal.name", "deal.amount"} <= set(history.events[2].sets)
    fields = {(row.record, row.field): row.became for row in history.fields}
    assert (fields["deal Pilot", "name"], fields["account Acme", "name"]) == ("left out", "sent")


def test_what_was_undone_or_failed_is_told_so_in_freshsales_words(classic: Machine) -> None:
    refusal = "Job title is too long"
    ends: list[tuple[Row, str]] = [
        ({"status": "undone"}, "undone"),
        ({"status": "failed", "code": "refused", "message": refusal}, f"refused: {refusal}"),
        ({"status": "unknown", "code": None, "message": None}, "failed"),
    ]
    run = ran(classic, "import", WAY[:1])
    with closing(run.open()) as store:
        (row,) = store.records()
        for columns, became in ends:
            store.update("record", row.id, **columns)
            assert lines(told(store))[1] == became


def test_events_of_a_name_that_were_left_out_are_told_with_the_reason(imported: Store) -> None:
    (paid,) = left_out_events(imported, " paid ", mapper()).events
    assert (paid.name, paid.became, paid.time[:10]) == ("Paid", "skipped: integrations", "2025-05-08")
    assert left_out_events(imported, "Signed Up", mapper()).events == []


def test_a_name_and_a_reason_narrow_it_to_events_alone() -> None:
    def event(name: str, became: str) -> HistoryEvent:
        return HistoryEvent("2025-05-01", "track", name, "e.jsonl line 1", [], became)

    events = [event("Paid", "skipped: filtered"), event("Seen", "skipped: duplicate"), event("Paid", "created #7")]
    history = History(events, [])
    assert history.narrowed(None, None) is history
    assert history.narrowed("PAID", None).events == [events[0], events[2]]
    assert history.narrowed(None, "duplicate").events == [events[1]]
    assert history.narrowed(None, "skipped").events == events[:2]
    assert history.narrowed("Paid", "duplicate").events == []
    assert [each["name"] for each in history.plain()["events"]] == ["Paid", "Seen", "Paid"]

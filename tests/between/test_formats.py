"""A ledger that an earlier fsseg wrote is brought over, and nothing that stood in it is forgotten; or it is left alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.between.older import ADA, EVENTS, FORMATS, KIM, OEL, RUN, SCHEMAS, leave
from tests.between.runs import done
from tests.e2e.events import Event, identify, track
from tests.e2e.harness import Machine

LAST = 6
"""The format of today."""

EVERY = pytest.mark.parametrize("format", FORMATS)


def format_of(ledger: Path) -> int:
    with closing(sqlite3.connect(ledger)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def counted(machine: Machine) -> dict[str, int]:
    return {kind: len(rows) for kind, rows in machine.account.records().items()}


def imported(machine: Machine, *events: Event) -> dict[str, int]:
    return done(machine, "import", machine.write("more.jsonl", events), "--json").outcomes


@EVERY
def test_what_was_delivered_is_not_delivered_again(machine: Machine, format: str) -> None:
    ledger = leave(machine, format)
    for _ in range(2):
        ended = done(machine, "import", str(machine.home / "e.jsonl"), "--json")
        assert ended.outcomes == {"skipped": len(EVENTS)}
        assert machine.account.writes == 0
        assert format_of(ledger) == LAST


@EVERY
def test_who_was_made_is_known_and_nobody_is_made_twice(machine: Machine, format: str) -> None:
    leave(machine, format)
    before = counted(machine)
    outcomes = imported(
        machine,
        identify("7", email="öl@x.example", title="CFO"),
        identify("äda@X.example", title="CTO"),
        identify("kim@x.example", title="COO"),
        track("7", "Did more"),
    )
    assert outcomes == {"applied": 4}
    after = counted(machine)
    assert after.pop("sales_activities") == before.pop("sales_activities") + 1
    assert after == before
    people = machine.account.records()["leads"] + machine.account.records()["contacts"]
    titles = {person["email"].casefold(): person["job_title"] for person in people}
    assert titles == {ADA.casefold(): "CTO", OEL.casefold(): "CFO", KIM.casefold(): "COO"}


@EVERY
@pytest.mark.parametrize("email", ["ÖL@X.EXAMPLE", "öl@x.example", OEL])
def test_an_address_is_known_whichever_id_it_came_by_and_however_it_is_written(
    classic: Machine, format: str, email: str
) -> None:
    leave(classic, format)
    config = classic.write("settings.toml", '[identity]\nmatch = "email"\n')
    path = classic.write("more.jsonl", [identify("8", email=email, title="CFO")])
    told = done(classic, "dry-run", path, "--offline", "--json", "--config", config).summary
    assert told["records"]["lead"] == {"update": 1}


def offline(machine: Machine, *events: Event) -> dict[str, int]:
    told = done(machine, "dry-run", machine.write("same.jsonl", events), "--offline", "--json")
    return told.outcomes


def test_contents_are_known_where_they_were_noted(machine: Machine) -> None:
    leave(machine, "2")
    same = [identify(ADA, lastName="Ada"), identify("7", email=OEL, lastName="Öl", title="CEO")]
    kim = identify(KIM, lastName="Kim", fsContact=True)
    assert offline(machine, *same, kim) == {"unchanged": 3}
    assert offline(machine, identify("7", email=OEL, lastName="Öl", title="CFO")) == {"applied": 1}


def test_files_are_known_where_they_were_noted(machine: Machine) -> None:
    leave(machine, "2")
    path = str(machine.home / "e.jsonl")
    assert f"{path} was dealt with wholly by run {RUN}" in done(machine, "dry-run", path).err


@pytest.mark.parametrize("format", ["1", "2"])
def test_contacts_that_were_made_in_bulk_are_known_by_their_addresses(suite: Machine, format: str) -> None:
    leave(suite, format, without_ids=True)
    before = counted(suite)
    assert imported(suite, identify(ADA, title="CTO"), identify(KIM, title="COO")) == {"applied": 2}
    assert counted(suite) == before


SPOIL = {
    "a table less": "DROP TABLE identity",
    "people of another kind": "DROP TABLE identity; CREATE TABLE identity (other TEXT)",
    "a table that only a later format has": "CREATE TABLE person (key INTEGER PRIMARY KEY)",
    "the number of a later format": f"PRAGMA user_version={LAST + 1}",
    "a number that no format ever had": "PRAGMA user_version=-1",
}


@pytest.mark.parametrize("spoil", SPOIL)
@pytest.mark.parametrize("format", ["1", "2"])
def test_a_ledger_that_cannot_be_brought_over_is_refused_and_left_byte_for_byte(
    classic: Machine, format: str, spoil: str
) -> None:
    ledger = leave(classic, format)
    with closing(sqlite3.connect(ledger)) as db:
        db.executescript(SPOIL[spoil])
    data = ledger.read_bytes()
    for command in ("import", "dry-run"):
        ended = done(classic, command, str(classic.home / "e.jsonl"), code=2)
        assert str(ledger) in ended.err
        assert ("newer fsseg" in ended.err) == (spoil == "the number of a later format")
    assert ledger.read_bytes() == data
    assert not [path for path in ledger.parent.glob("ledger.db-*") if path.stat().st_size]
    assert (classic.account.requests, list(classic.state.glob("*/runs/*"))) == (0, [])


def test_a_ledger_that_is_only_half_of_one_is_never_left(classic: Machine) -> None:
    """The last step fails, so none was done."""
    ledger = leave(classic, "1")
    with closing(sqlite3.connect(ledger)) as db:
        db.execute("CREATE TABLE field (number INTEGER)")
    done(classic, "import", str(classic.home / "e.jsonl"), code=2)
    with closing(sqlite3.connect(ledger)) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        db.execute("DROP TABLE field")
    assert tables == {"identity", "delivered", "file", "field"}
    assert format_of(ledger) == int(next(iter(SCHEMAS))[0])
    assert done(classic, "import", str(classic.home / "e.jsonl"), "--json").outcomes == {"skipped": len(EVENTS)}

"""Addresses, names and accounts of the less usual kind, and servers that are none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.e2e.events import identify, page, track
from tests.e2e.harness import Machine, Row

KIM = "kim@north.example"


def test_addresses_and_names_of_any_kind_are_found_again(machine: Machine) -> None:
    emails = [
        "kim+news@north.example",
        "o'hara@north.example",
        "a&b=c%20@north.example",
        "x#1@north.example",
        "Ünï@north.example",
    ]
    names = ["A&B + Söhne", "50% off; Ltd", 'The "Quotes" Co', "日本 KK", "Slash/Back\\slash", "O'Hara, Inc."]
    events = [
        identify(
            email,
            fsContact=True,
            lastName=f"L{n}",
            company={"name": names[n], "city": "Oslo"},
            deal={"name": names[-n], "amount": n},
        )
        for n, email in enumerate(emails)
    ]
    events += [track(email, "Visited; 50% — ünï") for email in emails]

    assert machine.imports(events=events).outcomes == {"applied": 10}
    elsewhere = Machine(machine.account, machine.home / "elsewhere")
    elsewhere.home.mkdir()
    for few in (events, events[:2] + events[5:7]):
        assert set(elsewhere.dry_runs("--again", events=few).outcomes) == {"unchanged"}
    assert {row["name"] for row in machine.account.records()["sales_accounts"]} == set(names[: len(emails)])


def test_spellings_of_one_company_are_one_account_and_the_first_one_is_primary(machine: Machine) -> None:
    events = [
        identify(KIM, fsContact=True, lastName="Vos", company="North Ltd"),
        identify(KIM, company={"name": "  NORTH   ltd ", "city": "Oslo"}),
        identify(KIM, company={"name": "South BV"}),
        identify(KIM, company={"name": "   "}),
        identify("sam@north.example", fsContact=True, lastName="Au", company="north ltd"),
    ]

    result = machine.imports(events=events)

    assert result.outcomes == {"applied": 5}
    assert sorted(row["name"].casefold() for row in machine.account.records()["sales_accounts"]) in (
        ["north ltd", "south bv"],
        ["  north   ltd ", "south bv"],
        ["north   ltd", "south bv"],
    )
    linked = machine.account.one("contacts", KIM)["sales_accounts"]
    assert [one["is_primary"] for one in linked] == [True, False]
    assert linked[0]["name"].casefold().split() == ["north", "ltd"]
    assert machine.imports("--again", events=events).outcomes == {"unchanged": 5}


def test_an_event_by_email_lets_a_database_id_be_matched_by_email(classic: Machine) -> None:
    classic.account.make("leads", email=KIM, last_name="Vos")

    result = classic.imports(events=[identify("u-1", email=KIM, title="CTO"), track(KIM.upper(), "Visited")])

    assert result.outcomes == {"applied": 2}
    assert classic.account.one("leads", KIM)["job_title"] == "CTO"


def test_the_user_id_is_the_email_whatever_the_traits_say(machine: Machine) -> None:
    resource = "leads" if machine.account.edition == "classic" else "contacts"
    machine.imports(events=[identify(KIM, email="other@north.example", lastName="Vos")])

    (person,) = machine.account.records()[resource]
    assert person["email"] == KIM


def test_who_was_deleted_in_freshsales_is_made_again(machine: Machine) -> None:
    resource = "leads" if machine.account.edition == "classic" else "contacts"
    machine.imports(events=[identify("u-1", email=KIM, title="CTO"), identify("sam@north.example", lastName="Au")])
    for row in machine.account.records()[resource]:
        machine.account.delete(resource, row["id"])

    result = machine.imports(
        events=[
            identify("u-1", email=KIM, title="CEO"),
            identify("sam@north.example", city="Oslo"),
            track("u-1", "Visited"),
        ]
    )

    assert result.outcomes == {"applied": 3}
    assert machine.account.one(resource, KIM)["job_title"] == "CEO"
    assert machine.account.one(resource, "sam@north.example")["city"] == "Oslo"
    assert len(machine.account.timeline(KIM)) == 1


def test_more_than_a_batch_of_everything(machine: Machine) -> None:
    people = [
        identify(
            f"u-{n}",
            email=f"p{n}@north.example",
            lastName=f"P{n}",
            fsContact=True,
            cfSeats=n,
            company={"name": f"Firm {n % 120}", "city": "Oslo"},
            **({"deal": {"name": f"Deal {n}", "amount": n}} if n % 10 == 0 else {}),
        )
        for n in range(230)
    ]
    entries = [track(f"u-{n}", "Visited", {"n": n}) for n in range(0, 230, 23)]

    result = machine.imports(events=[*people, *entries])

    assert result.outcomes == {"applied": 240}
    found = machine.account.records()
    assert {kind: len(rows) for kind, rows in found.items() if rows} == {
        "contacts": 230, "sales_accounts": 120, "deals": 23, "sales_activities": 10,
    }  # fmt: skip
    accounts = {row["id"]: row["name"] for row in found["sales_accounts"]}
    contacts = {row["id"]: int(row["last_name"][1:]) for row in found["contacts"]}
    for row in found["contacts"]:
        number = contacts[row["id"]]
        assert row["custom_field"]["cf_seats"] == number
        assert [accounts[one["id"]] for one in row["sales_accounts"]] == [f"Firm {number % 120}"]
    for deal in found["deals"]:
        number = int(deal["name"].split()[1])
        assert [contacts[id_] for id_ in deal["contact_ids"]] == [number]
        assert accounts[deal["sales_account_id"]] == f"Firm {number % 120}"
    for entry in found["sales_activities"]:
        assert entry["notes"].startswith(f"n: {contacts[entry['targetable_id']]}\n")
    again = machine.imports("--again", events=[*people, *entries])
    assert again.outcomes == {"unchanged": 240}
    assert again.summary["requests"]["write"] == 0


def test_the_forecast_of_a_dry_run_is_about_what_the_import_takes(machine: Machine) -> None:
    events = [
        identify(f"p{n}@north.example", lastName=f"P{n}", company=f"Firm {n % 7}", fsContact=n % 2 == 0)
        for n in range(60)
    ]
    events += [track(f"p{n}@north.example", "Visited") for n in range(20)]

    dry = machine.dry_runs(events=events)
    wet = machine.imports(events=events)

    forecast, taken = dry.summary["forecast"]["requests"], wet.summary["requests"]["total"]
    assert taken * 0.8 - 5 <= forecast <= taken * 1.25 + 5
    assert f"{forecast:,} requests" in dry.out


@pytest.mark.parametrize("count", [3, 4, 30])
@pytest.mark.parametrize("traits", [{"tags": ["new"]}, {"cfSeats": 9, "company": "Firm"}, {"title": "CEO"}], ids=str)
def test_neither_an_import_nor_its_undo_takes_more_than_was_forecast(machine: Machine, traits: Row, count: int) -> None:
    """Of people who are there and new ones, one by one and in bulk."""
    there = [{"email": f"p{n}@north.example", "last_name": "P", "tags": ["old"]} for n in range(count)]
    kinds = ("leads", "contacts") if machine.account.edition == "classic" else ("contacts",)
    machine.account.seed(**{kind: there[at::2] for at, kind in enumerate(kinds)})
    events = [identify(str(row["email"]), traits) for row in there]
    events += [identify(f"q{n}@north.example", traits, fsContact=True) for n in range(count)]

    dry = machine.dry_runs("--allow-mass-changes", events=events)
    wet = machine.imports("--allow-mass-changes", events=events)
    undo_dry, undo = (machine.run("undo", wet.folder.name if wet.folder else "", how) for how in ("--dry-run", "--yes"))

    for told, done in ((dry, wet), (undo_dry, undo)):
        forecast, taken = told.summary["forecast"]["requests"], done.summary["requests"]["total"]
        assert taken <= forecast <= taken + 4, (forecast, taken)


def test_once_an_account_was_seen_to_have_no_bulk_forecasts_go_by_that_until_it_has(machine: Machine) -> None:
    def people(name: str) -> list[Row]:
        return [identify(f"{name}{n}@north.example", fsContact=True, company=f"{name} {n}") for n in range(20)]

    machine.account.configure(bulk=False)
    assert machine.imports(events=people("a")).code == 0
    dry, wet = machine.dry_runs(events=people("b")), machine.imports(events=people("b"))
    forecast, taken = dry.summary["forecast"]["requests"], wet.summary["requests"]["total"]
    assert taken <= forecast <= taken + 4
    assert f"up to {forecast} requests" in dry.out

    machine.account.configure(bulk=True)
    assert machine.imports(events=people("c")).code == 0
    dry, wet = machine.dry_runs(events=people("d")), machine.imports(events=people("d"))
    assert wet.summary["requests"]["total"] <= dry.summary["forecast"]["requests"] < forecast


def test_folders_and_globs_are_read_whole_and_each_file_once(classic: Machine) -> None:
    folder = classic.home / "events"
    (folder / "deep").mkdir(parents=True)
    for number, name in enumerate(("events/a.jsonl", "events/b.jsonl", "events/deep/c.jsonl", "events/.hidden.jsonl")):
        classic.write(name, [identify(f"p{number}@north.example", lastName="P")])

    result = classic.dry_runs(str(folder), str(folder / "*.jsonl"), str(folder / "a.jsonl"))

    assert [row["path"].rpartition("/")[2] for row in result.summary["inputs"]] == ["a.jsonl", "b.jsonl", "c.jsonl"]
    assert result.outcomes == {"applied": 3}


@contextmanager
def answering(status: int, body: bytes, kind: str, **headers: str) -> Iterator[str]:
    """A server that gives one answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self.send_response(status)
            for name, value in {"content-type": kind, "content-length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    for method in ("GET", "POST", "PUT", "DELETE"):
        setattr(Handler, f"do_{method}", Handler._answer)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (200, b"<html>Welcome to the airport's network</html>", "text/html", 5),
        (200, b"{}", "application/json", 5),
        (200, b"true", "application/json", 5),
        (200, b"", "application/json", 5),
        (404, b"<html>Not found</html>", "text/html", 2),
        (302, b"", "text/html", 3),
        (401, b"", "text/plain", 3),
        (503, b"<html>Maintenance</html>", "text/html", 5),
    ],
)
def test_what_is_no_freshsales_ends_with_one_message(
    classic: Machine, status: int, body: bytes, kind: str, code: int
) -> None:
    with answering(status, body, kind, location="https://login.example/") as url:
        classic.base_url = url
        result = classic.run("import", "--max-time", "1s", events=[identify(KIM), page(KIM, "Home")])

    assert (result.code, result.out) == (code, "")
    assert len(result.err.strip().splitlines()) <= 2


def test_a_name_of_which_nothing_can_be_shown_is_an_entry_all_the_same(machine: Machine) -> None:
    events = [identify(KIM, lastName="Vos"), track(KIM, "\ue31b"), page(KIM, "\u200b")]

    assert machine.imports(events=events).outcomes == {"applied": 3}
    assert [entry["title"] for entry in machine.account.timeline(KIM)] == ["Event", "Event"]


def test_entries_by_a_former_address_are_of_whom_all_ids_that_had_it_are_now(machine: Machine) -> None:
    """Whoever else has had another of their addresses since."""
    events = [identify(user, email=email) for email in ("old@x.example", "mid@x.example", "new@x.example")
              for user in ("web-1", "app-1")]  # fmt: skip
    events += [identify("mid@x.example", title="CEO"), track("old@x.example", "Zed")]
    assert machine.imports(events=events).outcomes == {"applied": 8}
    assert [entry["title"] for entry in machine.account.timeline("new@x.example")] == ["Zed"]


@pytest.mark.parametrize("told", ["North Ltd", "North  Ltd", " North\tLtd "])
def test_an_account_is_found_by_its_name_whatever_blanks_are_in_it(suite: Machine, told: str) -> None:
    suite.account.make("sales_accounts", name="North Ltd")
    done = suite.imports(events=[identify("kim@north.example", lastName="Vos", company=told)])
    assert done.code == 0
    assert [row["name"].split() for row in suite.account.records()["sales_accounts"]] == [["North", "Ltd"]]

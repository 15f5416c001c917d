"""The copy of an account: losing it costs requests, believing it where it isn't whole would make duplicates."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from fsseg.freshsales.views import latest, view_of_all
from fsseg.match.mirror import Mirror
from tests.client import Client
from tests.e2e.harness import Row

COUNT = 150


def people(count: int = COUNT) -> list[Row]:
    return [
        {"email": f"p{number}@x.example", "last_name": "P", "updated_at": f"2024-01-01T00:{number // 60:02}:00Z"}
        for number in range(count)
    ]


def filled(client: Client, mirror: Mirror) -> int:
    """The view of all contacts, once the mirror has read them."""
    view = view_of_all(client.reader, "contact") or 0
    assert mirror.fill(client.reader, "contact", view, latest(client.reader, "contact", view))
    assert mirror.ready("contact")
    return view


def test_it_outlives_the_process(suite: Client, mirror_path: Path) -> None:
    suite.account.seed(contacts=people())
    with closing(Mirror(mirror_path)) as mirror:
        assert not mirror.ready("contact")
        filled(suite, mirror)
    said: list[str] = []
    with closing(Mirror.usable(mirror_path, said.append)) as mirror:
        assert mirror.ready("contact")
        assert [row["email"] for row in mirror.find("contact", "p149@x.example")] == ["p149@x.example"]
    assert said == []


@pytest.mark.parametrize(("count", "pages"), [(1, 1), (100, 1), (101, 2), (200, 2), (201, 3)])
def test_it_takes_no_more_requests_than_there_are_pages(
    suite: Client, mirror_path: Path, count: int, pages: int
) -> None:
    suite.account.seed(contacts=people(count))
    with closing(Mirror(mirror_path)) as mirror:
        view = view_of_all(suite.reader, "contact") or 0
        before = suite.account.requests
        assert mirror.fill(suite.reader, "contact", view, latest(suite.reader, "contact", view))
    assert suite.account.requests - before == pages


@pytest.mark.parametrize("damage", ["no database", "torn page"])
def test_a_damaged_one_is_thrown_away_and_that_is_told(suite: Client, mirror_path: Path, damage: str) -> None:
    suite.account.seed(contacts=people())
    with closing(Mirror(mirror_path)) as mirror:
        filled(suite, mirror)
    content = mirror_path.read_bytes()
    middle = len(content) // 2
    torn = content[:middle] + b"\xff" * 6000 + content[middle + 6000 :]
    mirror_path.write_bytes(b"no database" * 1000 if damage == "no database" else torn)
    said: list[str] = []
    with closing(Mirror.usable(mirror_path, said.append)) as mirror:
        assert not mirror.ready("contact")
        filled(suite, mirror)
        assert len([*mirror.find("contact", "p7@x.example")]) == 1
    assert "could not be used and is made anew" in said[0]


def test_a_person_is_found_by_each_address_and_not_by_one_that_was_taken_away(suite: Client, mirror_path: Path) -> None:
    (id,) = suite.account.seed(contacts=[{"emails": ["a@x.example", "b@x.example"], "last_name": "A"}])["contacts"]
    with closing(Mirror(mirror_path)) as mirror:
        view = filled(suite, mirror)
        assert [row["id"] for key in ("a@x.example", "b@x.example") for row in mirror.find("contact", key)] == [id, id]
        suite.account.change("contacts", id, emails="c@x.example")
        assert mirror.refresh(suite.reader, "contact", view, 5)
        row = suite.reader.get("contact", id)[0]
        now = {one["value"] for one in row["emails"]}
        for key in ("a@x.example", "b@x.example", "c@x.example"):
            assert bool([*mirror.find("contact", key)]) is (key in now)


def test_a_refresh_gives_up_rather_than_read_more_than_it_may(suite: Client, mirror_path: Path) -> None:
    suite.account.seed(contacts=people())
    with closing(Mirror(mirror_path)) as mirror:
        view = filled(suite, mirror)
        suite.account.seed(contacts=[{"email": f"new{number}@x.example", "last_name": "New"} for number in range(250)])
        suite.account.forget()
        assert not mirror.refresh(suite.reader, "contact", view, 2)
        assert suite.account.requests == 2
        assert mirror.refresh(suite.reader, "contact", view, 9)
        assert [row["last_name"] for row in mirror.find("contact", "new249@x.example")] == ["New"]


def test_where_records_were_deleted_it_is_not_whole_any_more(suite: Client, mirror_path: Path) -> None:
    ids = suite.account.seed(contacts=people())["contacts"]
    with closing(Mirror(mirror_path)) as mirror:
        view = filled(suite, mirror)
        suite.account.delete("contacts", ids[9])
        assert not mirror.refresh(suite.reader, "contact", view, 9)
        filled(suite, mirror)
        assert mirror.get("contact", ids[9]) is None
        assert (mirror.get("contact", ids[8]) or {})["email"] == "p8@x.example"

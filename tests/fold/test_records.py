from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from fsseg.fold import partitions
from fsseg.fold.collect import Collector
from fsseg.fold.dedupe import DedupeIndex
from fsseg.fold.engines.local import LocalEngine
from fsseg.fold.records import write_records
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.rules import Rules
from fsseg.segment.open import Input
from fsseg.state.ledger import Ledger
from fsseg.state.plan_store import Entry, Record, Store


def identify(user: str, email: str, at: int = 1, **more: Any) -> dict[str, Any]:
    return {"type": "identify", "userId": user, "timestamp": f"2025-01-{at:02d}", "traits": {"email": email}, **more}


def track(user: str | None, at: int = 1, **more: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Signed In", "userId": user, "timestamp": f"2025-01-{at:02d}", **more}


@contextmanager
def settled(folder: Path, *messages: dict[str, Any], ledger: Ledger | None = None) -> Iterator[Store]:
    (folder / "events.jsonl").write_bytes(b"\n".join(map(orjson.dumps, messages)))
    catalog, rules = Catalog.standard("classic"), Rules(offline=True, stitch_anonymous=True)
    with closing(Store(folder / "plan.db")) as store, closing(LocalEngine(folder, catalog, rules)) as engine:
        collector = Collector(store, DedupeIndex())
        engine.read([Input(str(folder / "events.jsonl"), 0)], collector, lambda count: None)
        write_records(store, collector, engine.fold(collector.size), catalog.edition, ledger)
        yield store


def owners(store: Store) -> list[str | None]:
    """Whose each entry is, in the order of the input."""
    people = {record.id: record.key for record in store.records()}
    entries: list[Entry] = sorted(store.entries(), key=lambda entry: entry.position)
    return [people.get(entry.person or 0) for entry in entries]


@pytest.mark.parametrize("most", [1 << 20, 1])
def test_several_ids_of_one_e_mail_are_one_person_with_the_entries_of_all(
    tmp_path: Path, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "SPILL", most)
    messages = [
        identify("1", "ada@x.example"),
        identify("2", "Ada@X.example", at=2),
        track("1"),
        track("2"),
        track("ada@x.example"),
        identify("3", "kim@x.example"),
    ]
    with settled(tmp_path, *messages) as store:
        records: list[Record] = sorted(store.records(), key=lambda record: record.match_key)
        assert [(record.key, sorted(record.keys), record.warnings) for record in records] == [
            ("Ada@X.example", ["#1", "#2"], ["shared_email"]),
            ("kim@x.example", ["#3"], []),
        ]
        assert owners(store) == ["Ada@X.example"] * 3


def test_records_come_in_the_order_of_their_e_mails(tmp_path: Path) -> None:
    with settled(tmp_path, *(identify(str(n), f"{name}@x.example") for n, name in enumerate("cab"))) as store:
        assert [record.key for record in store.records()] == ["a@x.example", "b@x.example", "c@x.example"]


def test_entries_come_in_the_order_of_their_people_and_times(tmp_path: Path) -> None:
    messages = [
        track("2", at=1),
        track("1", at=3),
        track("1", at=2),
        identify("1", "a@x.example"),
        identify("2", "b@x.example"),
    ]
    with settled(tmp_path, *messages) as store:
        assert [entry.position for entry in store.entries()] == [2, 1, 0]


def test_anonymous_entries_belong_to_whom_the_next_identify_names(tmp_path: Path) -> None:
    messages = [
        track(None, at=1, anonymousId="a"),
        identify("1", "one@x.example", at=2, anonymousId="a"),
        track(None, at=3, anonymousId="a"),
        identify("2", "two@x.example", at=4, anonymousId="a"),
        track(None, at=5, anonymousId="a"),
        track(None, at=1, anonymousId="b"),
    ]
    with settled(tmp_path, *messages) as store:
        assert owners(store) == ["one@x.example", "two@x.example", None, None]


def test_each_identify_call_names_the_visitor_in_whatever_order_they_are_read(tmp_path: Path) -> None:
    messages = [
        track(None, at=4, anonymousId="a"),
        track(None, at=1, anonymousId="a"),
        identify("1", "one@x.example", at=5, anonymousId="a"),
        identify("1", "one@x.example", at=2, anonymousId="a"),
        identify("2", "two@x.example", at=3, anonymousId="a"),
    ]
    for number, order in enumerate((messages, messages[:2] + messages[:1:-1])):
        (tmp_path / str(number)).mkdir()
        with settled(tmp_path / str(number), *order) as store:
            assert owners(store) == ["one@x.example", "one@x.example"]


def test_who_is_only_pointed_at_is_found_by_ledger_or_e_mail_and_told_apart(tmp_path: Path) -> None:
    messages = [
        track("9", properties={"email": "other@x.example"}),
        track("8", properties={"email": "Kim@x.example"}),
        track("8", properties={"email": "Kim@x.example"}, at=2),
        track("7"),
    ]
    with closing(Ledger(tmp_path / "ledger.db")) as ledger:
        with ledger.changing() as change:
            change.people([("#9", "lead", 5, "nina@x.example")])
        with settled(tmp_path, *messages, ledger=ledger) as store:
            assert owners(store) == ["nina@x.example", "Kim@x.example", "Kim@x.example", None]
            assert [record.action for record in store.records()] == ["reference", "reference"]

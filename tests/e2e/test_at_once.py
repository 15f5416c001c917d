"""What hangs on nothing is sent by several workers at once, and what is one person's in its order."""

from __future__ import annotations

from threading import Condition

from tests.e2e import stranger
from tests.e2e.events import identify, track
from tests.e2e.harness import Machine, Row
from tests.e2e.stranger import Exchange

MANY = 8
HELD_S = 0.3
"""Seconds that an answer waits for another request to come beside it."""


class Beside:
    """Holds what is created back a little, and counts how many requests of a kind there are at once at the most."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._now: dict[str, int] = {}
        self.most: dict[str, int] = {}

    def __call__(self, exchange: Exchange) -> None:
        kind = exchange.path.partition("/api/")[2].partition("/")[0]
        if exchange.method != "POST" or exchange.status >= 400:
            return
        with self._changed:
            now = self._now[kind] = self._now.get(kind, 0) + 1
            self.most[kind] = max(self.most.get(kind, 0), now)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.most[kind] > 1, HELD_S)
            self._now[kind] -= 1


def most_at_once(machine: Machine, events: list[Row]) -> dict[str, int]:
    with stranger.before(machine.account, beside := Beside()) as server:
        machine.base_url = server.base_url
        assert machine.imports(events=events).code == 0
    return beside.most


def test_records_and_entries_of_several_people_go_at_once(classic: Machine) -> None:
    events = [identify(f"c{n}@x.example", fsContact=True, deal={"name": "Pilot", "amount": n}) for n in range(MANY)]
    events += [identify(f"l{n}@x.example", lastName="P") for n in range(MANY)]
    most = most_at_once(classic, [*events, *(track(f"l{n}@x.example", "Visited") for n in range(MANY))])
    assert all(most[kind] > 1 for kind in ("leads", "deals", "sales_activities")), most


def test_deals_and_entries_of_one_person_go_one_after_another(classic: Machine) -> None:
    deals = [identify("p@x.example", fsContact=True, deal={"name": f"D{n}", "amount": n}) for n in range(3)]
    most = most_at_once(classic, [*deals, *(track("p@x.example", f"Visited {n}") for n in range(3))])
    assert (most["deals"], most["sales_activities"]) == (1, 1)

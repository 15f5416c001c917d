"""One import with everything in it, and how two ends of it differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.e2e.harness import Account

Event = dict[str, Any]


def mixed() -> list[Event]:
    """Leads and contacts by e-mail and by database id, new and known ones, accounts, deals, a timeline."""
    return [{**event, "messageId": f"m-{number}", "timestamp": _time(number)} for number, event in enumerate(_events())]


def _time(number: int) -> str:
    return f"2024-03-01T{number // 60:02}:{number % 60:02}:00.000Z"


def _events() -> Iterator[Event]:
    for n in range(5):
        yield _identify(f"lead{n}@x.example", lastName=f"Lead {n}", company={"name": f"Small {n}", "city": "Delft"})
    for n in range(3):
        yield _identify(f"db-{n}", email=f"db{n}@x.example", lastName=f"Database {n}")
    yield _identify("db-c", email="dbc@x.example", lastName="Database contact", fsContact=True)
    for n in range(6):
        yield _identify(
            f"contact{n}@x.example", lastName=f"Contact {n}", fsContact=True,
            company={"name": f"Acme {n % 5}", "website": "https://acme.example"},
            deal={"name": f"Deal {n}", "amount": 100 + n, "expected_close": "2025-01-01"},
        )  # fmt: skip
    yield _identify("known-lead@x.example", title="CEO")
    yield _identify("known-contact@x.example", title="CTO", company={"name": "Acme 1"})
    yield _identify("contact0@x.example", title="Head of things", company={"name": "Second"})
    people = ["lead0@x.example", "lead1@x.example", "db-0", "db-c", "contact0@x.example", "known-contact@x.example"]
    for n, person in enumerate(people * 2):
        yield {"type": "track", "userId": person, "event": f"Did {n % 3}", "properties": {"n": n}}
    for person in people[:3]:
        yield {"type": "page", "userId": person, "name": "Pricing", "properties": {"url": "https://x.example/p"}}


def _identify(user: str, /, **traits: Any) -> Event:
    return {"type": "identify", "userId": user, "traits": traits}


def before(account: Account, **options: Any) -> None:
    """The account as it is before the import."""
    account.empty(**options)
    (house,) = account.seed(sales_accounts=[{"name": "Old house"}])["sales_accounts"]
    known = {"email": "known-contact@x.example", "last_name": "Known", "job_title": "Dev", "sales_accounts": [house]}
    account.seed(contacts=[known])
    lead = {"email": "known-lead@x.example", "last_name": "Known too", "job_title": "Dev"}
    account.seed(**{"leads" if account.edition == "classic" else "contacts": [lead]})


@dataclass(frozen=True)
class Difference:
    """What stands in one account and not in the other; an entry twice where there should be one is `doubled`."""

    lost: list[str]
    doubled: list[str]

    def __bool__(self) -> bool:
        return bool(self.lost or self.doubled)


def difference(found: dict[str, list[str]], wanted: dict[str, list[str]]) -> Difference:
    """Of two `Account.state`."""
    have, want = (Counter(row for rows in state.values() for row in rows) for state in (found, wanted))
    return Difference(sorted((want - have).elements()), sorted((have - want).elements()))

"""Events of many shapes: what one of them costs, of some people and of four times as many. It must not grow."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from tests.bench.table import table
from tests.bench.whole import cost_of, dry_run

Message = dict[str, Any]

EACH = 3
"""Events of a person."""

TIMES = 4
"""How many times as many people there are at the second go."""

OPTIONS = ("--edition", "suite", "--with", "group", "--stitch-anonymous")
BEGAN = datetime(2025, 1, 1, tzinfo=UTC)


def _email(person: int) -> str:
    return f"p{person}@c{person % 500}.example"


def _identify(person: int, **traits: Any) -> Message:
    return {"type": "identify", "userId": f"u{person}", "traits": {"email": _email(person), **traits}}


def _track(user: str, number: int, **more: Any) -> Message:
    return {"type": "track", "event": "Done", "userId": user, "properties": {"number": number}, **more}


def _moved(number: int, person: int, people: int) -> Message:
    """Everybody gets another e-mail, and is then told of by the former one."""
    if number < 2 * people:
        return _identify(person) if number >= people else _identify(person, email=f"former.{_email(person)}")
    return _track(f"former.{_email(person)}", number)


def _visited(number: int, person: int, people: int) -> Message:
    """Everybody is a visitor first."""
    visitor = {"anonymousId": f"a{person}"}
    if number >= 2 * people:
        return _identify(person) | visitor
    return {"type": "page", "name": "Pricing", "properties": {"number": number}} | visitor


SHAPES: dict[str, Callable[[int, int, int], Message]] = {
    "identify": lambda number, person, people: _identify(person, number=number),
    "track, the e-mail is told": lambda number, person, people: _track(
        f"u{person}", number, context={"traits": {"email": _email(person)}}
    ),
    "track, by e-mail": lambda number, person, people: _track(_email(person), number),
    "track, by nothing but an id": lambda number, person, people: _track(f"u{person}", number),
    "track, by an e-mail of before": _moved,
    "group": lambda number, person, people: {
        "type": "group", "userId": f"u{person}", "groupId": f"g{person}", "traits": {"name": f"Company {person}"},
    },
    "page, and then identify": _visited,
    "identify, two ids an e-mail": lambda number, person, people: _identify(person, email=_email(person // 2)),
    "identify, ten e-mails": lambda number, person, people: _identify(person, email=_email(person % 10)),
    "identify, an id for all": lambda number, person, people: _identify(person) | {"userId": "undefined"},
    "identify, a company for all": lambda number, person, people: _identify(
        person, company={"name": "Acme", "number_of_employees": number}
    ),
    "identify, a deal each": lambda number, person, people: _identify(
        person, deal={"name": f"Deal {number}", "amount": number}
    ),
    "identify, one person": lambda number, person, people: _identify(1, number=number),
    "identify, a deal each of one person": lambda number, person, people: _identify(1, deal={"name": f"Deal {number}"}),
}  # fmt: skip


def messages(shape: str, people: int) -> Iterator[bytes]:
    """The lines of an input of this shape, in the order of their times."""
    for number in range(EACH * people):
        message = SHAPES[shape](number, number * 7_919 % people, people)
        time = BEGAN + timedelta(seconds=number)
        yield orjson.dumps(message | {"messageId": f"m{number}", "timestamp": time}) + b"\n"


def shapes(people: int) -> str:
    """The table of dry runs offline; of what both take, the start is taken off."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "events.jsonl"
        start = _processor_s(path, "identify", 1)
        for shape in SHAPES:
            few, many = (_processor_s(path, shape, count) - start for count in (people, TIMES * people))
            each = many / (EACH * TIMES * people)
            rows.append((shape, f"{1 / each:,.0f}", f"{many / few / TIMES:.2f}"))
    title = f"What an event costs, of {TIMES * people:,} people and of {people:,}, {EACH} events each"
    return table(title, ("", "events/s, processor", "grows"), rows)


def _processor_s(path: Path, shape: str, people: int) -> float:
    path.write_bytes(b"".join(messages(shape, people)))
    return cost_of([*dry_run(path), *OPTIONS], {}).processor_s

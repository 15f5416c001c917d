"""Seeded bench data: lines as Segment's S3 archive holds them, about 1.25 KB each, written as fast as they are needed.

Nothing is remembered about people: who a person is follows from the person's number, so ten million events of two
million people take no more memory than ten. The same arguments always give the same bytes.

    python -m tests.bench.generate --events 200000 --people 20000 --out events.jsonl
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

MIX: Mapping[str, float] = {"identify": 0.4, "track": 0.4, "page": 0.2}
START = datetime(2025, 1, 6, tzinfo=UTC)
SPAN = timedelta(days=180)
DISORDER = timedelta(hours=6)
RECENT = 1024

PRIME = 2_654_435_761
"""Scatters numbers that follow each other; coprime with every smaller number, so no person is left out."""

FIRST = ("Ada", "Bram", "Chidi", "Dana", "Elif", "Femi", "Greta", "Hugo", "Ines", "Jonas", "Kim", "Lena", "Omar")
LAST = ("Adeyemi", "Berg", "Costa", "Dubois", "Eriksen", "Garcia", "Hughes", "Ito", "Kowalski", "Moss", "Novak")
TITLES = ("Head of Operations", "CTO", "Product Manager", "Data Analyst", "Office Manager", "Founder")
PLANS = ("Free", "Pro", "Business", "Enterprise")
REGIONS = ("EMEA", "Americas", "APAC")
PLACES = ("North", "Blue", "Green", "Silver", "Harbour", "Summit", "River", "Copper", "Maple", "Granite")
TRADES = ("Logistics", "Works", "Foods", "Studios", "Systems", "Textiles", "Energy", "Clinics")
PAGES = (
    ("Pricing", "/pricing"),
    ("Dashboard", "/dashboard"),
    ("Reports", "/reports/weekly"),
    ("Team settings", "/settings/team"),
    ("Getting started", "/docs/getting-started"),
)
EVENTS = (
    ("Signed In", '"username":"user-%d"'),
    ("Report Exported", '"format":"csv","report_name":"Weekly activity","rows":%d'),
    ("Invite Sent", '"invitee_email":"guest-%d@guests.example","invitee_role":"member"'),
    ("Trial Started", '"seats":%d,"trial_length_days":14,"trial_plan_name":"Business"'),
    ("Order Completed", '"order_id":"ord-%d","currency":"EUR","products":[{"sku":"SEAT-10"}],"revenue":129.5'),
    ("Integration Connected", '"attempts":%d,"integration":"calendar"'),
)
BROWSERS = (
    ("en-GB", "Europe/London", "Windows NT 10.0; Win64; x64", "Windows"),
    ("nl-NL", "Europe/Amsterdam", "Macintosh; Intel Mac OS X 10_15_7", "macOS"),
    ("en-US", "America/New_York", "X11; Linux x86_64", "Linux"),
)
LINES = tuple(
    '{"_metadata":{"bundled":["Segment.io"],"bundledIds":[],"unbundled":[]},"anonymousId":"%(anonymous_id)s",'
    '"channel":"client","context":{"groupId":"acct-%(company)d","ip":"203.0.113.%(host)d",'
    '"library":{"name":"analytics.js","version":"npm:next-1.76.0"},'
    f'"locale":"{locale}","page":{{"path":"%(path)s","referrer":"https://www.example.com/","search":"",'
    f'"title":"%(title)s","url":"https://app.example.com%(path)s"}},"timezone":"{timezone}",%(context_traits)s'
    f'"userAgent":"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",'
    f'"userAgentData":{{"brands":[{{"brand":"Chromium","version":"131"}}],"mobile":false,"platform":"{platform}"}}}},'
    '%(event)s"integrations":{},"messageId":"ajs-next-%(milliseconds)d-%(unique)s",%(name)s'
    '"originalTimestamp":"%(second)s.%(original)03dZ","projectId":"9sJr2mKqZsT4vWx6yBn8Lp",%(properties)s'
    '"receivedAt":"%(second)s.%(received)03dZ","sentAt":"%(second)s.%(sent)03dZ",'
    '"timestamp":"%(second)s.%(time)03dZ",%(traits)s"type":"%(type)s","userId":"%(user_id)s","version":2}\n'
    for locale, timezone, system, platform in BROWSERS
)
"""One archive line for each browser, its keys in alphabetical order as there; the gaps are filled by `line`."""


class Person(NamedTuple):
    number: int
    company: int
    user_id: str
    anonymous_id: str
    email: str
    first: str
    last: str


class Call(NamedTuple):
    """What differs between the types: pieces of JSON text, each empty or ending in a comma."""

    type: str
    event: str = ""
    name: str = ""
    properties: str = ""
    traits: str = ""
    context_traits: str = ""


class Shares(NamedTuple):
    """Shares of all people: with a database id as userId (the others: their e-mail), with the flag, with a deal.

    And of the identify calls: those that change title, phone and plan; the others say what most of the person's do.
    """

    database_ids: float = 0.8
    contacts: float = 0.25
    deals: float = 0.05
    changes: float = 0.25


SHARES = Shares()


def person(number: int, companies: int, database_ids: float) -> Person:
    """Who the person with this number is: the same each time, with an e-mail address that nobody else has."""
    first = FIRST[number % len(FIRST)]
    last = LAST[number // len(FIRST) % len(LAST)]
    company = number % companies
    email = f"{first}.{last}.{number}@c{company}.example".lower()
    scattered = number * PRIME & 0xFFFFFFFF
    user_id = f"usr_{number:08d}" if scattered < database_ids * 2**32 else email
    return Person(number, company, user_id, f"{scattered:08x}-5a1e-4c0d-9b1f-{number:012x}", email, first, last)


def identify(who: Person, draw: int, shares: Shares) -> Call:
    """Company, flag and deal stay what they are for a person; title, phone and plan change now and then."""
    if draw % 1_000 >= 1_000 * shares.changes:
        draw = who.number * 7_919
    company = who.company
    name = f"{PLACES[company % len(PLACES)]} {TRADES[company // len(PLACES) % len(TRADES)]} {company}"
    share = who.number * 40_503 % 10_007 / 10_007
    flag = ',"fsContact":"true"' if share < shares.contacts else ""
    amount = 500 + who.number % 90 * 100
    deal = f',"deal":{{"name":"{name} pilot {who.number}","amount":{amount}}}' if share < shares.deals else ""
    return Call(
        "identify",
        traits=f'"traits":{{"email":"{who.email}","firstName":"{who.first}","lastName":"{who.last}",'
        f'"title":"{TITLES[draw % len(TITLES)]}","phone":"+44 20 7946 0{draw % 1000:03d}","cfPlan":"{PLANS[draw >> 10 & 3]}",'
        f'"cfRegion":"{REGIONS[company % len(REGIONS)]}","company":{{"name":"{name}","employee_count":{5 + company % 700},'
        f'"website":"https://c{company}.example"}}{flag}{deal}}},',
    )


def track(who: Person, draw: int) -> Call:
    event, properties = EVENTS[draw % len(EVENTS)]
    return Call(
        "track",
        event=f'"event":"{event}",',
        properties=f'"properties":{{{properties % (draw % 100_000)}}},',
        context_traits=f'"traits":{{"email":"{who.email}"}},',
    )


def page(who: Person, title: str, path: str) -> Call:
    url = f"https://app.example.com{path}"
    return Call(
        "page",
        name=f'"name":"{title}",',
        properties=f'"properties":{{"name":"{title}","path":"{path}","referrer":"https://www.example.com/",'
        f'"search":"?utm_source=newsletter","title":"{title}","url":"{url}"}},',
        context_traits=f'"traits":{{"email":"{who.email}"}},',
    )


def clock() -> Callable[[int], str]:
    """A function that writes seconds since `START`, from `-DISORDER` to `SPAN + DISORDER`, as UTC without the fraction."""
    first = START - timedelta(days=DISORDER.days + 1)
    days = [(first + timedelta(days=day)).date().isoformat() for day in range((SPAN + 2 * DISORDER).days + 3)]
    minutes = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(24 * 60)]
    offset = int((START - first).total_seconds())

    def write(elapsed: int) -> str:
        day, second = divmod(elapsed + offset, 86_400)
        return f"{days[day]}T{minutes[second // 60]}:{second % 60:02d}"

    return write


def line(who: Person, call: Call, at: tuple[int, str], where: tuple[str, str], draw: int, unique: str) -> bytes:
    """Put a line together; its four times differ by less than half a second, as clock skew and transport make them.

    `at` is the second, as a number of the epoch and as text; `where` the title and path of the page being looked at.
    """
    fraction = draw % 500
    values = who._asdict() | call._asdict()
    values["host"] = draw % 254 + 1
    values["title"], values["path"] = where
    values["milliseconds"], values["second"] = at[0] * 1000 + fraction, at[1]
    values["original"], values["sent"] = fraction, fraction + 13
    values["time"], values["received"] = fraction + 478, fraction + 491
    values["unique"] = f"{unique[:8]}-{unique[8:12]}-{unique[12:16]}-{unique[16:20]}-{unique[20:]}"
    return (LINES[who.number % len(LINES)] % values).encode()


def bounds(mix: Mapping[str, float]) -> tuple[float, float]:
    """The share of identify, and of identify and track together, between 0 and 1.

    Raises `ValueError` for a type other than identify, track and page, and where the shares add up to nothing.
    """
    total = sum(mix.values())
    if mix.keys() - MIX.keys() or total <= 0:
        raise ValueError(f"a mix gives shares of {', '.join(MIX)}, not {dict(mix)}")
    return mix.get("identify", 0.0) / total, 1.0 - mix.get("page", 0.0) / total


def lines(
    seed: int,
    events: int,
    people: int,
    companies: int,
    mix: Mapping[str, float] = MIX,
    *,
    duplicates: float = 0.005,
    shares: Shares = SHARES,
) -> Iterator[bytes]:
    """`events` lines, each ending in a newline, spread over half a year and up to six hours out of order.

    Identify calls go round all people, so everybody is identified once there are as many of them as people; track and
    page calls favour the people with small numbers. `duplicates` is the share of lines that repeat a recent one.
    Raises `ValueError` for a bad `mix`.
    """
    random, write = Random(seed), clock()
    chance, bits = random.random, random.getrandbits
    identify_below, track_below = bounds(mix)
    start, span, disorder = int(START.timestamp()), SPAN.total_seconds(), DISORDER.total_seconds()
    recent: list[bytes] = []
    identified = 0
    for count in range(events):
        if recent and chance() < duplicates:
            yield recent[bits(30) % len(recent)]
            continue
        kind, draw = chance(), bits(30)
        where = PAGES[draw % len(PAGES)]
        if kind < identify_below:
            who = person(identified * PRIME % people, companies, shares.database_ids)
            call = identify(who, draw, shares)
            identified += 1
        else:
            who = person(int(people * chance() ** 2), companies, shares.database_ids)
            call = track(who, draw) if kind < track_below else page(who, *where)
        elapsed = int(count * span / events + (2 * chance() - 1) * disorder)
        made = line(who, call, (start + elapsed, write(elapsed)), where, draw, f"{bits(128):032x}")
        if len(recent) < RECENT:
            recent.append(made)
        else:
            recent[count % RECENT] = made
        yield made


def main(arguments: Sequence[str] | None = None) -> None:
    """Write bench data to a file, or to standard output."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.generate", description=main.__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--companies", type=int, help="default: a tenth of the people")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="default: standard output")
    given = parser.parse_args(arguments)
    made = lines(given.seed, given.events, given.people, given.companies or max(1, given.people // 10))
    if given.out is None:
        sys.stdout.buffer.writelines(made)
    else:
        with given.out.open("wb") as out:
            out.writelines(made)


if __name__ == "__main__":
    main()

"""Generated accounts and events about the same few people, so that they meet."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Row = dict[str, Any]

EMAILS = [f"{name}@north.example" for name in ("ada", "bo", "cy", "di", "ed")]
IDS = ["u-1", "u-2", "u-3"]
COMPANIES = ["North Ltd", "South BV", "north ltd"]
DEALS = ["Pilot", "Renewal"]

words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Zs", "Zl", "Zp", "Cc")), min_size=1, max_size=12
)
numbers = st.one_of(st.integers(-(10**12), 10**12), st.decimals(-(10**6), 10**6, places=2).map(float))
money = st.decimals(0, 10**6, places=2).map(float)
dates = st.dates().map(str)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), values)


companies = st.one_of(
    st.sampled_from(COMPANIES),
    st.fixed_dictionaries(
        {"name": st.sampled_from(COMPANIES)}, optional={"city": maybe(words), "annualRevenue": money}
    ),
)
deals = st.fixed_dictionaries({"name": st.sampled_from(DEALS)}, optional={"amount": money, "expectedClose": dates})
traits = st.fixed_dictionaries(
    {},
    optional={
        "firstName": maybe(words),
        "title": maybe(words),
        "phone": maybe(st.one_of(words, st.integers(0, 10**9))),
        "cfSeats": maybe(st.one_of(numbers, numbers.map(str), words)),
        "cfIsActive": maybe(st.sampled_from([True, False, "true", "no"])),
        "cfInterests": maybe(st.lists(st.sampled_from(["CRM", "Billing", "Support", "Nothing"]), max_size=4)),
        "cfPlan": maybe(st.sampled_from(["Free", "pro", "Gold"])),
        "cfSignupDate": maybe(dates),
        "fsContact": st.sampled_from([True, "false", "1"]),
        "company": companies,
        "deal": deals,
        "unheardOf": words,
    },
)


@st.composite
def histories(draw: st.DrawFn) -> list[Row]:
    """Messages, each with a time of its own."""
    count = draw(st.integers(1, 10))
    times = draw(st.lists(st.integers(0, 10**6), min_size=count, max_size=count, unique=True))
    return [_message(draw, number, time) for number, time in enumerate(times)]


def _message(draw: st.DrawFn, number: int, time: int) -> Row:
    minutes, seconds = divmod(time, 60)
    stamp = f"2024-{1 + minutes // 1440 % 12:02}-{1 + minutes // 40_000:02}T{minutes // 60 % 24:02}:{minutes % 60:02}:{seconds:02}.{number:03}Z"
    head = {"messageId": f"m-{number}", "timestamp": stamp, "userId": draw(st.sampled_from(EMAILS + IDS))}
    kind = draw(st.sampled_from(["identify", "identify", "track", "page"]))
    if kind == "identify":
        given = draw(traits)
        if head["userId"] in IDS and draw(st.integers(0, 9)):
            given["email"] = EMAILS[IDS.index(head["userId"])]
        return {"type": kind, **head, "traits": given}
    if kind == "track":
        return {"type": kind, **head, "event": draw(words), "properties": {"n": draw(maybe(words))}}
    return {"type": kind, **head, "name": draw(words)}


people = st.fixed_dictionaries(
    {"last_name": words},
    optional={
        "job_title": words,
        "work_number": words,
        "custom_field": st.fixed_dictionaries(
            {},
            optional={
                "cf_seats": numbers,
                "cf_is_active": st.booleans(),
                "cf_interests": st.just("Billing;CRM"),
                "cf_plan": st.just("Pro"),
                "cf_signup_date": dates,
            },
        ),
    },
)


@st.composite
def accounts(draw: st.DrawFn, edition: str) -> dict[str, list[Row]]:
    """Records to seed."""
    contacts = [{"email": email, **draw(people)} for email in draw(st.sets(st.sampled_from(EMAILS), max_size=3))]
    found: dict[str, list[Row]] = {"contacts": contacts}
    found["sales_accounts"] = [{"name": name} for name in draw(st.sets(st.sampled_from(COMPANIES[:2])))]
    if edition == "classic":
        found["leads"] = [
            {
                "email": email,
                **draw(people),
                **draw(st.sampled_from([{}, {"company": {"name": "North Ltd", "city": "Oslo"}}])),
            }
            for email in draw(st.lists(st.sampled_from(EMAILS), max_size=3))
        ]
    return found

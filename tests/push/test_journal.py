"""Rows under way: what is written down, what is looked for, what is never sent twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fsseg.freshsales.errors import (
    Forbidden,
    FreshsalesError,
    HostDown,
    Interrupted,
    NotFound,
    RateLimited,
    Refused,
    Unavailable,
)
from fsseg.push.context import PushContext
from fsseg.push.journal import MAX_TRIES, InFlight, Journal, send_once
from fsseg.push.outcome import Outcome
from fsseg.state.actions import Status
from fsseg.state.plan_store import Record, Store


def lost(status: int | None = None) -> Unavailable:
    return Unavailable("the answer was lost", status=status)


def unsent() -> Unavailable:
    error = Unavailable("nobody there")
    error.sent = False
    return error


def under_way(error: HostDown | Interrupted) -> HostDown | Interrupted:
    error.sent = True
    return error


class Answers:
    """Gives or raises one thing after the other, and counts how often it was asked."""

    def __init__(self, *things: Any) -> None:
        self.things = list(things)
        self.asked = 0

    def __call__(self, *_: Any) -> Any:
        self.asked += 1
        thing = self.things.pop(0)
        if isinstance(thing, BaseException):
            raise thing
        return thing


def no_wait(seconds: float) -> None:
    pass


def test_what_is_answered_is_done_and_not_looked_for() -> None:
    look = Answers()
    assert send_once(Answers(7), look, no_wait) == Outcome(Status.DONE, 7)
    assert look.asked == 0


def test_a_lost_answer_is_looked_for_and_found_so_nothing_is_sent_again() -> None:
    send = Answers(lost())
    assert send_once(send, Answers(8), no_wait) == Outcome(Status.DONE, 8)
    assert send.asked == 1


def test_what_is_proven_absent_is_sent_again() -> None:
    send = Answers(lost(502), lost(), 9)
    assert send_once(send, Answers(None, None), no_wait) == Outcome(Status.DONE, 9)


def test_what_keeps_getting_lost_is_told_as_unknown_and_looked_for_by_a_retry() -> None:
    send = Answers(*[lost(503)] * MAX_TRIES)
    outcome = send_once(send, Answers(*[None] * MAX_TRIES), no_wait)
    assert (outcome.status, outcome.code, outcome.http_status) == (Status.UNKNOWN, "unknown_outcome", 503)


def test_what_never_left_failed_and_was_not_looked_for() -> None:
    look = Answers()
    assert send_once(Answers(unsent()), look, no_wait)[:3] == (Status.FAILED, None, "unavailable")
    assert look.asked == 0


@pytest.mark.parametrize(
    "error", [lost(), NotFound("?", status=404), Refused("?", status=400), RateLimited(status=400)]
)
def test_what_cannot_be_looked_for_is_unknown_and_not_sent_again(error: FreshsalesError) -> None:
    send = Answers(lost())
    assert send_once(send, Answers(error), no_wait).status == Status.UNKNOWN
    assert send.asked == 1


@pytest.mark.parametrize(
    "error", [HostDown("down"), Interrupted("stop"), RateLimited(status=429), Forbidden(status=403)]
)
def test_what_ends_the_run_while_it_looks_leaves_the_write_under_way(error: FreshsalesError) -> None:
    with pytest.raises(InFlight) as raised:
        send_once(Answers(lost()), Answers(error), no_wait)
    assert raised.value.error is error


def test_an_interruption_while_a_lost_request_is_left_to_work_leaves_it_under_way() -> None:
    with pytest.raises(InFlight):
        send_once(Answers(lost()), Answers(), Answers(Interrupted("stop")))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "plan.db")) as store:
        for key in "abcd":
            store.db.execute(
                "INSERT INTO record (kind, entity, key, match_key, action) VALUES ('person', 'lead', ?, ?, 'create')",
                (key, key),
            )
        yield store


def journal(store: Store, workers: int = 1) -> Journal:
    nothing: Any = None
    context = PushContext(store, nothing, nothing, nothing, no_wait, "segment", workers=workers)
    return Journal(context, "record", lambda count: None)


def rows(store: Store) -> list[Record]:
    return list(store.records())


def statuses(store: Store) -> str:
    return " ".join(row.status for row in rows(store))


def per_key(answers: dict[str, Any]) -> Callable[[Record], Outcome]:
    def act(row: Record) -> Outcome:
        answer = answers.get(row.key, Outcome(Status.DONE, 1))
        if isinstance(answer, BaseException):
            raise answer
        assert isinstance(answer, Outcome)
        return answer

    return act


def test_a_chunk_is_written_down_before_the_first_of_it_is_sent(store: Store, tmp_path: Path) -> None:
    def act(row: Record) -> Outcome:
        with closing(Store(tmp_path / "plan.db")) as other:
            assert statuses(other) == "sent sent sent sent"
            assert all(one.claimed_at for one in rows(other))
        return Outcome(Status.DONE, row.id)

    journal(store).push(rows(store), act)
    assert statuses(store) == "done done done done"
    assert [row.remote_id for row in rows(store)] == [row.id for row in rows(store)]


@pytest.mark.parametrize("workers", [1, 3])
def test_one_that_fails_does_not_stop_the_others(store: Store, workers: int) -> None:
    answers = {"a": Refused("no", status=400), "b": lost(), "c": RateLimited("inner", status=400)}
    journal(store, workers).push(rows(store), per_key(answers), lambda row: row.id)
    assert statuses(store) == "failed failed failed done"
    assert [row.code for row in rows(store)] == ["refused", "unavailable", "rate_limited", None]


@pytest.mark.parametrize(
    ("error", "left"),
    [
        (HostDown("down"), Status.PLANNED),
        (under_way(HostDown("down")), Status.SENT),
        (RateLimited(status=429), Status.PLANNED),
        (Forbidden(status=403), Status.PLANNED),
        (InFlight(RateLimited(status=429)), Status.SENT),
    ],
)
def test_what_ends_the_run_settles_what_came_back_and_plans_the_rest_again(
    store: Store, error: Exception, left: str
) -> None:
    with pytest.raises(FreshsalesError):
        journal(store).push(rows(store), per_key({"b": error}))
    assert statuses(store) == f"done {left} planned planned"
    assert [row.claimed_at is None for row in rows(store)] == [False, left == Status.PLANNED, True, True]


def test_what_was_under_way_is_done_if_found_planned_if_absent_and_unknown_if_that_cannot_be_told(store: Store) -> None:
    store.db.execute("UPDATE record SET status = 'sent'")
    answers = {"a": Outcome(Status.DONE, 5), "b": Outcome(Status.PLANNED), "c": lost(), "d": Refused("?", status=400)}
    journal(store).recover(rows(store), per_key(answers))
    assert statuses(store) == "done planned unknown unknown"


def test_what_ends_the_run_while_it_recovers_leaves_the_rest_to_be_recovered(store: Store) -> None:
    store.db.execute("UPDATE record SET status = 'sent'")
    with pytest.raises(HostDown):
        journal(store).recover(rows(store), per_key({"b": HostDown("down")}))
    assert statuses(store) == "done sent sent sent"


def test_a_bulk_that_is_broken_off_leaves_all_of_it_to_be_recovered(store: Store) -> None:
    with pytest.raises(RateLimited):
        journal(store).push_together(rows(store), Answers(InFlight(RateLimited(status=429))))
    assert statuses(store) == "sent sent sent sent"

from __future__ import annotations

import threading
from datetime import datetime

import pytest
from rich.console import Console

from fsseg.report.eta import Quota, seconds_to_go
from fsseg.report.progress import Coming, PlainProgress, RichProgress, SilentProgress, Stage, choose

from .samples import capturing, shown

NOON = datetime(2026, 11, 22, 12, 0).timestamp()


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def screen(progress: RichProgress, width: int = 100, encoding: str = "utf-8") -> str:
    console = capturing(width=width, encoding=encoding)
    console.print(progress.render())
    return shown(console)


def test_a_pipe_gets_one_line_at_the_end_of_a_short_stage(clock: Clock) -> None:
    console = capturing()
    with PlainProgress(console, clock) as progress, progress.stage("Read", None, "events") as stage:
        for _ in range(12_400):
            stage.advance()
        clock.now += 2
        stage.note("3 files")
    assert shown(console) == "Read: 12,400 events (3 files) in 2.0 s\n"


def test_a_long_stage_with_a_known_end_is_told_at_tenths_and_not_oftener_than_every_ten_seconds(clock: Clock) -> None:
    console = capturing()
    with PlainProgress(console, clock).stage("People", 1000, "people") as stage:
        for _ in range(1000):
            clock.now += 0.2
            stage.advance()
    lines = shown(console).splitlines()
    assert lines[0] == "People: 100/1,000 people"
    assert len(lines) == 10
    assert lines[-1] == "People: 1,000 people in 3 m 20 s"


def test_a_slow_stage_shows_life_once_a_minute(clock: Clock) -> None:
    console = capturing()
    with PlainProgress(console, clock).stage("People", 100_000, "people") as stage:
        for _ in range(300):
            clock.now += 1
            stage.advance()
    assert shown(console).count("\n") == 6


def test_a_pipe_shows_life_once_a_minute_while_it_waits_and_not_while_it_talks(clock: Clock) -> None:
    console = capturing()
    progress = PlainProgress(console, clock)
    with progress.stage("Leads", 161, "people") as stage:
        stage.advance(40)
        progress.quota(0, 1000)
        progress.waiting(600, None, "Freshsales' quota")
        for _ in range(120):
            clock.now += 1
            progress.beat()
    lines = shown(console).splitlines()
    assert lines[0] == "waiting for Freshsales' quota until 12:10"
    assert lines[1].startswith("Leads: 40/161 people")
    assert "waiting for Freshsales' quota until 12:10, 9 m 00 s to go; quota 0 of 1,000 left this hour" in lines[1]
    assert "8 m 00 s to go" in lines[2]
    assert len(lines) == 4


@pytest.mark.parametrize("kind", [PlainProgress, SilentProgress, RichProgress])
def test_how_far_a_run_is_is_told_when_somebody_asks(clock: Clock, kind: type[SilentProgress]) -> None:
    console = capturing()
    progress = kind(console, clock)
    progress.tell()
    stage = progress.stage("Leads", 161, "people")
    stage.advance(92)
    clock.now += 10
    progress.quota(612, 1000)
    progress.tell()
    assert shown(console).splitlines()[0] == "between two stages"
    assert (
        shown(console)
        .splitlines()[-1]
        .startswith("Leads: 92/161 people, 9.2/s; quota 612 of 1,000 left this hour; done about")
    )


def test_asking_while_a_stage_is_counted_blocks_nothing(clock: Clock) -> None:
    console = capturing()
    progress = PlainProgress(console, clock)
    stage = progress.stage("Leads", 161, "people")
    with stage._lock, progress._lock:
        progress.tell()
    assert "Leads: 0/161 people" in shown(console)


def test_a_stage_that_breaks_off_says_so(clock: Clock) -> None:
    console = capturing()

    def fail() -> None:
        with PlainProgress(console, clock).stage("People", 10, "people") as stage:
            stage.advance(3)
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        fail()
    assert shown(console) == "People: 3/10 people stopped after 0.0 s\n"


def test_a_pipe_is_told_of_long_waits_with_the_time_they_end(clock: Clock) -> None:
    console = capturing()
    progress = PlainProgress(console, clock)
    progress.waiting(2, None, "Freshsales")
    progress.waiting(7200, None, "Freshsales' quota")
    progress.waiting(86_400, NOON + 86_400, "Freshsales' quota")
    assert shown(console).splitlines() == [
        "waiting for Freshsales' quota until 14:00",
        "waiting for Freshsales' quota until tomorrow 12:00",
    ]


def test_messages_are_sanitised_and_kept_even_without_progress(clock: Clock) -> None:
    for kind in (PlainProgress, SilentProgress, RichProgress):
        console = capturing()
        kind(console, clock).message("[red]\x1b[31m careful")
        assert shown(console) == "[red]\\x1b[31m careful\n"


def test_silence_is_silent(clock: Clock) -> None:
    with SilentProgress(None, clock) as progress, progress.stage("Read", 3, "events") as stage:
        stage.advance(3)
        progress.waiting(3600, None, "the quota")
        progress.quota(1, 1000)
        progress.message("nobody hears")
    assert stage.counts() == "3 events"


def test_bars_show_name_counts_rate_note_and_a_known_end(clock: Clock) -> None:
    progress = RichProgress(capturing(width=100), clock)
    with progress.stage("Read", None, "events") as reading:
        reading.advance(12_400)
        clock.now += 4
    people = progress.stage("People", 161, "people")
    people.advance(92)
    people.note("14 requests")
    clock.now += 20
    read, now = (line.rstrip() for line in screen(progress).splitlines()[:2])
    assert read.startswith("  Read")
    assert read.endswith("12,400 events  3,100/s")
    assert "92/161 people" in now
    assert now.endswith("4.6/s  14 requests")
    people.total = 184
    assert "92/184 people" in screen(progress)


def test_the_last_line_tells_quota_and_the_time_it_is_done(clock: Clock) -> None:
    progress = RichProgress(capturing(), clock)
    progress.quota(1000, 1000)
    with progress.stage("People", 600, "people") as stage:
        stage.advance(300)
        progress.quota(700, 1000)
        clock.now += 600
        assert (
            screen(progress).splitlines()[-1] == "  quota 700 of 1,000 left this hour · done about 12:20, in 10 m 00 s"
        )


def test_what_is_to_go_in_later_stages_counts_with_the_hours_that_the_quota_makes_it_wait(clock: Clock) -> None:
    progress = RichProgress(capturing(), clock)
    progress.quota(300, 1000)
    with progress.stage("Leads", 100, "leads") as stage:
        stage.advance(100)
        progress.quota(200, 1000)
        progress.to_go(1_300)
        clock.now += 100
        last = screen(progress).splitlines()[-1]
    assert last.startswith("  about 1,300 requests to go · quota 200 of 1,000 left this hour · done about 14:01")


def test_stages_to_come_stand_below_and_those_that_are_left_out_go(clock: Clock) -> None:
    progress = RichProgress(capturing(), clock)
    progress.expect(
        [Coming("Read"), Coming("Accounts", 3, "accounts"), Coming("Leads", 120, "leads"), Coming("Report")]
    )
    with progress.stage("Read", None, "events"):
        assert [line.split() for line in screen(progress).splitlines()[1:]] == [
            ["Accounts", "0/3", "accounts"], ["Leads", "0/120", "leads"], ["Report"],
        ]  # fmt: skip
    with progress.stage("Leads", 120, "leads"):
        assert [line.split()[0] for line in screen(progress).splitlines()] == ["Read", "Leads", "Report"]


def test_what_never_came_is_not_shown_at_the_end() -> None:
    console = capturing(terminal=True)
    with RichProgress(console) as progress:
        progress.expect([Coming("Read"), Coming("Match")])
        with progress.stage("Read", None, "events"):
            pass
    assert "Match" not in screen(progress)


def test_a_brief_stage_is_told_in_a_pipe_where_it_took_long(clock: Clock) -> None:
    console = capturing()
    with PlainProgress(console, clock) as progress:
        with progress.stage("Fold", None, "people", brief=True) as stage:
            stage.advance(3)
        with progress.stage("Plan", None, "records", brief=True) as stage:
            stage.advance(600_000)
            clock.now += 12
    assert shown(console) == "Plan: 600,000 records in 12 s\n"


def test_a_wait_is_shown_until_it_is_over(clock: Clock) -> None:
    progress = RichProgress(capturing(), clock)
    progress.waiting(7200, None, "Freshsales' quota")
    clock.now += 3600
    assert "waiting for Freshsales' quota until 14:00, 1 h 00 m to go" in screen(progress)
    clock.now -= 3600
    clock.now += 7200
    assert "waiting" not in screen(progress)


def test_bars_shrink_to_a_narrow_terminal_and_to_ascii(clock: Clock) -> None:
    console = capturing(width=40, encoding="ascii")
    progress = RichProgress(console, clock)
    progress.quota(700, 1000)
    progress.stage("People", 161, "people").advance(92)
    lines = screen(progress, 40, "ascii").splitlines()
    assert all(len(line) <= 40 for line in lines)
    assert "People" in lines[0]
    assert "\\u" not in "".join(lines)


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_when_all_will_be_done_is_seen_on_any_terminal(clock: Clock, width: int) -> None:
    progress = RichProgress(capturing(width=width), clock)
    progress.quota(700, 1000)
    progress.to_go(300)
    stage = progress.stage("People", 400, "people")
    clock.now += 60
    stage.advance(100)
    lines = screen(progress, width).splitlines()
    assert max(map(len, lines)) <= width
    assert "done about" in lines[-1] and "quota 700 of 1,000 left this hour" in "".join(lines)


def test_bars_draw_on_a_terminal_and_messages_stand_above_them() -> None:
    console = capturing(terminal=True)
    with RichProgress(console) as progress, progress.stage("Read", 2, "events") as stage:
        stage.advance(2)
        progress.message("a word")
    assert "a word" in shown(console)
    assert "2 events" in shown(console)


@pytest.mark.parametrize("kind", [PlainProgress, SilentProgress, RichProgress])
def test_advances_of_many_threads_all_count(kind: type[SilentProgress]) -> None:
    progress = kind(capturing())
    stage = progress.stage("Read", None, "events")

    def work() -> None:
        for _ in range(2_000):
            stage.advance()
            stage.speed()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stage.count == 8_000


def test_messages_from_threads_do_not_lock_up_against_the_drawing_of_bars() -> None:
    console = capturing(terminal=True)
    with RichProgress(console) as progress, progress.stage("Read", None, "events") as stage:

        def talk() -> None:
            for n in range(50):
                stage.advance()
                progress.quota(n, 1000)
                progress.message("word")

        threads = [threading.Thread(target=talk, daemon=True) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
            assert not thread.is_alive()


@pytest.mark.parametrize(
    ("terminal", "options", "kind"),
    [
        (True, {}, RichProgress),
        (False, {}, PlainProgress),
        (True, {"json": True}, RichProgress),
        (False, {"json": True}, SilentProgress),
        (True, {"no_progress": True}, SilentProgress),
        (True, {"quiet": True}, SilentProgress),
    ],
)
def test_the_fitting_progress_is_chosen(terminal: bool, options: dict[str, bool], kind: type) -> None:
    asked = {"quiet": False, "json": False, "no_progress": False, **options}
    assert type(choose(capturing(terminal=terminal), **asked)) is kind


def test_a_dumb_terminal_gets_lines() -> None:
    console = Console(file=capturing(terminal=True).file, force_terminal=True, _environ={"TERM": "dumb"})
    assert type(choose(console, quiet=False, json=False, no_progress=False)) is PlainProgress


def under_way(count: int, total: int, started: float) -> Stage:
    stage = Stage("People", total, "people", lambda: started)
    stage.advance(count)
    return stage


def test_without_a_quota_the_end_follows_from_the_speed() -> None:
    assert seconds_to_go([under_way(100, 400, 0)], Quota(), now=50) == pytest.approx(150)
    assert seconds_to_go([under_way(0, 400, 0)], Quota(), now=50) is None
    assert seconds_to_go([under_way(400, 400, 0)], Quota(), now=50) is None
    assert seconds_to_go([], Quota(), now=50) is None


def test_what_exceeds_the_quota_waits_for_the_next_hours() -> None:
    quota = Quota()
    quota.learn(1000, 1000, now=0)
    quota.learn(500, 1000, now=500)
    # 500 done at one request and one second each; 2,200 to go: 500 now, 1,000 next hour, 700 the hour after.
    assert seconds_to_go([under_way(500, 2700, 0)], quota, now=500) == pytest.approx(3100 + 3600 + 700)


def test_a_quota_that_lasts_seconds_makes_nobody_wait_for_hours() -> None:
    quota = Quota(window=36)
    quota.learn(1000, 1000, now=0)
    quota.learn(500, 1000, now=5)
    assert seconds_to_go([under_way(500, 2700, 0)], quota, now=5) == pytest.approx(31 + 36 + 7)


def test_during_a_wait_the_end_is_counted_from_the_refilled_quota() -> None:
    quota = Quota()
    quota.learn(100, 100, now=0)
    quota.learn(0, 100, now=100)
    quota.waited(100, 3600)
    quota.waited(110, 3600)
    assert quota.waits == 3500
    assert seconds_to_go([under_way(100, 150, 0)], quota, now=100) == pytest.approx(3500 + 50)
    quota.learn(100, 100, now=3600)
    assert seconds_to_go([under_way(100, 150, 0)], quota, now=3600) == pytest.approx(50)


def test_requests_spent_before_the_stages_under_way_are_not_theirs() -> None:
    quota = Quota()
    quota.learn(1000, 1000, now=0)
    quota.learn(400, 1000, now=10)
    quota.start_measuring()
    quota.learn(390, 1000, now=20)
    assert quota.spent == 10


@pytest.mark.parametrize("width", [60, 100])
def test_a_bar_is_as_long_as_its_stage_is_done_with_nothing_behind_it(clock: Clock, width: int) -> None:
    progress = RichProgress(capturing(width=width), clock)
    with progress.stage("Read", None, "events"):
        pass
    for done in (0, 60, 120):
        progress.stage(f"Leads {done}", 120, "leads").advance(done)
    read, none, half, whole = (line.count("━") for line in screen(progress, width).splitlines()[:4])
    assert (none, half, whole) == (0, read // 2, read)

"""How far a run is: one Protocol, and three ways to show what the pipeline reports."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from fsseg.figures import counted, number
from fsseg.report.console import glyphs, sanitise
from fsseg.report.eta import WINDOW, Quota, seconds_to_go
from fsseg.report.formats.text_lines import hanging
from fsseg.report.humanize import clock_time, cut, duration, pad, rate

Clock = Callable[[], float]
"""Epoch seconds; injected by tests."""

_RATE_WINDOW = 15.0
_SINGULAR = {"people": "person", "entries": "entry"}
_JUSTIFY: tuple[JustifyMethod, ...] = ("left", "left", "right", "right", "left")
"""Name, bar, counts, rate, note: a narrow terminal goes without the last ones."""


class Coming(NamedTuple):
    """A stage that is still to come, with its end and unit where they are known."""

    name: str
    total: int | None = None
    unit: str = ""


class Stage:
    """One stage of a run; `advance` is cheap enough to be called for every event."""

    def __init__(self, name: str, total: int | None, unit: str, clock: Clock) -> None:
        self.name, self.total, self.unit = name, total, unit
        self.count = 0
        self.remark = ""
        self.started = clock()
        self.ended: float | None = None
        self._clock = clock
        self._lock = threading.RLock()  # as a signal may ask how far the run is at any moment
        self._samples: deque[tuple[float, int]] = deque([(self.started, 0)])

    def advance(self, n: int = 1) -> None:
        """`n` more units are done; `total` may be set at any time."""
        with self._lock:
            self.count += n

    def note(self, text: str) -> None:
        """A few words that stand beside the counts, such as `14 requests`; they replace earlier ones."""
        self.remark = sanitise(text)

    def speed(self) -> float:
        """Units a second: lately while under way, on the whole once ended."""
        now = self.ended or self._clock()
        since, base = self.started, 0
        if self.ended is None:
            with self._lock:
                self._samples.append((now, self.count))
                while len(self._samples) > 2 and self._samples[1][0] <= now - _RATE_WINDOW:
                    self._samples.popleft()
                since, base = self._samples[0]
        return (self.count - base) / (now - since) if now > since else 0.0

    def counts(self) -> str:
        """`92/161 people`, or `12,400 events` where the end is not known or reached."""
        open_end = self.total is None or self.count == self.total
        done = number(self.count) if open_end else f"{number(self.count)}/{number(self.total or 0)}"
        only_one = (self.count if open_end else self.total) == 1
        return f"{done} {_SINGULAR.get(self.unit, self.unit.removesuffix('s')) if only_one else self.unit}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.ended = self._clock()


class Progress(Protocol):
    """What the pipeline and the pacer report to; a context manager around the whole run, every method thread-safe."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...
    def expect(self, stages: Sequence[Coming]) -> None:
        """Which stages are still to come, in their order; one that another comes before is left out."""

    def stage(self, name: str, total: int | None, unit: str, *, brief: bool = False) -> Stage:
        """A stage begins, and ends as a context manager; stages may overlap, and `unit` is plural: `events`.

        `brief`: it rarely takes long enough to be told of in a line of its own.
        """

    def to_go(self, requests: int) -> None:
        """About how many requests are still to be sent, in all stages."""

    def waiting(self, seconds: float, until: float | None, reason: str) -> None:
        """A wait begins: `reason` completes "waiting for …", `until` is the epoch second it ends (None: from now)."""

    def quota(self, left: int, limit: int) -> None:
        """Requests left of `limit` in this hour, as just learnt."""

    def message(self, text: str) -> None:
        """Print a line that stays."""

    def tell(self) -> None:
        """Print a line on how far the run is, as somebody asks."""

    def beat(self) -> None:
        """Show life, if nothing has for a minute; called every few seconds."""


class SilentProgress:
    """Shows only messages and what is asked for, and without a console nothing at all."""

    def __init__(self, console: Console | None = None, clock: Clock = time.time, window: float = WINDOW) -> None:
        self._console, self._clock = console, clock
        self._lock = threading.RLock()
        self._stages: list[Stage] = []
        self._coming: list[Coming] = []
        self._requests = 0
        self._quota = Quota(window=window)
        self._wait: tuple[float, str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def expect(self, stages: Sequence[Coming]) -> None:
        with self._lock:
            self._coming = list(stages)

    def stage(self, name: str, total: int | None, unit: str, *, brief: bool = False) -> Stage:
        return self._begin(Stage(name, total, unit, self._clock))

    def to_go(self, requests: int) -> None:
        with self._lock:
            self._requests = requests

    def _begin(self, stage: Stage) -> Stage:
        with self._lock:
            names = [coming.name for coming in self._coming]
            self._coming = self._coming[names.index(stage.name) + 1 if stage.name in names else 0 :]
            if all(earlier.ended is not None for earlier in self._stages):
                self._quota.start_measuring()
            self._stages.append(stage)
        return stage

    def waiting(self, seconds: float, until: float | None, reason: str) -> None:
        now = self._clock()
        end = until if until is not None else now + seconds
        with self._lock:
            self._wait = (end, sanitise(reason))
            self._quota.waited(now, end)

    def quota(self, left: int, limit: int) -> None:
        with self._lock:
            self._quota.learn(left, limit, self._clock())

    def tell(self) -> None:
        self.message(self._status())

    def beat(self) -> None: ...

    def _status(self) -> str:
        """The stages under way, what is waited for, what is left of the quota and when all will be done, in a line."""
        with self._lock:
            now = self._clock()
            parts = [self._told(stage) for stage in self._stages if stage.ended is None]
            if self._wait and self._wait[0] > now:
                end, reason = self._wait
                parts.append(_wait(reason, end, now))
            return "; ".join([*parts, *self._outlook(now)]) or "between two stages"

    def _told(self, stage: Stage) -> str:
        speed = stage.speed()
        return ", ".join(filter(None, (f"{stage.name}: {stage.counts()}", rate(speed) if speed else "", stage.remark)))

    def _outlook(self, now: float) -> list[str]:
        """What is to go in all stages, what is left of the quota, and when all that is known of will be done."""
        parts = []
        if self._requests:
            parts.append(f"about {counted(self._requests, 'request')} to go")
        if self._quota.limit:
            parts.append(f"quota {number(self._quota.left)} of {number(self._quota.limit)} left this hour")
        under_way = [stage for stage in self._stages if stage.ended is None]
        to_go = seconds_to_go(under_way, self._quota, now, self._requests)
        if to_go is not None:
            parts.append(f"done about {clock_time(now + to_go, now)}, in {duration(to_go)}")
        return parts

    def message(self, text: str) -> None:
        # Never under the lock: printing above the bars makes Rich call `render`, which takes it.
        if self._console is not None:
            self._console.print(Text(sanitise(text)), soft_wrap=True)


class PlainProgress(SilentProgress):
    """Lines for pipes and logs: one at a stage's end, and for long stages one now and then."""

    QUIET_SECONDS = 10.0
    PATIENCE = 60.0
    """A stage with a known end is told at every tenth of it, or after this long; and so are waits."""

    def __init__(self, console: Console | None = None, clock: Clock = time.time, window: float = WINDOW) -> None:
        super().__init__(console, clock, window)
        self._spoke = clock()

    def stage(self, name: str, total: int | None, unit: str, *, brief: bool = False) -> Stage:
        return self._begin(_PlainStage(name, total, unit, self._clock, self, brief=brief))

    def message(self, text: str) -> None:
        self._spoke = self._clock()
        super().message(text)

    def beat(self) -> None:
        if self._clock() - self._spoke >= self.PATIENCE:
            self.tell()

    def waiting(self, seconds: float, until: float | None, reason: str) -> None:
        super().waiting(seconds, until, reason)
        if seconds >= self.QUIET_SECONDS:
            now = self._clock()
            end = clock_time(until if until is not None else now + seconds, now)
            self.message(f"waiting for {reason} until {end}")


class _PlainStage(Stage):
    def __init__(
        self, name: str, total: int | None, unit: str, clock: Clock, progress: PlainProgress, *, brief: bool
    ) -> None:
        super().__init__(name, total, unit, clock)
        self._brief = brief
        self._progress = progress
        self._shown_count, self._shown_at = 0, self.started

    def advance(self, n: int = 1) -> None:
        with self._lock:
            self.count += n
            now = self._clock()
            silent = now - self._shown_at
            if silent < PlainProgress.QUIET_SECONDS or self.count == self.total:
                return
            if self.total and silent < PlainProgress.PATIENCE and (self.count - self._shown_count) * 10 < self.total:
                return
            self._shown_count, self._shown_at = self.count, now
        self._progress.message(f"{self.name}: {self._counts_and_remark()}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, traceback)
        seconds = (self.ended or self.started) - self.started
        if self._brief and kind is None and seconds < PlainProgress.QUIET_SECONDS:
            return
        took = duration(seconds)
        outcome = f"in {took}" if kind is None else f"stopped after {took}"
        self._progress.message(f"{self.name}: {self._counts_and_remark()} {outcome}")

    def _counts_and_remark(self) -> str:
        return self.counts() + (f" ({self.remark})" if self.remark else "")


class RichProgress(SilentProgress):
    """A bar for each stage, and a last line with the quota and the time when all will be done, waits included."""

    def __init__(self, console: Console, clock: Clock = time.time, window: float = WINDOW) -> None:
        super().__init__(console, clock, window)
        self._terminal = console
        self._spinner = Spinner("line" if console.options.ascii_only else "dots", style="cyan")
        self._live = Live(
            console=console,
            get_renderable=self.render,
            refresh_per_second=8,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._wait, self._coming, self._requests = None, [], 0
        self._live.stop()

    def render(self) -> RenderableType:
        """The bars as they stand now; Rich calls this eight times a second."""
        with self._lock:
            now = self._clock()
            if self._wait and self._wait[0] <= now:
                self._wait = None
            rows = Table.grid(padding=(0, 2), pad_edge=False)
            columns = 5 if self._terminal.width >= 90 else 4 if self._terminal.width >= 60 else 3
            for justify in _JUSTIFY[:columns]:
                rows.add_column(justify=justify, no_wrap=True, overflow="crop")
            for stage in self._stages:
                rows.add_row(*self._row(stage)[:columns])
            for coming in self._coming:
                known = f"0/{number(coming.total)} {coming.unit}" if coming.total else ""
                rows.add_row(Text("  " + coming.name, style="dim"), "", Text(known, style="dim"))
            lines: list[RenderableType] = [rows]
            if self._wait:
                end, reason = self._wait
                self._spinner.update(text=Text(_wait(reason, end, now), style="yellow"))
                lines.append(Padding(self._spinner, (0, 0, 0, 2)))
            if outlook := self._outlook(now):
                *others, last = outlook
                parts = [*(f"{part} {glyphs(self._terminal).dot}" for part in others), last]
                for line in hanging(Text("  "), parts, 2, self._terminal.width - 1):
                    line.stylize("dim")
                    lines.append(line)
            return Group(*lines)

    def _row(self, stage: Stage) -> tuple[RenderableType, ...]:
        ended = stage.ended is not None
        speed = stage.speed()
        return (
            Text("  " + stage.name, style="" if ended else "bold"),
            self._bar(stage, ended=ended),
            Text(stage.counts()),
            Text(rate(speed) if speed else "", style="cyan"),
            Text(stage.remark, style="dim"),
        )

    def _bar(self, stage: Stage, *, ended: bool) -> RenderableType:
        """As long as the stage is done, and nothing behind it: a grey rest would look like a bar that is full."""
        width = max(min(self._terminal.width - 56, 28), 6)
        if stage.total is None and not ended:
            return ProgressBar(total=None, width=width, pulse=True, pulse_style="cyan")
        signs = glyphs(self._terminal)
        halves = 2 * width * stage.count // stage.total if stage.total else 2 * width
        filled = signs.bar * (halves // 2) + signs.half * (halves % 2)
        return Text(pad(cut(filled, width), width), style="dim" if ended else "cyan")


def _wait(reason: str, end: float, now: float) -> str:
    return f"waiting for {reason} until {clock_time(end, now)}, {duration(end - now)} to go"


def choose(console: Console, *, quiet: bool, json: bool, no_progress: bool, window: float = WINDOW) -> Progress:
    """Bars on a terminal, lines in a pipe; nothing when quiet, and only messages under `--no-progress`.

    With `--json`, whoever reads stderr through a pipe is spared lines too. `window`: the seconds that a quota lasts.
    """
    if quiet:
        return SilentProgress()
    if console.is_terminal and not console.is_dumb_terminal and not no_progress:
        return RichProgress(console, window=window)
    return SilentProgress(console, window=window) if json or no_progress else PlainProgress(console, window=window)

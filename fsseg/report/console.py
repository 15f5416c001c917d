"""The two consoles: `out` for data, `err` for talk; and what makes foreign text safe to show on them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TextIO

from msgspec import Struct
from rich.console import Console, RenderableType
from rich.text import Text

PIPE_WIDTH = 120
"""Columns that lines are laid out for where no terminal sets a width."""

ENDLESS = 100_000
"""Columns in which nothing is cut or wrapped."""

# Control characters C0, DEL and C1; characters that are invisible or reorder what follows (bidi overrides and
# isolates, zero-width space, tags); line separators; halves of surrogate pairs. Joiners stay: emoji and Persian
# need them.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def sanitise(text: str) -> str:
    r"""The same text on one line with control and reordering characters written out: `\x1b`, `\n`, `\u202e`."""
    return text if text.isprintable() else _UNSAFE.sub(_written_out, text)


def print_lines(console: Console, lines: Iterable[Text]) -> None:
    """Print lines that are as wide as they are to be; many at a time, as each call takes longer than its line."""
    if not console.is_terminal and console.color_system is None:
        write(console, "".join([f"{line.plain}\n" for line in lines]))  # Rich would write the same
        console.file.flush()  # before what comes on stderr
        return
    rest = iter(lines)
    while some := list(islice(rest, 100)):
        console.print(*some, sep="\n", soft_wrap=True)


def sanitise_json(text: str) -> str:
    r"""Serialised JSON with the unsafe characters as `\u` escapes: other bytes, the same JSON."""
    return _UNSAFE.sub(lambda m: m[0] if m[0] == "\n" else _json_escape(ord(m[0])), text)


def _written_out(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    escape = f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return _SHORT.get(char, escape)


def _json_escape(code: int) -> str:
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


class Glyphs(Struct, frozen=True):
    """The few signs that need a fallback where the encoding has no room for them."""

    arrow: str = "→"
    ellipsis: str = "…"
    dot: str = "·"
    times: str = "×"
    bar: str = "━"
    half: str = "╸"


ASCII = Glyphs(arrow="->", ellipsis="...", dot="|", times="x", bar="#", half="")


def glyphs(console: Console) -> Glyphs:
    """Unicode signs, or ASCII ones where the console's encoding is not a Unicode one."""
    return ASCII if console.options.ascii_only else Glyphs()


def line_width(console: Console) -> int:
    """Columns a line may take: the terminal's, or a fixed number in a pipe."""
    return console.width if console.is_terminal else PIPE_WIDTH


def text_width(console: Console) -> int:
    """Columns that text is cut or wrapped at: the terminal's; a pipe gets all of it in one line."""
    return console.width if console.is_terminal else ENDLESS


def lines_of(console: Console, renderable: RenderableType, width: int = ENDLESS) -> Iterator[Text]:
    """What Rich lays out, such as a table, line by line."""
    for segments in console.render_lines(renderable, console.options.update(width=width), pad=False):
        yield Text.assemble(*((segment.text, segment.style or "") for segment in segments))


def write(console: Console, text: str) -> None:
    """Write finished text (JSON, CSV, HTML) as it is, neither wrapped nor styled."""
    if not console.quiet:
        console.file.write(text)


class Consoles(Struct, frozen=True):
    """The consoles of a command, made once by `open_consoles` and handed to whoever prints."""

    out: Console
    err: Console
    quiet: bool = False

    @property
    def on_one_terminal(self) -> bool:
        """Whether stdout and stderr are seen together, so that neither need repeat the other."""
        return self.out.is_terminal and self.err.is_terminal

    def info(self, text: str) -> None:
        """Print text for people on stderr, unless quiet."""
        if not self.quiet:
            self.error(text)

    def error(self, text: str) -> None:
        """Print on stderr what must be seen even when quiet; of control characters only line feeds are kept."""
        for line in sanitised_lines(text):
            self.err.print(Text(line), soft_wrap=True)

    def mistake(self, text: str, *hints: str) -> None:
        """Say on stderr what is wrong, even when quiet, and below it, in lines of their own, what to do."""
        self._marked("error", "bold red", text)
        self.hint(*hints)

    def hint(self, *hints: str) -> None:
        """Say on stderr what to do, even when quiet."""
        for hint in hints:
            self._marked("hint", "cyan", hint)

    def _marked(self, mark: str, style: str, text: str) -> None:
        first, *more = sanitised_lines(text)
        self.err.print(Text.assemble((f"{mark}:", style), f" {first}"), soft_wrap=True)
        for line in more:
            self.err.print(Text(f"  {line}"), soft_wrap=True)


def sanitised_lines(text: str) -> list[str]:
    """The lines of a text, each safe to show."""
    return [sanitise(line) for line in text.split("\n")]


def open_consoles(*, quiet: bool = False, stdout: TextIO | None = None, stderr: TextIO | None = None) -> Consoles:
    """Both consoles, which heed `NO_COLOR`, `TERM=dumb` and pipes, and take no data for markup or emoji codes."""
    return Consoles(_console(stdout or sys.stdout), _console(stderr or sys.stderr), quiet)


def _console(file: TextIO) -> Console:
    reconfigure = getattr(file, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")  # a narrow encoding shows \u escapes instead of failing
    return Console(file=file, markup=False, highlight=False, emoji=False)

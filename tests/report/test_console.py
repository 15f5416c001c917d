from __future__ import annotations

import io
import unicodedata

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.text import Text

from fsseg.report.console import Consoles, glyphs, line_width, open_consoles, sanitise, sanitise_json

from .samples import HOSTILE, capturing, shown

ANY_TEXT = st.text(st.characters(codec=None))
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@settings(max_examples=50)
@given(ANY_TEXT)
def test_sanitised_text_holds_no_control_line_breaking_or_reordering_character(text: str) -> None:
    safe = sanitise(text)
    assert not [char for char in safe if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or char in BIDI]
    assert len(safe.splitlines()) <= 1
    assert sanitise(safe) == safe


@settings(max_examples=50)
@given(ANY_TEXT)
def test_printable_text_stays_as_it_is(text: str) -> None:
    if text.isprintable():
        assert sanitise(text) == text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b2J", "\\x9b2J"),
        ("a\tb\r\nc", "a\\tb\\r\\nc"),
        ("\u202eexe.doc", "\\u202eexe.doc"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("\ud800", "\\ud800"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("Zoë 北京 👩\u200d🚀", "Zoë 北京 👩\u200d🚀"),
    ],
)
def test_unsafe_characters_are_written_out(text: str, safe: str) -> None:
    assert sanitise(text) == safe


@settings(max_examples=50)
@given(st.dictionaries(st.text(), st.recursive(st.text() | st.none(), st.lists)))
def test_sanitised_json_is_the_same_json(data: dict[str, object]) -> None:
    safe = sanitise_json(orjson.dumps(data).decode())
    assert orjson.loads(safe) == data
    assert sanitise(safe) == safe


def test_json_escapes_what_json_itself_allows() -> None:
    assert sanitise_json('"\x9b\u202e\U000e0041"') == '"\\u009b\\u202e\\udb40\\udc41"'


def consoles(
    monkeypatch: pytest.MonkeyPatch, *, encoding: str = "utf-8", quiet: bool = False
) -> tuple[Consoles, io.BytesIO, io.BytesIO]:
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    out, err = io.BytesIO(), io.BytesIO()
    texts = [io.TextIOWrapper(stream, encoding=encoding, write_through=True) for stream in (out, err)]
    return open_consoles(quiet=quiet, stdout=texts[0], stderr=texts[1]), out, err


def test_talk_goes_to_stderr_and_leaves_stdout_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    both, out, err = consoles(monkeypatch)
    both.info("hello\nyou")
    assert (out.getvalue(), err.getvalue()) == (b"", b"hello\nyou\n")


def test_quiet_drops_talk_but_not_complaints(monkeypatch: pytest.MonkeyPatch) -> None:
    both, _, err = consoles(monkeypatch, quiet=True)
    both.info("progress")
    both.error("the token is missing")
    assert err.getvalue() == b"the token is missing\n"


def test_markup_and_emoji_codes_and_escapes_in_talk_are_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    both, _, err = consoles(monkeypatch)
    both.error("[bold]x[/] :smile: \x1b[31m" + "long " * 60)
    assert err.getvalue().startswith(b"[bold]x[/] :smile: \\x1b[31mlong")
    assert err.getvalue().count(b"\n") == 1


def test_a_narrow_encoding_shows_escapes_instead_of_failing(monkeypatch: pytest.MonkeyPatch) -> None:
    both, _, err = consoles(monkeypatch, encoding="ascii")
    both.error("Zoë")
    assert err.getvalue() == b"Zo\\xeb\n"
    assert glyphs(both.err).arrow == "->"


def test_no_color_is_kept_on_a_terminal() -> None:
    console = capturing(terminal=True, no_color=True)
    console.print(Text(HOSTILE, style="red"))
    assert "\x1b[31m<" not in shown(console)


def test_lines_take_the_width_of_a_terminal_and_a_fixed_one_in_a_pipe() -> None:
    assert line_width(capturing(width=60, terminal=True)) == 60
    assert line_width(capturing(width=60)) == 120

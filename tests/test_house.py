"""The house rules that no linter knows: sizes, what stands where, and that public things say what they are."""

from __future__ import annotations

import ast
import gzip
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsseg.state.actions import Action, Code, Status
from tests.readme import ROOT

SOURCES = sorted((ROOT / "fsseg").rglob("*.py"))
MODULES = SOURCES + sorted((ROOT / "tests").rglob("*.py"))
LONG, TOO_LONG = 250, 500
PAGE, SCREEN = 120, 60


def test_files_are_short_and_few_are_longer() -> None:
    lines = {path.relative_to(ROOT): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert [path for path, count in lines.items() if count > TOO_LONG] == []
    longer = [path for path, count in lines.items() if count > LONG]
    assert len(longer) <= len(lines) / 10, longer


def test_the_way_of_a_run_is_on_one_page_and_every_function_on_a_screen() -> None:
    assert len((ROOT / "fsseg" / "pipeline.py").read_text("utf-8").splitlines()) <= PAGE
    functions = [
        (node.end_lineno - node.lineno, path.name, node.name)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    ]
    assert [one for one in functions if one[0] > SCREEN] == []


def test_the_top_level_holds_what_it_should_and_nothing_else() -> None:
    tracked = _tracked()
    assert {name.split("/")[0] for name in tracked if not name.startswith(".")} == {
        "README.md",
        "fsseg",
        "pyproject.toml",
        "samples",
        "tests",
    }


def _tracked() -> list[str]:
    """The files under version control; without it, those of the folder."""
    try:
        found = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        return found.stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return [path.name for path in ROOT.iterdir()]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_everything_public_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert [name for name, node in _public(tree, path.stem) if not ast.get_docstring(node)] == []


Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _public(tree: ast.Module, module: str) -> Iterator[tuple[str, Documented]]:
    """The module, unless it is empty, and its public classes and functions."""
    if tree.body:
        yield module, tree
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node.name, node


SQL = re.compile(
    r"\b(SELECT|INSERT (OR \w+ )?INTO|UPDATE \w+ SET|DELETE FROM|CREATE (TEMP )?(TABLE|INDEX)|DROP TABLE|PRAGMA|BEGIN)\b"
    r"|\b(WHERE|IN|AND|OR) \(|\bIS (NOT )?(NULL|\?)|\bORDER BY\b|\w (=|!=) [?']"
)
ASKS_SQLITE = {"db", "execute", "executemany", "executescript"}


def test_sql_stands_in_the_room_of_what_outlives_a_process_and_nowhere_else() -> None:
    names = {path.relative_to(ROOT / "fsseg").as_posix(): path for path in SOURCES}
    others = {name: path for name, path in names.items() if not name.startswith(("state/", "sandbox/"))}
    assert {name for name, path in others.items() if _holds_sql(path)} == set()


NEWER_SQL = re.compile(
    r"->|\bRETURNING\b|\bMATERIALIZED\b|\bDROP COLUMN\b|\b(RIGHT|FULL) (OUTER )?JOIN\b|\bIS (NOT )?DISTINCT\b|\bSTRICT\b"
    r"|\bON CONFLICT DO UPDATE\b"
    r"|\b(unixepoch|timediff|concat|concat_ws|string_agg|octet_length|unhex|jsonb\w*|json_pretty|json_error_position)\("
)
"""What SQLite has learned since the version that `fsseg.state.database.OLDEST` names."""


def test_sql_keeps_to_what_the_oldest_sqlite_knows() -> None:
    for path in (path for path in SOURCES if path.relative_to(ROOT / "fsseg").parts[0] in ("state", "sandbox")):
        for told in _statements(path):
            assert not NEWER_SQL.search(told), (path, told)


def _statements(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text("utf-8"))
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


def _holds_sql(path: Path) -> bool:
    asks = (
        isinstance(node, ast.Attribute) and node.attr in ASKS_SQLITE
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    )
    return any(map(SQL.search, _statements(path))) or any(asks)


WORDS = {word.value for words in (Action, Status, Code) for word in words}
OTHERS_WORDS = {
    "cli/check_cmd.py", "push/bulk.py", "push/context.py", "push/deal_bulk.py", "state/behaviour.py",
    "state/ledger_format.py",
}  # fmt: skip
"""Where such a word is another's: how a check, a bulk job or a probe ended, and a note of the ledger."""


def test_a_word_of_a_closed_set_is_named_wherever_something_hangs_on_it() -> None:
    rooms = ("cli/", "fold/", "match/", "plan/", "push/", "report/", "state/")
    names = {path.relative_to(ROOT / "fsseg").as_posix(): path for path in SOURCES}
    bare = {
        name: [*_bare_words(ast.parse(path.read_text("utf-8")))]
        for name, path in names.items()
        if name.startswith(rooms) and name not in OTHERS_WORDS
    }
    assert {name: words for name, words in bare.items() if words} == {}


def _bare_words(tree: ast.Module) -> Iterator[str]:
    """Members of closed sets that are written as text where they are compared, matched, looked up or put into SQL."""
    quoted = re.compile(rf"(?<!DEFAULT )'({'|'.join(WORDS)})'")
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare | ast.MatchValue | ast.Subscript):
            inner = (part.value for part in ast.walk(node) if isinstance(part, ast.Constant))
            yield from (word for word in inner if word in WORDS)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (match[1] for match in quoted.finditer(node.value) if SQL.search(node.value))


def test_the_samples_hold_nothing_that_reads_like_a_secret() -> None:
    secret = re.compile(rb"token|secret|passw|api.?key|authorization|bearer", re.IGNORECASE)
    for path in sorted(path for path in (ROOT / "samples").rglob("*") if path.is_file()):
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        assert not secret.search(content), path.name


def test_every_sample_address_is_a_reserved_one() -> None:
    for path in sorted(path for path in (ROOT / "samples").rglob("*") if path.is_file()):
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        domains = re.findall(rb"@([\w.-]+\.\w+)", content)
        assert [domain for domain in domains if b".exa" not in b"." + domain.lower()] == []


@pytest.mark.parametrize("room", ["fold", "match", "plan", "push", "state"])
def test_the_sign_at_a_room_s_door_names_all_that_is_in_it(room: str) -> None:
    sign = ast.get_docstring(ast.parse((ROOT / "fsseg" / room / "__init__.py").read_text("utf-8"))) or ""
    named = set(re.findall(r"`(\w+)", sign))
    assert {path.stem for path in (ROOT / "fsseg" / room).glob("*.py")} - {"__init__"} - named == set()

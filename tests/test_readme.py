"""The README says what is: its output, help texts, exit codes, settings, files and commands are those of the program."""

from __future__ import annotations

import ast
import html
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from typer.main import get_command

from fsseg.cli.app import full_app
from fsseg.exit_codes import ExitCode
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.rules import Rules, compile_rules
from fsseg.settings import FILE_KEYS, MappingTables, Settings, load
from tests.picture import PICTURE, printed
from tests.readme import README, ROOT, fsseg, regenerated, steady

TEXT = README.read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def table(section: str) -> list[list[str]]:
    """The rows of the first table of a section, without its head."""
    rows = re.search(rf"^## {section}$.*?^\|---[^\n]*\n((?:\|[^\n]*\n)*)", TEXT, re.MULTILINE | re.DOTALL)
    assert rows, section
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[1].splitlines()]


def run_lines() -> list[str]:
    """Every `fsseg …` in the blocks of commands."""
    shown = "\n".join(
        re.findall(r"^\$ (.*(?<!\\)(?:\\\n.*)*)$", "".join(blocks("console")), re.MULTILINE) + blocks("sh")
    )
    return re.findall(r"(?:^|&& \.venv/bin/)fsseg (.*)", shown.replace("\\\n", ""), re.MULTILINE)


def told_lines() -> list[str]:
    """Every `fsseg …` within the sentences."""
    return re.findall(
        r"`(?:\.venv/bin/)?fsseg ([^`]+)`", re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    )


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the words begin with, and the rest of them."""
    command: Any = get_command(full_app())
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    return command, words


def test_what_it_shows_is_what_the_commands_print() -> None:
    again = regenerated(TEXT)
    assert steady(again) == steady(TEXT), "python -m tests.readme puts the present output in place"


def test_the_picture_and_the_lines_of_it_are_what_a_dry_run_prints() -> None:
    text = steady(printed())
    shown = "".join(re.findall(r"<text[^>]*>(.*?)</text>", PICTURE.read_text("utf-8")))
    drawn = "".join(steady(html.unescape(shown).replace("\xa0", " ")).split())
    assert drawn.endswith("".join(text.split())), "python -m tests.picture draws it anew"
    (excerpt, *_) = blocks("text")
    assert steady(excerpt) in text


@pytest.mark.parametrize("line", [line for line in run_lines() if "--help" not in line])
def test_every_command_it_gives_is_understood(line: str) -> None:
    command, words = command_of(shlex.split(line))
    assert command.name != "fsseg"
    command.make_context(command.name, words)


@pytest.mark.parametrize("line", told_lines())
def test_every_command_it_speaks_of_is_there(line: str) -> None:
    command, words = command_of([word for word in shlex.split(line) if word != "--help"])
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert command.name != "fsseg" or not words
    assert {word for word in words if word.startswith("--")} <= known


def test_it_names_every_command() -> None:
    for name in get_command(full_app()).commands:  # type: ignore[attr-defined]
        assert f"fsseg {name}" in TEXT


def test_its_line_on_a_command_is_the_commands_own() -> None:
    rows = {name.strip("`").removeprefix("fsseg "): said for name, said in table("Commands")}
    assert rows == {name: command.help.split("\n\n")[0] for name, command in _leaves(get_command(full_app()))}


def _leaves(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _leaves(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def test_the_exit_codes_are_those_of_the_program() -> None:
    (body,) = (node.body for node in ast.walk(ast.parse(inspect.getsource(ExitCode))) if isinstance(node, ast.ClassDef))
    meanings = [
        node.value.value for node in body[1:] if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ]
    expected = [(str(code.value), str(meaning)) for code, meaning in zip(ExitCode, meanings, strict=True)]
    assert [(code, f"{meaning[0].upper()}{meaning[1:]}.") for code, meaning in table("Exit codes")] == expected


def test_the_settings_it_shows_are_all_there_are_and_are_right(tmp_path: Path) -> None:
    (example,) = blocks("toml")
    path = tmp_path / "fsseg.toml"
    path.write_text(example, "utf-8")
    settings = load({}, path)
    assert set(given(settings.model_dump(exclude_unset=True, exclude={"config_file"}))) == set(
        possible(Settings, FILE_KEYS)
    )
    mapping = {name: entries for name, entries in settings.mapping.model_dump().items() if entries}
    compile_rules(Rules(mapping=mapping, id_field=settings.identity.id_field), Catalog.standard("classic"))


def given(values: dict[str, Any], path: str = "") -> Iterator[str]:
    """The dotted names of what is set; tables whose keys are names of the account's own are one name each."""
    for name, value in values.items():
        if isinstance(value, dict) and path not in ("mapping.", "defaults."):
            yield from given(value, f"{path}{name}.")
        else:
            yield f"{path}{name}"


def possible(model: type[BaseModel], names: set[str] | None = None, path: str = "") -> Iterator[str]:
    """The dotted names of what can be set in a file."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if names is not None and name not in names:
            continue
        if isinstance(kind, type) and issubclass(kind, BaseModel) and not get_args(kind):
            yield from possible(kind, None, f"{path}{name}.")
        else:
            yield f"{path}{name}"


def test_the_variables_it_names_are_those_that_are_read() -> None:
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "fsseg").rglob("*.py"))
    assert {row[0].strip("`") for row in table("Settings")} == set(re.findall(r"\bFSSEG_[A-Z_]+\b", source))


def test_the_files_it_names_are_those_that_a_run_leaves(tmp_path: Path) -> None:
    fsseg("fsseg import samples/messy.jsonl --config samples/fsseg.toml --sandbox --quiet", tmp_path)
    (run,) = tmp_path.glob(".local/state/fsseg/sandbox-classic/runs/*")
    assert {row[0].strip("`") for row in table("Files of a run")} == {path.name for path in run.iterdir()}


def test_its_test_command_is_what_ci_runs() -> None:
    (readme,) = (line for block in blocks("sh") for line in block.splitlines() if "pytest" in line)
    install, test = readme.split(" && ")[1:]
    steps = [
        line.removeprefix("step ")
        for line in (ROOT / ".ci/run").read_text("utf-8").splitlines()
        if line.startswith("step ")
    ]
    assert install == f".venv/bin/{steps[0]}"
    assert any(step.startswith(test.replace(".venv/bin/", "")) for step in steps)


@pytest.mark.parametrize("module", re.findall(r"`python -m ([\w.]+)", TEXT))
def test_every_module_it_tells_to_run_can_be_run(module: str) -> None:
    path = ROOT.joinpath(*module.split("."))
    assert path.with_suffix(".py").exists() or (path / "__main__.py").exists()


def test_a_mapping_table_exists_for_each_that_can_be_set() -> None:
    (example,) = blocks("toml")
    assert set(re.findall(r"^\[mapping\.(\w+)", example, re.MULTILINE)) == set(MappingTables.model_fields)


def test_what_is_compared_are_the_numbers_that_were_measured() -> None:
    measured = {row[0]: [cell.split(" (")[0] for cell in row[1:]] for row in _rows("Numbers")}
    compared = {row[0]: row[1] for row in table("How it compares")}
    for calls in ("identify", "track"):
        (said,) = (cell for name, cell in compared.items() if f"`{calls}` calls" in name)
        (found,) = (
            cells for name, cells in measured.items()
            if name in ("1,000 identify calls of 200 people", "1,000 track calls of known people") and calls in name
        )  # fmt: skip
        assert said == f"{found[0]} on classic, {found[1]} on Suite"
    (most,) = (cells for name, cells in measured.items() if name.startswith("10,000,000 events"))
    assert most[-1] in compared["at a time"]


def _rows(section: str) -> list[list[str]]:
    """The rows of all tables of a section."""
    text = TEXT.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]

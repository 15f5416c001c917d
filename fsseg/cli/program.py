"""The `fsseg` program around its commands: its version, `fsseg help COMMAND`, and mistakes in a command line."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from fsseg.cli.streams import CannotPrint, lead_nowhere
from fsseg.exit_codes import ExitCode

_LISTED = re.compile(r"<list\[(.*)\]>").fullmatch
_NO_CHOICE = re.compile(r"'([^']*)' is (?:not one|none) of (.*)$", re.DOTALL)
_NO_OPTION = re.compile(r"[Nn]o such option: --([\w-]+)")
_OPTIONS = re.compile(r"--([\w-]+)").findall
_LIKE = 0.55
_SUGGESTION = re.compile(r"^(?P<what>.*?)\.? ?(?P<hint>Did you mean .*\?|\(Possible options: .*\))$", re.DOTALL)


class Program(TyperGroup):
    """The commands, and one style for whatever is wrong with a command line."""

    def main(self, args: Sequence[str] | None = None, *_: Any, **extra: Any) -> None:
        """Run a command line and end the process with its exit code."""
        words = list(sys.argv[1:] if args is None else args)
        if not os.environ.get("COLUMNS", "").strip("0"):  # of a terminal that doesn't know, and nothing would be seen
            os.environ.pop("COLUMNS", None)
        _simplify_types(self, typer.Context(self, **self.context_settings))
        try:
            code = super().main(words, **{**extra, "prog_name": "fsseg", "standalone_mode": False})
            if sys.stdout is not None:
                sys.stdout.flush()
        except BrokenPipeError:  # nobody reads on, as Typer takes it where more is printed than the pipe holds
            lead_nowhere(sys.stdout)
            code = ExitCode.SOME_FAILED
        except CannotPrint as error:
            from fsseg.cli.errors import tell_end, unprinted

            code = tell_end(unprinted(error), as_json=False)
        except typer.Abort:
            from fsseg.cli.errors import Meaning, tell_end

            code = tell_end(Meaning(ExitCode.INTERRUPTED, "interrupted"), as_json="--json" in words)
        except TyperException as error:
            code = _tell_mistake(error, words, _path(self, words))
        sys.exit(code or ExitCode.DONE)


def _simplify_types(command: Any, context: typer.Context) -> None:
    """In the help of a command, and of those below it, show no type for options that take no value, and a plain one.

    Typer would show `<bool>`, as if one were to be given, and `<list[str]>`.
    """
    for option in command.get_params(context):
        if getattr(option, "is_flag", False):
            option.metavar = ""
        elif option.metavar is None and (listed := _LISTED(option.display_type_rich(context) or "")):
            option.metavar = f"<{listed[1]}>"
    for below in getattr(command, "commands", {}).values():
        _simplify_types(below, typer.Context(below, parent=context, **below.context_settings))


def _path(command: Any, words: Sequence[str]) -> str:
    """The command that a command line begins with, as `fsseg runs list`."""
    path = "fsseg"
    for word in words:
        if (command := getattr(command, "commands", {}).get(word)) is None:
            break
        path += f" {word}"
    return path


def _tell_mistake(error: TyperException, words: Sequence[str], path: str) -> int:
    text = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":  # the help is printed already
        return error.exit_code
    from fsseg.cli.errors import Meaning, tell_end

    text = text.replace("Value error, ", "")  # what pydantic puts before a choice that there isn't
    found = _SUGGESTION.match(text)
    text, suggested = (found["what"], found["hint"]) if found else (text, "")
    hints = [_as_question(suggested, text) or _closest_choice(text), f"{path} --help says what it takes"]
    text = text[:1].lower() + text[1:].rstrip(".")
    return tell_end(Meaning(ExitCode.USAGE, text, tuple(filter(None, hints))), as_json="--json" in words)


def _closest_choice(text: str) -> str:
    """Of what can be given instead of `'trak' is not one of 'identify', 'track'`, the closest."""
    if not (found := _NO_CHOICE.search(text)):
        return ""
    from fsseg.mapping.names import did_you_mean

    return did_you_mean(found[1], re.split(r"'?, '?", found[2].strip("'")))


def _as_question(suggested: str, text: str) -> str:
    """The suggestion as a question; of options only those that are like what was typed in more than a letter or two."""
    from difflib import get_close_matches

    if option := _NO_OPTION.search(text):
        close = get_close_matches(option[1], _OPTIONS(suggested), cutoff=_LIKE)
        return f"did you mean {', '.join(f'--{one}' for one in close)}?" if close else ""
    options = re.sub(r"^\(Possible options: (.*)\)$", r"did you mean \1?", suggested)
    return options[:1].lower() + options[1:]


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"fsseg {version('fsseg')}")
        raise typer.Exit


def program(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Segment's Freshsales destination as a batch importer: see what would change, then push it."""


def help_(
    context: typer.Context,
    command: Annotated[
        list[str] | None, typer.Argument(metavar="[COMMAND]...", help="Such as import, or runs prune.")
    ] = None,
) -> None:
    """Explain a command; without one, list them all."""
    context.find_root().command.main([*(command or ()), "--help"])

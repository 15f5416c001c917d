"""What several commands do with what they are given: durations, and asking before something goes for good."""

from __future__ import annotations

import sys


def duration(text: str, name: str) -> float:
    """Seconds of `90s`, `50m`, `3h`, `2d`. Raises `ConfigError` naming the flag."""
    from pydantic import TypeAdapter, ValidationError

    from fsseg.settings import ConfigError, Duration

    try:
        return float(TypeAdapter(Duration).validate_python(text))
    except ValidationError as error:
        if any(wrong["type"] == "greater_than" for wrong in error.errors()):
            raise ConfigError(f"{name}: it must be more than zero, not {text!r}") from None
        raise ConfigError(f"{name}: a duration reads like 90s, 50m, 3h or 2d, not {text!r}") from None


def is_terminal() -> bool:
    """Whether there is somebody to see and answer a question."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def agree(question: str, *, yes: bool) -> bool:
    """Whether to go on: told by `--yes`, else asked. Raises `ConfigError` where nobody can be asked."""
    if yes:
        return True
    if not is_terminal():
        from fsseg.settings import ConfigError

        raise ConfigError(f"{question} There is nobody to ask here", "give --yes")
    import typer

    return typer.confirm(question, err=True)

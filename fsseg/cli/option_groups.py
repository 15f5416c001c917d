"""Options in groups: a command's function takes dataclasses, and Typer is shown the options that they are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache, update_wrapper
from inspect import Parameter, Signature, signature
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints


class Setting(NamedTuple):
    """Where an option's value goes among the settings; an option without it says something about the command itself."""

    path: str
    read: Callable[[Any], Any] = lambda value: value


class Without(frozenset[str]):
    """The options of a group that a command doesn't take: they are as if they weren't given."""


@cache
def _options(group: type) -> dict[str, Any]:
    return get_type_hints(group, include_extras=True)


def command_line(function: Callable[..., None]) -> Callable[..., None]:
    """The function as Typer takes it: in the place of each group, the options that it is made of."""
    hints = get_type_hints(function, include_extras=True)
    groups: dict[str, tuple[type, list[str]]] = {}
    parameters: list[Parameter] = []
    for name, parameter in signature(function).parameters.items():
        hint = hints[name]
        group = get_args(hint)[0] if get_origin(hint) is Annotated else hint
        if not is_dataclass(group):
            parameters.append(parameter.replace(annotation=hint, kind=Parameter.KEYWORD_ONLY))
            continue
        assert isinstance(group, type)
        without = next((extra for extra in get_args(hint) if isinstance(extra, Without)), Without())
        assert without <= {field.name for field in fields(group)}
        taken = [field for field in fields(group) if field.name not in without]
        groups[name] = group, [field.name for field in taken]
        parameters += [
            Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=_options(group)[field.name])
            for field in taken
        ]

    def call(**given: Any) -> None:
        for name, (group, names) in groups.items():
            given[name] = group(**{field: given.pop(field) for field in names})
        function(**given)

    flat: Any = update_wrapper(call, function)
    flat.__signature__ = Signature(parameters)
    flat.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return call


def names_of(*groups: object) -> dict[str, str]:
    """What each setting that has an option is called on the command line: `filter.since` is `--since`."""
    found = {}
    for group in groups:
        kind: Any = type(group)
        for name, hint in _options(kind).items():
            option = "--" + name.strip("_").replace("_", "-")
            for extra in get_args(hint):  # Typer takes the first name that an option is given for its default
                named = getattr(extra, "default", None)
                option = named if isinstance(named, str) and named.startswith("--") else option
            found.update({extra.path: option for extra in get_args(hint) if isinstance(extra, Setting)})
    return found


def flags(*groups: object) -> dict[str, Any]:
    """The options as nested settings; those not given (None, False, empty) are left to the environment and the file."""
    settings: dict[str, Any] = {}
    for group in groups:
        kind: Any = type(group)
        for name, hint in _options(kind).items():
            value = getattr(group, name)
            if value is None or value is False or value == []:
                continue
            for setting in (extra for extra in get_args(hint) if isinstance(extra, Setting)):
                *sections, key = setting.path.split(".")
                level = settings
                for section in sections:
                    level = level.setdefault(section, {})
                level[key] = setting.read(value)
    return settings

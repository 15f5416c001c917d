"""What `fsseg inspect --suggest` says of traits and events without a place, and the lines that would take them."""

from __future__ import annotations

from typing import Any, NamedTuple

from rich.console import Console
from rich.text import Text

from fsseg.cli.known_fields import Known
from fsseg.cli.table import heading, print_sentence, print_table
from fsseg.figures import counted, number
from fsseg.mapping.inspection import Inspection
from fsseg.mapping.profiles import Profile
from fsseg.mapping.suggest import Suggester, Suggestion, closest_type, to_fill, toml, toml_lines
from fsseg.report.formats.text_lines import hanging

COMMENT_WIDTH = 100
"""Columns after which a comment goes on in a line of its own."""


class Homeless(NamedTuple):
    """A trait without a place, or one whose values don't fit, what it is like, and the line that would take it."""

    trait: str
    coverage: float
    profile: Profile
    suggestion: Suggestion | None
    place: str | None
    """Where it goes already, but for the values that don't fit."""
    to_fill: Suggestion | None
    """The commented line that would say which choices those values are."""

    @property
    def line(self) -> Suggestion | None:
        """The line to paste into the settings file."""
        return self.suggestion or self.to_fill


class UntypedEvent(NamedTuple):
    """A name of track calls that no activity type is named like, and the type that comes closest."""

    name: str
    events: int
    type: str | None


def homeless(inspection: Inspection, known: Known) -> list[Homeless]:
    """The traits to map, most frequent first."""
    assert inspection.profiles is not None
    traits, profiles = inspection.traits(), inspection.profiles
    reached = {place.name for trait in traits for place in trait.destination.places}
    suggester = Suggester(known.catalog, reached)
    found = []
    for trait in traits:
        profile = profiles.of.get((trait.trait, trait.member))
        silenced = trait.destination.hint == "left out by the mapping"
        if profile is None or not profile.count or silenced or (trait.destination.places and not trait.misfits):
            continue
        # What has a rule already can't be given another: a name stands once in a table.
        is_mapped = trait.name in inspection.mapped_traits
        suggestion = None if is_mapped else suggester.suggest(trait.name, profile)
        at = next(iter(trait.destination.places), None)
        place, field = (at.name, known.catalog.fields(at.entity).get(at.name)) if at else (None, None)
        if suggestion is not None and suggestion.field == place and "{" not in suggestion.line:
            suggestion = None  # it goes there as it is
        blank = to_fill(trait.name, profile, field) if field and not suggestion and not is_mapped else None
        found.append(Homeless(trait.name, trait.count / max(profiles.calls, 1), profile, suggestion, place, blank))
    return found


def untyped_events(inspection: Inspection, known: Known) -> list[UntypedEvent]:
    """The names of events that have no activity type of their own, most frequent first."""
    types = [kind.name for kind in known.catalog.activity_types.values()]
    named = {name.casefold() for name in types} | {name.casefold() for name in inspection.mapped_events}
    return [
        UntypedEvent(name, count, closest_type(name, types))
        for (kind, name), count in inspection.stats.names.most_common()
        if kind == "track" and name.casefold() not in named
    ]


def suggested_json(inspection: Inspection, known: Known) -> dict[str, Any]:
    """The suggestions as JSON values."""
    return {
        "traits": [
            {
                "trait": one.trait,
                "coverage": round(one.coverage, 3),
                "kind": one.profile.kind,
                "examples": one.profile.examples,
                "choices": one.profile.choices,
                "field": one.suggestion.field if one.suggestion else None,
                "table": one.suggestion.table if one.suggestion else None,
                "line": one.suggestion.line if one.suggestion else None,
                "to_fill": one.to_fill.line if one.to_fill else None,
            }
            for one in homeless(inspection, known)
        ],
        "events": [one._asdict() for one in untyped_events(inspection, known)],
    }


def print_suggestions(out: Console, inspection: Inspection, known: Known) -> None:
    """Print the traits without a place, what they are like, and the tables to paste."""
    traits, events = homeless(inspection, known), untyped_events(inspection, known)
    out.print()
    if not traits and not events:
        heading(out, "Every trait and event has its place.")
        return
    if unknown := known.unknown():
        print_sentence(out, unknown)
        out.print()
    if traits:
        heading(out, "Without a place, or not fitting")
        rows = [
            (f"{one.coverage:.0%}", one.trait, one.profile.kind,
             " | ".join(one.profile.choices or one.profile.examples),
             one.suggestion.field if one.suggestion else f"{one.place}, where some don't fit" if one.place
             else "nothing like it")
            for one in traits
        ]  # fmt: skip
        columns = ("of calls", "trait", "kind", "values", "field")
        print_table(out, columns, rows, right=("of calls",), giving=("values",))
        out.print()
    lines = paste(traits, events)
    if lines and all(line.startswith("# ") for line in lines):  # a remark, and nothing to paste
        print_sentence(out, " ".join(line.removeprefix("# ") for line in lines))
    elif lines:
        heading(out, "To paste into fsseg.toml")
        out.print(Text("\n".join(lines).rstrip()), soft_wrap=True)


def paste(traits: list[Homeless], events: list[UntypedEvent]) -> list[str]:
    """The lines to paste into the settings file."""
    lines = [*toml_lines(one.line for one in traits if one.line)]
    for one in events:
        if one.type:
            table = f"[mapping.event.{toml(one.name)}]  # {counted(one.events, 'event')}"
            lines += [table, f"type = {toml(one.type)}", ""]
    others = [f"{toml(one.name)} {number(one.events)}" for one in events if not one.type]
    if others:
        pieces = ["No activity type is named like these:", *(f"{other}," for other in others[:-1]), others[-1]]
        lines += [f"# {line.plain}" for line in hanging(Text(), pieces, 0, COMMENT_WIDTH)]
    return lines

"""The mapping part of a new settings file, made from what event files hold."""

from __future__ import annotations

from collections.abc import Iterator

from fsseg.cli.known_fields import Known
from fsseg.cli.suggest_text import Homeless, homeless, paste, untyped_events
from fsseg.figures import counted
from fsseg.mapping.catalog import EMAILS
from fsseg.mapping.coerce import BAD
from fsseg.mapping.field_types import coercer, expectation
from fsseg.mapping.fields import Field
from fsseg.mapping.inspection import Inspection
from fsseg.mapping.suggest import toml

TABLES = ("person", "account", "deal")
_EXAMPLES = ("2025-03-04", False, 0)
_PEOPLE_HAVE = EMAILS | {"first_name", "last_name", "name"}
"""Required fields that the destination's own rules fill."""


def mapping_text(inspection: Inspection, known: Known) -> str:
    """The tables, each line with how much of the calls it is for and what the values are like."""
    traits = homeless(inspection, known)
    lines = [*_defaults(traits, inspection, known), *_mapping(traits, inspection, known), *_events(inspection, known)]
    return "\n".join(lines) + "\n"


def _defaults(traits: list[Homeless], inspection: Inspection, known: Known) -> Iterator[str]:
    """The fields that this account requires of the records that the files make, to be filled in where no trait does."""
    places = {place.entity for trait in inspection.traits() for place in trait.destination.places}
    suggested = {one.suggestion.field.partition(".")[0] for one in traits if one.suggestion}
    nested = {"account": {"account", "lead.company", "company"}, "deal": {"deal", "lead.deal"}}
    made = [entity for entity, told in nested.items() if not told.isdisjoint(places | suggested)]
    for entity in (*known.catalog.people, *made):
        fields = [field for field in known.catalog.required(entity) if field.name not in _PEOPLE_HAVE]
        if fields:
            yield f"[defaults.{entity}]  # what this Freshsales requires of a new {entity}, where no trait fills it"
            yield from (f"# {field.name} = {toml(_example(field))}  # {expectation(field)}" for field in fields)
            yield ""


def _example(field: Field) -> object:
    """A value that the field takes."""
    coerce = coercer(field)
    candidates = (*(choice.text for choice in field.choices or ()), "Unknown", *_EXAMPLES)
    return next((value for value in candidates if coerce(value) is not BAD), "")


def _mapping(traits: list[Homeless], inspection: Inspection, known: Known) -> Iterator[str]:
    calls = inspection.stats.by_type["identify"]
    yield f"# Where traits go that find no field by their name, from {counted(calls, 'identify call')}."
    nothing = "no field is like it"
    if unknown := known.unknown():
        nothing = "no standard field is like it"
        yield f"# {unknown}"
    for table in TABLES:
        yield f"[mapping.{table}]"
        for one in traits:
            if one.suggestion and one.suggestion.table == table:
                yield f"{one.suggestion.line}  # {_remark(one)}"
            elif not one.suggestion and table == TABLES[0] and not one.to_fill:
                fate = f"goes to {one.place}, where some don't fit" if one.place else nothing
                yield f"# {_in_comment(one.trait)}: {fate}; {_remark(one)}"
            elif one.to_fill and one.to_fill.table == table:
                yield f"# {_in_comment(one.trait)}: goes to {one.place}, where some don't fit; {_remark(one)}"
                yield one.to_fill.line
        yield ""


def _remark(one: Homeless) -> str:
    values = _in_comment(" | ".join(one.profile.choices or one.profile.examples))
    return f"{one.coverage:.0%} of calls, {one.profile.kind}: {values}"


def _in_comment(text: str) -> str:
    return "".join(char for char in " ".join(text.split()) if char.isprintable())


def _events(inspection: Inspection, known: Known) -> Iterator[str]:
    yield from paste([], untyped_events(inspection, known))

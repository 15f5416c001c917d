"""The mapping part of a new settings file, made from what event files hold."""

from __future__ import annotations

from collections.abc import Iterator

from fsseg.cli.known_fields import Known
from fsseg.cli.suggest_text import Homeless, homeless, paste, untyped_events
from fsseg.figures import counted
from fsseg.mapping.catalog import EMAILS
from fsseg.mapping.field_types import expectation
from fsseg.mapping.inspection import Inspection

TABLES = ("person", "account", "deal")
_PEOPLE_HAVE = EMAILS | {"first_name", "last_name", "name"}
"""Required fields that the destination's own rules fill."""


def mapping_text(inspection: Inspection, known: Known) -> str:
    """The tables, each line with how much of the calls it is for and what the values are like."""
    return "\n".join([*_defaults(known), *_mapping(inspection, known), *_events(inspection, known)]) + "\n"


def _defaults(known: Known) -> Iterator[str]:
    """The fields that this account requires of new records, to be filled in where no trait does."""
    for entity in (*known.catalog.people, "account", "deal"):
        fields = [field for field in known.catalog.required(entity) if field.name not in _PEOPLE_HAVE]
        if fields:
            yield f"[defaults.{entity}]  # what this Freshsales requires of a new {entity}, where no trait fills it"
            yield from (f'# {field.name} = ""  # {expectation(field)}' for field in fields)
            yield ""


def _mapping(inspection: Inspection, known: Known) -> Iterator[str]:
    traits = homeless(inspection, known)
    calls = inspection.stats.by_type["identify"]
    yield f"# Where traits go that find no field by their name, from {counted(calls, 'identify call')}."
    for table in TABLES:
        yield f"[mapping.{table}]"
        for one in traits:
            if one.suggestion and one.suggestion.table == table:
                yield f"{one.suggestion.line}  # {_remark(one)}"
            elif not one.suggestion and table == TABLES[0]:
                yield f"# {' '.join(one.trait.split())}: no field is like it; {_remark(one)}"
        yield ""


def _remark(one: Homeless) -> str:
    values = " | ".join(one.profile.choices or one.profile.examples)
    shown = "".join(c for c in " ".join(values.split()) if c.isprintable())
    return f"{one.coverage:.0%} of calls, {one.profile.kind}: {shown}"


def _events(inspection: Inspection, known: Known) -> Iterator[str]:
    yield from paste([], untyped_events(inspection, known))

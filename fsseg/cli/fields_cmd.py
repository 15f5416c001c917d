"""`fsseg fields`: trait name ↔ internal name ↔ label ↔ type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fsseg.cli import entities
from fsseg.cli import options as o
from fsseg.cli.option_groups import command_line

if TYPE_CHECKING:
    from rich.console import Console

    from fsseg.cli.known_fields import Known
    from fsseg.mapping.explain import Explainer
    from fsseg.mapping.mistakes import MappingError
    from fsseg.mapping.rules import Rules

NESTED = {"lead": ("lead.company", "lead.deal")}
"""A lead's company and deal are nested in it, with fields of their own."""

HEADINGS = {
    "lead.company": "Company of a lead, from traits.company",
    "lead.deal": "Deal of a lead, from traits.deal",
    "account": "Account, from traits.company",
    "deal": "Deal, from traits.deal",
}


@command_line
def fields(
    entity: Annotated[
        str | None,
        typer.Argument(
            metavar="[lead|contact|account|deal]",
            help="Only this entity's; of a lead, its company's and deal's too.",
            parser=entities.entity,
            autocompletion=lambda: list(entities.ENTITIES),
            show_default=False,
        ),
    ] = None,
    choices: Annotated[bool, typer.Option("--choices", help="Show what a dropdown can be set to.")] = False,
    all: Annotated[bool, typer.Option("--all", help="Show fields that Freshsales keeps itself, too.")] = False,
    offline: o.Offline = False,
    *,
    account: o.AccountOptions,
    display: o.NoBars,
) -> None:
    """Show which trait reaches which field, its label and its type; fields of your own among them."""
    with o.command(account, display) as (settings, output):
        from fsseg.cli import known_fields
        from fsseg.cli.session import rules_of
        from fsseg.report.render import print_json
        from fsseg.settings import ConfigError

        known = known_fields.offline(settings) if offline else known_fields.online(settings, output)
        names = [name for name in ([entity] if entity else entities.ENTITIES) if known.catalog.fields(name)]
        if not names:
            raise ConfigError("Freshsales Suite has no leads: fsseg fields contact")
        rules = rules_of(settings, application_token=False, offline=offline)
        explain, mistake = _explainer(known, rules)
        if mistake and display.json:
            raise mistake
        shown = {one: _rows(known, explain, one) for name in names for one in (name, *NESTED.get(name, ()))}
        if display.json:
            head = {"account": known.account, "edition": known.catalog.edition, "source": known.source}
            print_json(output.consoles.out, {**head, "fields": shown})
        else:
            output.consoles.info(_title(known))
            for name, rows in shown.items():
                _print(output.consoles.out, name, [row for row in rows if all or row["writable"]], choices=choices)
        for name in names:
            if name in known.forbidden:
                output.consoles.error(f"this key may not read the {name} fields; these are the standard ones")
        if mistake:  # told below the names that it is mended by
            raise mistake


def _explainer(known: Known, rules: Rules) -> tuple[Explainer, MappingError | None]:
    """What tells where traits go; where the mapping has a mistake, that and what goes without the mapping."""
    from fsseg.mapping.explain import Explainer
    from fsseg.mapping.mistakes import MappingError
    from fsseg.mapping.rules import Rules

    try:
        return Explainer(known.catalog, rules), None
    except MappingError as error:
        return Explainer(known.catalog, Rules()), error


def _title(known: Known) -> str:
    return f"These are {known.words()}."


def _rows(known: Known, explain: Explainer, entity: str) -> list[dict[str, Any]]:
    from fsseg.mapping.catalog import describe

    reached = explain.traits(entity)
    held = known.catalog.fields(entity)
    rows = []
    for row in describe(known.catalog, entity):
        choices = held[row.name].choices
        rows.append(
            {
                **row._asdict(),
                "traits": list(dict.fromkeys([*reached.get(row.name, ()), row.trait])) if row.writable else [],
                "custom": held[row.name].custom,
                "choices": None if choices is None else [{"id": one.id, "text": one.text} for one in choices],
            }
        )
    return rows


def _print(out: Console, entity: str, rows: list[dict[str, Any]], *, choices: bool) -> None:
    from fsseg.cli.table import heading, print_table

    out.print()
    heading(out, HEADINGS.get(entity, entity.capitalize()))
    lines = []
    for row in rows:
        marks = [word for word in ("required",) if row[word]] + ([] if row["writable"] else ["kept by Freshsales"])
        if choices and row["choices"]:
            marks.append(", ".join(dict.fromkeys(one["text"] for one in row["choices"])))
        lines.append((", ".join(row["traits"]), row["name"], row["label"], row["type"], "; ".join(marks)))
    print_table(out, ("trait", "field", "label", "type", ""), lines, giving=("trait", "label"))

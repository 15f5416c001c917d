"""What `fsseg inspect` says of the inputs, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from rich.console import Console
from rich.text import Text

from fsseg.cli.known_fields import Known
from fsseg.cli.table import heading, print_sentence, print_table
from fsseg.figures import counted, number
from fsseg.mapping.counts import told
from fsseg.mapping.inspection import FileStats, InputStats, Inspection, TraitStats
from fsseg.report.console import glyphs, line_width, sanitise
from fsseg.report.formats.text_lines import reason_lines
from fsseg.report.model import ReasonRow, type_parts, warning_rows
from fsseg.report.reasons import REASONS
from fsseg.state.actions import EventOutcome

SPELLED = {"contact": "", "lead.company": "company.", "lead.deal": "deal.", "account": "company.", "deal": "deal."}


Imported = Mapping[str, str]
"""Files that a run imported wholly, and that run."""


def plain(
    inspection: Inspection, known: Known, imported: Imported, unopened: Iterable[tuple[str, str]]
) -> dict[str, Any]:
    """The whole inspection as JSON values, with the paths that there is no file at."""
    stats = inspection.stats
    return {
        "account": known.account,
        "edition": known.catalog.edition,
        "fields": known.source,
        "inputs": [_input(file, imported) for file in stats.files]
        + [
            {"path": path, "container": "", "events": 0, "bad": 0, "unreadable": fault.removeprefix(f"{path}: ")}
            for path, fault in unopened
        ],
        "events": {
            "read": stats.read,
            "by_type": dict(stats.by_type),
            "first": _time(stats.earliest),
            "last": _time(stats.latest),
            "duplicates": stats.duplicates,
        },
        "people": {
            "email_ids": len(stats.emails),
            "database_ids": len(stats.database_ids),
            "anonymous": len(stats.visitors),
            "exact": stats.exact,
        },
        "names": [{"type": kind, "name": name, "count": n} for (kind, name), n in stats.names.most_common()],
        "reasons": [
            {"code": code, "outcome": outcome, "count": n, "hint": REASONS[code].hint, "first": told(stats.first[code])}
            | ({"cause": cause} if (cause := stats.causes[code]) else {})
            for (outcome, code), n in stats.reasons.most_common()
        ],
        "traits": [_trait(trait) for trait in inspection.traits()],
        "warnings": inspection.other_warnings(),
        "unmet_events": [{"name": name, "hint": hint} for name, hint in inspection.unmet_events().items()],
    }


def _input(file: InputStats, imported: Imported) -> dict[str, Any]:
    return (
        {"path": file.path, "container": file.container}
        | ({"table": file.table} if file.table else {})
        | {"events": file.events, "bad": file.bad}
        | ({"first": _time(file.earliest), "last": _time(file.latest)} if file.latest else {})
        | ({"unreadable": file.unreadable} if file.unreadable else {})
        | ({"imported_by": imported[file.path]} if file.path in imported else {})
    )


def _trait(trait: TraitStats) -> dict[str, Any]:
    return {
        "trait": trait.name,
        "count": trait.count,
        "fields": [place._asdict() for place in trait.destination.places],
        "misfits": trait.misfits,
        "hint": trait.hint or trait.destination.hint,
        "first_misfit": trait.first or None,
    }


def print_inspection(out: Console, inspection: Inspection, known: Known, imported: Imported, top: int | None) -> None:
    """Print the files, events, people, names, what is left out, and the traits; of each list the first `top`."""
    stats = inspection.stats
    heading(out, _events(stats))
    files = [
        (file.path, _kind(file), number(file.events), _days(file), _remark(file.bad, imported.get(file.path)))
        for file in stats.files[:top]
    ]
    columns = ("file", "container", "events", "days", "")
    print_table(out, columns, files, right=("events",), giving=("file",), ends=("file",))
    _more(out, len(stats.files), top)
    out.print()
    _sentences(out, stats)
    if stats.names:
        _section(out, "Events and pages")
        names = [(number(n), kind, name) for (kind, name), n in stats.names.most_common(top)]
        print_table(out, ("count", "type", "name"), names, right=("count",))
        _more(out, len(stats.names), top)
    for name, hint in inspection.unmet_events().items():
        print_sentence(out, f"Not in these files, but in the settings: event {name!r}{hint and f'; {hint}'}")
    _left_out(out, stats)
    traits = inspection.traits()
    if traits:
        _section(out, f"Traits, by {known.words()}")
        rows = [(number(trait.count), trait.name, *_whither(trait)) for trait in islice(traits, top)]
        styles = ["" if trait.destination.places else "yellow" for trait in islice(traits, top)]
        print_table(out, ("count", "trait", "field", "type", ""), rows, right=("count",), styles=styles)
        _more(out, len(traits), top)
        _ignored(out, traits, top)
    _warnings(out, inspection, top)


def _warnings(out: Console, inspection: Inspection, top: int | None) -> None:
    for row in warning_rows({"warnings": inspection.other_warnings()}):
        names = [f"{name} {number(count)}" + (f" ({hint})" if hint else "") for name, count, hint in row.names[:top]]
        more = [f"and {number(len(row.names) - len(names))} more"] if len(row.names) > len(names) else []
        print_sentence(out, f"Warning {row.code}: {', '.join([*names, *more]) or number(row.count)}; {row.hint}")


def _section(out: Console, title: str) -> None:
    out.print()
    heading(out, title)


def _events(stats: FileStats) -> str:
    return " · ".join([counted(stats.read, "event"), *type_parts(dict(stats.by_type.most_common()), stats.read)])


def _sentences(out: Console, stats: FileStats) -> None:
    about = "" if stats.exact else "about "
    lines = []
    if stats.earliest:
        lines.append(f"From {stats.earliest[:19].replace('T', ' ')} to {stats.latest[:19].replace('T', ' ')} UTC.")
    people, visitors = len(stats.emails) + len(stats.database_ids), counted(len(stats.visitors), "anonymous visitor")
    ids = f"{number(len(stats.emails))} with an e-mail as userId, {number(len(stats.database_ids))} with a database id"
    lines.append(f"Users: {about}{number(people)} ({ids}); {visitors}.")
    if stats.duplicates:
        lines.append(f"Duplicates: {about}{number(stats.duplicates)}, taken once.")
    for line in lines:
        print_sentence(out, line)


def _left_out(out: Console, stats: FileStats) -> None:
    for outcome, title in ((EventOutcome.REJECTED, "Rejected"), (EventOutcome.SKIPPED, "Skipped")):
        rows = [
            ReasonRow(
                code, outcome, n, REASONS[code].hint, sanitise(told(stats.first[code])), sanitise(stats.causes[code])
            )
            for (kind, code), n in stats.reasons.most_common()
            if kind == outcome
        ]
        if rows:
            _section(out, f"{title}: {counted(sum(row.count for row in rows), 'event')}")
            for line in reason_lines(rows, line_width(out)):
                out.print(line, soft_wrap=True)


def _ignored(out: Console, traits: list[TraitStats], top: int | None) -> None:
    """The ignored ones that the table had no room for."""
    rest = [trait for trait in traits[top:] if not trait.destination.places] if top else []
    if rest:
        names = ", ".join(f"{trait.name} {number(trait.count)}" for trait in rest[:top])
        more = f", and {number(len(rest) - top)} more" if top and len(rest) > top else ""
        heading(out, f"Ignored too: {names}{more}")


def _whither(trait: TraitStats) -> tuple[str, str, str]:
    places = trait.destination.places
    names = dict.fromkeys(SPELLED.get(place.entity, "") + place.name for place in places)
    types = dict.fromkeys(place.type for place in places)
    remark = "" if places else f"ignored; {trait.destination.hint}".rstrip("; ")
    if trait.misfits:
        verb = "doesn't" if trait.misfits == 1 else "don't"
        remark = f"{number(trait.misfits)} {verb} fit: {trait.hint} (first: {trait.first})"
    return ", ".join(filter(None, names)), ", ".join(types), remark


def _kind(file: InputStats) -> str:
    return f"{file.container}: {file.table}" if file.table else file.container or "?"


def _days(file: InputStats) -> str:
    first, last = file.earliest[:10], file.latest[:10]
    return first if first == last else f"{first} to {last}"


def _remark(bad: int, run: str | None) -> str:
    return "; ".join([f"{number(bad)} unusable"] * (bad > 0) + [f"imported by run {run}"] * (run is not None))


def _more(out: Console, count: int, top: int | None) -> None:
    if top is not None and count > top:
        dots = glyphs(out).ellipsis
        out.print(Text(f"  {dots} and {number(count - top)} more: --top 0 lists all", style="dim"), soft_wrap=True)


def _time(time: str) -> str | None:
    return f"{time}Z" if time else None

"""What a run holds of one person or event name, told by its plan and by its inputs, read again as the run read them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, cast

from fsseg.account.fields import cached_fields
from fsseg.cli.past_runs import Past
from fsseg.cli.session import rules_of
from fsseg.mapping.catalog import Edition
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.mistakes import MappingError
from fsseg.mapping.warning_counter import WarningCounter
from fsseg.report.history import History, history_of, keys_of, left_out_events
from fsseg.report.labels import choice_names
from fsseg.settings import ConfigError, kept
from fsseg.state.database import StateError
from fsseg.state.person_rows import has_written, records_of
from fsseg.state.run_folder import readable_runs

_MOST_RUNS = 100
"""Earlier runs that are looked into."""


class _Earlier(NamedTuple):
    """Earlier runs that have the person, those that wrote something of them first, and all their person keys."""

    runs: tuple[str, ...]
    keys: frozenset[str]


def person_history(past: Past, person: str, say: Callable[[str], None]) -> History | None:
    """What happened to the person with this e-mail, userId or id; None where the run's plan can't be read any more."""
    mapper, names = _mapper(past), choice_names(past.run.info.edition, past.run.account_folder)
    dry_run = bool(past.summary.get("dry_run"))
    try:
        with past.run.reading() as store:
            earlier = None if records_of(store, person) else _earlier(past, person)
            others = earlier.keys if earlier else ()
            history = history_of(store, person, mapper, names, dry_run=dry_run, other_keys=others)
            if not history.has_duplicates:
                return history
            earlier = earlier or _earlier(past, person)
            if not earlier.keys <= history.keys:
                history = history_of(store, person, mapper, names, dry_run=dry_run, other_keys=earlier.keys)
            return history._replace(earlier=earlier.runs)
    except StateError as error:
        say(f"which events came in of {person} can't be told any more: {error}")
        return None


def event_history(past: Past, name: str, say: Callable[[str], None]) -> History | None:
    """The events of that name that were left out; None where the run's plan can't be read any more."""
    mapper = _mapper(past)
    try:
        with past.run.reading() as store:
            return left_out_events(store, name, mapper) if mapper else None
    except StateError as error:
        say(f"which events {name} were left out can't be told any more: {error}")
        return None


def earlier_runs(past: Past, person: str) -> tuple[str, ...]:
    """The runs before this one that have that person, those that wrote something of them first."""
    return _earlier(past, person).runs


def _earlier(past: Past, person: str) -> _Earlier:
    """What the latest runs before this one that may have written something know of that person."""
    info, wrote, read, keys = past.run.info, list[str](), list[str](), set[str]()
    before = (
        (told.started_at, run)
        for run, told in readable_runs(past.run.account_folder)
        if told.started_at < info.started_at and not told.dry and told.command in ("import", "apply")
    )
    for _, run in sorted(before, key=lambda each: each[0], reverse=True)[:_MOST_RUNS]:
        with suppress(StateError), run.reading() as store:
            records = records_of(store, person)
            keys |= {key for record in records if record.kind == "person" for key in keys_of(record)}
            if has_written(store, records):
                wrote.append(run.id)
            elif any(record.sources for record in records):
                read.append(run.id)
    return _Earlier((*wrote, *read), frozenset(keys))


def _mapper(past: Past) -> Mapper | None:
    """As the run had it; None where its settings or the fields of the account don't let it be made any more."""
    info = past.run.info
    with suppress(ConfigError, MappingError):
        rules = rules_of(kept(info.settings, info.id), application_token=True, offline=True)
        catalog = cached_fields(past.run.account_folder, cast("Edition", info.edition))
        return Mapper(catalog, rules, WarningCounter())
    return None

"""What a run holds of one person or event name, told by its plan and by its inputs, read again as the run read them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import cast

from fsseg.cli.past_runs import Past
from fsseg.cli.session import cached_fields, rules_of
from fsseg.freshsales.account import Account
from fsseg.mapping.catalog import Edition
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.mistakes import MappingError
from fsseg.mapping.warning_counter import WarningCounter
from fsseg.report.history import History, history_of, left_out_events
from fsseg.report.labels import choice_names
from fsseg.settings import ConfigError, Settings
from fsseg.state.database import StateError
from fsseg.state.person_rows import records_of
from fsseg.state.run_folder import readable_runs

_MOST_RUNS = 100
"""Earlier runs that are looked into."""

_FEW = 3
"""Earlier runs that are named."""


def person_history(past: Past, person: str, say: Callable[[str], None]) -> History | None:
    """Of somebody who is named by an e-mail, a userId or an id; None where the run's plan can't be read any more."""
    try:
        with past.run.reading() as store:
            names = choice_names(past.run.info.edition, past.run.folder.parent.parent)
            history = history_of(store, person, _mapper(past), names, dry_run=bool(past.summary.get("dry_run")))
    except StateError as error:
        say(f"which events came in of {person} can't be told any more: {error}")
        return None
    return history._replace(earlier=_earlier(past, person)) if history.has_duplicates else history


def event_history(past: Past, name: str, say: Callable[[str], None]) -> History | None:
    """The events of that name that were left out; None where the run's plan can't be read any more."""
    mapper = _mapper(past)
    try:
        with past.run.reading() as store:
            return left_out_events(store, name, mapper) if mapper else None
    except StateError as error:
        say(f"which events {name} were left out can't be told any more: {error}")
        return None


def _earlier(past: Past, person: str) -> tuple[str, ...]:
    """The latest runs before this one that have written something and have records of that person."""
    info, found = past.run.info, list[str]()
    before = (
        (told.started_at, run)
        for run, told in readable_runs(past.run.folder.parent.parent)
        if told.started_at < info.started_at and not told.dry and told.command in ("import", "apply")
    )
    for _, run in sorted(before, key=lambda each: each[0], reverse=True)[:_MOST_RUNS]:
        with suppress(StateError), run.reading() as store:
            found += [run.id] if any(record.sources for record in records_of(store, person)) else []
        if len(found) == _FEW:
            break
    return tuple(found)


def _mapper(past: Past) -> Mapper | None:
    """As the run had it; None where its settings or the fields of the account don't let it be made any more."""
    info = past.run.info
    with suppress(ConfigError, MappingError):
        rules = rules_of(Settings.model_validate(info.settings), application_token=True, offline=True)
        catalog = cached_fields(past.run.folder.parent.parent, Account(cast("Edition", info.edition), "", info.account))
        return Mapper(catalog, rules, WarningCounter())
    return None

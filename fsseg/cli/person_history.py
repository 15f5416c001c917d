"""What a run holds of one person, told by its plan and by its inputs, read again as the run has read them."""

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
from fsseg.report.history import History, history_of
from fsseg.report.labels import choice_names
from fsseg.settings import ConfigError, Settings
from fsseg.state.database import StateError


def person_history(past: Past, person: str, say: Callable[[str], None]) -> History | None:
    """Of somebody who is named by an e-mail, a userId or an id; None where the run's plan can't be read any more."""
    try:
        with past.run.reading() as store:
            names = choice_names(past.run.info.edition, past.run.folder.parent.parent)
            return history_of(store, person, _mapper(past), names, dry_run=bool(past.summary.get("dry_run")))
    except StateError as error:
        say(f"which events came in of {person} can't be told any more: {error}")
        return None


def _mapper(past: Past) -> Mapper | None:
    """As the run had it; None where its settings or the fields of the account don't let it be made any more."""
    info = past.run.info
    with suppress(ConfigError, MappingError):
        rules = rules_of(Settings.model_validate(info.settings), application_token=True, offline=True)
        catalog = cached_fields(past.run.folder.parent.parent, Account(cast("Edition", info.edition), "", info.account))
        return Mapper(catalog, rules, WarningCounter())
    return None

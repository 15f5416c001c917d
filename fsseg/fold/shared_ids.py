"""Ids that more people share than one person has e-mails: each of their e-mails is a person, and the id is nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fsseg.fold.group import Emails, by_key, contributions
from fsseg.fold.merge import State, fold
from fsseg.fold.partitions import Row
from fsseg.mapping.intents import EVENT_EMAIL, EVENTS, PersonIntent
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.timeline import entry_email
from fsseg.mapping.warning_counter import WarningCounter
from fsseg.segment import json_codec
from fsseg.segment.email_key import email_key

MOST_EMAILS = 3
"""Different e-mails that one person may have in an input."""


def shared_ids(emails: Emails) -> set[str]:
    """The keys of the ids that are no person's."""
    return {key for key, told in emails.items() if len(told) > MOST_EMAILS}


def states_by_email(people: Iterable[list[Row]], shared: set[str], mapper: Mapper) -> dict[str, State]:
    """What is said with these ids, person by person, by the key of the e-mail."""
    by_email: dict[str, list[Row]] = {}
    for rows_by_key in by_key(people):
        for key in shared & rows_by_key.keys():
            for row in _of_emails(rows_by_key[key], mapper):
                by_email.setdefault(row[0], []).append(row)
    # What is wrong with these calls was told when they were mapped as one person's.
    return {key: fold(contributions(rows, mapper, WarningCounter(), [], {})) for key, rows in by_email.items()}


def _of_emails(rows: list[Row], mapper: Mapper) -> Iterator[Row]:
    for key, position, time, event, user, traits in rows:
        if user is None:  # a group call, which tells no e-mail, or a call that sets fields, which may
            email = json_codec.loads(traits).get(EVENTS, {}).get(EVENT_EMAIL)
            if email:
                yield f"@{email_key(email)}", position, time, event, None, traits
            continue
        mapped = mapper.person(key, user, json_codec.loads(traits))
        if isinstance(mapped, PersonIntent):
            email = mapped.parts[""]["email"]
            yield f"@{email_key(email)}", position, time, event, email, traits


def entries_by_email(blocks: Iterable[list[Row]], shared: set[str]) -> Iterator[list[Row]]:
    """The entries, those of these ids by the e-mail that they came with, if any."""
    for rows in blocks:
        yield [_by_email(row) if row[0] in shared else row for row in rows]


def _by_email(row: Row) -> Row:
    email = entry_email(row[4], row[5])
    return f"@{email_key(email)}" if email else "?", *row[1:]

"""The part of a run's records and failed events that is about one person, one event name or one reason."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from fsseg.report.changes import Change, entry_told
from fsseg.report.files import email_of

_COLON = re.compile(": ")


class Selection(Struct, frozen=True):
    """What is looked for; whatever is given has to fit, in any case of letters."""

    person: str | None = None
    """An e-mail, a userId, or the id of a record in Freshsales."""
    event: str | None = None
    """A name of a track or page event."""
    reason: str | None = None
    """The code of a reason or warning."""
    names: tuple[str, ...] = ()
    """What else the run calls that person."""

    def __bool__(self) -> bool:
        return any((self.person, self.event, self.reason))

    def __str__(self) -> str:
        return " and ".join(filter(None, (self.person, self.event, self.reason)))

    def takes_change(self, change: Change) -> bool:
        """Whether a line of changes.jsonl is about it; deals are about their contacts too."""
        fields = change.get("fields") or {}
        after = {name: (both or {}).get("after") for name, both in fields.items()}
        people = [
            change.get("key"),
            change.get("id"),
            change.get("person"),
            *_listed(after.get("contacts")),
            after.get("email"),
        ]
        warnings = [
            each.get("code") if isinstance(each, dict) else str(each).partition(":")[0]
            for each in change.get("warnings") or ()
        ]
        title = entry_told(change, "title") if change.get("entity") == "timeline" else ""
        # A title is the event's name, or that and a colon before what matters most of it.
        names = [title, *(title[: at.start()] for at in _COLON.finditer(title))]
        return self._is_of(people) and _fits(self.event, names) and _fits(self.reason, warnings)

    def takes_failure(self, failure: dict[str, Any]) -> bool:
        """Whether a line of failures.jsonl is about it."""
        about = failure.get("_fsseg") or {}
        people = [failure.get("userId"), failure.get("anonymousId"), email_of(failure), about.get("key")]
        names = [failure.get("event"), failure.get("name")]
        return self._is_of(people) and _fits(self.event, names) and _fits(self.reason, [about.get("code")])

    def _is_of(self, people: list[Any]) -> bool:
        return any(_fits(name, people) for name in (self.person, *self.names))


def _listed(held: Any) -> list[Any]:
    return held if isinstance(held, list) else [held]


def _fits(wanted: str | None, told: list[Any]) -> bool:
    if not wanted:
        return True
    text = wanted.strip().removeprefix("#").casefold()
    return any(str(each).casefold() == text for each in told if each is not None)

"""What the map stage gives for one event: intents, plain data that the fold stage merges."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from msgspec import Struct

from fsseg.mapping.warning_counter import MappingWarning

Cells = dict[str, Any]
"""Cell name → the value exactly as it goes onto the wire; None clears.

A cell is named by the Freshsales internal name, flat, custom fields by `cf_…`. Where leads and contacts disagree on a
field the name starts with `lead:` or `contact:`, since which of the two the person is shows only later. Among a
person's cells are `email`, as written, and `$contact` (bool) if the event said whether it is a contact.
"""

MISFIT = "$bad:"
"""Before the name of a trait: the cell that tells of a value that didn't fit, as text, and what does."""

MISFIT_OF = "$bad {}:"
"""The same where the value fits one of lead and contact, for the other: it is told where the person is that."""

ANY_MISFIT = "$bad"
"""What both begin with."""

UNITED = ("tags",)
"""Fields that hold what others have put there, too, so that they are only added to; null alone empties them."""

ONE_OF = "$one of "
"""Begins the cell of one that such a field holds, before the field's own cell, a blank, and what it is, folded."""

UNSAID: Cells = {}
"""The value of a cell of which nothing is said any more, so that what earlier events said of it doesn't count."""

BY_ID = " "
"""Begins the key of a deal that is known by an id of its own; no folded name begins so."""

OF_COMPANY = "$account"
"""The cell of a deal that names the part of the company that came with it."""

EVENTS = "events"
"""The part of what track and page calls say of a person.

A cell is named by `first`, `last`, `count` or `sum`, and the cell of the field."""

EVENT_EMAIL = "$email"
"""The cell of that part with the address that the call itself gives."""

Parts = dict[str, Cells]
"""`""` is the person, `company:<folded name>` its company, `deal:<folded name>` its deal; these two hold `name`."""

Via = Literal["sales_activity", "tracking", "note"]


class PersonIntent(Struct, frozen=True, gc=False):
    """An identify call. `key` is `@` + folded e-mail where the userId is an e-mail, else `#` + userId."""

    key: str
    parts: Parts
    warnings: list[MappingWarning]


class EntryIntent(Struct, frozen=True, gc=False):
    """A track or page call: one timeline entry. `key` is a person's key, or `?` + anonymousId if it is to be stitched.

    `payload` is a JSON object: `kind` (track or page), `name`, `via`, `type_id` (the sales activity type; null via
    `tracking` and `note`, and offline, where types are unknown), `message_id`, and `properties` as sent, plus the
    page's `url` if missing; also `titled`, true where its title tells of these as well.
    """

    key: str
    payload: bytes


class AccountIntent(Struct, frozen=True, gc=False):
    """A group call: one `company:<folded name>` part, and the key of the person who belongs to it."""

    parts: Parts
    person_key: str | None
    warnings: list[MappingWarning] = []


class Refused(NamedTuple):
    """The event cannot be mapped; `detail` says what is wrong with it, in one sentence."""

    code: str
    detail: str


Mapped = PersonIntent | EntryIntent | AccountIntent | Refused

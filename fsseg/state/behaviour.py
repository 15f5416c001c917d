"""How an account was found to behave, where accounts differ: kept beside its ledger, with the day it was found."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from msgspec import MsgspecError, Struct
from msgspec.json import decode, encode
from msgspec.structs import replace

from fsseg.state.private_file import write_text

FILE = "behaviour.json"


class Behaviour(Struct, frozen=True):
    """What a probe has found; None is what it could not tell."""

    probed_at: str = ""
    """UTC, ISO 8601; empty where there was no probe."""
    custom_fields: Literal["merge", "replace"] | None = None
    """What the custom fields of a single write do to those that it doesn't name."""
    bulk_custom_fields: Literal["merge", "replace"] | None = None
    """The same of a bulk write."""
    null: Literal["clears", "ignored"] | None = None
    choices: Literal["dropped", "refused"] | None = None
    """What becomes of a text that a custom dropdown doesn't offer."""
    lookup_lag: float | None = None
    """Seconds until look-ups found a new contact."""
    deal_contacts: Literal["kept", "lost"] | None = None
    """What becomes of the contacts of deals that are made in bulk."""
    lacks_bulk: bool = False
    """Whether the account was last seen to have no bulk."""


def read_behaviour(folder: Path) -> Behaviour | None:
    """What was found of the account whose folder this is; None where that was never asked, or can't be read."""
    try:
        return decode((folder / FILE).read_bytes(), type=Behaviour)
    except (OSError, MsgspecError):
        return None


def seen_behaviour(folder: Path) -> Behaviour:
    """What was seen of the account, which may be nothing yet."""
    return read_behaviour(folder) or Behaviour()


def note_deal_contacts(folder: Path, seen: Literal["kept", "lost"]) -> None:
    """Deals made in bulk were seen to keep their contacts, or to lose them; another probe may tell otherwise."""
    write_behaviour(folder, replace(seen_behaviour(folder), deal_contacts=seen))


def note_bulk_replaces(folder: Path) -> None:
    """Bulk was seen to empty the custom fields that it doesn't name; another probe may tell otherwise."""
    write_behaviour(folder, replace(seen_behaviour(folder), bulk_custom_fields="replace"))


def note_lacks_bulk(folder: Path, lacks: bool) -> None:
    """The account was seen to have no bulk, or to have it again."""
    seen = seen_behaviour(folder)
    if lacks != seen.lacks_bulk:
        write_behaviour(folder, replace(seen, lacks_bulk=lacks))


def write_behaviour(folder: Path, behaviour: Behaviour) -> None:
    """Keep it for later runs."""
    write_text(folder / FILE, encode(behaviour).decode())

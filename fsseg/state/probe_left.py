"""What probes have in the account at this moment: kept beside its ledger, as one may be killed."""

from __future__ import annotations

from pathlib import Path

from msgspec import MsgspecError
from msgspec.json import decode, encode

from fsseg.freshsales.names import Entity
from fsseg.state.private_file import write_text

FILE = "probe.json"

Sent = dict[Entity, int | None]
"""The ids of a probe's records; None where it isn't known whether there is one."""


def read_left(folder: Path) -> dict[str, Sent]:
    """The records that are there, or may be, by the token in their names; none where the file can't be read."""
    try:
        return decode((folder / FILE).read_bytes(), type=dict[str, Sent])
    except (OSError, MsgspecError):
        return {}


def keep_left(folder: Path, token: str, sent: Sent) -> None:
    """Keep what the probe of this token has there; nothing of one that has deleted all of it."""
    left = {**read_left(folder), token: sent}
    left = {token: sent for token, sent in left.items() if sent}
    if left:
        write_text(folder / FILE, encode(left).decode())
    else:
        (folder / FILE).unlink(missing_ok=True)

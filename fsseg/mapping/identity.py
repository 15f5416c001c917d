"""Who an event is about: what is an e-mail address, and the keys of people."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from fsseg.segment.email_key import email_key
from fsseg.segment.event import Message

# The parts never overlap, so that no text makes it try twice. (Python 3.11 gets possessive repeats of groups wrong.)
_ORDINARY: Final = re.compile(
    r"[\w!#$%&'*+/=?^`{|}~-]++(?:\.[\w!#$%&'*+/=?^`{|}~-]++)*"
    r"@(?:[A-Za-z0-9]++(?:-++[A-Za-z0-9]++)*\.)+[A-Za-z]{2,63}",
    re.ASCII,
).fullmatch
_LONGEST = 254
_DECORATION = 200
"""Characters that may stand around an address."""
_WITH_NAME: Final = re.compile(r"[^<>]*<([^<>]+)>\s*").fullmatch
_MAILTO: Final = re.compile(r"mailto:([^?]*)(?:\?.*)?", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Whether the trimmed text is an e-mail address, by its form alone."""
    if "@" not in text or len(text) > _LONGEST:
        return False
    return _ORDINARY(text) is not None or _is_unusual_address(text)


@lru_cache(maxsize=10_000)
def _is_unusual_address(text: str) -> bool:
    # Imported here: most runs meet no address beyond the ordinary, and the package takes its time to load.
    from email_validator import EmailNotValidError, validate_email

    try:
        validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


def address(value: object) -> str | None:
    """The address that a value holds, without blanks, invisible characters, `mailto:` and the name of its owner."""
    return _address(value) if isinstance(value, str) else None


@lru_cache(maxsize=1_000)
def _address(text: str) -> str | None:
    """As `address`, and remembered, since events of the same person often follow each other."""
    text = text.strip()
    if _ORDINARY(text) is not None:
        return text if len(text) <= _LONGEST else None
    if "@" not in text or len(text) > _LONGEST + _DECORATION:
        return None
    bare = _bare(text)
    return bare if is_address(bare) else None


def _bare(text: str) -> str:
    visible = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Cc"))
    if found := _WITH_NAME(visible):
        visible = found[1]
    return _MAILTO.sub(r"\1", visible.strip()).strip()


def user_id(message: Message) -> str:
    """The userId, trimmed; empty for an anonymous message."""
    return message.user_id.strip() if message.user_id else ""


def person_key(user: str) -> str:
    """The key of the person with a userId: `@` and the `email_key` of an e-mail, else `#` and the id; or nothing."""
    if "@" in user and (email := _address(user)):
        return f"@{email_key(email)}"
    return f"#{user}" if user else ""

"""Who an event is about: what is an e-mail address, and the keys of people."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from fsseg.segment.event import Message

# The parts never overlap, so that no text makes it try twice. (Python 3.11 gets possessive repeats of groups wrong.)
_ORDINARY: Final = re.compile(
    r"[\w!#$%&'*+/=?^`{|}~-]++(?:\.[\w!#$%&'*+/=?^`{|}~-]++)*"
    r"@(?:[A-Za-z0-9]++(?:-++[A-Za-z0-9]++)*\.)+[A-Za-z]{2,63}",
    re.ASCII,
).fullmatch
_LONGEST = 254


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
    """The value, trimmed, if it is an address."""
    return _address(value) if isinstance(value, str) else None


@lru_cache(maxsize=1_000)
def _address(text: str) -> str | None:
    """Events of the same person often follow each other."""
    text = text.strip()
    return text if is_address(text) else None


def user_id(message: Message) -> str:
    """The userId, trimmed; empty for an anonymous message."""
    return message.user_id.strip() if message.user_id else ""


def person_key(user: str) -> str:
    """The key of the person with a userId: `@` + e-mail, folded, or `#` + what is no e-mail; empty where it is."""
    if "@" in user and is_address(user):
        return f"@{user.casefold()}"
    return f"#{user}" if user else ""

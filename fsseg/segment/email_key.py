"""By what an e-mail address is known, however it is spelled."""

from __future__ import annotations

from functools import lru_cache
from unicodedata import normalize

_PUNYCODE = "xn--"


def email_key(address: str) -> str:
    """The address without regard to case, of any script, and to how a domain in other letters is written."""
    folded = address.strip().casefold()
    return folded if folded.isascii() and _PUNYCODE not in folded else _of_any_script(folded)


@lru_cache(maxsize=10_000)
def _of_any_script(folded: str) -> str:
    mailbox, at, domain = folded.rpartition("@")
    labels = ".".join(map(_in_letters, domain.split(".")))
    return normalize("NFC", normalize("NFC", f"{mailbox}{at}{labels}").casefold())


def _in_letters(label: str) -> str:
    if not label.startswith(_PUNYCODE):
        return label
    try:
        return label.removeprefix(_PUNYCODE).encode("ascii").decode("punycode")
    except UnicodeError:
        return label

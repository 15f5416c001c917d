"""Which Freshsales: edition and address of one account."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

Edition = Literal["classic", "suite"]

_SUITE_PATH = "/crm/sales"
_DOMAINS: dict[str, Edition] = {
    ".freshsales.io": "classic",
    ".myfreshworks.com": "suite",
    ".freshworks.com": "suite",
}
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST = 253
"""Characters in a host name."""


class ConfigError(ValueError):
    """The account's address or edition is missing or makes no sense; the message says what to give."""


class Account(Struct, frozen=True):
    """One account: REST stands at `{base_url}/api/…`, tracking at `{base_url}/track/…`.

    `host` names it in folders and reports (`acme.freshsales.io`): the port belongs to it where it is not the usual one,
    and so does a path that isn't Freshworks' own, since behind one gateway there may be several accounts.
    """

    edition: Edition
    base_url: str
    host: str

    @property
    def loopback(self) -> bool:
        """Whether it is on this machine: nothing leaves it, so plain http is fine."""
        return _is_loopback(urlsplit(self.base_url).hostname or "")


def resolve(domain: str | None, edition: str | None = None, base_url: str | None = None) -> Account:
    """The account meant by what a person typed.

    `domain` is a name (`acme`: classic unless `edition` says suite), a host or a URL, with or without `/crm/sales` and
    `/api`; `base_url` is any other address and wins over it. `edition` is told from Freshworks' own hosts and from the
    path `/crm/sales`, else it must be given; one that is given wins, as a Suite account may answer at both hosts.
    Raises ConfigError.
    """
    chosen = _edition(edition)
    addresses = (base_url or "").strip(), _whole((domain or "").strip(), chosen)
    urls = [_split(address) for address in addresses if address]
    if not urls:
        raise ConfigError("no Freshsales account given: set the domain, such as acme.freshsales.io")
    url, known = urls[0], _known(urls[0])
    hints: tuple[Edition | None, ...] = (chosen, *(_known(address) or _guess(address) for address in urls))
    resolved = next((hint for hint in hints if hint), None)
    if resolved is None:
        raise ConfigError(f"is {url.netloc} classic Freshsales or Freshsales Suite? Give the edition: classic or suite")
    if known:
        url = url._replace(path=_SUITE_PATH if resolved == "suite" else "")
    return Account(resolved, f"{url.scheme}://{url.netloc}{url.path}", url.netloc + url.path.removesuffix(_SUITE_PATH))


def _edition(text: str | None) -> Edition | None:
    match (text or "").strip().lower():
        case "":
            return None
        case "classic":
            return "classic"
        case "suite":
            return "suite"
    raise ConfigError(f"the edition is classic or suite, not {text!r}")


def _whole(domain: str, edition: Edition | None) -> str:
    if _LABEL.fullmatch(domain.lower()) and domain.lower() != "localhost":
        return f"{domain}.myfreshworks.com" if edition == "suite" else f"{domain}.freshsales.io"
    return domain


def _split(address: str) -> SplitResult:
    try:
        url = urlsplit(address if "://" in address else f"https://{address}")
        port = url.port
    except ValueError:
        raise ConfigError("the account's address cannot be read; it looks like https://acme.freshsales.io") from None
    if url.username is not None or url.password is not None:
        raise ConfigError("the address of the account must not hold a user name or password")
    host = url.hostname or ""
    if not _is_ip(host) and (len(host) > _LONGEST or not all(_LABEL.fullmatch(label) for label in host.split("."))):
        raise ConfigError(f"{host!r} is not a host name; it looks like acme.freshsales.io")
    if url.scheme not in ("https", "http"):
        raise ConfigError(f"the address of the account starts with https://, not {url.scheme}://")
    if url.scheme == "http" and not _is_loopback(host):
        raise ConfigError(f"plain http would show the token to everyone on the way; use https://{host}")
    if url.query or url.fragment:
        raise ConfigError("the address of the account must end before any ? or #")
    shown = f"[{host}]" if ":" in host else host
    usual = port is None or (url.scheme, port) in (("https", 443), ("http", 80))
    return url._replace(netloc=shown if usual else f"{shown}:{port}", path=re.sub(r"(/api)?/*$", "", url.path))


def _known(url: SplitResult) -> Edition | None:
    host = url.hostname or ""
    return next((edition for suffix, edition in _DOMAINS.items() if host.endswith(suffix)), None)


def _guess(url: SplitResult) -> Edition | None:
    return "suite" if url.path.endswith(_SUITE_PATH) else None


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_ip(host) and ip_address(host).is_loopback)

from __future__ import annotations

import pytest

from fsseg.freshsales.account import Account, ConfigError, resolve

CLASSIC = Account("classic", "https://acme.freshsales.io", "acme.freshsales.io")
SUITE = Account("suite", "https://acme.myfreshworks.com/crm/sales", "acme.myfreshworks.com")


@pytest.mark.parametrize(
    "domain",
    [
        "acme",
        "acme.freshsales.io",
        " ACME.Freshsales.io ",
        "https://acme.freshsales.io/",
        "https://acme.freshsales.io/api/",
    ],
)
def test_a_name_or_a_freshsales_host_is_classic(domain: str) -> None:
    assert resolve(domain) == CLASSIC


@pytest.mark.parametrize(
    "domain",
    [
        "acme.myfreshworks.com",
        "acme.myfreshworks.com/crm/sales",
        "https://acme.myfreshworks.com/crm/sales/api/",
        "https://acme.myfreshworks.com:443/api",
    ],
)
def test_a_myfreshworks_host_is_suite_with_or_without_its_path(domain: str) -> None:
    assert resolve(domain) == SUITE


def test_the_edition_decides_where_a_bare_name_leads() -> None:
    assert resolve("acme", "Suite") == SUITE


@pytest.mark.parametrize(
    ("domain", "edition", "base_url"),
    [
        ("acme.freshsales.io", "suite", "https://acme.freshsales.io/crm/sales"),
        ("https://acme.freshsales.io/crm/sales/api", "suite", "https://acme.freshsales.io/crm/sales"),
        ("acme.myfreshworks.com", "classic", "https://acme.myfreshworks.com"),
    ],
)
def test_an_edition_that_is_given_wins_over_what_the_host_tells(domain: str, edition: str, base_url: str) -> None:
    found = resolve(domain, edition)
    assert (found.edition, found.base_url) == (edition, base_url)


def test_the_other_suite_host_of_the_vendor_is_suite() -> None:
    assert resolve("widgetz.freshworks.com").base_url == "https://widgetz.freshworks.com/crm/sales"


@pytest.mark.parametrize(
    ("base_url", "edition", "expected"),
    [
        ("http://127.0.0.1:8080/", "classic", Account("classic", "http://127.0.0.1:8080", "127.0.0.1:8080")),
        ("http://[::1]:9/crm/sales", None, Account("suite", "http://[::1]:9/crm/sales", "[::1]:9")),
        ("http://localhost", "suite", Account("suite", "http://localhost", "localhost")),
        ("https://crm.example/x/api", "classic", Account("classic", "https://crm.example/x", "crm.example/x")),
        ("https://gw/a/crm/sales/", None, Account("suite", "https://gw/a/crm/sales", "gw/a")),
    ],
)
def test_a_base_url_may_be_any_host(base_url: str, edition: str | None, expected: Account) -> None:
    assert resolve(None, edition, base_url) == expected


def test_a_base_url_wins_over_the_domain_which_still_tells_the_edition() -> None:
    assert resolve("acme.myfreshworks.com", None, "https://proxy.example") == Account(
        "suite", "https://proxy.example", "proxy.example"
    )


def test_only_this_machine_is_loopback() -> None:
    assert resolve(None, "classic", "http://127.9.9.9").loopback
    assert not CLASSIC.loopback


@pytest.mark.parametrize(
    ("domain", "edition", "base_url", "says"),
    [
        (None, None, None, "domain"),
        ("", None, " ", "domain"),
        ("crm.example", None, None, "edition"),
        ("acme", "gold", None, "classic or suite"),
        ("http://acme.freshsales.io", None, None, "plain http"),
        (None, "classic", "http://10.0.0.1", "plain http"),
        (None, "classic", "http://127.0.0.1.evil.example", "plain http"),
        ("ftp://acme.freshsales.io", None, None, "https"),
        ("ac me", None, None, "host name"),
        ("https://", None, None, "host name"),
        ("https://acme.freshsales.io:99999", None, None, "read"),
        ("https://acme.freshsales.io?x=1", None, None, "end before"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(
    domain: str | None, edition: str | None, base_url: str | None, says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        resolve(domain, edition, base_url)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        resolve("https://ada:hunter2@acme.freshsales.io")
    assert "hunter2" not in str(caught.value)

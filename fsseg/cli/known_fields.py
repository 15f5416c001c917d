"""Which fields `fields` and `inspect` show: the account's, the cached or the standard ones; and what was imported."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Literal, NamedTuple

from fsseg.account.fields import cache_fields, cached_fields, read_fields
from fsseg.cli.connect import account_folder, account_of, folder_of, reading, tell_open_token_file
from fsseg.cli.session import Output
from fsseg.cli.which_run import names_account
from fsseg.freshsales.errors import Forbidden
from fsseg.mapping.catalog import Catalog
from fsseg.settings import Settings
from fsseg.state.input_files import imports
from fsseg.state.ledger import Ledger

Source = Literal["account", "cached", "standard"]
WORDS: dict[Source, str] = {
    "account": "the fields of {}",
    "cached": "the fields of {} as last read",
    "standard": "the fields that every {} account starts with",
}


class Known(NamedTuple):
    """A catalog and where it is from. `forbidden`: the entities and selectors that the key may not read."""

    catalog: Catalog
    source: Source
    account: str | None
    forbidden: dict[str, Forbidden]
    application_token: bool

    def words(self) -> str:
        """A title: whose fields these are."""
        return WORDS[self.source].format(self.catalog.edition if self.source == "standard" else self.account)

    def unknown(self) -> str:
        """What to type for the account's own fields to be known, where they aren't."""
        if self.source != "standard":
            return ""
        how = "leave out --offline" if self.account else "add --domain acme"
        return f"The account's own fields and activity types aren't known here: set FSSEG_API_TOKEN, and {how}."


def online(settings: Settings, output: Output) -> Known:
    """The account's own fields, read anew. Raises `ConfigError`, `FreshsalesError`."""
    account = account_of(settings)
    with reading(settings, lambda: output.progress) as connection:
        tell_open_token_file(settings, output.consoles)
        known = read_fields(connection.reader, account.edition)
        cache_fields(account_folder(settings, account), known.catalog)
        return Known(known.catalog, "account", account.host, known.forbidden, connection.application_token)


def offline(settings: Settings, *, application_token: bool = False) -> Known:
    """The fields as far as they are known without a request. Raises `ConfigError`."""
    if not names_account(settings):
        catalog = Catalog.standard(settings.freshsales.edition or "classic")
        return Known(catalog, "standard", None, {}, application_token)
    account = account_of(settings)
    catalog = cached_fields(folder_of(settings, account.host), account.edition)
    return Known(catalog, "standard" if catalog.assumed else "cached", account.host, {}, application_token)


def imported(settings: Settings, files: Sequence[str]) -> dict[str, str]:
    """Which of these files a run imported wholly, and that run. Raises `ConfigError`, `StateError`."""
    if not names_account(settings):
        return {}
    path = folder_of(settings, account_of(settings).host) / "ledger.db"
    if not path.exists():
        return {}
    with closing(Ledger(path)) as ledger:
        return imports(ledger, files, settings.model_dump())

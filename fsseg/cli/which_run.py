"""Which earlier run of which account a command means, and with which settings that goes on."""

from __future__ import annotations

from pathlib import Path

from fsseg.cli.connect import account_of, folder_of, state_dir
from fsseg.freshsales.account import Account
from fsseg.settings import ConfigError, Settings, kept
from fsseg.state.run_folder import Run
from fsseg.state.run_selection import LATEST, Fits, account_folders, latest, named

NOW = ("limits", "allow_mass_changes")
"""Settings that count as they are given now, not as they were when the run began."""


def names_account(settings: Settings) -> bool:
    """Whether flags, environment or settings file say which account is meant."""
    chosen = settings.freshsales
    return settings.sandbox or bool(chosen.domain or chosen.base_url)


def hosts(settings: Settings) -> list[str]:
    """The account that is named; two where a bare name may be that of either edition's address."""
    host = account_of(settings).host
    if settings.sandbox or settings.freshsales.edition:
        return [host]
    other = _account(_in_edition(settings, "suite"))
    return [host, other.host] if other and other.host != host else [host]


def folders(settings: Settings) -> list[Path]:
    """The folders of the account that is named, else those of all accounts."""
    if names_account(settings):
        return [folder_of(settings, host) for host in hosts(settings)]
    return account_folders(state_dir(settings))


def find(settings: Settings, fits: Fits, id: str | None) -> Run | None:
    """The run of that id; without one the newest that fits.

    Raises `NoSuchRun`, and `ConfigError` where the run is of another account, or of either that a bare name may mean.
    """
    if id and id != LATEST:
        chosen = named(state_dir(settings), id)
        settings_of(chosen, settings)
        return chosen
    if not names_account(settings):
        return latest(account_folders(state_dir(settings)), fits)
    found = [run for folder in folders(settings) if (run := latest([folder], fits))]
    if len(found) > 1:
        either = " and ".join(f"run {run.id} of {run.info.account}" for run in found)
        raise ConfigError(f"{settings.freshsales.domain} may mean {either}: give --edition, or the run")
    return found[0] if found else None


def settings_of(run: Run, given: Settings) -> Settings:
    """The settings that the run began with; limits, the brake's flag, key, suppression list, cluster and `--as` as now.

    An import that was let change as much as it likes still is. Raises `ConfigError` where another account is named than
    the run's own.
    """
    info = run.info
    if names_account(given):
        _refuse_other(run, given)
    elif given.freshsales.edition not in (None, info.edition):
        raise ConfigError(
            f"run {run.id} belongs to {info.account} ({info.edition}), and not to a {given.freshsales.edition} account"
        )
    over = given.model_dump(mode="json", exclude_unset=True)
    merged = {**info.settings, **{name: over[name] for name in ("state_dir",) if name in over}}
    merged |= given.model_dump(mode="json", include=set(NOW))
    if info.settings.get("allow_mass_changes") and not info.dry:  # somebody has lifted the brake for this very push
        merged["allow_mass_changes"] = True
    if given.filter.suppress_file is not None:
        merged["filter"] = {**merged["filter"], "suppress_file": str(given.filter.suppress_file)}
    if given.cluster.address is not None:
        merged["cluster"] = given.cluster.model_dump()
    if given.sandbox_as:
        merged["sandbox_as"] = given.sandbox_as
    merged["freshsales"] = {**info.settings.get("freshsales", {}), **(over.get("freshsales") or {})}
    settings = kept(merged, run.id)
    account = _account(settings)
    return settings if account and account.edition == info.edition else _in_edition(settings, info.edition)


def _refuse_other(run: Run, given: Settings) -> None:
    info = run.info
    if given.freshsales.edition is None:  # neither the sandbox nor every address tells it
        account = _account(_in_edition(given, info.edition)) or account_of(given)
    else:
        account = account_of(given)
    if (account.host, account.edition) != (info.account, info.edition):
        raise ConfigError(
            f"run {run.id} belongs to {info.account} ({info.edition}), but {account.host} ({account.edition}) is named:"
            " nothing was sent to either"
        )


def _in_edition(settings: Settings, edition: str) -> Settings:
    return settings.model_copy(update={"freshsales": settings.freshsales.model_copy(update={"edition": edition})})


def _account(settings: Settings) -> Account | None:
    try:
        return account_of(settings)
    except ConfigError:
        return None

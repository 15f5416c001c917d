"""`fsseg init`: write a commented fsseg.toml."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fsseg.cli import options as o
from fsseg.cli.option_groups import command_line, flags

if TYPE_CHECKING:
    from fsseg.cli.session import Output


@command_line
def init(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH...]", help="Event files: the mapping of their traits is written, too."),
    ] = None,
    path: Annotated[Path, typer.Option("--to", help="The file to write.")] = Path("fsseg.toml"),
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    offline: o.Offline = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of the file, for editors, and write nothing.")
    ] = False,
    *,
    account: o.NewAccount,
    match: o.MatchFlag = None,
    yes: o.Yes = False,
    display: o.JsonOrQuiet,
) -> None:
    """Write a commented settings file, the mapping from event files if given; on a terminal it asks for the account.

    The token is never written.
    """
    from fsseg.cli.arguments import is_terminal
    from fsseg.cli.errors import handled
    from fsseg.cli.session import Output
    from fsseg.report.console import open_consoles
    from fsseg.report.render import print_json

    consoles = open_consoles(quiet=display.quiet)
    with handled(consoles, as_json=display.json):
        if schema:
            from fsseg.cli.settings_schema import settings_schema

            print_json(consoles.out, settings_schema())
            return
        _refuse_target(path, paths or (), force=force)
        if not (account.domain or account.base_url or account.sandbox or yes) and is_terminal():
            account = _asked(account)
        chosen = _chosen(path, account, match)
        host = _account(chosen)
        before = path.read_bytes() if path.exists() else None
        _write(path, chosen)
        if paths:
            output = Output(consoles, no_progress=True)
            _write_mapping(path, chosen, account, paths, output, offline=offline, before=before)
        consoles.info(f"written to {path}" + (f", for {host}" if host else ""))
        consoles.info(f"next: {_next_step(path, host, account.api_token_file)}")
        if display.json:
            print_json(consoles.out, {"path": str(path), "account": host, "settings": chosen})


def _refuse_target(path: Path, paths: Sequence[str], *, force: bool) -> None:
    """Raise `ConfigError` where the file is there already, or stands among the event files."""
    from fsseg.settings import ConfigError

    if named := [one for one in paths if one.endswith(".toml")]:
        raise ConfigError(f"{named[0]} holds no events", f"to write it: --to {named[0]}")
    if path.exists() and not force:
        raise ConfigError(f"{path} is there already: --force replaces it")


def _chosen(path: Path, account: o.AccountOptions, match: o.MatchFlag) -> dict[str, str | None]:
    """What the file at `path` is to say of the account."""
    return {
        "domain": account.domain,
        "edition": account.edition.value if account.edition else None,
        "base_url": account.base_url,
        "api_token_file": _as_seen_from(path, account.api_token_file),
        "match": match.value if match else None,
    }


def _asked(account: o.AccountOptions) -> o.AccountOptions:
    """The account as somebody at the terminal names it."""
    domain = _ask_domain({"edition": account.edition and account.edition.value, "base_url": None})
    return replace(account, domain=domain, api_token_file=account.api_token_file or _ask_token_file())


def _next_step(path: Path, host: str | None, api_token_file: Path | None) -> str:
    check = "fsseg check" + _flag_for(path)
    if host:
        return f"{_lacking_token(api_token_file)}{check}"
    return f"fill in the domain, then {check} (or {check} --sandbox, which needs none)"


def _lacking_token(file: Path | None) -> str:
    """What is still to be done for the account's token to be there; empty where it is."""
    if file is not None:
        return "" if file.exists() else f"put the API token into {file}, then "
    return "" if os.environ.get("FSSEG_API_TOKEN") else "set FSSEG_API_TOKEN, then "


def _flag_for(path: Path) -> str:
    """The flag that a command typed here needs to find the settings file; empty where it needs none."""
    return "" if path.absolute() == Path("fsseg.toml").absolute() else f" --config {shlex.quote(str(path))}"


def _write_mapping(
    path: Path, chosen: dict[str, str | None], account: o.AccountOptions, paths: list[str], output: Output, *,
    offline: bool, before: bytes | None,
) -> None:  # fmt: skip
    """Write the file anew, with what would take the traits and events of these files; else as it was `before`."""
    from fsseg.cli.init_mapping import mapping_text
    from fsseg.cli.inspect_cmd import inspection_for, known_for, read_all
    from fsseg.cli.run_inputs import find_inputs
    from fsseg.freshsales.errors import FreshsalesError
    from fsseg.settings import load

    try:
        settings = load(flags(account), path)
        files, _ = find_inputs(paths, output.consoles, settings)
        known = known_for(settings, output, offline=offline)
        inspection = inspection_for(settings, known, suggest=True)
        read_all(inspection, settings, files, output, known)
    except FreshsalesError as error:
        error.add_note(f"{path} is written, but no mapping: to have one by the standard fields, --force --offline")
        raise
    except BaseException:
        if before is None:
            path.unlink()
        else:
            path.write_bytes(before)
        raise
    _write(path, chosen, mapping_text(inspection, known))


def _ask_domain(chosen: dict[str, str | None]) -> str | None:
    """The domain that is typed; what can be none is asked again."""
    from fsseg.settings import ConfigError

    while domain := _answer("Freshsales domain (acme.freshsales.io, acme.myfreshworks.com)"):
        try:
            _account({**chosen, "domain": domain})
        except ConfigError as error:
            typer.echo(f"{error}: once more, or press return to leave it out", err=True)
        else:
            return domain
    return None


def _ask_token_file() -> Path | None:
    """The file that is typed; one that can't be read is asked again."""
    while answer := _answer("File that holds the API token (none: FSSEG_API_TOKEN)"):
        file = Path(os.path.expanduser(answer))
        try:
            if file.read_text("utf-8").strip():
                return file
            problem = "no API token in it"
        except (OSError, UnicodeDecodeError) as error:
            problem = getattr(error, "strerror", None) or "this is no UTF-8"
        typer.echo(f"{file}: {problem}: once more, or press return to leave it out", err=True)
    return None


def _answer(question: str) -> str:
    return str(typer.prompt(question, default="", show_default=False, err=True)).strip()


def _as_seen_from(path: Path, token_file: Path | None) -> str | None:
    """The token file as the settings name it, which is relative to their own place."""
    if token_file is None:
        return None
    return str(token_file if path.parent == Path() else token_file.absolute())


def _account(chosen: dict[str, str | None]) -> str | None:
    """The host meant, None if none was given. Raises `ConfigError`."""
    from fsseg.freshsales.account import ConfigError as AccountError
    from fsseg.freshsales.account import resolve
    from fsseg.settings import ConfigError

    if not (chosen["domain"] or chosen["base_url"]):
        return None
    try:
        return resolve(chosen["domain"], chosen["edition"], chosen["base_url"]).host
    except AccountError as error:
        raise ConfigError(str(error)) from None


def _write(path: Path, chosen: dict[str, str | None], mapping: str = "") -> None:
    """Write it once it is known to load. Raises `ConfigError`."""
    from fsseg.cli.config_template import filled
    from fsseg.settings import ConfigError, load

    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        draft.write_text(filled(chosen, mapping), encoding="utf-8")
        load({}, draft)
        draft.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} can't be written: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)

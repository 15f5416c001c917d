"""Everything a user can set, in one typed object: flags (or the environment in their place) > fsseg.toml > defaults."""

from __future__ import annotations

import codecs
import os
import re
import shlex
import subprocess
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from platformdirs import user_config_path
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from fsseg.segment.store_variables import ENDPOINT
from fsseg.settings_file import Wrong, parse, placed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fsseg.mapping.suppression_list import SuppressionList

CONFIG_NAME = "fsseg.toml"


class ConfigError(Exception):
    """A setting, flag, environment variable or configuration file is wrong; the text names which (exit 2).

    `hint` is what to type.
    """

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        if hint:
            self.add_note(hint)


class WrongSettings(ConfigError):
    """Several things in the settings are wrong; each is `told` with its place and what would be right."""

    def __init__(self, told: Sequence[Wrong]) -> None:
        super().__init__("\n".join(wrong.text for wrong in told))
        self.told = tuple(told)


def _duration(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd]?)\s*", value)
    if not found:
        raise ValueError("a duration reads like 90s, 50m, 3h or 2d")
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]


def _fraction(value: Any) -> Any:
    if isinstance(value, str):
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*", value)
        if not found:
            raise ValueError("a share reads like 20%")
        value = float(found[1]) / (100 if found[2] else 1)
    if isinstance(value, int | float) and not 0 <= value < 1:
        raise ValueError("a share is less than all of it: 20%, say")
    return value


def _instant(value: Any) -> Any:
    """A user's date or time as canonical UTC text (see `segment.event.Event.time`)."""
    if value is None:
        return None
    from fsseg.segment.times import canonical

    text = _counted_from_now(value) or canonical(value) if isinstance(value, str) else canonical(value.isoformat())
    if text is None:
        raise ValueError("a time reads like 2024-01-02, 2024-01-02T08:00:00Z, yesterday or 7d")
    return text


def _counted_from_now(text: str) -> str | None:
    """The midnight UTC that `today` or `yesterday` began with, or so long ago as `7d` or `12h` says."""
    from fsseg.segment.times import canonical

    now = datetime.now(UTC)
    words = {"today": 0, "yesterday": 1}
    try:
        if (days := words.get(text.strip().lower())) is not None:
            return canonical((now - timedelta(days=days)).date().isoformat())
        if re.fullmatch(r"\s*\d+(\.\d+)?\s*[smhd]\s*", text):
            return canonical((now - timedelta(seconds=_duration(text))).isoformat())
    except OverflowError:
        raise ValueError(f"{text.strip()} is longer ago than any event") from None
    return None


def _cluster_address(text: str) -> str:
    if not re.fullmatch(r"local:[1-9]\d{0,3}|(tcp|tls)://[^/\s]+:\d+", text):
        raise ValueError("a cluster reads like tcp://scheduler:8786, or local:4 for one of 4 processes on this machine")
    return text


def _trait(text: str) -> str:
    if text.startswith("="):
        raise ValueError("a trait reads like plan, or plan=pro")
    return text


def _endpoint(text: str) -> str:
    if not ENDPOINT.fullmatch(text):
        raise ValueError("an endpoint reads like https://minio.example:9000")
    return text


MOST_JOBS = 256
"""Processes that are begun at once; thousands would stop the machine."""

HomePath = Annotated[Path, AfterValidator(lambda path: Path(os.path.expanduser(path)))]
"""A path in which ~ is the home folder, which shells leave as it is after an = sign."""
Duration = Annotated[float, BeforeValidator(_duration), Field(gt=0)]
Share = Annotated[float, BeforeValidator(_fraction), Field(ge=0, lt=1)]
Instant = Annotated[str | None, BeforeValidator(_instant)]
ClusterAddress = Annotated[str, AfterValidator(_cluster_address)]
EventType = Literal["identify", "track", "page", "group"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Views(_Section):
    """Ids of the views that hold all records, where their names don't tell."""

    lead: int | None = None
    contact: int | None = None
    account: int | None = None
    deal: int | None = None


class Freshsales(_Section):
    """Which account, and where its token is."""

    domain: str | None = None
    edition: Literal["classic", "suite"] | None = None
    base_url: str | None = None
    api_token_file: HomePath | None = None
    api_token_command: str | None = None
    custom_fields: Literal["whole", "changed"] = "whole"
    views: Views = Views()


class Identity(_Section):
    """How people are matched; `id_field` keeps userIds that are not e-mails, `placeholder_ids` name nobody.

    `deal_id_field` tells deals apart, whatever they are called.
    """

    match: Literal["segment", "email"] | None = None
    id_field: str | None = None
    deal_id_field: str | None = None
    placeholder_ids: tuple[str, ...] = ()


class Timeline(_Section):
    """How track and page calls reach the timeline."""

    via: Literal["auto", "sales_activity", "tracking", "note"] = "auto"
    event_type: str = "Segment event"
    page_type: str = "Page view"
    aggregate: Literal["none", "daily"] = "none"
    owner: str | int | None = None


class Limits(_Section):
    """What a run may spend: requests, seconds, and the share of the quota that it leaves to others."""

    max_requests: Annotated[int, Field(gt=0)] | None = None
    max_time: Duration | None = None
    reserve: Share = 0.0


class ClusterSettings(_Section):
    """Where planning takes place, if not on this machine alone."""

    address: ClusterAddress | None = None


class Filter(_Section):
    """Which events count; times as `segment.event.Event.time` has them, `since` inclusive, `until` exclusive."""

    only: tuple[EventType, ...] = ()
    events: tuple[str, ...] = ()
    since: Instant = None
    until: Instant = None
    suppress_file: Path | None = None
    consent: tuple[str, ...] = ()


class Defaults(_Section):
    """The `[defaults.…]` tables: fields of new records that no event says anything of, constants or `"$trait"`."""

    lead: dict[str, Any] = {}
    contact: dict[str, Any] = {}
    account: dict[str, Any] = {}
    deal: dict[str, Any] = {}


class MappingTables(_Section):
    """The `[mapping.…]` tables; `mapping.rules.Rules` says what an entry looks like."""

    person: dict[str, Any] = {}
    lead: dict[str, Any] = {}
    contact: dict[str, Any] = {}
    account: dict[str, Any] = {}
    deal: dict[str, Any] = {}
    event: dict[str, Any] = {}


class Settings(_Section):
    """The settings of one run. Durations are seconds, `limits.reserve` a fraction of the quota."""

    nulls: Literal["clear", "ignore"] = "clear"
    convert_leads: bool = False
    strict: bool = False
    existing: Literal["update", "newer", "fill", "keep"] = "update"
    """What happens to records that are there already: all that events say, what is newer, what is empty, or nothing."""
    freshsales: Freshsales = Freshsales()
    identity: Identity = Identity()
    timeline: Timeline = Timeline()
    limits: Limits = Limits()
    filter: Filter = Filter()
    cluster: ClusterSettings = ClusterSettings()
    mapping: MappingTables = MappingTables()
    defaults: Defaults = Defaults()

    config_file: Path | None = None
    """The settings file that was read."""
    state_dir: Path | None = None
    sandbox: bool = False
    sandbox_as: tuple[str, ...] = ()
    with_group: bool = False
    stitch_anonymous: bool = False
    create_missing: bool = False
    again: bool = False
    table: str | None = None
    trait: tuple[Annotated[str, AfterValidator(_trait)], ...] = ()
    endpoint: Annotated[str, AfterValidator(_endpoint)] | None = None
    limit: Annotated[int, Field(gt=0)] | None = None
    allow_mass_changes: bool = False
    jobs: Annotated[int, Field(ge=1, le=MOST_JOBS)] = 1


FILE_KEYS = {
    "nulls",
    "convert_leads",
    "strict",
    "existing",
    "freshsales",
    "identity",
    "timeline",
    "limits",
    "filter",
    "cluster",
    "mapping",
    "defaults",
}
"""What a configuration file may hold; everything else belongs to one run and comes by flag."""


# Not pydantic-settings: its models read file and environment whenever one is validated, so the settings that a run was
# recorded with would change when it is resumed; it passes over a file that isn't there, and costs each start 40 ms.
def load(flags: dict[str, Any], config: Path | None = None, options: Mapping[str, str] | None = None) -> Settings:
    """The settings from `flags` (nested like the model, absent where not given) and the file.

    The command line has put the environment's values among the flags. `config` is the file asked for; without one,
    `found_config` looks for it. `options` says what settings are called on the command line. Raises `ConfigError`
    naming every wrong key.
    """
    path = config or found_config()
    merged = _read(path) if path else {}
    if path and merged:
        merged["config_file"] = path.absolute()
    account, chosen = merged.get("freshsales"), flags.get("freshsales", {})
    if isinstance(account, dict) and chosen.get("domain") and not chosen.get("base_url"):
        account.pop("base_url", None)  # the file's is that of another account
    unknown = [] if path is None else [name for name in merged if name not in FILE_KEYS and name != "config_file"]
    values = {name: value for name, value in merged.items() if name not in unknown}
    for name, value in flags.items():
        _merge(values, {name: value})
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise _wrong(unknown, error.errors(), values, path, flags, options or {}) from None
    if unknown:
        raise _wrong(unknown, [], values, path, flags, options or {})
    return settings


def kept(values: Mapping[str, Any], run: str) -> Settings:
    """The settings as a run has kept them. Raises `ConfigError` where another fsseg did, which allows for others."""
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        names = ", ".join(sorted({".".join(map(str, wrong["loc"])) for wrong in error.errors()}))
        raise ConfigError(
            f"run {run} began with settings that this fsseg can't use: {names}",
            "import its files again, which sends nothing twice",
        ) from None


def found_config() -> Path | None:
    """The nearest `fsseg.toml`, here or in a folder above, else that in the user's configuration folder, if any."""
    here, usual = Path(CONFIG_NAME), user_folder(user_config_path)
    try:
        if here.is_file():
            return here
        more = [*Path.cwd().parents, *([usual] if usual else [])]
        return next((path for folder in more if (path := folder / CONFIG_NAME).is_file() and _is_ours(path)), None)
    except OSError as error:
        raise ConfigError(
            f"{CONFIG_NAME} can't be looked for in this folder and those above: {error.strerror}",
            "go into another folder, or name a settings file with --config",
        ) from None


def user_folder(usual: Callable[..., Path]) -> Path | None:
    """The folder where platformdirs has files of ours kept; None where nobody knows the user's home folder."""
    try:
        folder = usual("fsseg", appauthor=False)
    except RuntimeError:
        return None
    return folder if folder.is_absolute() else None


def _is_ours(path: Path) -> bool:
    """Whether nobody else can have put the file there, which may say where the token goes."""
    return not hasattr(os, "getuid") or path.stat().st_uid in (os.getuid(), 0)


def _wrong(
    unknown: list[str], errors: Sequence[Any], values: dict[str, Any], path: Path | None, flags: dict[str, Any],
    options: Mapping[str, str],
) -> WrongSettings:  # fmt: skip
    """All that is wrong, what can be told of the mapping without an account too; what a flag gave isn't the file's."""
    from fsseg.mapping.rules import mistakes_of_form
    from fsseg.setting_errors import no_such, said

    told: list[tuple[tuple[str, ...], str, str]] = [
        ((name,), "the settings file doesn't have it", f"it is an option: {options[name]}")
        if name in options
        else no_such(Settings, FILE_KEYS, (name,))
        for name in unknown
    ]
    told += [said(Settings, FILE_KEYS, error) for error in errors]
    mapping = values.get("mapping")
    if isinstance(mapping, dict):
        told += mistakes_of_form({name: table for name, table in mapping.items() if isinstance(table, dict)})
    of_flags = [one for one in told if _is_given(flags, one[0])]
    as_options = [(_as_option(names, options), what, hint) for names, what, hint in of_flags]
    return WrongSettings([*placed([one for one in told if one not in of_flags], path), *placed(as_options, None)])


def _as_option(names: Sequence[str], options: Mapping[str, str]) -> Sequence[str]:
    """What a setting, or the list that it is in, is called on the command line."""
    found = (options.get(".".join(names[:end])) for end in range(len(names), 0, -1))
    return next(([option] for option in found if option), names)


def _is_given(flags: Any, names: Sequence[str]) -> bool:
    """Whether the setting that these names lead to, or a part of it, is among the flags."""
    for name in names:
        if not isinstance(flags, dict):
            return True
        if flags.get(name) is None:
            return False
        flags = flags[name]
    return True


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        hints = ["fsseg init writes a settings file"] if isinstance(error, FileNotFoundError) else []
        raise ConfigError(f"{path}: {error.strerror}", *hints) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise WrongSettings([Wrong(f"{path} line {line}: this is no UTF-8", "save the file as UTF-8")]) from None
    found = parse(path, text)
    if isinstance(found, Wrong):
        raise WrongSettings([found])
    for section, key in (("freshsales", "api_token_file"), ("filter", "suppress_file")):
        table = found.get(section)
        if isinstance(table, dict) and isinstance(table.get(key), str):
            table[key] = path.absolute().parent / os.path.expanduser(table[key])
    return found


def _merge(base: dict[str, Any], over: dict[str, Any]) -> None:
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        else:
            base[key] = value


def api_token(settings: Settings, environ: dict[str, str] | None = None) -> str | None:
    """The API token from the token file, `FSSEG_API_TOKEN` or the token command, or None.

    Raises `ConfigError` for an unreadable file, and a command that fails.
    """
    environ = dict(os.environ) if environ is None else environ
    path = settings.freshsales.api_token_file
    if path is None:
        command = settings.freshsales.api_token_command
        return environ.get("FSSEG_API_TOKEN") or (_printed_by(command) if command else None)
    try:
        token = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the API token can't be read: {_why(error)}") from None
    if not token:
        raise ConfigError(f"{path}: no API token in it")
    return token


@cache  # a password manager may ask for something each time
def _printed_by(command: str) -> str:
    """What the token command prints. Raises `ConfigError`, which never holds anything of that."""
    try:
        done = subprocess.run(shlex.split(command), stdout=subprocess.PIPE, check=True, timeout=300)  # noqa: S603
    except (OSError, ValueError, IndexError) as error:
        why = getattr(error, "strerror", None) or "it is not a command"
    except subprocess.CalledProcessError as error:
        why = f"it ended with {error.returncode}"
    except subprocess.TimeoutExpired:
        why = "it took more than five minutes"
    else:
        if token := done.stdout.decode("utf-8", "replace").strip():
            return token
        why = "it printed nothing"
    raise ConfigError(f"freshsales.api_token_command gives no API token: {why}", "try it by itself")


def suppressed(path: Path | None) -> SuppressionList:
    """The userIds and e-mails of a suppression file. Raises `ConfigError`."""
    from fsseg.mapping.suppression_list import SuppressionList, read_list

    if path is None:
        return SuppressionList()
    try:
        data = path.read_bytes()
        is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return read_list(data.decode("utf-16" if is_utf16 else "utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path}: the suppression list can't be read: {_why(error)}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: the suppression list can't be read: {_why(error)}",
            "save it as plain text, one userId or e-mail a line",
        ) from None


def _why(error: OSError | UnicodeDecodeError) -> str:
    return "it is no text in UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror or "no such file"

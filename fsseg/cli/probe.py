"""`fsseg check --probe`: making, trying and deleting the records on which an account's behaviour is seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from fsseg.account.fields import read_fields
from fsseg.account.preflight import Finding
from fsseg.account.probe import Probe
from fsseg.account.probe_records import ProbeRecords, name_of
from fsseg.cli.connect import Connection, account_folder, account_of, connected, holder, locked, make_pacer
from fsseg.cli.run_end import interruptible
from fsseg.cli.session import Output, rules_of
from fsseg.freshsales.errors import Refused
from fsseg.freshsales.names import Entity
from fsseg.freshsales.reader import Reader
from fsseg.match.finders import fetch
from fsseg.plan.defaults import Defaults
from fsseg.push.refused_field import wanted_field
from fsseg.settings import Settings
from fsseg.state.behaviour import Behaviour, read_behaviour, write_behaviour
from fsseg.state.probe_left import keep_left, read_left

WORDS: dict[str, dict[str, str]] = {
    "custom_fields": {
        "merge": "merge: an update keeps the custom fields that it doesn't name",
        "replace": "replace: an update empties the custom fields that it doesn't name, so all of them are written",
    },
    "bulk_custom_fields": {
        "merge": "merge: bulk keeps the custom fields that it doesn't name",
        "replace": "replace: bulk empties the custom fields that it doesn't name, so such updates go one by one",
    },
    "null": {"clears": "null clears a field", "ignored": "null is ignored"},
    "choices": {"dropped": "an unknown choice is dropped without a word", "refused": "an unknown choice is refused"},
    "deal_contacts": {
        "kept": "deals made in bulk keep their contacts",
        "lost": "deals made in bulk lose their contacts, so they are made one by one",
    },
}
NAMES = {
    "custom_fields": "custom fields", "bulk_custom_fields": "bulk", "null": "null", "choices": "choices",
    "deal_contacts": "deals",
}  # fmt: skip

RECORDS = "probe records"
HOLDER = "check --probe"
"""What holds the account's lock while a probe is at work."""


def probe(settings: Settings, output: Output) -> list[Finding]:
    """Probe the account and keep what is found. Raises the client's errors, and `Locked`."""
    account = account_of(settings)
    folder = account_folder(settings, account)
    pacer = make_pacer(settings, lambda: output.progress)
    with (
        interruptible(pacer),
        locked(folder, HOLDER, account.host),
        connected(settings, account, pacer, writes=True) as connection,
    ):
        catalog = read_fields(connection.reader, account.edition).catalog
        rules = rules_of(settings, application_token=connection.application_token)
        defaults = Defaults(catalog, settings.defaults.model_dump(), rules)
        entities: tuple[Entity, ...] = ("lead", "contact", "deal")
        filled = {entity: defaults.fill(entity, {}) for entity in entities}
        records = ProbeRecords(
            connection.writer, catalog, filled, lambda entity, message: wanted_field(catalog, entity, message),
            partial(keep_left, folder),
        )  # fmt: skip
        findings = list(_clear_away(folder, records, connection))
        probing = Probe(
            connection.reader, connection.writer, catalog, records,
            lambda seconds: pacer.pause(seconds, "the probe"), pacer.clock.time,
        )  # fmt: skip
        left: list[str] = []
        try:
            behaviour = probing.run()
            write_behaviour(folder, behaviour)
            findings += [*_lacking(records, probing.refused), *findings_of(behaviour)]
        except Refused as error:
            findings += _lacking(records, {"contact": error})
        finally:
            # Interrupted or out of budget, the run's own pace lets nothing through any more.
            with connected(settings, account, make_pacer(Settings(), lambda: output.progress), writes=True) as another:
                left += records.delete(another.reader, another.writer)
            for text in left:
                output.consoles.error(text)
        return [*findings, *(Finding(RECORDS, "missing", text) for text in left)]


def _clear_away(folder: Path, records: ProbeRecords, connection: Connection) -> Iterator[Finding]:
    """Delete what earlier probes could not, because they were killed, say."""
    for token, sent in read_left(folder).items():
        earlier = replace(records, token=token, sent=sent)
        named = ", ".join(map(earlier.named, sent))
        left = list(earlier.delete(connection.reader, connection.writer, earlier=True))
        yield from (Finding(RECORDS, "missing", text) for text in left)
        if not left:
            yield Finding(RECORDS, "ok", f"left by an earlier probe, and gone now: {named}")


def last_probe(settings: Settings, reader: Reader) -> list[Finding]:
    """What the last probe has found, if there was one, and what of it is still there."""
    folder = account_folder(settings, account_of(settings))
    behaviour = read_behaviour(folder)
    found = findings_of(behaviour) if behaviour is not None and behaviour.probed_at else []
    return found if holder(folder) == HOLDER else [*found, *_left(folder, reader)]


def _left(folder: Path, reader: Reader) -> Iterator[Finding]:
    for token, sent in read_left(folder).items():
        for entity, id in sent.items():
            if id is None or fetch(reader, entity, id) is not None:
                named = name_of(token, entity, id)
                detail = f"{named} may have been made" if id is None else f"{named} is still there"
                yield Finding(RECORDS, "missing", detail, "check --probe deletes it")


def findings_of(behaviour: Behaviour) -> list[Finding]:
    """A line for each thing that was tried."""
    day = behaviour.probed_at[:10]
    found = [
        Finding(NAMES[name], "ok", f"{words[said]} (probed {day})" if said else f"could not be told (probed {day})")
        for name, words in WORDS.items()
        for said in (getattr(behaviour, name),)
    ]
    lag = behaviour.lookup_lag
    told = "lag by over 30 s" if lag is None else f"lag: found a new contact after {lag:g} s"
    return [*found, Finding("look-ups", "ok", f"{told} (probed {day})")]


def _lacking(records: ProbeRecords, refused: Mapping[Entity, Refused]) -> list[Finding]:
    """What records were refused for until they had it, and those that were refused altogether."""
    return [
        _needs(records, entity, refused.get(entity))
        for entity in dict.fromkeys((*records.required, *refused))
        if records.required.get(entity) or entity in refused
    ]


def _needs(records: ProbeRecords, entity: Entity, error: Refused | None) -> Finding:
    last = None if error is None else wanted_field(records.catalog, entity, error.message)
    names = ", ".join(dict.fromkeys([*records.required.get(entity, ()), *([last] if last else [])]))
    detail = f"refused without {names}" if error is None else str(error)
    wanted = f"set {names} under" if names else "see what it wants, and set it under"
    return Finding(f"probe {entity}", "missing", detail, f"{wanted} [defaults.{entity}]")

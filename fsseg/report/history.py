"""The way of one person through a run: which events came in, which of them set which field, what became of each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from fsseg.mapping.identity import person_key, user_id
from fsseg.report.console import sanitise
from fsseg.report.humanize import place, value
from fsseg.report.labels import ChoiceNames, named
from fsseg.segment.event import POSITION_BITS, Event, body_of
from fsseg.segment.placeholders import PLACEHOLDER_IDS
from fsseg.segment.times import microseconds
from fsseg.state.actions import Action, Code, Status
from fsseg.state.person_rows import (
    EntryRow,
    accounts_of,
    entries_at,
    entries_of,
    positions_of,
    records_of,
    reject_codes,
)
from fsseg.state.plan_store import Record, Store
from fsseg.state.report_rows import input_paths
from fsseg.state.source_events import reread

if TYPE_CHECKING:
    from fsseg.mapping.mapper import Mapper

_DUPLICATE = f"skipped: {Code.DUPLICATE}"

_SOME = 1_000
"""Events that are looked up in the plan together."""

_WRITES = (Action.CREATE, Action.UPDATE, Action.DELETE)


class HistoryEvent(NamedTuple):
    """An event of the person; `sets` are the fields whose values are from it, `became` is what was done with it."""

    time: str
    type: str
    name: str
    place: str
    sets: list[str]
    became: str


class HistoryField(NamedTuple):
    """A field that the events want: its value, since when by the events, and whether it was sent."""

    record: str
    field: str
    value: str
    time: str
    became: str


class History(NamedTuple):
    """Events by time, and the fields of the person's records, deals and accounts.

    `names` are what the person's records are called, then their ids in Freshsales; `keys` are the person keys that
    their events may have; `earlier` are runs that may have delivered what was a duplicate in this one, the likeliest
    first.
    """

    events: list[HistoryEvent]
    fields: list[HistoryField]
    names: tuple[str, ...] = ()
    keys: frozenset[str] = frozenset()
    earlier: tuple[str, ...] = ()

    @property
    def has_duplicates(self) -> bool:
        """Whether events were left out because they were there before."""
        return any(event.became == _DUPLICATE for event in self.events)

    def narrowed(self, event: str | None, reason: str | None) -> History:
        """Only the events of that name and with that reason, where these are given, and then no fields."""
        if not event and not reason:
            return self
        name = value(event.strip()).casefold() if event else None
        chosen = [
            each
            for each in self.events
            if (name is None or each.name.casefold() == name)
            and (reason is None or reason in {each.became.partition(": ")[0], each.became.rpartition(": ")[2]})
        ]
        return self._replace(events=chosen, fields=[])

    def plain(self) -> dict[str, Any]:
        """The history as JSON values."""
        return {
            "events": [each._asdict() for each in self.events],
            "fields": [each._asdict() for each in self.fields],
            "earlier": [*self.earlier],
        }


def history_of(
    store: Store,
    person: str,
    mapper: Mapper | None,
    names: ChoiceNames | None = None,
    *,
    dry_run: bool,
    other_keys: Collection[str] = (),
) -> History:
    """What the plan and the inputs, read again, tell of a person; nothing where the run has none of that name.

    The mapper, made as the run had it, tells why events were left out; without one these aren't looked for. `names`
    say what ids mean; `other_keys` are person keys that earlier runs know to be the same person's.
    """
    own = records_of(store, person)
    people = [record for record in own if record.kind == "person"]
    entries = {row.position: row for record in people for row in entries_of(store, record)}
    told = {position for record in own for position, _ in record.sources}
    records = [*own, *accounts_of(store, own)]
    planned = {*told, *(position for record in people for position in positions_of(store, record))}
    keys = frozenset({person_key(person), *other_keys, *(key for each in people for key in keys_of(each))})
    wanted, also = {*entries, *told}, _about(keys) if mapper else None
    ids = mapper.placeholder_ids if mapper else PLACEHOLDER_IDS
    shown, events, times, others = input_paths(store), [], dict[int, str](), list[Event]()
    for position, item in reread(store, wanted, ids, also):
        file = shown[position >> POSITION_BITS]
        if not isinstance(item, Event):
            events.append(HistoryEvent("", "", "", f"{place({'file': file})}, which has changed since", [], ""))
        elif position in wanted or _made_of(records, position):
            moment = microseconds(item.time)
            times[moment] = item.time
            entry = entries.get(position)
            made = [each for each in _made_of(records, position) if entry is None or each.kind != "person"]
            became = _all_became(entry, made, dry_run)
            events.append(_event(item, file, _fields_since(made, moment), became))
        elif position not in planned:
            others.append(item)
    for item, became in _left_out(store, others, mapper, dry_run=dry_run) if mapper else ():
        events.append(_event(item, shown[item.position >> POSITION_BITS], [], became))
    fields = [row for record in records for row in _fields(record, times, names or {}, dry_run)]
    numbers = (f"{record.remote_id}" for record in people if record.remote_id is not None)
    return History(sorted(events), fields, (*dict.fromkeys([*(record.key for record in people), *numbers]),), keys)


def keys_of(person: Record) -> set[str]:
    """The person keys that this person's events may have."""
    return {person_key(person.key), *person.keys}


def left_out_events(store: Store, name: str, mapper: Mapper) -> History:
    """The track and page events of that name of which nothing was planned, and why; the inputs are read again."""
    wanted, shown = name.strip().casefold(), input_paths(store)

    def is_named(event: Event) -> bool:
        message = event.message
        called = message.event if event.type == "track" else message.name if event.type == "page" else None
        return isinstance(called, str) and called.casefold() == wanted

    items = (item for _, item in reread(store, (), mapper.placeholder_ids, is_named) if isinstance(item, Event))
    events = list[HistoryEvent]()
    while some := list(islice(items, _SOME)):
        positions = [event.position for event in some]
        known = {*reject_codes(store, positions), *(row.position for row in entries_at(store, positions))}
        left = [event for event in some if event.position not in known]
        events += [_event(each, shown[each.position >> POSITION_BITS], [], _skipped(mapper, each)) for each in left]
    return History(sorted(events), [])


def _skipped(mapper: Mapper, event: Event) -> str:
    return f"skipped: {mapper.event_filter(event) or Code.DUPLICATE}"


def _about(keys: Collection[str]) -> Callable[[Event], bool]:
    """Whether an event names somebody who has one of these keys."""

    def is_about(event: Event) -> bool:
        message = event.message
        if person_key(user_id(message)) in keys or (message.anonymous_id and f"#{message.anonymous_id}" in keys):
            return True
        emails = (body_of(part).email for part in (message.traits, message.context.traits, message.properties))
        return any(isinstance(email, str) and person_key(email) in keys for email in emails)

    return is_about


def _left_out(store: Store, events: list[Event], mapper: Mapper, *, dry_run: bool) -> Iterator[tuple[Event, str]]:
    """What became of events that no record and no entry of the person is from."""
    positions = [event.position for event in events]
    rejected = reject_codes(store, positions)
    entries = {row.position: row for row in entries_at(store, positions)}
    for event in events:
        if code := rejected.get(event.position):
            yield event, f"rejected: {sanitise(code)}"
        elif entry := entries.get(event.position):
            yield event, _became(entry, dry_run)
        else:
            yield event, _skipped(mapper, event)


def _event(event: Event, file: str, sets: list[str], became: str) -> HistoryEvent:
    name = event.message.event if event.type == "track" else event.message.name
    where = place({"file": file, "line": event.line})
    return HistoryEvent(f"{event.time}Z", event.type, value(name) if name else "", where, sets, became)


def _made_of(records: list[Record], position: int) -> list[Record]:
    return [record for record in records if any(source[0] == position for source in record.sources)]


def _fields_since(records: list[Record], moment: int) -> list[str]:
    return [
        sanitise(name if record.kind == "person" else f"{record.entity}.{name}")
        for record in records
        for name, time in record.times.items()
        if time == moment and name in record.desired and record.action != Action.SKIPPED
    ]


def _fields(record: Record, times: dict[int, str], names: ChoiceNames, dry_run: bool) -> list[HistoryField]:
    rows = []
    for name, wanted in record.desired.items():
        sent = name in record.fields
        became = _field_became(record, dry_run) if sent else "held already" if record.existing is not None else ""
        became = "left out" if record.action == Action.SKIPPED else became
        time = times.get(record.times.get(name, -1), "")
        title = f"{record.entity} {value(record.key)}"
        shown = named(wanted, names.get(record.entity, {}).get(name, {}))
        rows.append(HistoryField(title, sanitise(name), value(shown), f"{time}Z" if time else "", became))
    return rows


def _field_became(record: Record, dry_run: bool) -> str:
    words = _words(record.action, record.status, record.code, record.message, dry_run)
    return {**dict.fromkeys(_DONE.values(), "sent"), f"to {record.action}": "to be sent"}.get(words, words)


def _all_became(entry: EntryRow | None, records: list[Record], dry_run: bool) -> str:
    """What was done with an event: the entry or the person first, then each deal and account by its kind."""
    parts = [_became(entry, dry_run)] if entry else []
    for record in records:
        kind = "" if record.kind == "person" else f"{record.entity} "
        parts.append(f"{kind}{_became(record, dry_run)}")
    return "; ".join(parts)


def _became(row: Record | EntryRow, dry_run: bool) -> str:
    if isinstance(row, Record) and (row.action, row.code) == (Action.SKIPPED, Code.INCOMPLETE):
        return f"left out: {_missing(row)} missing"
    id = f" #{row.remote_id}" if row.remote_id is not None else ""
    return _words(row.action, row.status, row.code, row.message, dry_run) + id


def _missing(record: Record) -> str:
    """The fields that Freshsales requires and no event has."""
    told = (str(warning).partition(": ") for warning in record.warnings)
    names = ", ".join(names for code, _, names in told if code == Code.INCOMPLETE)
    return sanitise(names.replace(f"{record.entity}.", ""))


_DONE: dict[str, str] = {Action.CREATE: "created", Action.UPDATE: "updated", Action.DELETE: "deleted"}


def _words(action: str | None, status: str, code: str | None, message: str | None, dry_run: bool) -> str:
    if status in (Status.FAILED, Status.UNKNOWN):
        return sanitise(f"{code or Code.UNKNOWN_OUTCOME}: {message}" if message else str(code or "failed"))
    if action in _WRITES:
        if status in (Status.DONE, Status.UNDONE):
            return "undone" if status == Status.UNDONE else _DONE[action]
        return f"to {action}" if dry_run else "still to be sent"
    return sanitise(str(action or "not decided on"))

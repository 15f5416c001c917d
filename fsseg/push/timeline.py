"""Writing timeline entries: sales activities, notes or tracked events, each with the messageId that finds it again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from fsseg.freshsales.errors import Unavailable
from fsseg.freshsales.names import TARGETABLE
from fsseg.freshsales.reader import Page
from fsseg.mapping.entry_text import plain, property_lines, title_of
from fsseg.mapping.storable import storable
from fsseg.match.remote_record import EARLIEST, updated
from fsseg.match.timeline import MARK, message_of
from fsseg.push.context import PushContext
from fsseg.push.journal import send_once
from fsseg.push.outcome import Outcome
from fsseg.segment.json_codec import shallow
from fsseg.state.actions import Code, Status
from fsseg.state.plan_store import Entry, Record

UNNAMED = "Event"
"""The title of an entry in whose name nothing can be shown."""

MAX_NOTES = 8_000
"""Characters of properties in an entry; the messageId comes after them, so it is never cut off."""

CLOCK_SKEW = timedelta(hours=1)
"""How much the clocks of two hosts may differ when the newest activities are searched."""

MAX_PAGES = 50
"""Pages of activities that are searched for one entry before it is given up."""

MAX_PAGES_FOR_ALL = 500
"""Pages that are searched for all entries in flight at once: what is put off is never found, as ever more are made."""

CANNOT_BE_READ_BACK = "tracked events can't be read back, so whether this one arrived can't be told"


def send(context: PushContext, entry: Entry) -> Outcome:
    """Create one timeline entry; one whose person could not be written fails with it."""
    with context.lock:
        person = context.store.record(int(entry.person or 0))
    if person.remote_id is None:
        return Outcome(Status.FAILED, code=Code(person.code or Code.UNAVAILABLE), message="its person was not written")
    assert person.entity
    target = {"targetable_type": TARGETABLE[person.entity], "targetable_id": person.remote_id}
    began = datetime.now(UTC)  # taken before the request leaves, so that what it makes is never older
    match entry.payload["via"]:
        case "tracking":
            return send_once(lambda: _track(context, entry, person), _cannot_be_read_back, context.pause)
        case "note":
            note = {"description": note_text(entry), **target}
            return send_once(
                lambda: context.writer.create_note(note),
                lambda: find_created(context, entry, person, began),
                context.pause,
            )
    activity = {**activity_body(entry), **target}
    if context.owner_id is not None:
        activity["owner_id"] = context.owner_id
    return send_once(
        lambda: context.writer.create_activity(activity),
        lambda: find_created(context, entry, person, began),
        context.pause,
    )


def activity_body(entry: Entry) -> dict[str, Any]:
    """A sales activity at the event's own time, its target and owner apart."""
    return {
        "title": title(entry),
        "notes": notes(entry),
        "sales_activity_type_id": entry.payload["type_id"],
        "start_date": f"{entry.time}Z",
        "end_date": f"{entry.time}Z",
    }


def title(entry: Entry) -> str:
    """The event's or page's name with what matters most of it, or with the count where a day's entries are one."""
    count = entry.payload.get("count", 1)
    name = plain(str(entry.payload["name"]))[:200] or UNNAMED  # a blank title is refused
    if count > 1:
        return f"{name} ({count} times)"
    told = title_of(entry.payload["name"], entry.payload["properties"]) if entry.payload.get("titled") else ""
    return told or name


def notes(entry: Entry) -> str:
    """The properties as lines of text; the last line ends in the messageId."""
    name = str(entry.payload["name"]) if entry.payload["kind"] == "track" else ""
    lines = property_lines(name, entry.payload["properties"])
    return "\n".join([*lines, ""])[:MAX_NOTES] + f"{MARK}{entry.payload['message_id']}"


def note_text(entry: Entry) -> str:
    """A note has no time of its own but that of its making, so the event's stands in the text."""
    return f"{title(entry)}\n{entry.time}Z\n{notes(entry)}"


def _track(context: PushContext, entry: Entry, person: Record) -> None:
    properties = storable(shallow(entry.payload["properties"]))
    name = plain(str(entry.payload["name"])) or UNNAMED
    if entry.payload["kind"] == "page":
        context.writer.track_page_view(person.key, str(properties.get("url") or "").strip() or name)
    else:
        context.writer.track_event(person.key, name, properties)


def _cannot_be_read_back() -> None:
    raise Unavailable(CANNOT_BE_READ_BACK)


def find_created(context: PushContext, entry: Entry, person: Record, since: datetime) -> int | None:
    """The id of this entry in Freshsales, None if it wasn't made since. Raises `Unavailable` where it can't be told."""
    assert person.entity and person.remote_id
    if entry.payload["via"] == "note":
        return _among(context.reader.notes(person.entity, person.remote_id), "description", entry, person)
    return _among(recent_activities(context, context.reader.by_their_clock(since) - CLOCK_SKEW), "notes", entry, person)


def _among(rows: Iterable[dict[str, Any]], text: str, entry: Entry, person: Record) -> int | None:
    message_id = message_of(f"{MARK}{entry.payload['message_id']}")
    same = (row for row in rows if message_of(row.get(text)) == message_id and _is_of(row, person))
    return next((int(row["id"]) for row in same), None)


def recent_activities(context: PushContext, since: datetime, most: int = MAX_PAGES) -> Iterator[dict[str, Any]]:
    """The sales activities made at or after `since`, whichever end of the list the newest stand at.

    Raises `Unavailable` where they are on more than `most` pages.
    """
    first = context.reader.sales_activities(1)
    ascending = _is_ascending(context, first)
    last = first.total_pages or most + 1
    order = range(last, 0, -1) if ascending else range(1, last + 1)
    for read, number in enumerate(order, 1):
        if read > most:
            raise Unavailable("too many activities were made since to tell whether this one is among them")
        page = first.rows if number == 1 else context.reader.sales_activities(number).rows
        yield from page
        # A row without a time may be new. An empty page ends the list, unless it is read from an end that has shrunk.
        if all(EARLIEST < _created_at(row) < since for row in page) and (page or not ascending):
            return


def _is_ascending(context: PushContext, first: Page) -> bool:
    """Whether the oldest activities stand first; where it makes no difference, False."""
    if len(first.rows) < 2 or first.total_pages == 1:
        return False
    head, tail = _created_at(first.rows[0]), _created_at(first.rows[-1])
    if head > tail:
        return False
    if first.total_pages is None:
        raise Unavailable("the list of activities doesn't say how long it is, and the newest may stand at its end")
    # Where all of page 1 was made at one moment, only the last page tells which end is the newer one.
    last = context.reader.sales_activities(first.total_pages).rows
    return head < tail or any(_created_at(row) > head for row in last)


def _created_at(row: dict[str, Any]) -> datetime:
    return updated({"updated_at": row.get("created_at") or row.get("updated_at")})


def _is_of(row: dict[str, Any], person: Record) -> bool:
    targets = row.get("targetables") or [{"id": row.get("targetable_id"), "type": row.get("targetable_type")}]
    ids = {str(target.get("id")) for target in targets if isinstance(target, dict)}
    # A list that doesn't tell whose an activity is leaves the messageId alone to decide.
    return ids <= {"None"} or str(person.remote_id) in ids


def delete(context: PushContext, entry: Entry) -> None:
    """Take one entry away again. Raises `NotFound` where it is gone."""
    assert entry.remote_id
    remove = context.writer.delete_note if entry.payload["via"] == "note" else context.writer.delete_activity
    remove(entry.remote_id)


class CreatedActivities:
    """The activities made since the entries in flight were claimed; the list is read once for all of them."""

    def __init__(self, context: PushContext, entries: Sequence[Entry]) -> None:
        self._context = context
        self._message_ids = {message_of(f"{MARK}{entry.payload['message_id']}") for entry in entries}
        self._since = min((_claimed(entry) for entry in entries), default=datetime.now(UTC))
        self._rows: list[dict[str, Any]] | None = None
        self._failure: Unavailable | None = None

    def find(self, entry: Entry, person: Record) -> int | None:
        """The id of this entry in Freshsales, None if it wasn't made. Raises `Unavailable` where it can't be told."""
        if entry.payload["via"] == "note":
            return find_created(self._context, entry, person, self._since)
        return _among(self._activities(), "notes", entry, person)

    def _activities(self) -> list[dict[str, Any]]:
        if self._failure is not None:
            raise self._failure
        if self._rows is None:
            try:
                since = self._context.reader.by_their_clock(self._since) - CLOCK_SKEW
                rows = recent_activities(self._context, since, MAX_PAGES_FOR_ALL)
                self._rows = [row for row in rows if message_of(row.get("notes")) in self._message_ids]
            except Unavailable as error:
                # Kept, so that a list that can't be searched is not read again for every entry.
                self._failure = error
                raise
        return self._rows


def _claimed(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry.claimed_at) if entry.claimed_at else EARLIEST


def recover(context: PushContext, created: CreatedActivities, entry: Entry) -> Outcome:
    """What became of an entry that was in flight when the last push ended."""
    person = context.store.record(int(entry.person or 0))
    if person.remote_id is None:
        return Outcome(Status.PLANNED)
    if entry.payload["via"] == "tracking":
        return Outcome(Status.UNKNOWN, code=Code.UNKNOWN_OUTCOME, message=CANNOT_BE_READ_BACK)
    id = created.find(entry, person)
    return Outcome(Status.PLANNED) if id is None else Outcome(Status.DONE, id)

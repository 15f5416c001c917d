"""Changes put in the order they are shown in, a bounded number of them held at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any

from msgspec import Struct, field

from fsseg.mapping.equality import is_empty
from fsseg.report.console import sanitise
from fsseg.report.humanize import place, quoted, value
from fsseg.report.model import ENTITIES
from fsseg.report.reasons import WARNINGS
from fsseg.report.show import Show
from fsseg.segment.json_codec import loads
from fsseg.state.actions import Action, EventOutcome, Status

Change = dict[str, Any]
Totals = Counter[tuple[str, str]]
Line = tuple[Any, bytes, Mapping[str, Any]]
"""The action of a change, the line that tells it, and the fields that are to be counted."""
EventWay = tuple[str, str, int | None]
"""An event's name, the way that its entries go (`via`), and their type of sales activity, where it is known."""

SIGNS: dict[str, str] = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.DELETE: "-",
    Action.UNCHANGED: "=",
    Action.CONFLICT: "!",
    Action.SKIPPED: "/",
}
CLEARED = "(cleared)"
UNREAD = "(not read)"


SAMPLED = 500
"""Changes of each entity and action that a sample keeps: as many as any report shows unless it is asked for more."""

MOST_NAMES = 10_000
"""Names of events that entries are counted by: pages may have a name each."""


class ChangeGroup(Struct):
    """Changes of one entity: those to show (conflicts last, with room of their own), and how many more there are."""

    entity: str
    changes: list[Change] = field(default_factory=list)
    conflicts: list[Change] = field(default_factory=list)
    hidden: int = 0


class Sample:
    """The first changes of each entity and action, and how many there are, of more than memory would hold."""

    def __init__(self, limit: int = SAMPLED) -> None:
        self.limit = limit
        self.totals: Totals = Counter()
        self.fields: Counter[tuple[str, str, bool]] = Counter()
        """How many records get a value in a field, or (True) lose it: by entity, field and that."""
        self.entries: Counter[EventWay] = Counter()
        """How many timeline entries are made of each event, of the names that came first."""
        self._kept: dict[tuple[str, str], list[tuple[int, bytes]]] = {}
        self.count = 0

    def add_lines(self, entity: str, lines: Sequence[Line]) -> None:
        """Count more changes, told by lines of changes.jsonl, and keep those among the first."""
        counted, create = Counter([action for action, _, _ in lines]), Action.CREATE
        for action in counted:
            kept = self._kept.setdefault((entity, action), [])
            if room := self.limit - len(kept):
                numbered = (
                    (number, line) for number, (of, line, _) in enumerate(lines, self.count + 1) if of == action
                )
                kept += islice(numbered, room)
        told = [(action, fields) for action, _, fields in lines if fields]
        # Nearly all values are more than nothing: only the others are looked at one by one.
        filled = Counter([name for _, fields in told for name, cell in fields.items() if cell["after"]])
        self.fields.update({(entity, name, False): count for name, count in filled.items()})
        self.fields.update(
            (entity, name, is_empty(cell["after"]))
            for action, fields in told
            for name, cell in fields.items()
            if not cell["after"] and not (action == create and is_empty(cell["after"]))
        )
        self.totals.update({(entity, action): count for action, count in counted.items()})
        self.count += len(lines)

    def extend(self, later: Sample) -> None:
        """Count the changes of another sample, all of which come after these, and keep what is among the first."""
        for kind, lines in later._kept.items():
            kept = self._kept.setdefault(kind, [])
            kept += [(self.count + at, line) for at, line in lines[: self.limit - len(kept)]]
        self.count += later.count
        self.totals.update(later.totals)
        self.fields.update(later.fields)
        for event, count in later.entries.items():
            if event in self.entries or len(self.entries) < MOST_NAMES:
                self.entries[event] += count

    def __iter__(self) -> Iterator[Change]:
        """Those that were kept, in the order in which they came."""
        return self.after(0)

    def after(self, count: int) -> Iterator[Change]:
        """Those of them that came after the first `count` changes of all."""
        numbered = (kept for lines in self._kept.values() for kept in lines if kept[0] > count)
        return (loads(line) for _, line in sorted(numbered))


class ChangeGroups:
    """Groups of changes by entity, while `totals` counts all of them as they stream by.

    With a limit, at most that many changes and as many conflicts of an entity are kept, and the groups come at the end.
    Without one nothing is kept: a group of one comes for every change, in the order of the input. What a sample has
    counted isn't counted again; the limit must not be beyond its own.
    """

    def __init__(self, changes: Iterable[Change], *, show: Show = Show.ALL, limit: int | None = None) -> None:
        self._changes, self._actions, self._limit = changes, show.actions, limit
        self._sampled = isinstance(changes, Sample)
        self.totals: Totals = changes.totals if isinstance(changes, Sample) else Counter()
        """Changes by entity and action, or by failed or pending; complete once the groups have been gone through."""

    def __iter__(self) -> Iterator[ChangeGroup]:
        shown = self._counted()
        if self._limit is None:
            for change in shown:
                conflict = change["action"] == Action.CONFLICT
                yield ChangeGroup(change["entity"], [] if conflict else [change], [change] if conflict else [])
            return
        groups: dict[str, ChangeGroup] = {}
        counted = Counter[str]()
        for change in shown:
            counted[change["entity"]] += 1
            group = groups.setdefault(change["entity"], ChangeGroup(change["entity"]))
            kept = group.conflicts if change["action"] == Action.CONFLICT else group.changes
            if len(kept) < self._limit:
                kept.append(change)
        for group in groups.values():
            whole = sum(self.totals[group.entity, action] for action in self._actions) if self._sampled else 0
            group.hidden = (whole or counted[group.entity]) - len(group.changes) - len(group.conflicts)
        yield from (groups.pop(entity) for entity in ENTITIES if entity in groups)
        yield from groups.values()

    def _counted(self) -> Iterator[Change]:
        for change in self._changes:
            if not self._sampled:
                self.totals[change["entity"], change.get("outcome") or change["action"]] += 1
            if change["action"] in self._actions:
                yield change


_KEYS = ("email", "name")
"""Fields that tell a record from others."""


@cache  # few combinations, and as many rows as there are timeline entries
def unwritten(action: str | None, status: str, dry_run: bool) -> EventOutcome | None:
    """What to say of a record or entry that the plan would write, and that wasn't written: failed or pending."""
    if action not in (None, Action.CREATE, Action.UPDATE, Action.DELETE):
        return None
    if status in (Status.FAILED, Status.UNKNOWN):
        return EventOutcome.FAILED
    waits = action is None or (status in (Status.PLANNED, Status.SENT) and not dry_run)
    return EventOutcome.PENDING if waits else None


def entry_told(change: Change, name: str) -> str:
    """The `title` or `start_date` of a timeline entry, whether it is created or not."""
    cell = (change.get("fields") or {}).get(name) or {}
    return str(cell.get("after") or change.get(name) or "")


NOT_SENT = "still to be sent when the run ended"


def field_lines(change: Change) -> list[tuple[str, str, str]]:
    """(name, before, after) of every field as safe text; what is cleared has the after `(cleared)`.

    A new record's fields have an empty before; those that stay empty are left out, as there is nothing to clear, and so
    is what only repeats the key that the record is shown by. The before of what could not be read is `(not read)`.
    """
    create = change["action"] == Action.CREATE
    lines = []
    for name, cell in (change.get("fields") or {}).items():
        after = cell.get("after")
        if create and (is_empty(after) or (name in _KEYS and after == change.get("key"))):
            continue
        before = "" if create else value(cell["before"]) if "before" in cell else UNREAD
        lines.append((sanitise(name), before, CLEARED if is_empty(after) else value(after)))
    return lines


def warning_texts(change: Change) -> list[str]:
    """The warnings of a change in words: the text that each has, or what its code means; first, that it still waits."""
    texts = [NOT_SENT] if change.get("outcome") == EventOutcome.PENDING else []
    for warning in change.get("warnings") or ():
        if isinstance(warning, dict):
            code = str(warning.get("code", ""))
            known = WARNINGS[code].hint if code in WARNINGS else code
            meaning = warning.get("message") or warning.get("hint") or known
            if "value" in warning:
                where = place(warning) if warning.get("line") else "left out"
                meaning = f"{quoted(warning['value'])} doesn't fit ({where}): {meaning}"
            name = warning.get("name")
            texts.append(sanitise(f"{name}: {meaning}" if name else str(meaning)))
        else:
            texts.append(sanitise(WARNINGS[warning].hint if warning in WARNINGS else str(warning)))
    return texts


def identity(change: Change) -> str:
    """`kim@north.example  Kim Vos  #5001264008`: key, name if there is one, whose deal it is, id if there is one."""
    parts = [value(change.get("key") or "?")]
    if change.get("name"):
        parts.append(value(change["name"]))
    if change.get("person") and "contacts" not in (change.get("fields") or {}):
        parts.append(f"of {value(change['person'])}")
    if change.get("id") is not None:
        parts.append(f"#{value(change['id'])}")
    return "  ".join(parts)


def entities(totals: Totals) -> list[str]:
    """The entities that have changes, in the order of all reports."""
    changed = {entity for entity, _ in totals}
    return [e for e in ENTITIES if e in changed] + sorted(changed.difference(ENTITIES))

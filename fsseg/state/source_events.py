"""Events read again from their files, whole, to be told in a report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from fsseg.segment import json_codec
from fsseg.segment.event import POSITION_BITS, Event, Rejected
from fsseg.segment.open import Input, UnreadableInput
from fsseg.segment.read import read
from fsseg.state.plan_store import Store


def items_at(store: Store, positions: Iterable[int]) -> Iterator[tuple[int, Event | Rejected | None]]:
    """What stands at these positions of the run's inputs, in order; None where a file went away or changed since."""
    wanted: defaultdict[int, set[int]] = defaultdict(set)
    for position in positions:
        wanted[position >> POSITION_BITS].add(position)
    for number, left in sorted(wanted.items()):
        path, first, last = store.db.execute(
            "SELECT path, first, last FROM input WHERE number = ?", (number,)
        ).fetchone()
        try:
            for item in read(Input(path, number, first, last)):
                if item.position in left:
                    left.remove(item.position)
                    yield item.position, item
                if not left:
                    break
        except UnreadableInput:
            pass
        for position in sorted(left):
            yield position, None


def keep_rejected(store: Store) -> None:
    """Put the events that mapping refused into the store, while their files are sure to be there."""
    lacking = "SELECT position FROM reject WHERE event IS NULL AND raw IS NULL"
    positions = [position for (position,) in store.db.execute(lacking)]
    with store.transaction() as db:
        for position, item in items_at(store, positions):
            if isinstance(item, Event):
                event = json_codec.dumps(item.original).decode()
                db.execute("UPDATE reject SET line = ?, event = ? WHERE position = ?", (item.line, event, position))

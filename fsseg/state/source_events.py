"""Events read again from their files, whole, to be told in a report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress

from fsseg.segment import json_codec
from fsseg.segment.event import POSITION_BITS, Event, Rejected
from fsseg.segment.hints import hints_of
from fsseg.segment.open import Input, UnreadableInput
from fsseg.segment.placeholders import PLACEHOLDER_IDS, PlaceholderIds
from fsseg.segment.read import read
from fsseg.segment.tables.profiles_sync import identifiers_among
from fsseg.state.input_files import holds_what_was_read
from fsseg.state.plan_store import Store


def reread(
    store: Store, positions: Iterable[int], placeholder_ids: PlaceholderIds = PLACEHOLDER_IDS
) -> Iterator[tuple[int, Event | Rejected | None]]:
    """What stands at these positions of the run's inputs, in order; None where a file went away or changed since."""
    by_input: defaultdict[int, set[int]] = defaultdict(set)
    for position in positions:
        by_input[position >> POSITION_BITS].add(position)
    paths = (path for (path,) in store.db.execute("SELECT path FROM input ORDER BY number"))
    hints = hints_of(store.meta.settings, identifiers_among(paths))
    for number, left in sorted(by_input.items()):
        path, first, last = store.db.execute(
            "SELECT path, first, last FROM input WHERE number = ?", (number,)
        ).fetchone()
        if holds_what_was_read(store, number, path):
            with suppress(UnreadableInput):
                for item in read(Input(path, number, first, last, hints), placeholder_ids=placeholder_ids):
                    if item.position in left:
                        left.remove(item.position)
                        yield item.position, item
                    if not left:
                        break
        for position in sorted(left):
            yield position, None


def keep_rejected(store: Store) -> None:
    """Put the events that mapping refused into the store, while their files are sure to be there."""
    lacking = "SELECT position FROM reject WHERE event IS NULL AND raw IS NULL"
    positions = [position for (position,) in store.db.execute(lacking)]
    with store.transaction() as db:
        for position, item in reread(store, positions):
            if isinstance(item, Event):
                event = json_codec.dumps(item.original).decode()
                db.execute("UPDATE reject SET line = ?, event = ? WHERE position = ?", (item.line, event, position))

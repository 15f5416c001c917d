"""Events read again from their files, whole, to be told in a report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice

from fsseg.segment import json_codec
from fsseg.segment.archives import SEPARATOR
from fsseg.segment.event import POSITION_BITS, Event, Rejected
from fsseg.segment.hints import hints_of
from fsseg.segment.open import Input, UnreadableInput
from fsseg.segment.placeholders import PLACEHOLDER_IDS, PlaceholderIds
from fsseg.segment.read import read, read_next
from fsseg.segment.stores import is_remote, use_endpoint
from fsseg.segment.tables.profiles_sync import identifiers_among
from fsseg.state.input_files import whether_unchanged
from fsseg.state.plan_store import Store
from fsseg.state.run_folder import STDIN, STDIN_COPY


def reread(
    store: Store,
    positions: Iterable[int],
    placeholder_ids: PlaceholderIds = PLACEHOLDER_IDS,
    also: Callable[[Event], bool] | None = None,
) -> Iterator[tuple[int, Event | Rejected | None]]:
    """What stands at these positions of the run's inputs, in order; None where a file went away or changed since.

    With `also`, files of this machine are read wholly, for the other events of which it is true.
    """
    by_input: defaultdict[int, set[int]] = defaultdict(set)
    for position in positions:
        by_input[position >> POSITION_BITS].add(position)
    query = "SELECT number, path, shown, first, last, events FROM input ORDER BY number"
    rows = [(number, _now_at(store, path, shown), *rest) for number, path, shown, *rest in store.db.execute(query)]
    hints = hints_of(store.meta.settings, identifiers_among(path for _, path, *_ in rows))
    use_endpoint(hints.endpoint)
    is_unchanged = whether_unchanged(store)
    inputs = [(Input(path, number, first, last, hints), events) for number, path, first, last, events in rows]
    read_next([input for input, _ in inputs if input.number in by_input])
    try:
        for input, events in inputs:
            left, wholly = by_input[input.number], also is not None and not is_remote(input.path)
            if (left or wholly) and is_unchanged(input.number, input.path):
                with suppress(UnreadableInput):
                    for item in islice(read(input, placeholder_ids=placeholder_ids), events):
                        if item.position in left:
                            left.remove(item.position)
                            yield item.position, item
                        elif wholly and also is not None and isinstance(item, Event) and also(item):
                            yield item.position, item
                        if not left and not wholly:
                            break
            for position in sorted(left):
                yield position, None
    finally:
        read_next([])


def _now_at(store: Store, path: str, shown: str) -> str:
    """Where an input is: what was read from standard input stays beside the plan, wherever that was moved to."""
    if shown.partition(SEPARATOR)[0] != STDIN:
        return path
    return f"{store.path.parent / STDIN_COPY}{shown.removeprefix(STDIN)}"


def keep_rejected(store: Store) -> None:
    """Put the events that mapping refused into the store, while their files are sure to be there."""
    lacking = "SELECT position FROM reject WHERE event IS NULL AND raw IS NULL"
    positions = [position for (position,) in store.db.execute(lacking)]
    with store.transaction() as db:
        for position, item in reread(store, positions):
            if isinstance(item, Event):
                event = json_codec.dumps(item.original).decode()
                db.execute("UPDATE reject SET line = ?, event = ? WHERE position = ?", (item.line, event, position))

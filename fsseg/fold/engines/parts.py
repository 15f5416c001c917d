"""Parts of inputs that can be read apart, and how what was read of them is put together again."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from fsseg.fold.collect import Collector
from fsseg.segment.objects import CHANGED
from fsseg.segment.open import Input, UnreadableInput
from fsseg.segment.places import stamp
from fsseg.segment.read import MOST_JUMPS, Jumps, split
from fsseg.segment.stores import Stamp, is_remote


def parts_of(input: Input, size: int, jobs: int = 1) -> list[Input]:
    """The input, or parts of it of about this size, or of CSV one for each of these jobs; all have its number."""
    try:
        known = stamp(input.path)
        parts = split(input.path, known.size // size + 1 if known else 1, input.number, jobs)
    except UnreadableInput:
        return [input]  # the one who reads it will say why it can't be
    return [replace(part, number=input.number, hints=input.hints) for part in parts]


def grouped(
    parts: Sequence[Sequence[Input]], sizes: Sequence[int], most: int, most_objects: int = 1
) -> list[list[Input]]:
    """The parts of inputs of these sizes, by themselves or up to so many bytes of whole inputs that follow each other.

    So many objects are put together however large they are: who reads some of them can read ahead.
    """
    groups: list[list[Input]] = []
    room, objects = -1, 0
    for cut, size in zip(parts, sizes, strict=True):
        if len(cut) == 1 and (size <= room or (is_remote(cut[0].path) and objects > 0)):
            groups[-1].append(cut[0])
        else:
            groups += [[part] for part in cut]
            room, objects = (most, most_objects) if len(cut) == 1 else (-1, 0)
        room -= size
        objects = objects - 1 if is_remote(cut[0].path) else 0
    return groups


def change_of(part: Input, path: str, found: Stamp | None) -> str:
    """What is told where a part of the object at this path was found as another than the one that was cut in parts."""
    is_part = part.start > 0 or part.end is not None
    return f"{path}: {CHANGED}" if is_part and is_remote(path) and found != stamp(path) else ""


class ReadSoFar(Struct):
    """What was read of an input, part after part: container, events, lines, why not all, and where lines part ways."""

    container: str = ""
    events: int = 0
    lines: int = 0
    fault: str = ""
    jumps: Jumps | None = field(default_factory=list)

    def add(self, container: str, events: int, lines: int, fault: str, jumps: Jumps | None) -> None:
        """Go on with what was read of the next part."""
        self.container, self.fault = self.container or container, self.fault or fault
        if self.jumps is None or jumps is None or len(self.jumps) > MOST_JUMPS:
            self.jumps = None
        else:
            self.jumps = [*self.jumps, *((event + self.events, line + self.lines) for event, line in jumps)]
        self.events, self.lines = self.events + events, self.lines + lines

    def end(self, collector: Collector, input: Input) -> None:
        """Tell the collector of the input, once all its parts were read."""
        collector.end(input, self.container, self.events, self.fault, self.jumps)

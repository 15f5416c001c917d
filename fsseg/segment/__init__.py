"""Read: any Segment export becomes a stream of `Event`s, and of `Rejected`s that say what is none and why."""

from fsseg.segment.event import POSITION_BITS, Event, Message, Rejected
from fsseg.segment.inputs import expand
from fsseg.segment.key import event_key
from fsseg.segment.lines import count_lines
from fsseg.segment.open import Input, Unreadable, UnreadableInput
from fsseg.segment.read import Reader, read, split

__all__ = [
    "POSITION_BITS",
    "Event",
    "Input",
    "Message",
    "Reader",
    "Rejected",
    "Unreadable",
    "UnreadableInput",
    "count_lines",
    "event_key",
    "expand",
    "read",
    "split",
]

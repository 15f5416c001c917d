"""What every step of the push shares."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from fsseg.freshsales.reader import Reader
from fsseg.freshsales.writer import Writer
from fsseg.mapping.catalog import Catalog
from fsseg.state.plan_store import Store


@dataclass(frozen=True)
class Work:
    """`lock` guards the store, which the workers of one chunk share; `owner_id` owns the sales activities written.

    `pause` waits so many seconds, and raises `Halted` where the run may not go on. `note` writes down what was spent so
    far, so that a process that is killed takes none of it with it.
    """

    store: Store
    catalog: Catalog
    reader: Reader
    writer: Writer
    pause: Callable[[float], None]
    how: Literal["segment", "email"]
    id_field: str | None = None
    owner_id: int | None = None
    workers: int = 1
    note: Callable[[], None] = lambda: None
    lock: threading.Lock = field(default_factory=threading.Lock)

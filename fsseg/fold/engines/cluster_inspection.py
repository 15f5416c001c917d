"""Looking at what is in inputs on the workers of a cluster, part by part."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from typing import Any

from fsseg.cluster import TRIES, Cluster
from fsseg.figures import counted
from fsseg.fold.engines import Note, Tick
from fsseg.fold.engines.cluster import name_of, parts_for
from fsseg.fold.engines.cluster_tasks import Part
from fsseg.mapping.catalog import Catalog
from fsseg.mapping.counts import Place
from fsseg.mapping.explain import Explainer
from fsseg.mapping.inspection import Inspection, Taken
from fsseg.mapping.mapper import Mapper
from fsseg.mapping.profiles import Profiles
from fsseg.mapping.rules import Rules
from fsseg.segment.open import Input
from fsseg.segment.placeholders import PlaceholderIds
from fsseg.segment.read import read


def inspected(
    cluster: Cluster, inputs: Sequence[Input], catalog: Catalog, rules: Rules, tick: Tick, note: Note, *, suggest: bool
) -> Iterator[tuple[Taken, int]]:
    """What was taken of the inputs, in their order, and how many lines of the same input come before."""
    parts = parts_for(cluster, inputs)
    given = {input.number: input.path for input in inputs}
    packed = cluster.submit(bytes, pickle.dumps((catalog.to_json(), rules, suggest)))
    futures = cluster.map(inspect_part, parts, packed)
    number, before = None, 0
    for done, (part, future) in enumerate(zip(parts, futures, strict=True), 1):
        for input, (taken, lines) in zip(part.inputs, cluster.value(future, name_of(part), tick, TRIES), strict=True):
            before = before if number == input.number else 0
            number = input.number
            _rename(taken, given[number])
            tick(taken.stats.read)
            yield taken, before
            before += lines
        future.release()
        note(f"{done:,} of {counted(len(parts), 'part')}")


def _rename(taken: Taken, path: str) -> None:
    """Let an input have the name that it was given by."""
    for file in taken.stats.files:
        file.path = path
    found: tuple[dict[Any, Place], ...] = taken.stats.first, taken.warnings.first
    for places in found:
        for key, (_, line) in places.items():
            places[key] = path, line


def inspect_part(part: Part, packed: bytes) -> list[tuple[Taken, int]]:
    """What is in each input of a part, and how many lines that is."""
    catalog_json, rules, suggest = pickle.loads(packed)  # noqa: S301  # from our own first machine
    catalog = Catalog.from_json(catalog_json)
    explainer = Explainer(catalog, rules)
    found = []
    for input in part.inputs:
        inspection = Inspection(
            lambda warnings: Mapper(catalog, rules, warnings), explainer, Profiles() if suggest else None
        )
        reader = read(input, placeholder_ids=PlaceholderIds(rules.placeholder_ids))
        inspection.take(input, reader, lambda count: None)
        found.append((inspection.taken, reader.lines))
    return found

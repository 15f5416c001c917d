"""What identifies a record between runs, and what was delivered of it, as numbers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from xxhash import xxh3_64_intdigest

from fsseg.state.ledger_format import FINGERPRINT


def fingerprint_keys(kind: str, entity: str, remote_id: int | None, match_key: str, parent: int | None) -> list[int]:
    """The keys under which a record's fingerprint may be noted, the one under which it is noted first.

    A person is known by the id, else by the e-mail, as bulk doesn't tell ids; an account by its folded name; a deal by
    that and the contact it belongs to, whose id is `parent`. There is none if that isn't known.
    """
    if kind == "account":
        known: list[tuple[Any, ...]] = [(match_key,)]
    elif kind == "deal":
        known = [] if parent is None else [(parent, match_key)]
    else:
        known = [(value,) for value in (remote_id, match_key) if value is not None]
    return [xxh3_64_intdigest(orjson.dumps([entity, *values])) for values in known]


def value_fingerprint(value: Any) -> int:
    """One value of a field as a number."""
    return xxh3_64_intdigest(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)) & FINGERPRINT


def fingerprint(kind: str, desired: Mapping[str, Any], companies: Sequence[str]) -> int:
    """What is wanted of a record, its companies among it; equal values give equal numbers in every run."""
    held = dict(desired)
    if companies and kind == "deal":
        held["$account"] = companies[0]
    elif companies:
        held["$accounts"] = list(companies)
    return xxh3_64_intdigest(orjson.dumps(held, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)) & FINGERPRINT

"""The plan's key: which account a plan was made for, and at which state of the ledger."""

from __future__ import annotations

from msgspec import Struct, convert, to_builtins

from fsseg.state.plan_store import Store

_NAME = "key"
"""Under this name the store keeps the key."""


class PlanKey(Struct, frozen=True):
    """`generation` is the ledger's as the plan was last compared with it; at another one it may be out of date."""

    account: str
    edition: str
    generation: int


def plan_key(store: Store) -> PlanKey:
    """The key of the plan in `store`."""
    return convert(store.get(_NAME), PlanKey)


def put_plan_key(store: Store, key: PlanKey) -> None:
    """Keep the key of the plan."""
    store.put(_NAME, to_builtins(key))

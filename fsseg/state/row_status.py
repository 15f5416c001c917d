"""Writing down how far each row of a plan has come: before its request leaves, and after its answer is there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from fsseg.state.actions import Code, Status, Table
from fsseg.state.plan_store import Store
from fsseg.state.seal import proof


class OutcomeRow(NamedTuple):
    """What became of a row. `proof` goes along with an id that the push has learnt (see `seal.proof`).

    `is_unclaimed`: the request provably had no effect, as if it had never left.
    """

    status: Status
    remote_id: int | None
    code: Code | None
    message: str | None
    http_status: int | None
    proof: int | None
    is_unclaimed: bool
    id: int


def claim(store: Store, table: Table, ids: Iterable[int]) -> None:
    """These rows are about to be sent."""
    now = datetime.now(UTC).isoformat()
    store.db.executemany(
        f"UPDATE {table} SET status = ?, claimed_at = ?, committed = NULL WHERE id = ?",
        ((Status.SENT, now, id) for id in ids),
    )


def write_outcomes(store: Store, table: Table, rows: Iterable[OutcomeRow]) -> None:
    """This became of these rows; an id, or its proof, stays as it was where none is given."""
    store.db.executemany(
        f"UPDATE {table} SET status = ?, remote_id = coalesce(?, remote_id), code = ?, message = ?,"
        " http_status = ?, proof = coalesce(?, proof), claimed_at = iif(?, NULL, claimed_at), committed = NULL"
        " WHERE id = ?",
        rows,
    )


def write_remote_id(store: Store, id: int, remote_id: int) -> None:
    """The record has this id in Freshsales, as was found out after it was made."""
    store.update("record", id, remote_id=remote_id, proof=proof("record", id, remote_id))


def add_warnings(store: Store, warnings: Iterable[tuple[str, int]]) -> None:
    """More was found out about records; each warning with the row that it is of."""
    store.db.executemany("UPDATE record SET warnings = json_insert(warnings, '$[#]', ?) WHERE id = ?", warnings)


def fields_warned_of(warnings: Iterable[Any], *codes: Code) -> set[str]:
    """The fields that warnings with one of these codes name, as `code: field = value`."""
    told = (str(warning).partition(": ") for warning in warnings)
    return {text.partition(" = ")[0] for code, _, text in told if code in codes}

"""What an error of SQLite means: whether there is no room."""

from __future__ import annotations

import sqlite3

import pytest

from fsseg.state.database import has_no_room, may_pass


def failed(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE])
def test_a_full_disk_is_one_whatever_sqlite_calls_it(code: int) -> None:
    """The index of a log that finds no room is an I/O error to SQLite."""
    assert has_no_room(failed(code))


def test_a_disk_that_has_failed_may_be_well_again_and_is_not_full() -> None:
    assert may_pass(failed(sqlite3.SQLITE_IOERR_WRITE))
    assert not has_no_room(failed(sqlite3.SQLITE_IOERR_WRITE))

"""Opening our SQLite files: private, versioned, and never damaged by us."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from sqlite3 import Connection
from typing import Any


class StateError(Exception):
    """A file in the state folder cannot be used: damaged, or written by a newer fsseg. Nothing was changed in it."""


OLDEST = (3, 34)
"""The version of SQLite that the statements here keep to: Python takes the system's, and RHEL 9 has this one."""

MOST_VALUES = 500
"""Values in one question: SQLite takes more, but not everywhere."""

_ROWS = 20
"""Rows that one statement inserts, where there are many: a statement each would take twice the time."""

Migration = Callable[[Connection], None]
"""Brings a file from one format to the next, inside a transaction."""


def connect(path: Path, schema: str, version: int, migrations: Mapping[int, Migration] | None = None) -> Connection:
    """The database at `path`, made if absent (mode 0600, WAL), in autocommit mode.

    Every commit has reached the disk when it returns (`synchronous=FULL` syncs the log at each of them, and the folder
    when it makes the log), so that what is written down before a request leaves outlives a power failure.
    A file of an older format is brought to `version` step by step: `migrations` has, for each format, the way to the
    next one. Raises `StateError` where SQLite is too old, and for a file that is damaged, newer, or older without a way
    from there, and `sqlite3.OperationalError` where the disk is full or may not be written.
    """
    if sqlite3.sqlite_version_info < OLDEST:
        needed = ".".join(map(str, OLDEST))
        raise StateError(f"this Python has SQLite {sqlite3.sqlite_version}, and fsseg needs {needed} or newer")
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    try:
        written = connection.execute("PRAGMA user_version").fetchone()[0]
        if written > version:
            raise StateError(f"{path} was written by a newer fsseg (format {written}, this one knows {version})")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        connection.execute("PRAGMA page_size=16384")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        if written == 0:
            connection.executescript(f"BEGIN; {schema}; PRAGMA user_version={version}; COMMIT;")
        else:
            _migrate(connection, path, written, version, migrations or {})
    except sqlite3.DatabaseError as error:
        connection.close()
        raise as_state_error(error, path) from None
    except StateError:
        connection.close()
        raise
    return connection


def _migrate(
    connection: Connection, path: Path, written: int, version: int, migrations: Mapping[int, Migration]
) -> None:
    """All steps or none, so that a file is never left between two formats."""
    if written == version:
        return
    older = f"{path} was written by an older fsseg (format {written}, this one knows {version})"
    if not all(step in migrations for step in range(written, version)):
        raise StateError(older)
    try:
        with transaction(connection):
            for step in range(written, version):
                migrations[step](connection)
            connection.execute(f"PRAGMA user_version={version}")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:  # the disk's fault, not the file's
            raise
        raise StateError(f"{older}, and can't be brought over: {error}") from None


def as_state_error(error: Exception, path: Path) -> Exception:
    """What is wrong with the file itself as a `StateError`; what the disk or another process does stays as it is."""
    if isinstance(error, StateError | sqlite3.OperationalError):
        return error
    return StateError(f"{path} is damaged and was left as it is: {error}")


def may_pass(error: Exception) -> bool:
    """Whether the disk is full, or has failed: what can't be written now may be another time."""
    if isinstance(error, sqlite3.OperationalError):
        failed = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_IOERR
    else:
        failed = isinstance(error, OSError) and error.errno in (errno.EFBIG, errno.EIO)
    return failed or has_no_room(error)


def has_no_room(error: Exception) -> bool:
    """Whether a disk is full, or what somebody may use of it is."""
    if isinstance(error, sqlite3.OperationalError):
        code = getattr(error, "sqlite_errorcode", 0)
        return code == sqlite3.SQLITE_IOERR_SHMSIZE or code & 0xFF == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def is_whole(connection: Connection) -> bool:
    """Whether every page of the database can be read."""
    try:
        return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        return False


def insert_all(connection: Connection, into: str, row: str, rows: Sequence[Sequence[Any]], first: int) -> None:
    """Insert rows into a table, given with its columns; `row` is what stands for each, and `?1` in it for `first`."""
    many = len(rows) // _ROWS * _ROWS
    for count, statements in (
        (_ROWS, (chain.from_iterable(rows[at : at + _ROWS]) for at in range(0, many, _ROWS))),
        (1, iter(rows[many:])),
    ):
        values = ", ".join([row] * count)
        connection.executemany(f"INSERT INTO {into} VALUES {values}", ((first, *told) for told in statements))


@contextmanager
def transaction(connection: Connection) -> Iterator[Connection]:
    """All or nothing of what is written inside; durable once left."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has SQLite roll back by itself
            connection.execute("ROLLBACK")
        raise

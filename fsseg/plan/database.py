"""Opening our SQLite files: private, versioned, and never damaged by us."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path


class StateError(Exception):
    """A file in the state folder cannot be used: damaged, or written by a newer fsseg. Nothing was changed in it."""


def connect(path: Path, schema: str, version: int) -> sqlite3.Connection:
    """The database at `path`, made if absent (mode 0600, WAL), in autocommit mode.

    Raises `StateError` for a file that is damaged or whose `user_version` is above `version`.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    try:
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found > version:
            raise StateError(f"{path} was written by a newer fsseg (format {found}, this one knows {version})")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        if found < version:
            connection.executescript(f"BEGIN; {schema}; PRAGMA user_version={version}; COMMIT;")
    except sqlite3.DatabaseError as error:
        connection.close()
        raise StateError(f"{path} is damaged and was left as it is: {error}") from None
    except StateError:
        connection.close()
        raise
    return connection

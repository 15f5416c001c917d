"""One timeline entry per person, event and day, for when a request each is too dear."""

from __future__ import annotations

from fsseg.state.plan_store import Store


def aggregate(store: Store) -> None:
    """Let the first entry of each person, event and day stand for the others, with their count.

    It keeps its own messageId, so that the same events read again make the same entry. May be repeated;
    transactions are the caller's.
    """
    groups = (
        "SELECT id, first_value(id) OVER same AS head,"
        " count(*) OVER (PARTITION BY person, kind, name, day) AS total"
        " FROM (SELECT id, person, time, position, json_extract(payload, '$.kind') AS kind,"
        " json_extract(payload, '$.name') AS name, substr(time, 1, 10) AS day"
        " FROM entry WHERE person IS NOT NULL AND action IS NULL)"
        " WINDOW same AS (PARTITION BY person, kind, name, day ORDER BY time, position)"
    )
    db = store.db
    db.execute(f"CREATE TEMP TABLE daily AS SELECT * FROM ({groups}) WHERE total > 1")
    db.execute("CREATE INDEX temp.daily_id ON daily (id)")
    db.execute(
        "UPDATE entry SET payload ="
        " json_set(payload, '$.count', (SELECT total FROM daily WHERE daily.id = entry.id))"
        " WHERE id IN (SELECT head FROM daily)"
    )
    db.execute(
        "UPDATE entry SET head = (SELECT head FROM daily WHERE daily.id = entry.id)"
        " WHERE id IN (SELECT id FROM daily WHERE id != head)"
    )
    db.execute("DROP TABLE daily")

"""Which timeline entries of a plan are told otherwise from some moment on."""

from __future__ import annotations

from fsseg.state.plan_store import Store


class EntryWatch:
    """Notes every entry that is changed or added through this store from now on, or whose person gets another name.

    Entries are told apart by groups of `size` ids, counted from the id `first`.
    """

    def __init__(self, store: Store, first: int, size: int) -> None:
        self._db = store.db
        group = f"(({{id}} - {first}) / {size})"
        of_person = f"SELECT {group.format(id='id')} FROM entry WHERE person = old.id"
        noting = {
            "entry_changed AFTER UPDATE ON entry": f"VALUES {group.format(id='old.id')}",
            "entry_added AFTER INSERT ON entry": f"VALUES {group.format(id='new.id')}",
            "person_renamed AFTER UPDATE OF key ON record WHEN old.key IS NOT new.key": of_person,
            "person_gone AFTER DELETE ON record": of_person,
        }
        self._db.execute("CREATE TEMP TABLE changed_entry (number INTEGER PRIMARY KEY)")
        for when, which in noting.items():
            self._db.execute(f"CREATE TEMP TRIGGER {when} BEGIN INSERT OR IGNORE INTO changed_entry {which}; END")
        self._triggers = [when.split()[0] for when in noting]

    def changed(self) -> set[int]:
        """The numbers of the groups of which an entry has changed; the watch is over."""
        numbers = {number for (number,) in self._db.execute("SELECT number FROM changed_entry")}
        for trigger in self._triggers:
            self._db.execute(f"DROP TRIGGER temp.{trigger}")
        self._db.execute("DROP TABLE temp.changed_entry")
        return numbers

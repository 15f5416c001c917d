"""The deals of contacts: asked of each contact, or read from the view of all deals where that takes fewer requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fsseg.figures import counted
from fsseg.freshsales.errors import Forbidden, Refused, Unavailable
from fsseg.freshsales.reader import Reader
from fsseg.freshsales.views import first_page, pages, read_all, view_of_all
from fsseg.mapping.intents import BY_ID
from fsseg.mapping.names import fold_name
from fsseg.match.finders import fetch
from fsseg.match.remote_record import Existing, flatten
from fsseg.match.strategy import FEW
from fsseg.state.plan_store import Record

ByContact = dict[int, list[Existing]]


def deal_name(record: Record) -> str:
    """The folded name of a planned deal, which may be known by an id of its own."""
    return fold_name(record.key) if record.match_key.startswith(BY_ID) else record.match_key


def is_it(row: Existing, id_field: str | None, wanted: Any) -> bool:
    """Whether a deal of the right name may be the one that has this id of its own: it has no other."""
    return id_field is None or wanted is None or row.get(id_field) in (None, "", wanted)


class DealFinder:
    """Tells the deals of `contacts`. Raises the client's errors.

    A contact tells little of its deals (some attributes of each), the view all. That the view names a deal's contacts
    where it is asked to is documented of a single deal only, so it is believed once it has named one.
    """

    def __init__(self, reader: Reader, contacts: set[int], say: Callable[[str], None], *, there: int = 0) -> None:
        """`there` of their deals are known to be there: where contacts are asked, each takes one more request."""
        self._reader = reader
        self._latest: tuple[int, list[Existing]] = 0, []
        self._of_account: dict[int, list[Existing]] = {}
        self._nobodys: list[Existing] = []
        asked = len(contacts) + there
        self._paged = _paged(reader, contacts, say, self._nobodys, asked) if asked > FEW else None

    def find(self, contact: int | None, name: str, *, made: bool, account: int | None = None) -> list[Existing]:
        """The contact's deals of this name, folded, else one of its `account` that belongs to nobody.

        `made`: there should be one, be the view late or not. A deal may have lost its contact when it was made.
        """
        if contact is None:
            return []
        if self._paged is not None:
            found = _named(self._paged.get(contact, []), name)
            if found or not (made or (account is not None and _named(self._nobodys, name))):
                return found
        if contact != self._latest[0]:
            self._latest = contact, [flatten("deal", row) for row in self._reader.deals_of(contact)]
        return _named(self._latest[1], name) or self._without_contact(name, account, made=made)

    def find_own(self, id_field: str, wanted: Any, *, made: bool) -> list[Existing]:
        """The deals that hold this id of their own. `made`: there should be one, though look-ups lag."""
        found = self._holding(id_field, wanted)
        if not found and made and self._reader.wait_out_lag():
            found = self._holding(id_field, wanted)
        return found

    def _holding(self, id_field: str, wanted: Any) -> list[Existing]:
        rows = self._reader.deals_by(id_field, str(wanted))
        whole = (flatten("deal", row) if id_field in _custom(row) else self.read(int(row["id"])) for row in rows)
        return [deal for deal in whole if deal is not None and deal.get(id_field) == wanted]

    def read(self, id: int) -> Existing | None:
        """The whole deal."""
        return fetch(self._reader, "deal", id)

    def _without_contact(self, name: str, account: int | None, *, made: bool) -> list[Existing]:
        rows: list[Existing] = []
        if self._paged is not None and self._nobodys:
            rows = [
                deal for deal in self._nobodys if account is None or deal.get("sales_account_id") in (account, None)
            ]
        elif account is not None:
            if account not in self._of_account:
                self._of_account[account] = [flatten("deal", row) for row in self._reader.deals_of_account(account)]
            rows = self._of_account[account]
        elif made:
            rows = [flatten("deal", row) for row in self._reader.deals_by("name", name)]
        whole = (fetch(self._reader, "deal", int(row["id"])) for row in _named(rows, name))
        return [deal for deal in whole if deal is not None and contacts_of(deal) == []]


def _custom(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, **(row.get("custom_field") or {})}


def _named(deals: list[Existing], name: str) -> list[Existing]:
    return [deal for deal in deals if fold_name(deal.get("name")) == name]


def _paged(
    reader: Reader, contacts: set[int], say: Callable[[str], None], nobodys: list[Existing], asked: int
) -> ByContact | None:
    """The deals of these contacts; None where `asked` requests are no more, or the view can't be read as a whole.

    Those that belong to nobody are added to `nobodys`.
    """
    try:
        return _read_view(reader, contacts, say, nobodys, asked)
    except (Forbidden, Refused, Unavailable):
        return None


def _read_view(
    reader: Reader, contacts: set[int], say: Callable[[str], None], nobodys: list[Existing], asked: int
) -> ByContact | None:
    view = view_of_all(reader, "deal")
    if view is None:
        return None
    first = first_page(reader, "deal", view)
    if first.total is None or any(contacts_of(row) is None for row in first.rows):
        return None
    if (cost := pages(first.total) - 1) >= asked:
        return None
    more = f"{counted(cost, 'request')} more instead of {counted(asked, 'look-up')}"
    say(f"matching deals by paging all of them: {more}")
    found: ByContact = {}
    named: dict[int, bool | None] = {}

    def keep(rows: list[dict[str, Any]]) -> int:
        for row in rows:
            linked = contacts_of(row)
            deal = flatten("deal", row)
            named[int(deal["id"])] = None if linked is None else bool(linked)
            if linked == []:
                nobodys.append(deal)
            for contact in contacts.intersection(linked or ()):
                found.setdefault(contact, []).append(deal)
        return len(named)

    whole = read_all(reader, "deal", view, first, keep) and len(named) >= first.total
    told = None not in named.values() and (any(named.values()) or not named)
    return found if whole and told else None


def contacts_of(row: dict[str, Any]) -> list[int] | None:
    """The ids of a deal's contacts, or None where the row doesn't tell."""
    ids = row.get("contact_ids")
    if not isinstance(ids, list):
        linked = row.get("contacts")
        ids = [one.get("id") for one in linked if isinstance(one, dict)] if isinstance(linked, list) else None
    return None if ids is None else [int(id) for id in ids if str(id).isdecimal()]

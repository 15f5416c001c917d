"""What is in the sandbox, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from fsseg.cli.table import heading
from fsseg.figures import counted, number
from fsseg.report.console import glyphs, text_width
from fsseg.report.humanize import cut, pad, value
from fsseg.sandbox import counts, dump
from fsseg.sandbox.account import COMPUTED, SELECTOR_OF, Account, Row
from fsseg.sandbox.store import Store

KINDS = {
    "lead": ("leads",),
    "contact": ("contacts",),
    "account": ("sales_accounts",),
    "deal": ("deals",),
    "timeline": ("sales_activities", "notes", "events", "page_views"),
}
"""The keys of a dump by entity."""

NOUNS = {
    "leads": "lead", "contacts": "contact", "sales_accounts": "account", "deals": "deal",
    "sales_activities": "sales activity", "notes": "note", "events": "tracked event", "page_views": "tracked page view",
}  # fmt: skip
PLURALS = {"sales_activities": "sales activities"}

_UNSAID = {
    "id", "name", "first_name", "last_name", "email", "emails", "display_name", "avatar", "links", "is_deleted",
    "has_duplicates", "created_at", "updated_at", "custom_field", "sales_accounts", "sales_account_id", "contact_ids",
    "title", "notes", "description", "targetable", "targetable_type", "targetable_id", "targetables", "start_date",
    "end_date", "conversation_time", "sales_activity_type_id", "status", "partial",
}  # fmt: skip
"""Said in a record's first line, or of no interest to readers."""
_NESTED_UNSAID = frozenset({"id", "custom_field"})


def record_json(db: Path, name: str, entities: Sequence[str], text: str = "") -> dict[str, Any]:
    """Everything about the entities, as the API gives it: `{"account", "counts", "leads": […], …}`.

    With `text` only what `_matching` finds.
    """
    keys = [key for entity in entities for key in KINDS[entity]]
    if not db.exists():
        return {"account": name, "counts": dict.fromkeys(keys, 0), **{key: [] for key in keys}}
    records, count = dump(db), counts(db)
    if text:
        records = _matching(records, text)
        count = {key: len(rows) for key, rows in records.items()}
    return {
        "account": name,
        "counts": {key: count.get(key, 0) for key in keys},
        **{key: records.get(key, []) for key in keys},
    }


def _matching(records: Mapping[str, Sequence[Row]], text: str) -> dict[str, list[Row]]:
    """The records with the text in their e-mails, name or id, and what stands on their timelines."""
    text = text.casefold()

    def fits(row: Row) -> bool:
        emails = [each["value"] for each in row.get("emails") or ()]
        person = f"{row.get('first_name') or ''} {row.get('last_name') or ''}" if "first_name" in row else ""
        named = (row.get("email"), row.get("name"), person, *emails)
        return str(row["id"]) == text.removeprefix("#") or any(text in str(each or "").casefold() for each in named)

    models = {"leads": "Lead", "contacts": "Contact", "sales_accounts": "SalesAccount", "deals": "Deal"}
    found = {key: [row for row in records.get(key, ()) if fits(row)] for key in models}
    theirs = {(models[key], row["id"]) for key, rows in found.items() for row in rows}
    for key in KINDS["timeline"]:
        found[key] = [
            row for row in records.get(key, ()) if (row.get("targetable_type"), row.get("targetable_id")) in theirs
        ]
    return found


def print_records(
    out: Console, db: Path, name: str, entities: Sequence[str], limit: int | None, text: str = ""
) -> bool:
    """Print the counts, then the first `limit` records of each kind, with what is set in them.

    With `text` only what `_matching` finds; False where that is nothing.
    """
    all_records = dump(db)
    records = _matching(all_records, text) if text else all_records
    with closing(Store(db)) as store:
        account = store.account
    keys = [key for entity in entities for key in KINDS[entity] if records.get(key)]
    if text and not keys:
        return False
    tally = ", ".join(counted(len(records[key]), NOUNS[key], PLURALS.get(key)) for key in keys)
    heading(out, f"{name} · {tally or 'nothing in it'}")
    show = _Show(out, account, all_records)
    for key in keys:
        out.print()
        heading(out, PLURALS.get(key, NOUNS[key] + "s").capitalize())
        for row in records[key][:limit]:
            show.record(row)
        if limit is not None and len(records[key]) > limit:
            more = f"  {glyphs(out).ellipsis} and {number(len(records[key]) - limit)} more: --limit 0 shows all"
            out.print(Text(more, style="dim"), soft_wrap=True)
    return True


class _Show:
    """Records as blocks: a line that says which it is, then its fields."""

    def __init__(self, out: Console, account: Account, records: Mapping[str, Sequence[Row]]) -> None:
        self._out = out
        self._account = account
        self._people = {
            (model, row["id"]): row
            for model, key in (("Lead", "leads"), ("Contact", "contacts"))
            for row in records.get(key, ())
        }
        self._companies = {row["id"]: row["name"] for row in records.get("sales_accounts", ())}

    def record(self, row: Row) -> None:
        """Print a record and its fields."""
        dots, room = glyphs(self._out).ellipsis, text_width(self._out)
        title = cut(value(self._title(row)), max(room - 6 - len(str(row["id"])), 1), dots)
        line = Text.assemble("  ", (f"#{row['id']}", "dim"), "  ", (title, "bold"))
        for part in filter(None, self._beside(row)):
            cell = cut(value(part), room - 4, dots)
            if cell_len(line.plain) + 2 + cell_len(cell) > room:
                self._out.print(line, soft_wrap=True)
                line = Text("  ")
            line.append(f"  {cell}")
        self._out.print(line, soft_wrap=True)
        facts = list(self._facts(row))
        width = max((len(name) for name, _ in facts), default=0)
        for name, text in facts:
            self._out.print(Text(cut(f"      {pad(name, width)}  {text}", room, dots)), soft_wrap=True)

    def _title(self, row: Row) -> str:
        who = row.get("email") or row.get("name") or row.get("title") or row.get("event_name") or row.get("url")
        return str(who or row.get("display_name") or f"{row.get('targetable_type') or 'Nobody'}'s")

    def _beside(self, row: Row) -> Iterator[str]:
        if "first_name" in row:
            yield f"{row['first_name'] or ''} {row['last_name'] or ''}".strip()
        if "targetable_id" in row:
            yield _in_utc(str(row.get("start_date") or row.get("created_at")))
            person = self._people.get((row["targetable_type"], row["targetable_id"]))
            yield (person and person.get("email")) or f"#{row['targetable_id']}"
        types = self._account.ids.get("sales_activity_types", {})
        if kind := types.get(row.get("sales_activity_type_id", 0)):
            yield f"({kind['name']})"
        if company := self._companies.get(row.get("sales_account_id") or 0):
            yield company
        yield ", ".join(str(linked["name"]) for linked in row.get("sales_accounts") or ())
        emails = (self._people.get(("Contact", contact), {}).get("email") for contact in row.get("contact_ids") or ())
        yield ", ".join(filter(None, emails))

    def _facts(self, row: Row, prefix: str = "") -> Iterator[tuple[str, str]]:
        for name, held in {**row, **(row.get("custom_field") or {})}.items():
            unsaid = name in (_NESTED_UNSAID if prefix else _UNSAID) or COMPUTED.fullmatch(name)
            if unsaid or held in (None, "", []):
                continue
            if isinstance(held, dict):
                yield from self._facts(held, f"{prefix}{name}.")
            else:
                chosen = (
                    self._account.ids.get(SELECTOR_OF.get(name, ""), {}).get(held, {}) if isinstance(held, int) else {}
                )
                yield value(prefix + name), value(_called(chosen) or held)
        for emails in row.get("emails") or [] if not prefix else []:
            if not emails.get("is_primary"):
                yield "emails", value(emails["value"])
        if (body := row.get("notes") or row.get("description")) and isinstance(body, str):
            for line in body.split("\n"):
                name, _, text = line.partition(": ")
                yield value(name), value(text) if text else ""


def _in_utc(time: str) -> str:
    """The time, which stands there with the account's offset, in UTC as everywhere else."""
    try:
        moment = datetime.fromisoformat(time).astimezone(UTC)
    except (ValueError, OverflowError):
        return time
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"


def _called(chosen: Row) -> Any:
    return chosen.get("display_name") or chosen.get("name") or chosen.get("currency_code")

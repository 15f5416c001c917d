"""A summary, changes and failures such as runs leave behind, with hostile data among them."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

HOSTILE = "<script>alert(1)</script>[bold]x\x1b[31m\u202egnp"


def import_summary(**changed: Any) -> dict[str, Any]:
    return {
        "schema": 1,
        "run_id": "2026-11-22-1412-k3",
        "command": "import",
        "dry_run": False,
        "account": "acme.freshsales.io",
        "edition": "classic",
        "started_at": "2026-11-22T14:12:00+00:00",
        "finished_at": "2026-11-22T14:18:12+00:00",
        "exit_code": 1,
        "inputs": [{"path": "events.jsonl", "container": "jsonl", "events": 12400}],
        "events": {
            "read": 12400,
            "by_type": {"identify": 11000, "track": 1300, "page": 100},
            "outcomes": {
                "applied": 11016,
                "unchanged": 1204,
                "skipped": 170,
                "rejected": 6,
                "failed": 4,
                "pending": 0,
            },
        },
        "records": {
            "lead": {"create": 100, "update": 20, "unchanged": 1104, "failed": 1},
            "contact": {"create": 20, "update": 21, "unchanged": 100, "failed": 0},
            "account": {},
            "deal": {},
            "timeline": {"create": 1058},
        },
        "reasons": [
            {"code": "anonymous", "stage": "skip", "outcome": "skipped", "count": 170, "hint": "no userId"},
            {
                "code": "missing_email",
                "stage": "map",
                "outcome": "rejected",
                "count": 6,
                "hint": "no e-mail for this userId: put the e-mail into traits.email",
            },
            {"code": "unavailable", "stage": "push", "outcome": "failed", "count": 4, "hint": "try later"},
        ],
        "warnings": [
            {"code": "ignored_trait", "name": "jobtitel", "count": 3, "hint": "did you mean job_title?"},
            {"code": "ignored_trait", "name": "favoriteColor", "count": 30, "hint": ""},
            {"code": "bad_value", "name": "employees", "count": 2, "hint": "the value is no number"},
        ],
        "requests": {"total": 231, "read": 70, "write": 161, "retried": 2, "rate_limited": 0, "waited_s": 3.2},
        "forecast": {"requests": 219, "seconds": 800},
        **changed,
    }


def dry_summary(**changed: Any) -> dict[str, Any]:
    summary = import_summary(command="dry-run", dry_run=True, exit_code=0, account_limit=1000, quota_left=874)
    summary["reasons"] = summary["reasons"][:2]
    summary["events"]["outcomes"] |= {"applied": 11020, "failed": 0}
    summary["records"]["lead"] |= {"conflict": 1, "failed": 0}
    summary["requests"] = {"total": 14, "read": 14, "write": 0, "retried": 0, "rate_limited": 0, "waited_s": 0}
    return {**summary, **changed}


def change(action: str, entity: str = "lead", key: str = "ada@example.com", **more: Any) -> dict[str, Any]:
    return {"action": action, "entity": entity, "key": key, "id": None, "fields": {}, "warnings": [], **more}


def changes() -> list[dict[str, Any]]:
    return [
        change(
            "create",
            key="lena@acme.example",
            fields={
                "first_name": {"before": None, "after": "Lena"},
                "company.name": {"before": None, "after": "Acme BV"},
                "cf_score": {"before": None, "after": 7.5},
                "cf_unset": {"before": None, "after": None},
            },
        ),
        change(
            "update",
            "contact",
            "kim@north.example",
            id=5001264008,
            fields={
                "job_title": {"before": "CTO", "after": "CEO"},
                "cf_region": {"before": "EMEA", "after": None},
                "cf_tags": {"before": None, "after": ["a", "b"]},
            },
        ),
        change("unchanged", key="same@example.com", id=7),
        change("conflict", key="sam@old.example", id=5001300771, warnings=["duplicate_person"]),
        change("create", "timeline", "kim@north.example", fields={"title": {"before": None, "after": HOSTILE}}),
        change("skipped", "deal", "Big deal", warnings=["incomplete"]),
    ]


def failure(code: str = "missing_email", line: int = 17, **event: Any) -> dict[str, Any]:
    about = {
        "file": "events.jsonl",
        "line": line,
        "stage": "map",
        "code": code,
        "message": "no e-mail",
        "hint": "put the e-mail into traits.email",
        "retryable": code == "unavailable",
        "status": 503 if code == "unavailable" else None,
    }
    original = {"type": "identify", "userId": "u-1", "messageId": "m-1", "traits": {"name": "Ada"}, **event}
    return {**original, "_fsseg": about}


def failures() -> list[dict[str, Any]]:
    hostile = failure(line=18, userId="=HYPERLINK(1)", traits={"email": "e@x.example"}, event=HOSTILE)
    return [failure(), hostile, failure("unavailable", 2040, type="track", event="Order Completed")]


def capturing(*, width: int = 100, terminal: bool = False, encoding: str = "utf-8", **options: Any) -> Console:
    """A console whose output `shown` gives back."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="", write_through=True)
    return Console(
        file=file,
        width=width,
        height=40,
        force_terminal=terminal,
        color_system="standard" if terminal else None,
        markup=False,
        highlight=False,
        emoji=False,
        _environ={},
        **options,
    )


def shown(console: Console) -> str:
    file = console.file
    assert isinstance(file, io.TextIOWrapper)
    assert isinstance(file.buffer, io.BytesIO)
    return file.buffer.getvalue().decode(file.encoding)

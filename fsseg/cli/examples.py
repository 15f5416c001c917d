"""What `--help` ends with: a few lines to type, for every command."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "": (
        "fsseg dry-run events/ --sandbox",
        "fsseg check --domain acme",
        "fsseg import events/ --domain acme",
        "fsseg help import",
    ),
    "import": (
        "fsseg import events/ --sandbox",
        "fsseg import events/ --dry-run",
        "fsseg import events/ --since yesterday --yes --quiet",
        "fsseg import signups.jsonl --only identify --max-requests 800",
        "zcat events.gz | fsseg import -",
    ),
    "dry-run": (
        "fsseg dry-run events/",
        "fsseg dry-run events/ --offline",
        "fsseg dry-run events/ --since 7d --show updates",
        "fsseg dry-run events/ --format markdown > changes.md",
    ),
    "apply": ("fsseg apply", "fsseg apply 2026-11-22 --max-time 50m", "fsseg apply latest --strict --yes"),
    "resume": ("fsseg resume", "fsseg resume 2026-11-22 --max-requests 800"),
    "retry": ("fsseg retry", "fsseg retry latest --reserve 20%"),
    "undo": ("fsseg undo --dry-run", "fsseg undo 2026-11-22", "fsseg undo latest --delete-created --yes"),
    "report": (
        "fsseg report",
        "fsseg report latest --format html --output report.html",
        "fsseg report 2026-11-22 --format csv > failed.csv",
        "fsseg report latest --person ada@example.com",
        "fsseg report latest --reason missing_email --limit 100",
    ),
    "fields": ("fsseg fields", "fsseg fields leads --choices", "fsseg fields contact --offline"),
    "inspect": ("fsseg inspect events/", "fsseg inspect events.jsonl --offline --top 0"),
    "check": (
        "fsseg check",
        "fsseg check --probe",
        "fsseg check --domain acme --api-token-file ~/.freshsales-token",
        "fsseg check --json",
    ),
    "init": ("fsseg init", "fsseg init events/", "fsseg init --domain acme --api-token-file ~/.freshsales-token"),
    "runs": ("fsseg runs", "fsseg runs show latest", "fsseg runs prune --older-than 30d"),
    "runs list": ("fsseg runs list", "fsseg runs list --domain acme --json"),
    "runs show": ("fsseg runs show latest", "fsseg runs show 2026-11-22 --json"),
    "runs prune": ("fsseg runs prune", "fsseg runs prune --older-than 12h --yes"),
    "sandbox": ("fsseg sandbox show", "fsseg sandbox serve", "fsseg sandbox reset"),
    "sandbox serve": ("fsseg sandbox serve", "fsseg sandbox serve --quota 1000 --window 90s --fault error=5%"),
    "sandbox show": (
        "fsseg sandbox show",
        "fsseg sandbox show ada@example.com",
        "fsseg sandbox show --entity leads --limit 0",
    ),
    "sandbox reset": ("fsseg sandbox reset", "fsseg sandbox reset --yes"),
    "help": ("fsseg help import", "fsseg help runs prune"),
}
"""By the command's words."""


def examples(command: str) -> str:
    """The end of a command's help."""
    return "\n".join(["Examples:", *(f"  {line}" for line in EXAMPLES[command])]).replace("[", r"\[")

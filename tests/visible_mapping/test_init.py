"""`fsseg init` with event files, against an account."""

from __future__ import annotations

import re

from fsseg.settings import load
from tests.e2e.harness import Machine
from tests.readme import ROOT

BACKFILL = str(ROOT / "samples" / "backfill" / "events.jsonl")


def test_what_the_account_requires_stands_among_the_defaults(machine: Machine) -> None:
    kind = "contacts" if machine.account.edition == "suite" else "leads"
    machine.account.empty({"fields": {kind: {"change": {"lead_source_id": {"required": True}}}}})
    path = machine.home / "new.toml"
    assert machine.run("init", BACKFILL, "--to", str(path), "--yes").code == 0
    person = "contact" if machine.account.edition == "suite" else "lead"
    assert f"[defaults.{person}]" in path.read_text()
    assert re.search(r'^# lead_source_id = "" +# one of: ', path.read_text(), re.MULTILINE)
    assert load({}, path).mapping.person["subscriptionTier"]["field"] == "cf_plan"

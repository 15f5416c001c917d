"""`fsseg init` with event files, against an account."""

from __future__ import annotations

import re

from fsseg.settings import load
from tests.e2e.events import identify
from tests.e2e.harness import Machine
from tests.readme import ROOT

BACKFILL = str(ROOT / "samples" / "backfill" / "events.jsonl")


def test_what_the_account_requires_stands_among_the_defaults(machine: Machine) -> None:
    kind = "contacts" if machine.account.edition == "suite" else "leads"
    machine.account.empty({"fields": {kind: {"change": {"lead_source_id": {"required": True}}}}})
    path = machine.home / "new.toml"
    result = machine.run("init", BACKFILL, "--to", str(path), "--yes")
    assert result.code == 0
    person = "contact" if machine.account.edition == "suite" else "lead"
    assert f"[defaults.{person}]" in path.read_text()
    (told,) = re.findall(r'^# lead_source_id = "(.+)" +# one of: (.+)', path.read_text(), re.MULTILINE)
    assert told[1].startswith(told[0])
    assert "aren't known here" not in path.read_text() + result.err
    assert "[defaults.deal]" not in path.read_text()  # of which the files tell nothing
    assert load({}, path).mapping.person["subscriptionTier"]["field"] == "cf_plan"


def test_what_is_required_is_written_where_the_files_make_it_with_a_value_that_fits(classic: Machine) -> None:
    classic.environment["FSSEG_BASE_URL"] = None
    path, events = classic.home / "new.toml", [identify("a@x.example", deal={"name": "Pilot"})]
    result = classic.run("init", "--to", str(path), "--yes", events=events)
    assert result.code == 0, result.err
    assert re.search(r"^# amount = 0 +# a number$", path.read_text(), re.MULTILINE)


def test_without_an_account_it_says_what_to_type_for_its_fields_to_be_known(classic: Machine) -> None:
    path = classic.home / "new.toml"
    classic.environment["FSSEG_BASE_URL"] = None
    assert classic.run("init", BACKFILL, "--to", str(path), "--yes").code == 0
    told = "aren't known here: set FSSEG_API_TOKEN, and add --domain acme."
    assert told in path.read_text()
    assert told in classic.run("inspect", BACKFILL, "--suggest").out
    known = classic.run("inspect", BACKFILL, "--suggest", "--offline", "--domain", "acme").out
    assert "aren't known here: set FSSEG_API_TOKEN, and leave out --offline." in known

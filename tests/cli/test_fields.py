from __future__ import annotations

from typing import Any

import pytest

from fsseg.sandbox import reset
from tests.cli.conftest import Serve, Shell

OWN = {"fields": {"contacts": {"add": [{"name": "cf_tier", "type": "dropdown", "choices": ["Gold", "Tin"]}]}}}


def by_name(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in rows}


def test_the_account_s_own_fields_are_shown_with_the_traits_that_reach_them(serve: Serve) -> None:
    shell, sandbox = serve("classic")
    reset(shell.folder / "classic.db", "classic", OWN)
    shell.write("fsseg.toml", '[mapping.contact]\nlevel = "cf_tier"')
    done = shell("fields", "contact", "--json")
    assert (done.code, done.json["source"], done.json["edition"]) == (0, "account", "classic")
    fields = by_name(done.json["fields"]["contact"])
    assert fields["cf_tier"]["traits"] == ["level", "cfTier"]
    assert [choice["text"] for choice in fields["cf_tier"]["choices"]] == ["Gold", "Tin"]
    assert fields["job_title"]["traits"] == ["title", "jobTitle"]
    assert fields["city"]["traits"] == ["address.city", "city"]
    assert not fields["updated_at"]["writable"]
    assert sandbox.stats()["writes"] == 0


def test_the_table_names_trait_field_label_and_type(serve: Serve) -> None:
    shell, _ = serve("suite")
    done = shell("fields", "deal", "--choices")
    (row,) = [line for line in done.out.splitlines() if " amount " in line]
    assert row.split() == ["amount", "amount", "Amount", "number", "required"]
    assert "New" in next(line for line in done.out.splitlines() if "deal_stage_id" in line)
    assert "creater_id" not in done.out
    assert "kept by Freshsales" in shell("fields", "deal", "--all").out


def test_a_lead_comes_with_the_company_and_the_deal_in_it(shell: Shell) -> None:
    done = shell("fields", "lead", "--offline", "--json")
    assert list(done.json["fields"]) == ["lead", "lead.company", "lead.deal"]
    assert "industry" in by_name(done.json["fields"]["lead.company"])["industry_type_id"]["traits"]


def test_offline_nothing_is_sent_and_the_cached_fields_count(serve: Serve) -> None:
    shell, sandbox = serve("suite")
    assert shell("fields", "--offline", "--json").json["source"] == "standard"
    assert sandbox.stats()["total"] == 0
    shell("fields")
    total = sandbox.stats()["total"]
    cached = shell("fields", "--offline", "--json").json
    assert (cached["source"], sandbox.stats()["total"]) == ("cached", total)
    assert "cf_plan" in by_name(cached["fields"]["contact"])


def test_the_suite_has_no_leads(shell: Shell) -> None:
    done = shell("fields", "lead", "--offline", "--edition", "suite")
    assert (done.code, done.out) == (2, "")
    assert "no leads" in done.err


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({}, "no Freshsales account given"),
        ({"FSSEG_DOMAIN": "acme"}, "no API token"),
        ({"FSSEG_DOMAIN": "a b"}, "host name"),
    ],
)
def test_what_is_missing_is_told_in_one_error(shell: Shell, env: dict[str, str], message: str) -> None:
    done = shell.with_env(**env)("fields")
    assert (done.code, done.out, done.err.count("error: "), len(done.err.splitlines()) <= 2) == (2, "", 1, True)
    assert message in done.err


def test_a_mapping_to_no_field_is_told(serve: Serve) -> None:
    shell, _ = serve("classic")
    shell.write("fsseg.toml", '[mapping.person]\nlevel = "cf_nothing"')
    done = shell("fields")
    assert done.code == 2
    assert "cf_nothing" in done.err


def test_where_the_mapping_is_mistaken_the_names_that_mend_it_are_shown_all_the_same(serve: Serve) -> None:
    shell, _ = serve("classic")
    shell.write("fsseg.toml", '[mapping.contact]\nlevel = "cf_no_such"\n[timeline]\nowner = "nobody@x.example"')
    done = shell("fields", "contact")
    assert done.code == 2
    assert "job_title" in done.out
    assert all(fault in done.err for fault in ("cf_no_such", "nobody@x.example"))
    assert shell("fields", "contact", "--json").json.keys() == {"error"}


def test_what_the_key_may_not_read_is_told_and_the_standard_fields_are_shown(serve: Serve) -> None:
    shell, _ = serve("classic", forbidden=["/settings/deals/fields"])
    done = shell("fields", "deal")
    assert done.code == 0
    assert "expected_close" in done.out
    assert "this key may not read the deal fields; these are the standard ones" in done.err

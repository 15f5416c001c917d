from __future__ import annotations

import re
from pathlib import Path

import pytest

from fsseg.mapping.event_rule import FIELD_KEYS
from fsseg.mapping.field_rule import KEYS
from fsseg.settings import FILE_KEYS, load
from tests.cli.conftest import Serve, Shell
from tests.readme import ROOT


def test_what_it_writes_loads_and_says_what_was_chosen(shell: Shell) -> None:
    arguments = ["--domain", "acme", "--edition", "suite", "--match", "email", "--api-token-file", 'my "token".txt']
    done = shell("init", *arguments)
    assert (done.code, done.out) == (0, "")
    path = shell.folder / "here" / "fsseg.toml"
    settings = load({}, path)
    assert (settings.freshsales.domain, settings.freshsales.edition) == ("acme", "suite")
    assert settings.identity.match == "email"
    assert settings.freshsales.api_token_file == path.parent / 'my "token".txt'


def test_every_setting_stands_there_and_is_right_when_commented_in(shell: Shell, tmp_path: Path) -> None:
    shell("init")
    text = (shell.folder / "here" / "fsseg.toml").read_text()
    live = re.sub(r"^# (?=\w+ = |\[)", "", text, flags=re.MULTILINE)
    assert live != text
    (tmp_path / "live.toml").write_text(live)
    settings = load({}, tmp_path / "live.toml")
    assert settings.limits.max_time == 3000
    for section in (settings.freshsales, settings.identity, settings.timeline, settings.limits, settings.filter):
        assert section.model_fields_set == type(section).model_fields.keys()
    assert settings.mapping.model_fields_set == {"person", "account", "deal", "event"}


def test_the_token_is_never_written(shell: Shell) -> None:
    shell.with_env(FSSEG_API_TOKEN="very-secret", FSSEG_DOMAIN="acme")("init")
    assert "very-secret" not in (shell.folder / "here" / "fsseg.toml").read_text()


def test_a_file_that_is_there_stays_unless_forced(shell: Shell) -> None:
    path = shell.write("fsseg.toml", "strict = true")
    done = shell("init", "--domain", "acme")
    assert (done.code, path.read_text()) == (2, "strict = true\n")
    assert "--force" in done.err
    assert shell("init", "--domain", "acme", "--force").code == 0
    assert 'domain = "acme"' in path.read_text()


@pytest.mark.parametrize(
    "arguments",
    [["--domain", "a b"], ["--base-url", "http://crm.example.com"], ["--to", "no/such/place.toml"], ["fsseg.toml"]],
)
def test_a_wrong_answer_leaves_nothing_behind(shell: Shell, arguments: list[str]) -> None:
    done = shell("init", *arguments)
    assert done.code == 2
    assert list((shell.folder / "here").iterdir()) == []


def test_on_a_terminal_it_asks_for_the_account(shell: Shell) -> None:
    shell.write("token.txt", "secret")
    keys = "a b\nacme.myfreshworks.com\n~/nowhere.txt\ntoken.txt\n"
    code, seen = shell.on_terminal("init", keys=keys)
    assert code == 0
    assert "is not a host name" in seen
    assert "~/nowhere.txt:" not in seen
    assert "/nowhere.txt: No such file" in seen
    assert "for acme.myfreshworks.com" in seen
    assert "next: fsseg check" in seen
    settings = load({}, shell.folder / "here" / "fsseg.toml")
    assert settings.freshsales.domain == "acme.myfreshworks.com"


def test_the_sandbox_needs_no_account_so_none_is_asked_for(shell: Shell) -> None:
    code, seen = shell.on_terminal("init", "--sandbox")
    assert (code, "domain (" in seen, "fsseg check --sandbox" in seen) == (0, False, True)


def test_a_home_folder_in_the_settings_file_is_found(shell: Shell) -> None:
    path = shell.write("fsseg.toml", 'freshsales.api_token_file = "~/tok.txt"')
    assert load({}, path).freshsales.api_token_file == Path("~/tok.txt").expanduser()
    given = shell("check", "--domain", "acme", "--api-token-file=~/tok.txt")
    assert (given.code, "~/tok.txt" in given.err) == (2, False)


def test_what_is_next_depends_on_where_the_token_is(shell: Shell) -> None:
    assert "next: set FSSEG_API_TOKEN, then fsseg check" in shell("init", "--domain", "acme").err
    known = shell.with_env(FSSEG_API_TOKEN="t")
    assert "next: fsseg check" in known("init", "--domain", "acme", "--force").err
    missing = known("init", "--domain", "acme", "--force", "--api-token-file", "no.txt").err
    assert "next: put the API token into no.txt, then fsseg check" in missing


def test_an_account_that_does_not_answer_loses_no_answers(serve: Serve) -> None:
    shell, sandbox = serve(refuse_token=True)
    shell.write("e.jsonl", '{"type": "identify", "userId": "p@x.example", "traits": {"a": 1}}')
    done = shell("init", "e.jsonl", "--base-url", sandbox.base_url)
    assert done.code != 0
    assert "--force --offline" in done.err
    assert f'base_url = "{sandbox.base_url}"' in (shell.folder / "here" / "fsseg.toml").read_text()


def test_json_says_what_was_written(shell: Shell) -> None:
    done = shell("init", "--domain", "acme", "--json")
    assert done.json["account"] == "acme.freshsales.io"


BACKFILL = str(ROOT / "samples" / "backfill" / "events.jsonl")


def test_from_event_files_it_writes_the_mapping_with_coverage_and_examples(shell: Shell) -> None:
    done = shell("init", BACKFILL, "--domain", "acme", "--offline", "--yes")
    assert done.code == 0
    text = (shell.folder / "here" / "fsseg.toml").read_text()
    settings = load({}, shell.folder / "here" / "fsseg.toml")
    assert settings.freshsales.domain == "acme"
    assert settings.mapping.person["jobRole"] == "job_title"
    assert re.search(
        r'^jobRole = "job_title" +# 100% of calls, text: Head of Operations \| Office Manager \| CTO$', text, re.M
    )
    assert "# favouriteColour: no standard field is like it; 100% of calls, text: teal | plum" in text
    assert "# No activity type is named like these: " in text
    assert "+49" not in text


def test_files_that_cannot_be_read_leave_no_settings_behind(shell: Shell) -> None:
    assert shell("init", "nothing.jsonl", "--yes").code == 4
    assert not (shell.folder / "here" / "fsseg.toml").exists()


def test_files_that_cannot_be_read_leave_the_settings_that_were_there(shell: Shell) -> None:
    assert shell("init", "--domain", "acme").code == 0
    path = shell.folder / "here" / "fsseg.toml"
    before = path.read_bytes()
    done = shell("init", "missing.jsonl", "--domain", "other", "--force", "--offline")
    assert (done.code, path.read_bytes()) == (4, before)


def test_the_schema_knows_every_setting_and_rule_there_is(shell: Shell) -> None:
    schema = shell("init", "--schema").json
    assert set(schema["properties"]) == FILE_KEYS
    definitions = schema["$defs"]
    for section in ("Freshsales", "Identity", "Timeline", "Limits", "Filter", "Views", "MappingTables", "Defaults"):
        assert definitions[section]["additionalProperties"] is False
    assert definitions["Limits"]["properties"]["max_time"] == {"anyOf": [{"type": ["string", "number"]}]}
    assert definitions["MappingTables"]["properties"]["person"]["additionalProperties"] == {"$ref": "#/$defs/rule"}
    assert set(definitions["rule"]["anyOf"][2]["properties"]) == set(KEYS)
    assert set(definitions["event_field"]["anyOf"][1]["properties"]) == set(FIELD_KEYS)
    assert not (shell.folder / "here" / "fsseg.toml").exists()


def test_the_command_that_it_names_next_finds_the_file(shell: Shell) -> None:
    assert "then fsseg check (or fsseg check --sandbox," in shell("init").err
    there = shell.folder / "of mine.toml"
    said = shell("init", "--to", there).err
    assert f"then fsseg check --config '{there}' (or fsseg check --config '{there}' --sandbox," in said

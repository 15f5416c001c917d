from __future__ import annotations

import json
import os
import signal
import socket
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from fsseg.cli.connect import locked
from fsseg.sandbox import counts
from tests.cli.conftest import Shell

PERSON = {
    "type": "identify",
    "userId": "ada@example.com",
    "messageId": "m1",
    "timestamp": "2024-01-02T03:04:05Z",
    "traits": {"firstName": "Ada\x1b[31m", "company": {"name": "Engines", "industry": "Software"}, "cfPlan": "Pro"},
}
ORDER = {
    "type": "track",
    "event": "Order Completed",
    "userId": "ada@example.com",
    "messageId": "m2",
    "timestamp": "2024-01-02T04:00:00Z",
    "properties": {"total": 12},
}


def test_an_empty_sandbox_is_said_to_be_so(shell: Shell) -> None:
    text, data = shell("sandbox", "show"), shell("sandbox", "show", "--json")
    assert (text.code, text.out) == (0, "")
    assert "nothing is in sandbox-classic yet" in text.err
    assert data.json["counts"] == dict.fromkeys(data.json["counts"], 0)


def test_show_tells_each_record_with_what_is_set_in_it(shell: Shell) -> None:
    assert shell("import", "--sandbox", shell.write("a.jsonl", PERSON, ORDER)).code == 0
    done = shell("sandbox", "show")
    assert done.code == 0
    assert "1 lead, 1 sales activity" in done.out
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert any(line.endswith("ada@example.com Ada[31m") for line in lines)
    assert any("2024-01-02 04:00:00Z" in line for line in lines)
    assert {"cf_plan Pro", "company.name Engines", "company.industry_type_id Software", "Total 12.00"} <= set(lines)
    assert any("Order Completed" in line and "ada@example.com" in line for line in lines)


def test_show_can_be_narrowed(after_import: Shell) -> None:
    done = after_import("sandbox", "show", "--entity", "lead", "--limit", "1")
    assert "Contacts" not in done.out
    assert "more: --limit 0 shows all" in done.out
    assert done.out.count("  #") == 1


def test_show_as_json_is_everything_as_the_api_gives_it(after_import: Shell) -> None:
    data = after_import("sandbox", "show", "--json").json
    assert len(data["leads"]) == data["counts"]["leads"] > 10
    assert "custom_field" in data["contacts"][0]
    narrow = after_import("sandbox", "show", "--json", "--entity", "deal").json
    assert set(narrow) == {"account", "counts", "deals"}


def test_reset_empties_it_and_forgets_what_was_delivered(after_import: Shell) -> None:
    folder = after_import.state / "sandbox-classic"
    before = counts(folder / "freshsales.db")
    done = after_import("sandbox", "reset", "--yes", "--json")
    deleted = {"account": "sandbox-classic", "deleted": sum(before.values()), "deleted_runs": 1}
    assert (done.code, done.json) == (0, deleted)
    assert set(counts(folder / "freshsales.db").values()) == {0}
    assert not (list(folder.glob("ledger*")) + list(folder.glob("mirror*")))
    again = after_import("import", "--sandbox", after_import.write("a.jsonl", PERSON), "--json")
    assert again.json["events"]["outcomes"]["applied"] == 1


def test_after_a_reset_no_earlier_run_can_write_to_whoever_has_its_ids_now(shell: Shell) -> None:
    dry = shell("dry-run", "--sandbox", "--json", shell.write("b.jsonl", {**PERSON, "userId": "bo@example.com"}))
    done = shell("import", "--sandbox", "--json", shell.write("a.jsonl", PERSON))
    told = shell.on_terminal("sandbox", "reset", keys="y\n")[1]
    assert "Delete 1 record or entry of sandbox-classic, and 2 runs with their reports?" in told.replace("\r\n", " ")
    other = {**PERSON, "userId": "eve@example.com", "messageId": "m9", "traits": {"firstName": "Eve"}}
    assert shell("import", "--sandbox", shell.write("c.jsonl", other)).code == 0
    before = shell("sandbox", "show", "--json").json
    for command in ("resume", "retry", "undo", "apply"):
        for run in (dry.json["run_id"], done.json["run_id"]):
            ended = shell(command, run, *(["--yes"] if command in ("undo", "apply") else []))
            assert (ended.code, f"there is no run {run}" in ended.err) == (2, True)
    assert shell("sandbox", "show", "--json").json == before


def test_reset_does_nothing_where_nobody_agrees(after_import: Shell) -> None:
    db = after_import.state / "sandbox-classic" / "freshsales.db"
    assert after_import("sandbox", "reset").code == 2
    assert after_import.on_terminal("sandbox", "reset", keys="n\n")[0] == 0
    assert counts(db)["leads"] > 0
    assert after_import.on_terminal("sandbox", "reset", keys="y\n")[0] == 0
    assert counts(db)["leads"] == 0


def test_reset_keeps_out_of_the_way_of_a_run(after_import: Shell) -> None:
    with locked(after_import.state / "sandbox-classic", "2024-01-01-000000-aa"):
        assert after_import("sandbox", "reset", "--yes").code == 7


def test_a_damaged_file_is_told_and_reset_makes_a_new_one(after_import: Shell) -> None:
    db = after_import.state / "sandbox-classic" / "freshsales.db"
    for file in db.parent.glob("freshsales.db-*"):
        file.unlink()
    db.write_bytes(b"this is no database, though it is as long as one would be" * 50)
    for arguments in (["show"], ["serve", "--port", "0"]):
        done = after_import("sandbox", *arguments)
        assert done.code == 2
        assert "sandbox reset" in done.err
    assert after_import("sandbox", "reset", "--yes").code == 0
    assert after_import("sandbox", "show").code == 0


def test_what_helps_is_told_for_the_edition_that_is_meant(shell: Shell) -> None:
    suite = shell.state / "sandbox-suite"
    assert "with fsseg import PATH --sandbox --edition suite" in shell("sandbox", "show", "--edition", "suite").err
    suite.mkdir(parents=True, exist_ok=True)
    (suite / "freshsales.db").write_bytes(b"this is no database, though it is as long as one would be" * 50)
    assert "fsseg sandbox reset --edition suite makes" in shell("sandbox", "show", "--edition", "suite").err
    assert shell("sandbox", "reset", "--edition", "suite", "--yes").code == 0
    assert "with fsseg import PATH --sandbox\n" in shell("sandbox", "show").err


def ask(base_url: str, token: str = "sandbox") -> Any:
    request = urllib.request.Request(
        f"{base_url}/api/selector/owners", headers={"Authorization": f"Token token={token}"}
    )
    with urllib.request.urlopen(request) as answer:
        return answer.headers["x-ratelimit-limit"], json.load(answer)


def test_a_served_sandbox_says_how_to_use_it_and_ends_when_asked(shell: Shell) -> None:
    arguments = ["--port", "0", "--edition", "suite", "--quota", "77", "--window", "1h", "--fault", "slow=0.0"]
    with shell.started("sandbox", "serve", *arguments) as process:
        assert process.stdout is not None
        env = dict(process.stdout.readline().removeprefix("export ").strip().split("=", 1) for _ in range(4))
        assert set(env) == {"FSSEG_BASE_URL", "FSSEG_EDITION", "FSSEG_API_TOKEN", "FSSEG_APPLICATION_TOKEN"}
        assert ask(env["FSSEG_BASE_URL"])[0] == "77"
        done = shell.with_env(**env)("import", shell.write("a.jsonl", PERSON), "--json")
        assert (done.code, done.json["edition"]) == (0, "suite")
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (0, "")
        assert "Ctrl-C" in err
    assert counts(shell.state / "sandbox-suite" / "freshsales.db")["contacts"] == 1
    assert list(shell.state.glob("127.0.0.1_*/ledger.db"))
    assert list(shell.state.glob("127.0.0.1_*/runs/*"))
    assert shell("sandbox", "reset", "--edition", "suite", "--yes").code == 0
    assert not list(shell.state.glob("127.0.0.1_*/ledger.db"))
    assert not list(shell.state.glob("127.0.0.1_*/runs/*"))


def test_a_served_sandbox_says_it_as_json_too(shell: Shell) -> None:
    with shell.started("sandbox", "serve", "--port", "0", "--json") as process:
        assert process.stdout is not None
        text = ""
        while not text.endswith("\n}\n"):
            text += process.stdout.readline()
        told = json.loads(text)
        assert ask(told["base_url"])[1]["users"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fault", "nonsense=1"], "fault kind"),
        (["--fault", "error=much"], "error=5%"),
        (["--fault", "error=5%,limit=x"], "limit of a fault must be a number, not 'x'"),
        (["--as", "forbidden=x"], "takes paths such as /deals"),
        (["--as", "required=e-mail"], "did you mean email?"),
        (["--as", "required_of_deals=x"], "no field 'x'"),
        (["--as", "custom_feild=merge"], "did you mean custom_fields?"),
        (["--offset", "here"], "offset"),
        (["--window", "long"], "--window"),
    ],
)
def test_a_sandbox_that_cannot_be_is_a_usage_error(shell: Shell, arguments: list[str], message: str) -> None:
    done = shell("sandbox", "serve", "--port", "0", *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_the_embedded_sandbox_takes_switches_too(shell: Shell) -> None:
    shell.write("e.jsonl", '{"type": "identify", "userId": "p@x.example", "traits": {"firstName": "P"}}')
    wanted = shell("import", "e.jsonl", "--sandbox", "--as", "required=email,lead_source_id")
    assert (wanted.code, shell("report", "--sandbox", "--json").json["reasons"][0]["code"]) == (1, "refused")
    assert shell("retry").code == 1
    assert shell("retry", "--as", "required=email").code == 0
    real = shell.with_env(FSSEG_API_TOKEN="t")("check", "--domain", "acme", "--as", "required=email")
    assert (real.code, real.err.splitlines()[1]) == (2, "hint: leave it out, or give --sandbox")
    wrong = shell("import", "e.jsonl", "--sandbox", "--as", "nonsense=1")
    assert (wrong.code, "custom_fields" in wrong.err) == (2, True)


def test_a_port_that_is_taken_is_a_usage_error(shell: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = shell("sandbox", "serve", "--port", str(taken.getsockname()[1]))
    assert done.code == 2
    assert "--port" in done.err


def test_the_served_file_is_the_one_of_the_flag(after_import: Shell) -> None:
    assert Path(after_import.state / "sandbox-classic" / "freshsales.db").exists()
    with after_import.started("sandbox", "serve", "--port", "0") as process:
        assert process.stdout is not None
        env = dict(process.stdout.readline().removeprefix("export ").strip().split("=", 1) for _ in range(4))
        request = urllib.request.Request(
            f"{env['FSSEG_BASE_URL']}/api/leads/filters", headers={"Authorization": "Token token=sandbox"}
        )
        with urllib.request.urlopen(request) as answer:
            view = next(row["id"] for row in json.load(answer)["filters"] if row["name"] == "All Leads")
        request = urllib.request.Request(
            f"{env['FSSEG_BASE_URL']}/api/leads/view/{view}", headers={"Authorization": "Token token=sandbox"}
        )
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["meta"]["total"] > 10

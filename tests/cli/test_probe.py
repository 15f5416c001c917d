"""`fsseg check --probe`: a contact, a lead and a deal, made and deleted, and what they have shown."""

from __future__ import annotations

import json
import re
import signal
import time
from typing import Any

import pytest

from fsseg.sandbox import Fault, dump
from tests.cli.conftest import Serve, Shell

WAYS: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({}, {"custom fields": "empties", "null": "clears", "choices": "dropped", "bulk": "keeps", "deals": "lose"}),
    (
        {
            "custom_fields": "merge",
            "null": "ignore",
            "bad_choices": "refuse",
            "bulk_custom_fields": "replace",
            "deal_links_in_bulk": "keep",
        },
        {"custom fields": "keeps", "null": "ignored", "choices": "refused", "bulk": "one by one", "deals": "keep"},
    ),
    (
        {"bulk": False, "lookup_lag": 0.0},
        {
            "custom fields": "replace",
            "bulk": "could not be told",
            "deals": "could not be told",
            "look-ups": "new contact after 0 s",
        },
    ),
]


def findings(data: Any) -> dict[str, str]:
    return {one["name"]: one["detail"] for one in data["findings"]}


def nothing_is_left(shell: Shell, edition: str) -> bool:
    return not any(dump(shell.folder / f"{edition}.db").values())


@pytest.mark.parametrize("edition", ["classic", "suite"])
@pytest.mark.parametrize(("behaviour", "told"), WAYS)
def test_it_tells_how_the_account_behaves_and_leaves_nothing(
    serve: Serve, edition: str, behaviour: dict[str, Any], told: dict[str, str]
) -> None:
    shell, sandbox = serve(edition, **{"job_seconds": 0.0, **behaviour})
    done = shell("check", "--probe", "--json")
    assert done.code == 0, done.err
    found = findings(done.json)
    assert {name: words for name, words in told.items() if words not in found[name]} == {}
    assert "found a new contact after" in found["look-ups"]
    assert nothing_is_left(shell, edition)
    writes = sandbox.stats()["writes"]
    again = shell("check", "--json")
    assert (sandbox.stats()["writes"], findings(again.json)["custom fields"]) == (writes, found["custom fields"])


@pytest.mark.parametrize("merges", [True, False])
def test_later_runs_go_by_it_and_are_careful_all_the_same(serve: Serve, merges: bool) -> None:
    """An account may change after it was probed."""
    shell, sandbox = serve("classic", custom_fields="merge" if merges else "replace", lookup_lag=0.0)
    assert shell("check", "--probe").code == 0
    shell.write("a.jsonl", _events(cfRegion="EMEA", cfSeats=1))
    assert shell("import", "a.jsonl").code == 0
    sandbox.configure(custom_fields="replace")
    shell.write("b.jsonl", _events(cfSeats=2))
    done = shell("import", "b.jsonl")
    assert done.code == 0
    assert ("this account replaces" in done.err) == merges
    held = [row["custom_field"] for row in dump(shell.folder / "classic.db")["leads"]]
    assert {(row["cf_region"], row["cf_seats"]) for row in held} == {("EMEA", 2)}


def test_bulk_that_empties_custom_fields_is_not_used_for_updates(serve: Serve) -> None:
    shell, _ = serve("suite", bulk_custom_fields="replace", lookup_lag=0.0, job_seconds=0.0)
    assert shell("check", "--probe").code == 0
    shell.write("a.jsonl", _events(cfRegion="EMEA", cfSeats=1))
    shell.write("b.jsonl", _events(cfSeats=2))
    assert (shell("import", "a.jsonl").code, shell("import", "b.jsonl").code) == (0, 0)
    held = [row["custom_field"] for row in dump(shell.folder / "suite.db")["contacts"]]
    assert {(row["cf_region"], row["cf_seats"]) for row in held} == {("EMEA", 2)}


def _events(**traits: Any) -> str:
    return "".join(
        json.dumps({"type": "identify", "userId": f"p{n}@x.example", "traits": traits,
                    "timestamp": f"2024-01-0{1 + traits['cfSeats']}T00:00:00Z"}) + "\n"
        for n in range(6)
    )  # fmt: skip


def test_a_probe_names_all_fields_that_contacts_need_and_defaults_serve_them(serve: Serve) -> None:
    shell, _ = serve("suite", required=["email", "lead_source_id", "cf_region", "cf_seats", "mobile_number"])
    done = shell("check", "--probe", "--json")
    assert done.code == 1
    (refused,) = [one for one in done.json["findings"] if one["name"] == "probe contact"]
    assert refused["hint"] == "set lead_source_id, cf_region, cf_seats, mobile_number under [defaults.contact]"
    assert "empties" in findings(done.json)["custom fields"], "it goes on with samples of them"
    assert nothing_is_left(shell, "suite")
    shell.write(
        "fsseg.toml",
        '[defaults.contact]\nlead_source_id = "Web"\ncf_region = "EMEA"\ncf_seats = 1\nmobile_number = "+47 1"\n',
    )
    assert shell("check", "--probe").code == 0


def test_a_probe_that_is_refused_for_something_else_tells_the_words(serve: Serve) -> None:
    shell, _ = serve("suite", required=["email", "nonsense"])
    done = shell("check", "--probe", "--json")
    assert done.code == 1
    (refused,) = [one for one in done.json["findings"] if one["name"] == "probe contact"]
    assert "Nonsense" in refused["detail"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_of_a_probe_that_is_interrupted(serve: Serve, number: signal.Signals) -> None:
    shell, sandbox = serve("suite", lookup_lag=3600.0, job_seconds=0.0)
    with shell.started("check", "--probe") as process:
        while not any(name.startswith("PUT") for name in sandbox.stats()["requests"]):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(number)
        process.communicate(timeout=60)
    assert nothing_is_left(shell, "suite")


@pytest.mark.parametrize(
    "request_sent", ["POST .*/contacts$", "PUT .*/contacts/", "POST .*/leads$", "POST .*/deals/bulk"]
)
def test_what_a_killed_probe_has_left_is_told_by_check_and_deleted_by_the_next(serve: Serve, request_sent: str) -> None:
    shell, sandbox = serve("classic", lookup_lag=0.0, job_seconds=0.0)
    method, path = request_sent.split()
    sandbox.configure(faults=[Fault("slow", method=method, path=path, seconds=0.3)])
    with shell.started("check", "--probe") as process:
        while not any(re.fullmatch(f"{request_sent}.*", name) for name in sandbox.stats()["requests"]):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    time.sleep(0.4)  # the request that was under way takes effect after the kill
    sandbox.configure(faults=[])
    there = dump(shell.folder / "classic.db")
    assert there["contacts"]
    known = [row["id"] for kind in ("contacts", "leads", "deals") for row in there[kind]][:-1]
    writes = sandbox.stats()["writes"]
    told = shell("check", "--json")
    left = [one["detail"] for one in told.json["findings"] if one["name"] == "probe records"]
    assert (told.code, bool(left), sandbox.stats()["writes"]) == (1, True, writes)
    assert all(any(f"#{id}" in detail for detail in left) for id in known)
    again = shell("check", "--probe")
    assert (again.code, nothing_is_left(shell, "classic")) == (0, True), again.err
    assert "left by an earlier probe" in again.out
    assert "probe records" not in shell("check").out


def test_it_names_what_leads_and_deals_need_beside_contacts_and_defaults_serve_them(serve: Serve) -> None:
    shell, _ = serve("classic", required=["email", "lead_source_id"], required_of_deals=["deal_type_id"])
    done = shell("check", "--probe", "--json")
    hints = {one["name"]: one["hint"] for one in done.json["findings"] if one["state"] != "ok"}
    assert (done.code, hints) == (1, {
        "probe contact": "set lead_source_id under [defaults.contact]",
        "probe lead": "set lead_source_id under [defaults.lead]",
        "probe deal": "set deal_type_id under [defaults.deal]",
    })  # fmt: skip
    assert "lose" in findings(done.json)["deals"]
    assert nothing_is_left(shell, "classic")
    shell.write(
        "fsseg.toml",
        '[defaults.contact]\nlead_source_id = "Web"\n[defaults.lead]\nlead_source_id = "Web"\n'
        '[defaults.deal]\ndeal_type_id = "New Business"\n',
    )
    assert shell("check", "--probe").code == 0


@pytest.mark.parametrize("resource", ["leads", "deals"])
def test_what_this_key_may_not_make_could_not_be_told(serve: Serve, resource: str) -> None:
    shell, _ = serve("classic", forbidden=[f"/{resource}(/bulk_upsert)?$"], lookup_lag=0.0)
    done = shell("check", "--probe", "--json")
    assert done.code == 0, done.err
    assert ("could not be told" in findings(done.json)["deals"]) == (resource == "deals")
    assert nothing_is_left(shell, "classic")


@pytest.mark.parametrize("path", ["/contacts$", "/leads$", "/deals/bulk_upsert$"])
@pytest.mark.parametrize("kind", ["drop_after", "error_after"])
def test_what_was_made_though_its_answer_was_lost_is_found_and_deleted(serve: Serve, path: str, kind: str) -> None:
    shell, sandbox = serve("classic", lookup_lag=0.0, job_seconds=0.0)
    sandbox.configure(faults=[Fault(kind, method="POST", path=path)])
    shell("check", "--probe", "--json", "--max-time", "5s")
    assert sandbox.stats()["faults"]
    assert nothing_is_left(shell, "classic")


def test_deals_are_made_one_by_one_where_the_probe_has_seen_bulk_lose_their_contacts(serve: Serve) -> None:
    shell, sandbox = serve("suite", lookup_lag=0.0, job_seconds=0.0)
    assert shell("check", "--probe").code == 0
    tried = sandbox.stats()["requests"]["POST /crm/sales/api/deals/bulk_upsert"]
    shell.write("a.jsonl", "".join(
        json.dumps({"type": "identify", "userId": f"p{n}@x.example", "timestamp": "2024-01-01T00:00:00Z",
                    "traits": {"lastName": "P", "deal": {"name": f"Pilot {n}", "amount": n}}}) + "\n"
        for n in range(6)
    ))  # fmt: skip
    assert shell("import", "a.jsonl").code == 0
    assert sandbox.stats()["requests"]["POST /crm/sales/api/deals/bulk_upsert"] == tried
    assert all(deal["contact_ids"] for deal in dump(shell.folder / "suite.db")["deals"])

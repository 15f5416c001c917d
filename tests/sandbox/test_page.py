"""What the sandbox's own page asks for, and who may ask."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

import httpx
import pytest

from tests.sandbox.server import Api


def asked(api: Api, path: str, **query: str) -> httpx.Response:
    return httpx.get(f"{api.sandbox.origin}{path}", params=query, trust_env=False)


def test_the_page_is_one_file_of_which_only_its_own_script_and_style_may_run(api: Api) -> None:
    for path in ("/", "/contacts/7", "/accounts/7"):
        answer = asked(api, path)
        policy = answer.headers["content-security-policy"]
        assert (answer.status_code, "default-src 'none'" in policy, "unsafe" in policy) == (200, True, False)
        for name in ("script", "style"):
            part = answer.text.partition(f"<{name}>")[2].partition(f"</{name}>")[0]
            assert f"'sha256-{b64encode(sha256(part.encode()).digest()).decode()}'" in policy


def test_lists_are_searched_by_name_address_and_id_the_latest_first(api: Api) -> None:
    ids = [
        api.make("contacts", email=f"p{n}@x.example", first_name=f"Ann_{n}", last_name="O'Neil%")["id"]
        for n in range(3)
    ]
    for text, found in (
        ("", ids[::-1]), ("ann_1", ids[1:2]), ("P2@X", ids[2:]), (f"#{ids[0]}", ids[:1]), ("o'neil%", ids[::-1]),
        ("annx1", []), ("%", ids[::-1]), ("\\", []), ("nobody", []),
    ):  # fmt: skip
        answer = asked(api, "/_sandbox/page/contacts", q=text).json()
        assert [row["id"] for row in answer["rows"]] == found, text
        assert answer["total"] == len(found)
    assert asked(api, "/_sandbox/page/contacts", offset="2").json()["rows"][0]["id"] == ids[0]


def test_a_record_comes_with_labels_what_is_tied_to_it_and_its_timeline(api: Api) -> None:
    account = api.make("sales_accounts", name="Acme")
    person = api.make(
        "contacts", email="ann@x.example", first_name="Ann", last_name="O", job_title="CEO",
        sales_accounts=[{"id": account["id"], "is_primary": True}],
    )  # fmt: skip
    note = {"description": "called", "targetable_type": "Contact", "targetable_id": person["id"]}
    assert api.post("/notes", {"note": note}).status_code in (200, 201)
    shown = asked(api, f"/_sandbox/page/contacts/{person['id']}").json()
    assert shown["title"] == "Ann O"
    assert {"name": "job_title", "label": "Job title", "value": "CEO"} in shown["fields"]
    assert shown["tied"] == [{"kind": "accounts", "id": account["id"], "title": "Acme"}]
    assert [(entry["what"], entry["text"]) for entry in shown["timeline"]] == [("Note", "called")]
    tied = asked(api, f"/_sandbox/page/accounts/{account['id']}").json()["tied"]
    assert [(each["kind"], each["id"]) for each in tied] == [("contacts", person["id"])]


@pytest.mark.parametrize("path", ["contacts/1", "contacts/x", "nothing", "nothing/1", "sales_accounts", "jobs/7"])
def test_what_is_not_there_is_not_found(api: Api, path: str) -> None:
    assert asked(api, f"/_sandbox/page/{path}").status_code == 404


def test_a_suite_account_has_no_leads_here_either(suite: Api) -> None:
    kinds = [each["kind"] for each in asked(suite, "/_sandbox/page/overview").json()["kinds"]]
    assert kinds == ["contacts", "accounts", "deals"]
    assert asked(suite, "/_sandbox/page/leads").status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_whoever_asks_by_another_name_gets_nothing(classic: Api, host: str) -> None:
    for path in ("/", "/_sandbox/page/overview", "/_sandbox/page/leads"):
        answer = httpx.get(f"{classic.sandbox.origin}{path}", headers={"host": host}, trust_env=False)
        assert answer.status_code in (400, 403)


def test_looking_costs_no_request_of_the_quota_and_cannot_write(classic: Api) -> None:
    asked(classic, "/_sandbox/page/overview")
    assert classic.stats()["total"] == 0
    assert httpx.post(f"{classic.sandbox.origin}/_sandbox/page/leads", trust_env=False).status_code in (404, 405)

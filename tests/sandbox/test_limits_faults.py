from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from fsseg.sandbox import Fault, Options, dump
from tests.sandbox.server import Api, refused

UPSERT = {"unique_identifier": {"emails": "a@x.example"}, "contact": {"first_name": "A"}}


def test_only_the_token_opens_the_door(api: Api) -> None:
    for token in ("Token token=wrong", "Bearer sandbox", "sandbox", ""):
        answer = api.http.get("/contacts/filters", headers={"Authorization": token})
        assert answer.status_code == 401
        assert "x-ratelimit-limit" not in answer.headers
    assert "errors" in answer.json() or answer.json()["login"] == "failed"
    api.configure(refuse_token=True)
    assert api.get("/contacts/filters").status_code == 401


def test_bodies_must_be_json_and_paths_must_exist(api: Api) -> None:
    assert api.http.post("/contacts", content=b"{", headers={"Content-Type": "application/json"}).status_code == 400
    assert api.http.post("/contacts", content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 400
    for method, path in (
        ("GET", "/nothing"),
        ("PATCH", "/contacts/1"),
        ("POST", "/contacts/bulk/upsert"),
        ("GET", "/contacts"),
    ):
        refused(api.http.request(method, path), 404)
    bodies: list[Any] = [[], "x", None, {"contact": []}]
    for body in bodies:
        refused(api.post("/contacts", body))
    root = httpx.get(f"{api.sandbox.origin}/nothing", trust_env=False)
    assert root.status_code == 404


def test_the_suite_answers_on_both_paths_and_classic_on_one(classic: Api, suite: Api) -> None:
    for path, expected in (("/api", (200, 200)), ("/crm/sales/api", (404, 200))):
        answers = tuple(
            api.http.get(f"{api.sandbox.origin}{path}/contacts/filters").status_code for api in (classic, suite)
        )
        assert answers == expected


def test_messages_speak_the_accounts_language(api: Api) -> None:
    texts = set()
    for language in ("en", "nl", "de"):
        api.configure(language=language)
        texts.add(refused(api.post("/sales_accounts", {"sales_account": {}})))
    assert len(texts) == 3


def test_a_forbidden_path_is_403_and_leaves_the_rest(api: Api) -> None:
    api.configure(forbidden=["/selector/owners", "/deals"])
    refused(api.get("/selector/owners"), 403)
    refused(api.post("/deals", {"deal": {"name": "x", "amount": 1}}), 403)
    assert api.get("/selector/territories").status_code == 200


def test_unknown_attributes_may_be_ignored(api: Api) -> None:
    api.configure(unknown_attributes="ignore", unknown_custom_fields="ignore")
    api.make("contacts", email="a@b.example", colour="red", custom_field={"cf_colour": "red"})


def test_the_quota_refuses_until_its_window_ends(api: Api) -> None:
    api.configure(quota=3, window=10_000.0)
    answers = [api.get("/contacts/filters") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0", "0"]
    assert answers[0].headers["x-ratelimit-limit"] == "3"
    assert re.fullmatch(r"\d{12}", answers[0].headers["x-ratelimit-reset"])
    wait = int(answers[4].headers["retry-after"])
    assert 0 < wait <= 10_000

    api.configure(retry_after="date", headers=["reset"], reset_format="epoch")
    answer = api.get("/contacts/filters")
    reset = int(answer.headers["x-ratelimit-reset"])
    assert (reset - 10_000) <= time.time() <= reset
    assert abs(parsedate_to_datetime(answer.headers["retry-after"]).timestamp() - reset) <= 2
    assert "x-ratelimit-limit" not in answer.headers
    api.configure(retry_after="absent", headers=[], window=20_000.0, quota=1, per_minute=1)
    answers = [api.get("/contacts/filters") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert not {name for name in answers[1].headers if "rate" in name or "retry" in name}


def test_the_minute_is_a_sixtieth_of_the_window(api: Api) -> None:
    api.configure(per_minute=2, window=600_000.0)
    answers = [api.get("/contacts/filters") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["retry-after"]) <= 10_000


def test_a_drop_before_applies_nothing_and_a_drop_after_everything(api: Api) -> None:
    for kind, left in (("drop_before", 0), ("drop_after", 1)):
        api.faults(Fault(kind, method="POST", path="/contacts/", limit=1))
        with pytest.raises(httpx.TransportError):
            api.post("/contacts/upsert", UPSERT)
        assert len(dump(api.db)["contacts"]) == left
    assert api.post("/contacts/upsert", UPSERT).status_code == 200
    assert api.stats()["statuses"] == {"dropped": 2, "200": 1}


def test_errors_come_as_html_before_or_after_applying(api: Api) -> None:
    for kind, left in (("error", 0), ("error_after", 1)):
        api.faults(Fault(kind, path="upsert$"))
        answer = api.post("/contacts/upsert", UPSERT)
        assert answer.status_code >= 500
        assert answer.text.startswith("<html>")
        assert len(dump(api.db)["contacts"]) == left
        assert api.get("/contacts/filters").status_code == 200


def test_garbage_is_200_without_json(api: Api) -> None:
    api.faults(Fault("garbage"))
    for _ in range(5):
        answer = api.get("/contacts/filters")
        assert answer.status_code == 200
        with pytest.raises(ValueError, match=r"JSON|Expecting|Unterminated|delimiter|column"):
            answer.json()


def test_storms_wrapped_storms_and_busy_bulk(api: Api) -> None:
    api.faults(Fault("429", path="/filters", seconds=2), Fault("wrapped_429", path="upsert"))
    assert api.get("/contacts/filters").headers["retry-after"] == "2"
    assert "429" in refused(api.post("/contacts/upsert", UPSERT))
    api.faults(Fault("bulk_405"))
    refused(api.post("/contacts/bulk_upsert", {"contacts": [{"emails": "a@x.example", "data": {}}]}), 405)
    assert api.post("/contacts/upsert", UPSERT).status_code == 201


def test_a_stall_takes_its_time_and_lets_others_by(api: Api) -> None:
    api.faults(Fault("slow", path="upsert", seconds=0.2))
    with pytest.raises(httpx.ReadTimeout):
        api.http.post("/contacts/upsert", json=UPSERT, timeout=0.05)
    assert api.get("/contacts/filters").status_code == 200
    api.faults()
    deadline = time.monotonic() + 5
    while not dump(api.db)["contacts"] and time.monotonic() < deadline:
        pass
    assert len(dump(api.db)["contacts"]) == 1


def test_draws_follow_the_seed(api: Api) -> None:
    def run(seed: int) -> list[int]:
        api.faults(Fault("error", rate=0.5), seed=seed)
        return [api.get("/contacts/filters").status_code for _ in range(20)]

    first = run(1)
    api.faults()
    assert run(1) == first
    assert set(first) > {200}
    assert run(2) != first


def test_the_controls_show_count_and_switch(api: Api) -> None:
    control = f"{api.sandbox.origin}/_sandbox"
    api.get("/contacts/70000000001")
    api.post("/contacts/upsert", UPSERT)
    api.post("/filtered_search/contact", {"filter_rule": []})
    stats = api.http.get(f"{control}/stats").json()
    assert (stats["total"], stats["writes"]) == (3, 1)
    prefix = api.sandbox.base_url.removeprefix(api.sandbox.origin)
    assert stats["requests"][f"GET {prefix}/api/contacts/{{id}}"] == 1
    faults = {"seed": 3, "faults": [{"kind": "error", "rate": 1, "limit": 1}]}
    assert api.http.post(f"{control}/faults", json=faults).json()[0]["kind"] == "error"
    assert [api.get("/contacts/filters").status_code >= 500 for _ in range(2)] == [True, False]
    for name, bad in (
        ("options", {"quota": 0}),
        ("options", {"x": 1}),
        ("faults", {"faults": [{"kind": "x"}]}),
        ("options", []),
    ):
        assert api.http.post(f"{control}/{name}", json=bad).status_code == 400
    assert api.http.get(f"{control}/nothing").status_code == 404


BAD: list[dict[str, Any]] = [
    {"quota": 0}, {"window": 0}, {"headers": {"x"}}, {"offset": "2"}, {"reset_format": "x"}, {"forbidden": ["("]},
    {"faults": [{"kind": "error", "rate": 2}]}, {"faults": [{"kind": "error", "colour": 2}]}, {"job_seconds": -1},
    {"language": "fr"},
]  # fmt: skip


@pytest.mark.parametrize("changes", BAD, ids=str)
def test_options_that_make_no_sense_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Options().changed(changes)


def test_a_fault_is_read_from_one_text() -> None:
    text = "drop_after=0.2,method=POST,path=/api/leads,seconds=1.5,limit=3"
    assert Fault.parse(text) == Fault("drop_after", 0.2, "POST", "/api/leads", 1.5, 3)
    assert Fault.parse("error") == Fault("error")
    for bad in ("error=x", "x=0.1", "error=0.1,colour=red", "error,path=("):
        with pytest.raises(ValueError, match=r"."):
            Fault.parse(bad)

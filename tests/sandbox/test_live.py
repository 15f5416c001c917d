"""What live accounts were seen to do, which is the default, and the other answer where accounts differ."""

from __future__ import annotations

from typing import Any

import pytest

from fsseg.sandbox import Options, dump, reset, seed
from fsseg.sandbox.options import CHOICES, switched
from tests.sandbox.server import Api, refused

Row = dict[str, Any]
QUICK = {"lookup_lag": 0.0, "job_seconds": 0.0}


@pytest.fixture
def live(servers: dict[str, Api]) -> Api:
    """A suite account as it is by default, but for its slowness."""
    return _live(servers["suite"], "suite")


def _live(api: Api, edition: str) -> Api:
    reset(api.db, edition)
    api.configure(**{**Options().plain(), **QUICK})
    return api


def person(api: Api, **attributes: Any) -> Row:
    return api.make("contacts", email="ann@x.example", **attributes)


def read(api: Api, resource: str, row: Row, include: str = "") -> Row:
    (found,) = [
        value for key, value in api.get(f"/{resource}/{row['id']}", include=include).json().items()
        if key == resource.removesuffix("s")
    ]  # fmt: skip
    return dict(found)


def write(api: Api, row: Row, *, bulk: bool = False, **attributes: Any) -> None:
    if not bulk:
        assert api.put(f"/contacts/{row['id']}", {"contact": attributes}).is_success
        return
    answer = api.post("/contacts/bulk_upsert", {"contacts": [{"id": str(row["id"]), "data": attributes}]})
    while api.http.get(answer.json()["job_status_url"]).json()["status"] != "SUCCESS":
        pass


@pytest.mark.parametrize(
    ("bulk", "option", "answer", "kept"),
    [
        (False, "custom_fields", None, None),
        (False, "custom_fields", "merge", "EMEA"),
        (True, "bulk_custom_fields", None, "EMEA"),
        (True, "bulk_custom_fields", "replace", None),
    ],
)
def test_a_write_replaces_or_merges_custom_fields(
    live: Api, bulk: bool, option: str, answer: str | None, kept: str | None
) -> None:
    live.configure(**({option: answer} if answer else {}))
    row = person(live, custom_field={"cf_region": "EMEA", "cf_seats": 3})
    write(live, row, bulk=bulk, custom_field={"cf_seats": 4})
    write(live, row, bulk=bulk, job_title="CTO")
    custom = read(live, "contacts", row)["custom_field"]
    assert (custom["cf_region"], custom["cf_seats"]) == (kept, 4)


def test_what_is_calculated_can_not_be_written_and_is_never_lost(live: Api) -> None:
    calculated = {"name": "cf_score", "type": "formula"}
    reset(live.db, "suite", {"fields": {"contacts": {"add": [calculated]}}})
    (id,) = seed(live.db, "suite", {"contacts": [{"email": "ann@x.example", "custom_field": {"cf_score": 7}}]})[
        "contacts"
    ]
    refused(live.put(f"/contacts/{id}", {"contact": {"custom_field": {"cf_score": 8}}}))
    write(live, {"id": id}, custom_field={"cf_seats": 4})
    assert read(live, "contacts", {"id": id})["custom_field"]["cf_score"] == 7


@pytest.mark.parametrize(("answer", "left"), [("replace", ["b"]), ("add", ["a", "b"])])
def test_written_tags_replace_or_are_added(live: Api, answer: str, left: list[str]) -> None:
    live.configure(tags=answer)
    row = person(live, tags=["a"])
    write(live, row, tags=["b"])
    assert read(live, "contacts", row)["tags"] == left


@pytest.mark.parametrize(("answer", "left"), [("replace", {"B": True}), ("add", {"A": False, "B": True})])
def test_written_accounts_of_a_contact_replace_or_are_added(live: Api, answer: str, left: dict[str, bool]) -> None:
    live.configure(account_links=answer)
    first, second = (live.make("sales_accounts", name=name)["id"] for name in "AB")
    row = person(live, sales_accounts=[{"id": first, "is_primary": True}])
    write(live, row, sales_accounts=[{"id": second, "is_primary": True}])
    linked = read(live, "contacts", row, "sales_accounts")["sales_accounts"]
    assert {account["name"]: account["is_primary"] for account in linked} == left


@pytest.mark.parametrize("answer", ["included", "always"])
def test_ids_of_associations_are_there_only_where_they_are_asked_for(live: Api, answer: str) -> None:
    live.configure(association_ids=answer)
    owner = live.choice("owners", "sam@fsseg.example")
    row = person(live, owner_id=owner)
    account = live.make("sales_accounts", name="Acme")
    deal = live.make("deals", name="Trial", amount=1, sales_account_id=account["id"])
    always = answer == "always"
    views = {view["name"]: view["id"] for view in live.get("/contacts/filters").json()["filters"]}
    for found in (
        row,
        read(live, "contacts", row),
        live.get(f"/contacts/view/{views['All Contacts']}").json()["contacts"][0],
        live.get("/lookup", q="ann@x.example", f="email", entities="contact").json()["contacts"]["contacts"][0],
    ):
        assert ("owner_id" in found, "lifecycle_stage_id" in found) == (always, always)
    assert ("sales_account_id" in deal, "deal_stage_id" in deal) == (always, True)
    assert read(live, "contacts", row, "owner")["owner_id"] == owner
    looked_up = live.get("/lookup", q="ann@x.example", f="email", entities="contact", include="owner").json()
    assert looked_up["contacts"]["contacts"][0]["owner_id"] == owner
    assert read(live, "deals", deal, "sales_account")["sales_account_id"] == account["id"]


def test_look_ups_lag_and_views_do_not(live: Api) -> None:
    live.configure(lookup_lag=3600.0)
    row = person(live, first_name="Ann")
    rule = {"filter_rule": [{"attribute": "contact_email.email", "operator": "is_in", "value": "ann@x.example"}]}
    asked = {"q": "ann@x.example", "f": "email", "entities": "contact"}

    def found() -> list[list[Row]]:
        return [
            live.get("/lookup", **asked).json()["contacts"]["contacts"],
            live.get("/search", q="ann").json(),
            live.post("/filtered_search/contact", rule).json()["contacts"],
        ]

    assert found() == [[], [], []]
    view = next(one["id"] for one in live.get("/contacts/filters").json()["filters"] if one["name"] == "All Contacts")
    assert [one["id"] for one in live.get(f"/contacts/view/{view}").json()["contacts"]] == [row["id"]]
    live.configure(lookup_lag=0.0)
    assert all(len(rows) == 1 for rows in found())


@pytest.mark.parametrize("told", [False, True])
def test_rows_of_a_filtered_search_list_addresses_or_only_the_first(live: Api, told: bool) -> None:
    live.configure(filtered_emails=told)
    person(live)
    rule = {"attribute": "contact_email.email", "operator": "is_in", "value": ["ann@x.example"]}
    (row,) = live.post("/filtered_search/contact", {"filter_rule": [rule]}).json()["contacts"]
    assert ("emails" in row, row["email"]) == (told, "ann@x.example")


def test_views_besides_that_of_all_and_one_that_is_not_there(live: Api) -> None:
    row = person(live)
    live.delete(f"/contacts/{row['id']}")
    kept = person(live)
    views = {one["name"]: one["id"] for one in live.get("/contacts/filters").json()["filters"]}
    assert views.keys() == {"All Contacts", "My Contacts", "Recently Modified Contacts", "Recycle Bin"}
    listed = {
        name: [one["id"] for one in live.get(f"/contacts/view/{id}").json()["contacts"]] for name, id in views.items()
    }
    assert (listed["All Contacts"], listed["Recycle Bin"]) == ([kept["id"]], [row["id"]])
    live.configure(language="de")
    assert "Alle Kontakte" in [one["name"] for one in live.get("/contacts/filters").json()["filters"]]
    refused(live.get("/contacts/view/1"), 403)
    live.configure(unknown_view=404)
    refused(live.get("/contacts/view/1"), 404)


def test_what_is_not_known_is_passed_over_or_refused(live: Api) -> None:
    strange = {
        "contact": {"email": "a@x.example", "custom_fields": {"cf_region": "x"}, "custom_field": {"cf_strange": "x"}}
    }
    assert live.post("/contacts", strange).status_code == 200
    assert live.get(f"/contacts/{dump(live.db)['contacts'][0]['id']}", include="strange").status_code == 200
    live.configure(unknown_attributes="refuse", unknown_custom_fields="refuse", unknown_includes="refuse")
    refused(live.post("/contacts", strange))
    refused(live.get(f"/contacts/{dump(live.db)['contacts'][0]['id']}", include="strange"))


def test_a_text_that_is_no_choice_is_dropped_of_a_custom_field_and_refused_of_another(live: Api) -> None:
    assert person(live, custom_field={"cf_plan": "Gold"})["custom_field"]["cf_plan"] is None
    assert refused(live.post("/contacts", {"contact": {"email": "b@x.example", "lifecycle_stage_id": 7}}))
    live.configure(bad_choices="refuse")
    refused(live.post("/contacts", {"contact": {"email": "b@x.example", "custom_field": {"cf_plan": "Gold"}}}))


@pytest.mark.parametrize(
    ("resource", "body", "switch"),
    [
        ("sales_accounts", {"name": "A", "website": "not a url"}, {"formats": "free"}),
        ("sales_accounts", {"name": "A" * 256}, {"formats": "free"}),
        ("contacts", {"email": "a@x.example", "first_name": "A" * 300}, {"formats": "free"}),
    ],
)
def test_formats_and_lengths_are_checked(live: Api, resource: str, body: Row, switch: Row) -> None:
    wrapped = {resource.removesuffix("s"): body}
    refused(live.post(f"/{resource}", wrapped))
    live.configure(**switch)
    assert live.post(f"/{resource}", wrapped).is_success


def test_what_is_taken_and_not_stored(live: Api) -> None:
    assert live.make("sales_accounts", name="A", phone="abc")["phone"] is None
    assert live.make("deals", name="D", amount=1, expected_close="notadate")["expected_close"] is None
    live.configure(account_phones="keep", bad_dates="refuse")
    assert live.make("sales_accounts", name="B", phone="abc")["phone"] == "abc"
    refused(live.post("/deals", {"deal": {"name": "D", "amount": 1, "expected_close": "notadate"}}))
    refused(live.post("/deals", {"deal": {"name": "D", "amount": 2**53}}))


def test_an_accounts_revenue_is_a_number_or_text(live: Api) -> None:
    row = live.make("sales_accounts", name="A", annual_revenue=5000)
    assert row["annual_revenue"] == 5000
    live.configure(account_revenue="text")
    assert read(live, "sales_accounts", row)["annual_revenue"] == "5000.0"


def test_null_clears_or_is_ignored(live: Api) -> None:
    row = person(live, job_title="CTO")
    live.configure(null="ignore")
    write(live, row, job_title=None)
    assert read(live, "contacts", row)["job_title"] == "CTO"
    live.configure(null="clear")
    write(live, row, job_title=None)
    assert read(live, "contacts", row)["job_title"] is None


def test_a_new_person_needs_what_the_account_wants(live: Api) -> None:
    assert refused(live.post("/contacts", {"contact": {"mobile_number": "1"}})) == "Need to fill this Email"
    live.configure(required=["email", "lead_source_id"])
    body = {"contact": {"email": "a@x.example"}}
    assert refused(live.post("/contacts", body)) == "Source can't be empty"
    live.configure(required=[])
    assert live.post("/contacts", {"contact": {"mobile_number": "1"}}).is_success


def test_a_new_deal_needs_what_the_account_wants(live: Api) -> None:
    assert live.post("/deals", {"deal": {"name": "D", "amount": 1}}).is_success
    live.configure(required_of_deals=["deal_type_id"])
    assert refused(live.post("/deals", {"deal": {"name": "E", "amount": 1}})) == "Deal type can't be empty"
    kind = live.choice("deal_types", "New Business")
    assert live.post("/deals", {"deal": {"name": "F", "amount": 1, "deal_type_id": kind}}).is_success


def test_a_doubled_address_is_named(live: Api) -> None:
    person(live)
    assert refused(live.post("/contacts", {"contact": {"email": "ANN@x.example"}})) == "ann@x.example already exists."
    live.configure(duplicates="not_unique")
    assert refused(live.post("/contacts", {"contact": {"email": "ANN@x.example"}})) == "Contact is not unique"


@pytest.mark.parametrize(("answer", "linked"), [("lose", False), ("keep", True)])
def test_deals_made_in_bulk_lose_their_contacts_or_keep_them(live: Api, answer: str, linked: bool) -> None:
    live.configure(deal_links_in_bulk=answer)
    row = person(live)
    data = {"amount": 1, "contacts_added_list": [row["id"]]}
    answered = live.post("/deals/bulk_upsert", {"deals": [{"name": "Trial", "data": data}]}).json()
    live.http.get(answered["job_status_url"])
    (deal,) = dump(live.db)["deals"]
    assert deal["contact_ids"] == ([row["id"]] if linked else [])


@pytest.mark.parametrize(("answer", "kept"), [("reset", False), ("keep", True)])
def test_an_upsert_resets_the_owner_of_whom_it_finds_or_not(live: Api, answer: str, kept: bool) -> None:
    live.configure(upsert_owner=answer)
    owner = live.choice("owners", "sam@fsseg.example")
    row = person(live, owner_id=owner)
    body = {"unique_identifier": {"emails": "ann@x.example"}, "contact": {"job_title": "CTO"}}
    assert live.post("/contacts/upsert", body).status_code == 200
    assert (read(live, "contacts", row, "owner")["owner_id"] == owner) == kept


def test_a_deleted_person_can_be_restored_without_custom_fields(live: Api) -> None:
    row = person(live, job_title="CTO", custom_field={"cf_region": "EMEA"})
    live.delete(f"/contacts/{row['id']}")
    back = live.put(f"/contacts/{row['id']}/restore", {}).json()["contact"]
    assert (back["job_title"], back["custom_field"]["cf_region"], back["email"]) == ("CTO", None, "ann@x.example")
    refused(live.put(f"/contacts/{row['id']}/restore", {}), 404)


def test_the_eleventh_job_is_refused(live: Api) -> None:
    live.configure(job_seconds=60.0)
    body = {"contacts": [{"emails": "a@x.example", "data": {}}]}
    assert [live.post("/contacts/bulk_upsert", body).status_code for _ in range(11)] == [200] * 10 + [405]


def test_the_quota_is_a_real_plans_and_says_nothing_of_when_to_come_back(live: Api) -> None:
    assert (Options().quota, Options().per_minute) == (1_000, 400)
    live.configure(quota=1, window=3600.0)
    live.get("/contacts/filters")
    answer = live.get("/contacts/filters")
    assert (answer.status_code, "retry-after" in answer.headers, answer.headers["x-ratelimit-remaining"]) == (
        429,
        False,
        "0",
    )


def test_a_burst_is_refused_for_long(live: Api) -> None:
    live.configure(window=3600.0, burst=3)
    assert [live.get("/contacts/filters").status_code for _ in range(5)] == [200, 200, 200, 429, 429]


def test_a_wrong_key_is_told_without_a_word_about_it(live: Api) -> None:
    live.configure(refuse_token=True)
    answer = live.get("/contacts/filters")
    assert (answer.status_code, answer.json()) == (401, {"login": "failed"})


def test_every_switch_can_be_given_as_key_and_value() -> None:
    for name, allowed in CHOICES.items():
        for value in allowed:
            assert getattr(Options().changed(switched({"as_": [f"{name}={value}"], "fault": []})), name) == value
    given = ["required=email,lead_source_id", "lookup-lag=3", "per_minute=none", "short_pages=true", "quota=5"]
    chosen = Options().changed(switched({"as_": given, "fault": []}))
    assert (chosen.required, chosen.lookup_lag, chosen.per_minute, chosen.short_pages, chosen.quota) == (
        ("email", "lead_source_id"), 3, None, True, 5,
    )  # fmt: skip


@pytest.mark.parametrize("wrong", ["custom_fields=x", "nothing=1", "quota", "quota=many", "short_pages=maybe"])
def test_a_switch_that_is_not_one_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"must be|is no KEY=VALUE"):
        Options().changed(switched({"as_": [wrong], "fault": []}))

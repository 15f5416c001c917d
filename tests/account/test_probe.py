"""A probe tells how an account behaves by records of its own, and leaves none of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from fsseg.account.probe import LONGEST_LAG_S, Probe
from fsseg.account.probe_records import ProbeRecords
from fsseg.freshsales.errors import FreshsalesError, Refused
from fsseg.freshsales.names import Entity
from fsseg.mapping.catalog import Catalog
from fsseg.push.refused_field import wanted_field
from fsseg.sandbox import Fault
from fsseg.state.behaviour import Behaviour
from tests.client import Client

CAREFUL = {
    "custom_fields": "merge",
    "null": "ignore",
    "bad_choices": "refuse",
    "bulk_custom_fields": "replace",
    "deal_links_in_bulk": "keep",
}
HARMFUL = {
    "custom_fields": "replace",
    "null": "clear",
    "bad_choices": "drop",
    "bulk_custom_fields": "merge",
    "deal_links_in_bulk": "lose",
}


class Trial:
    """A probe of an account, which keeps what it has sent; `change` alters the catalog that it goes by."""

    def __init__(
        self,
        client: Client,
        defaults: Mapping[Entity, Mapping[str, Any]] | None = None,
        change: Callable[[Catalog], None] = lambda catalog: None,
    ) -> None:
        self.client = client
        self.kept: list[dict[Entity, int | None]] = []
        catalog = client.catalog()
        change(catalog)
        self.records = ProbeRecords(
            client.writer,
            catalog,
            defaults or {},
            partial(wanted_field, catalog),
            lambda token, sent: self.kept.append(dict(sent)),
        )
        pacer = client.http.pacer
        pause: Callable[[float], None] = lambda seconds: pacer.pause(seconds, "the probe")  # noqa: E731
        self.probe = Probe(client.reader, client.writer, catalog, self.records, pause, pacer.clock.time)

    def run(self) -> Behaviour:
        try:
            return self.probe.run()
        finally:
            self.left = [*self.records.delete(self.client.reader, self.client.writer)]

    @property
    def is_gone(self) -> bool:
        return not any(self.client.account.records().values())


@pytest.mark.parametrize("edition", ["classic", "suite"])
@pytest.mark.parametrize(
    ("options", "told"),
    [
        (CAREFUL, ("merge", "replace", "ignored", "refused", "kept")),
        (HARMFUL, ("replace", "merge", "clears", "dropped", "lost")),
    ],
)
def test_each_way_to_behave_is_told_and_nothing_is_left(
    request: pytest.FixtureRequest, edition: str, options: dict[str, str], told: tuple[str, ...]
) -> None:
    client: Client = request.getfixturevalue(edition)
    client.account.configure(**options)
    trial = Trial(client)
    found = trial.run()
    assert (found.custom_fields, found.bulk_custom_fields, found.null, found.choices, found.deal_contacts) == told
    assert (found.lookup_lag, trial.left, trial.is_gone) == (0.0, [], True)
    assert trial.kept[-1] == {}


def test_without_bulk_what_bulk_does_is_not_told(suite: Client) -> None:
    suite.account.configure(bulk=False)
    trial = Trial(suite)
    found = trial.run()
    assert (found.custom_fields, found.bulk_custom_fields, found.deal_contacts) == ("replace", None, None)
    assert trial.is_gone


@pytest.mark.parametrize(("ends_after", "told"), [(0, 0.0), (5, 6.0), (3600, None)])
def test_a_lag_is_measured_until_look_ups_find_the_contact_or_it_is_given_up(
    suite: Client, ends_after: float, told: float | None
) -> None:
    suite.account.configure(lookup_lag=3600.0 if ends_after else 0.0)
    waited = 0.0

    def wait(seconds: float) -> None:
        nonlocal waited
        waited += seconds
        if waited >= ends_after:
            suite.account.configure(lookup_lag=0.0)

    trial = Trial(suite)
    trial.probe.pause, trial.probe.now = wait, lambda: waited
    assert trial.run().lookup_lag == told
    assert waited <= LONGEST_LAG_S


def test_without_custom_fields_to_try_they_are_not_told(suite: Client) -> None:
    def without_custom_fields(catalog: Catalog) -> None:
        fields = catalog.fields("contact")
        for name in [name for name in fields if name.startswith("cf_")]:
            fields.pop(name)  # type: ignore[attr-defined]

    found = Trial(suite, change=without_custom_fields).run()
    assert (found.custom_fields, found.bulk_custom_fields, found.choices) == (None, None, None)
    assert found.null == "clears"


def test_what_each_entity_needs_beside_what_is_told_of_it_is_found(classic: Client) -> None:
    classic.account.configure(required=["email", "lead_source_id", "cf_region"], required_of_deals=["deal_type_id"])
    trial = Trial(classic)
    found = trial.run()
    assert trial.records.required == {
        "contact": ["lead_source_id", "cf_region"],
        "lead": ["lead_source_id", "cf_region"],
        "deal": ["deal_type_id"],
    }
    assert (found.deal_contacts, trial.probe.refused, trial.is_gone) == ("lost", {}, True)


def test_defaults_of_the_settings_are_among_what_is_sent(suite: Client) -> None:
    suite.account.configure(required=["email", "cf_region"])
    trial = Trial(suite, {"contact": {"cf_region": "EMEA"}})
    trial.run()
    assert trial.records.required == {"deal": []} or not trial.records.required.get("contact")


def test_a_contact_that_is_refused_for_something_unknown_ends_it(suite: Client) -> None:
    suite.account.configure(required=["email", "nonsense"])
    trial = Trial(suite)
    with pytest.raises(Refused, match="Nonsense"):
        trial.run()
    assert (trial.is_gone, trial.kept[-1]) == (True, {})


def test_a_lead_or_deal_that_is_refused_is_told_and_the_rest_tried(classic: Client) -> None:
    classic.account.configure(required_of_deals=["nonsense"])
    trial = Trial(classic)
    found = trial.run()
    assert trial.probe.refused.keys() == {"deal"}
    assert (found.custom_fields, found.deal_contacts, trial.is_gone) == ("replace", None, True)


@pytest.mark.parametrize("path", ["/leads$", "/deals/bulk_upsert$", "/contacts/bulk_upsert$"])
def test_what_this_key_may_not_do_is_not_told(classic: Client, path: str) -> None:
    classic.account.configure(forbidden=[path])
    trial = Trial(classic)
    if "contacts" in path:  # what is needed for most ends it
        with pytest.raises(FreshsalesError):
            trial.run()
    else:
        assert (trial.run().deal_contacts is None) == ("deals" in path)
    assert trial.is_gone


@pytest.mark.parametrize("path", ["/contacts$", "/leads$", "/deals/bulk_upsert$"])
def test_what_was_made_though_its_answer_was_lost_is_found_and_deleted(classic: Client, path: str) -> None:
    classic.account.faults(Fault("drop_after", method="POST", path=path, limit=1))
    trial = Trial(classic)
    with suppress(FreshsalesError):
        trial.run()
    assert classic.account.sandbox.stats()["faults"]
    assert (trial.left, trial.is_gone) == ([], True)


def test_where_it_cannot_be_deleted_it_is_named(suite: Client) -> None:
    suite.account.configure(forbidden=["/contacts/[0-9]+$"])
    trial = Trial(suite)
    with pytest.raises(FreshsalesError):
        trial.run()
    (id,) = [row["id"] for row in suite.account.records()["contacts"]]
    assert f"the probe's contact #{id} (fsseg-probe-" in trial.left[0]
    assert "could not be deleted, do so by hand" in trial.left[0]
    assert trial.kept[-1] == {"contact": id}


@pytest.mark.parametrize("view", [True, False])
@pytest.mark.usefixtures("short_lag")
def test_what_an_earlier_probe_may_have_left_is_looked_for(suite: Client, view: bool) -> None:
    trial = Trial(suite)
    records = trial.records
    ids: dict[Entity, int] = {
        "contact": suite.account.make("contacts", **records.body("contact"))["id"],
        "deal": suite.account.make("deals", **records.body("deal"))["id"],
    }
    if not view:
        suite.account.configure(forbidden=["/contacts/filters", "/deals/filters"])
    records.sent = dict.fromkeys(ids)
    left = [*records.delete(suite.reader, suite.writer, earlier=True)]
    there = {row["id"] for kind in ("contacts", "deals") for row in suite.account.records()[kind]}
    assert bool(left) is bool(there & set(ids.values()))
    assert bool(left) is not view
    if view:
        assert trial.kept[-1] == {}


@pytest.mark.usefixtures("short_lag")
def test_one_that_is_not_there_yet_is_looked_for_again_and_not_said_to_be_gone(suite: Client) -> None:
    trial = Trial(suite)
    trial.records.sent = {"contact": None}
    (told,) = trial.records.delete(suite.reader, suite.writer)
    assert "is not there, but may come late: check --probe looks for it again" in told
    assert trial.records.sent == {"contact": None}
    assert [*trial.records.delete(suite.reader, suite.writer, earlier=True)] == []
    assert trial.records.sent == {}

"""Undo finds what was made just before, and says what it could not put back."""

from __future__ import annotations

import pytest

from tests.e2e.events import identify
from tests.e2e.harness import Machine

NEVER = 3600.0
"""Seconds of lag within which no look-up of a test finds anything new."""

MANY = 12


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize(("lag", "views"), [(0.3, True), (0.3, False), (NEVER, True)])
def test_what_bulk_has_just_made_is_deleted(suite: Machine, lag: float, views: bool) -> None:
    suite.account.configure(lookup_lag=lag, forbidden=[] if views else ["/view/", "/filters"])
    events = [
        identify(f"p{n}@x.example", fsContact=True, company=f"Firm {n}", deal={"name": "Pilot", "amount": n})
        for n in range(MANY)
    ]
    assert suite.imports(events=events).code == 0
    undone = suite.run("undo", "--yes", "--delete-created")
    assert (undone.code, sum(map(len, suite.account.records().values()))) == (0, 0), undone.err


def test_a_record_that_may_not_be_read_is_told_and_put_back_by_a_retry(classic: Machine) -> None:
    assert classic.imports(events=[identify(f"p{n}@x.example", title="CTO") for n in range(2)]).code == 0
    assert classic.imports(events=[identify(f"p{n}@x.example", title="CEO") for n in range(2)]).code == 0
    (id,) = [row["id"] for row in classic.account.people("leads", "p0@x.example")]
    classic.account.configure(forbidden=[f"/leads/{id}$"])
    undone = classic.run("undo", "--yes")
    assert (undone.code, undone.reasons) == (1, {"refused": 1})
    assert sorted(row["job_title"] for row in classic.account.records()["leads"]) == ["CEO", "CTO"]
    assert classic.run("retry").code == 1
    classic.account.configure(forbidden=[])
    assert classic.run("retry").code == 0
    assert [row["job_title"] for row in classic.account.records()["leads"]] == ["CTO", "CTO"]

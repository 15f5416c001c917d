"""How much goes into one request."""

from __future__ import annotations

PAGE_SIZE = 100
"""Records a page, a search or a bulk call: the most that Freshsales takes or gives."""

DEALS_TRIED = 10
"""New deals that go in bulk first, to see whether the account keeps their contacts: a lost one takes requests more."""

MIN_BULK = 4
"""Records from which a bulk call, its polls and the reading of the ids cost less than a request each."""

"""How much goes into one request."""

from __future__ import annotations

PAGE_SIZE = 100
"""Records a page, a search or a bulk call: the most that Freshsales takes or gives."""

MIN_BULK = 4
"""Records from which a bulk call, its polls and the reading of the ids cost less than a request each."""

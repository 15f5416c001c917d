from __future__ import annotations

from tests.e2e.conftest import accounts as accounts
from tests.e2e.conftest import classic as classic
from tests.e2e.conftest import fast as fast
from tests.e2e.conftest import machine as machine
from tests.e2e.conftest import suite as suite

from __future__ import annotations

from tests.faults.conftest import classic as classic
from tests.faults.conftest import fast as fast
from tests.faults.conftest import hosts as hosts
from tests.faults.conftest import machine as machine
from tests.faults.conftest import suite as suite

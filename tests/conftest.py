"""What all tests share: generated examples are the same in every run, and no slow machine fails one."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("fsseg", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fsseg")

"""The workbench of the jobs' tests, on a few digits."""

from __future__ import annotations

from tests.core.jobs.conftest import workbench

__all__ = ["workbench"]

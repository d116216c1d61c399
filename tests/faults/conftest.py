"""What the fault suite leans on: the moment at which its refreshes run."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest


@pytest.fixture
def moment() -> datetime:
    """A fixed full hour, at which every refresh of the suite begins."""
    return datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

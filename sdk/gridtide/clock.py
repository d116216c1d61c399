"""The clock as an argument: the real one, or one that stands still for a replay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Clock:
    """Call it for the time, UTC. With `fixed` set it stands still there (``--now``)."""

    fixed: datetime | None = None

    def __call__(self) -> datetime:
        """Return the current moment of this clock."""
        return self.fixed or datetime.now(UTC)

    @property
    def replay(self) -> bool:
        """Whether this is another time than the real one; answers must say so."""
        return self.fixed is not None

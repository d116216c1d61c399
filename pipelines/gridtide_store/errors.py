"""Errors of the data directory.

GridtideError
├── Damaged          a file differs from what was written
├── NewerHome        written by a newer gridtide
├── Unusable         cannot be read or written
└── NoData
    └── BodyExpired  the raw response is past its retention period
"""

from __future__ import annotations

from gridtide.errors import GridtideError, NoData


class Damaged(GridtideError):
    """A file differs from what was written: run `gridtide check`, restore a backup."""

    code = "damaged"


class NewerHome(GridtideError):
    """A newer gridtide wrote the data directory: upgrade, or restore an older backup."""

    code = "newer_home"


class Unusable(GridtideError):
    """The data directory cannot be read or written: check owner and path, or name another."""

    code = "unusable_home"


class BodyExpired(NoData):
    """The raw response was deleted after its retention period."""

    code = "body_expired"

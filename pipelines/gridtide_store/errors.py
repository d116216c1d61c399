"""What can be wrong with a home."""

from __future__ import annotations

from gridtide.errors import GridtideError, NoData


class Damaged(GridtideError):
    """A file of the home is not as it was written: run `gridtide check`, restore a backup."""

    code = "damaged"


class NewerHome(GridtideError):
    """The home was written by a newer gridtide: upgrade, or restore an older backup."""

    code = "newer_home"


class Unusable(GridtideError):
    """The home cannot be read or written: look at its owner and place, or name another."""

    code = "unusable_home"


class BodyExpired(NoData):
    """The raw body was deleted when its keeping time was over."""

    code = "body_expired"

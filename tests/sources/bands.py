"""Fields of one degree for tests, in bands of latitude."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

ROWS, COLUMNS = 181, 360


def bands(north: float, step: float, height: int = 30) -> npt.NDArray[np.float64]:
    """Values that fall by `step` every `height` rows from the pole southward."""
    return (north - step * (np.arange(ROWS) // height))[:, None].astype(np.float64)

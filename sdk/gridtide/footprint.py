"""Energy and emissions of a job from what it ran on. Pure; standard library only.

After Patterson et al. 2021 (arXiv:2104.10350): energy is hours x processors x average power x
PUE, and emissions are energy x intensity. Gross takes the grid's intensity, net the intensity
that is left after hourly local purchases of clean energy.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite

from gridtide.errors import BadInput


def energy_kwh(
    hours: float, *, processors: float = 1.0, power_kw: float, pue: float = 1.0
) -> float:
    """Energy drawn from the grid, kWh: `power_kw` is the average of one processor.

    Raises:
        BadInput: a number below 0 or not finite, or a PUE below 1.
    """
    for name, value, least in (
        ("hours", hours, 0.0),
        ("processors", processors, 0.0),
        ("power_kw", power_kw, 0.0),
        ("pue", pue, 1.0),
    ):
        _check(name, value, least)
    return hours * processors * power_kw * pue


def emissions_g(kwh: float, g_per_kwh: float) -> float:
    """Emissions of `kwh` at an intensity, g: gross or net as the intensity is.

    Raises:
        BadInput: a number below 0 or not finite.
    """
    _check("kwh", kwh, 0.0)
    _check("g_per_kwh", g_per_kwh, 0.0)
    return kwh * g_per_kwh


def gains(footprints: Sequence[float]) -> list[float]:
    """How many times less each of `footprints` is than the one before it.

    Their product is the gain of the whole way: a decomposition into its steps.

    Raises:
        BadInput: a footprint that is not above 0.
    """
    for value in footprints:
        if not (isfinite(value) and value > 0):
            raise BadInput(f"a footprint is {value}; a ratio needs numbers above 0")
    return [before / after for before, after in pairwise(footprints)]


def _check(name: str, value: float, least: float) -> None:
    if not (isfinite(value) and value >= least):
        raise BadInput(f"{name} is {value}; give a finite number of {least:g} or more")

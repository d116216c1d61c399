"""Energy, emissions and gains by hand."""

from __future__ import annotations

from math import inf, nan

import pytest

from gridtide.accounting.emissions import emissions_g, energy_kwh, gains, inference, training
from gridtide.errors import BadInput


def test_energy_is_hours_by_processors_by_power_by_pue() -> None:
    assert energy_kwh(10, processors=4, power_kw=0.25, pue=1.5) == 15.0
    assert energy_kwh(10, power_kw=0.25) == 2.5


def test_emissions_are_energy_by_intensity() -> None:
    assert emissions_g(15.0, 400.0) == 6000.0
    assert emissions_g(15.0, 0.0) == 0.0


def test_gains_are_ratios_of_each_step_and_multiply_to_the_whole() -> None:
    assert gains([120.0, 60.0, 15.0]) == [2.0, 4.0]


@pytest.mark.parametrize("value", [-1.0, nan, inf])
def test_impossible_numbers_are_refused_by_name(value: float) -> None:
    with pytest.raises(BadInput, match="hours is"):
        energy_kwh(value, power_kw=1.0)
    with pytest.raises(BadInput, match="power_kw is"):
        energy_kwh(1.0, power_kw=value)
    with pytest.raises(BadInput, match="g_per_kwh is"):
        emissions_g(1.0, value)
    with pytest.raises(BadInput, match=r"a footprint is|footprints.* is"):
        gains([1.0, value])


def test_a_pue_below_one_is_refused() -> None:
    with pytest.raises(BadInput, match=r"pue is 0\.9; give a finite number of 1 or more"):
        energy_kwh(1.0, power_kw=1.0, pue=0.9)


def test_what_comes_to_more_than_a_number_holds_is_refused() -> None:
    with pytest.raises(BadInput, match="the energy in kWh comes to more than a number"):
        energy_kwh(1e300, power_kw=1e300)
    with pytest.raises(BadInput, match="the emissions in g comes to more"):
        emissions_g(1e300, 1e300)
    with pytest.raises(BadInput, match="a gain comes to more"):
        gains([1e300, 1e-300])


@pytest.mark.parametrize("pue", [0.999999, 0.5, 0.0, -1.0])
def test_a_pue_below_one_is_refused_of_inference_as_of_training(pue: float) -> None:
    with pytest.raises(BadInput, match="pue"):
        inference(1000, kwh_per_request=0.001, g_per_kwh=300, pue=pue)
    with pytest.raises(BadInput, match="pue"):
        training(1, power_kw=1, g_per_kwh=300, pue=pue)
    assert inference(1000, kwh_per_request=0.001, g_per_kwh=300, pue=1.0).kwh == 1.0

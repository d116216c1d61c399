"""Training, inference, software carbon intensity, gains and equivalents by hand."""

from __future__ import annotations

from datetime import timedelta
from math import prod
from typing import Any

import pytest

from gridtide.accounting.emissions import inference, training
from gridtide.accounting.sci import EQUIVALENTS, Factors, embodied_g, equivalents, gain, sci
from gridtide.errors import BadInput

YEAR = timedelta(days=365)


def test_a_training_run_has_a_gross_and_a_net_footprint() -> None:
    # T5 of Patterson et al. 2021, Table 4: 512 chips of 310 W for 20 days at a PUE of 1.12 are
    # about 85.7 MWh, and at 0.545 kg about 46.7 t.
    found = training(480, processors=512, power_kw=0.31, pue=1.12, g_per_kwh=545)
    assert found.kwh == pytest.approx(85_700, rel=0.005)
    assert found.gross_g == pytest.approx(46.7e6, rel=0.005)
    assert (found.net_g, found.per_request_g) == (None, None)
    # GShard-600B: 0.201 gross and 0.177 net give 4.8 and 4.3 t.
    shard = training(
        74.4, processors=1024, power_kw=0.288, pue=1.09, g_per_kwh=201, net_g_per_kwh=177
    )
    assert shard.gross_g == pytest.approx(4.8e6, rel=0.016)
    assert shard.net_g == pytest.approx(4.3e6, rel=0.016)


def test_inference_counts_a_request() -> None:
    found = inference(1000, kwh_per_request=0.002, pue=1.5, g_per_kwh=400, net_g_per_kwh=100)
    assert found.kwh == pytest.approx(3)
    assert (found.gross_g, found.net_g) == pytest.approx((1200, 300))
    assert found.per_request_g == pytest.approx(1.2)
    assert inference(0, kwh_per_request=0.002, g_per_kwh=400).per_request_g == pytest.approx(
        0.8
    )


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_offsets_are_refused_everywhere(offset: float) -> None:
    asked: list[Any] = [
        lambda: training(1, power_kw=1, g_per_kwh=1, offset_g=offset),
        lambda: inference(1, kwh_per_request=1, g_per_kwh=1, offset_g=offset),
        lambda: sci(1, 1, embodied=0, per=1, offset_g=offset),
    ]
    for each in asked:
        with pytest.raises(BadInput, match="does not belong in a footprint"):
            each()


def test_software_carbon_intensity_is_energy_and_hardware_by_the_unit() -> None:
    # A server of 1 t over four years, a quarter of it for a year; 200 kWh at 300 g; 1,000
    # users.
    hardware = embodied_g(1e6, reserved=YEAR, lifespan=4 * YEAR, share=0.25)
    assert hardware == pytest.approx(62_500)
    assert sci(200, 300, embodied=hardware, per=1000) == pytest.approx((60_000 + 62_500) / 1000)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"per": 0.0}, "per is 0.0; give how many functional units, above 0"),
        ({"embodied": -1.0}, "embodied is -1.0 g"),
        ({"kwh": -1.0}, "kwh is -1.0"),
        ({"g_per_kwh": float("nan")}, "g_per_kwh is nan"),
        ({"embodied": 1e300, "per": 1e-300}, "the SCI in g comes to more"),
    ],
)
def test_numbers_that_cannot_be_are_refused(members: dict[str, float], message: str) -> None:
    asked = {"kwh": 1.0, "g_per_kwh": 1.0, "embodied": 0.0, "per": 1.0, **members}
    with pytest.raises(BadInput, match=message):
        sci(**asked)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"reserved": 2 * YEAR, "lifespan": YEAR}, "at most that reserved"),
        ({"reserved": -YEAR, "lifespan": YEAR}, "give a life above 0"),
        ({"reserved": YEAR, "lifespan": timedelta(0)}, "give a life above 0"),
        ({"reserved": YEAR, "lifespan": YEAR, "share": 1.5}, "share is 1.5; give 0 to 1"),
    ],
)
def test_hardware_that_cannot_be_is_refused(members: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        embodied_g(1.0, **members)
    with pytest.raises(BadInput, match="total_g is -1"):
        embodied_g(-1, reserved=YEAR, lifespan=YEAR)


def test_a_gain_is_told_by_factor() -> None:
    # Patterson et al. 2021, Table 1: the Transformer on P100 in an average US data centre, and
    # the Evolved Transformer on TPU v2 in Iowa, net.
    before = Factors(hours=84, processors=8, power_kw=0.296, pue=1.59, g_per_kwh=429)
    after = Factors(hours=14.88, processors=8, power_kw=0.227, pue=1.11, g_per_kwh=80)
    found = gain(before, after)
    assert found.work == pytest.approx(3.5 / 0.62)
    assert found.overhead == pytest.approx(1.59 / 1.11)
    assert found.intensity == pytest.approx(5.36, abs=0.01)  # printed as 5.4
    assert found.total == pytest.approx(57, abs=1)  # printed as 57X
    parts = (found.work, found.power, found.overhead, found.intensity)
    assert prod(parts) == pytest.approx(found.total)
    with pytest.raises(BadInput, match="needs numbers above 0"):
        gain(before, Factors(hours=0, power_kw=1, g_per_kwh=1))
    one = Factors(hours=1e10, power_kw=1e-15, g_per_kwh=1)
    other = Factors(hours=1e-300, power_kw=1e15, g_per_kwh=1)
    with pytest.raises(BadInput, match="gain in work comes to more than a number can hold"):
        gain(one, other)


def test_equivalents_are_those_that_were_printed() -> None:
    # Patterson et al. 2021, App. A and D: 1.2 t a passenger, 180.4 t a plane. Dodge et al.
    # 2022, Sec. 5.1, after the EPA: 8.22e-6, 3.98e-4, 8.887e-3, 0.43, 8.3 and 181.29 t.
    tonnes = [1.2, 180.4, 8.22e-6, 3.98e-4, 8.887e-3, 0.43, 8.3, 181.29]
    assert [each.amount for each in equivalents(1e6)] == pytest.approx(
        [1 / each for each in tonnes]
    )


def test_equivalents_name_their_source() -> None:
    found = {each.what: each for each in equivalents(1.2e6)}
    assert found["round trips San Francisco - New York, one passenger"].amount == 1
    assert found["smartphones charged"].amount == pytest.approx(145_985, abs=1)
    assert found["miles driven by an average US car"].amount == pytest.approx(3015, abs=1)
    assert len(found) == len(EQUIVALENTS)
    assert all(each.source for each in found.values())
    with pytest.raises(BadInput, match="grams are -1"):
        equivalents(-1)

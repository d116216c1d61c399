"""The four claims on made-up grids whose answers are known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from gridtide_pipelines.reproduce import headlines as page
from gridtide_pipelines.reproduce.figures import read_printed
from gridtide_pipelines.reproduce.papers import dodge2022_style
from gridtide_pipelines.reproduce.pictures import Bars, Lines

HOURS = 9_300
RANKS = np.arange(1, 14.0)[:, None]  # Queensland 1, the Northwest 2, .. Sweden 13
DODGE = read_printed("dodge2022")


def steady(factor: float = 100.0) -> np.ndarray:
    """Each region at its rank times `factor` g/kWh, all year."""
    return np.repeat(RANKS * factor, HOURS, axis=1)


def test_by_place_is_the_ratio_of_the_dirtiest_to_the_cleanest_grid_of_the_us() -> None:
    direct = steady()
    direct[dodge2022_style.REGIONS.index("BPAT")] = 50.0
    found = page.within_a_country({"lifecycle": steady(), "direct": direct}, "")
    # The Mid-Atlantic is at 1100, the Northwest at 200, or at 50.
    assert "lie 5.5 times apart with lifecycle factors, 22.0 times with direct" in found.ours
    # Without the Northwest: California (3) to the Mid-Atlantic (11).
    assert "without the US Northwest they lie 3.67 and 3.67 times apart" in found.ours
    # Counted from Google's yearly files: least in 2019, most in 2022.
    assert "4.8 to 9.0 times apart, by year from 2019 to 2024" in found.ours
    (_, grids) = found.pictures
    assert isinstance(grids, Bars)
    assert {bar.label: bar.value for bar in grids.bars}["Texas"] == 500
    assert len(grids.bars) == 7


def test_by_region_is_the_energy_of_one_run_of_bert_times_the_mean_intensity() -> None:
    found = page.by_region({"lifecycle": steady(), "direct": steady()}, DODGE, "")
    # 37.3 kWh at 100 and at 1300 g/kWh.
    assert found.ours == "92 %: 3.7 kg in Queensland against 48.5 kg in Sweden."
    (picture,) = found.pictures
    assert isinstance(picture, Bars)
    assert [bar.value for bar in picture.bars[:2]] == [7, 26]


def test_by_time_of_day_is_the_worst_start_of_six_hours_above_the_best() -> None:
    values = steady()
    # Everywhere but in Queensland the first five hours of a day are at two fifths: a run of 6
    # h from midnight comes to half, and none that starts from 06:00 to 18:00 has any of them.
    clean = np.arange(HOURS) % 24 < 5
    values[1:, clean] *= 0.4
    found = page.by_time_of_day({"lifecycle": values, "direct": values}, DODGE, "")
    assert "emits 0 % (Queensland) to 100 % (US Northwest) more" in found.ours
    assert "100 % in the median region" in found.ours
    # 2410 at 18:00 against 2210 at 06:00 on the first day of Table 3.
    assert "Table 3 gives 9.0 % on the widest of its three days" in found.ours
    (picture,) = found.pictures
    assert isinstance(picture, Lines)
    by_name = {line.label: line.values for line in picture.lines}
    # Means of the 8 starts: 50, 80 (two clean hours), 100 x 5, and 70 (three) from 21:00.
    mean = (50 + 80 + 5 * 100 + 70) / 8
    assert by_name["Texas"][0] == pytest.approx(100 * (50 / mean - 1))
    assert by_name["Texas"][2] == pytest.approx(100 * (100 / mean - 1))


def test_by_pausing_is_what_the_clean_half_of_sixteen_days_saves() -> None:
    lifecycle, direct = steady(), steady()
    # Queensland is clean on every other day, Sweden with direct factors all but free.
    day = np.arange(HOURS) // 24 % 2
    lifecycle[0] = np.where(day == 0, 100.0, 300.0)
    direct[12] = np.where(day == 0, 0.0, 300.0)
    found = page.by_pausing({"lifecycle": lifecycle, "direct": direct}, DODGE, "")
    assert found.ours == (
        "50.0 % at best (Queensland, lifecycle factors; 100.0 % in Sweden with direct ones), "
        "3.8 % in the mean of 13 regions."
    )
    assert len(found.pictures) == 3

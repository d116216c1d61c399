"""Let's Wait Awhile on a year of made-up values, against loops that follow the protocol."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gridtide.errors import BadInput
from gridtide_pipelines.reproduce.papers import lets_wait_awhile as paper

HALF_HOURS = 366 * 48
TRUTH = np.random.default_rng(7).uniform(50.0, 500.0, HALF_HOURS + 200)
JOBS = paper.Jobs(
    np.array([20, 700, 17_000, 17_560]),
    np.array([8, 179, 33, 90]),
    {"next_workday": np.array([0, 25, 7, 60]), "semi_weekly": np.array([40, 0, 130, 100])},
)


def loop(deadline: str, forecast: list[float], *, late: int) -> tuple[float, float, float]:
    """Emissions of all jobs by the book: baseline, unbroken, pausing."""
    baseline = whole = pausing = 0.0
    truth = TRUTH.tolist()
    jobs = zip(JOBS.starts, JOBS.lengths, JOBS.slacks[deadline], strict=True)
    for start, length, slack in jobs:
        by_truth = {s: sum(truth[s : s + length]) for s in range(start, start + late + 1)}
        baseline += min(by_truth.values())
        starts = range(start, start + slack + late + 1)
        best = min(starts, key=lambda s: sum(forecast[s : s + length]))
        whole += sum(truth[best : best + length])
        window = range(start, start + length + slack + late)
        cheapest = sorted(window, key=lambda step: forecast[step])[:length]
        pausing += sum(truth[step] for step in cheapest)
    return baseline, whole, pausing


@pytest.mark.parametrize("late", [1, 0])  # published, clean
@pytest.mark.parametrize("deadline", ["next_workday", "semi_weekly"])
def test_ml_jobs_save_what_loops_over_the_protocol_say(deadline: str, late: int) -> None:
    baseline, whole, pausing = loop(deadline, TRUTH.tolist(), late=late)
    saved = paper.ml_savings(TRUTH, JOBS, deadline, 0, published=late == 1)
    assert saved == pytest.approx(
        (100 * (1 - whole / baseline), 100 * (1 - pausing / baseline)), abs=1e-9
    )


def test_a_forecast_decides_and_the_truth_is_paid_over_ten_draws() -> None:
    wholes, pausings = [], []
    for seed in range(10):
        noise = np.random.default_rng(seed).normal(0, 0.05 * TRUTH.mean(), len(TRUTH))
        baseline, whole, pausing = loop("semi_weekly", (TRUTH + noise).tolist(), late=1)
        wholes.append(whole)
        pausings.append(pausing)
    saved = paper.ml_savings(TRUTH, JOBS, "semi_weekly", 5, published=True)
    expected = [100 * (1 - np.mean(each) / baseline) for each in (wholes, pausings)]
    assert saved == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("protocol", "nights"), [("published", 365), ("clean", 364)])
def test_nights_are_left_out_but_still_divided_by_in_the_published_protocol(
    protocol: str, nights: int
) -> None:
    means = paper.nightly_means(TRUTH, 0, published=protocol == "published")
    for wide, first, divisor in ((0, 0, 365), (2, 0, 365), (3, 1, nights), (16, 1, nights)):
        best = [
            min(TRUTH[2 + 48 * day - wide : 2 + 48 * day + wide + 1])
            for day in range(first, 365)
        ]
        assert means[wide] == pytest.approx(sum(best) / divisor)


def test_weekends_are_compared_by_medians_of_the_week_s_half_hours() -> None:
    day = np.array([paper_day.isoweekday() for paper_day in half_hours()])
    truth = np.where(day >= 6, 75.0, 100.0)
    truth[5] = 9_000.0  # one odd value moves a mean, not a median
    assert paper.statistics(truth)[4] == pytest.approx(25.0)


def half_hours() -> list[datetime]:
    return [datetime(2020, 1, 1) + i * timedelta(minutes=30) for i in range(HALF_HOURS + 1)]  # noqa: DTZ001


def write(path: Path, *, drop: int | None = None, unknown: int | None = None) -> Path:
    """A file of the real shape: ten days before 2020 and one unknown value at its end."""
    first = datetime(2019, 12, 22)  # noqa: DTZ001  # the file's clock has no time zone
    times = [first + i * timedelta(minutes=30) for i in range(HALF_HOURS + 490)]
    values: list[float | None] = [float(i) for i in range(len(times))]
    values[-1] = None
    if unknown is not None:
        values[unknown] = None
    frame = pl.DataFrame({"ts": times, **dict.fromkeys(paper.REGIONS, values)})
    if drop is not None:
        frame = pl.concat([frame[:drop], frame[drop + 1 :]])
    frame.write_parquet(path)
    return path


def test_a_series_begins_with_2020_and_ends_with_its_last_value(tmp_path: Path) -> None:
    series = paper.read_series(write(tmp_path / "ci.parquet"))
    assert series["FR"][0] == 480.0  # ten days of half-hours come before
    assert len(series["DE"]) == HALF_HOURS + 9


@pytest.mark.parametrize(
    ("change", "words"),
    [({"drop": 900}, "not half an hour apart"), ({"unknown": 900}, "lacks half-hours")],
)
def test_a_series_with_a_hole_is_refused(
    tmp_path: Path, change: dict[str, int], words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        paper.read_series(write(tmp_path / "ci.parquet", **change))


def test_the_statistics_are_of_the_leap_year_and_weekends_as_the_authors_count() -> None:
    first = datetime(2020, 1, 1, tzinfo=UTC)
    times = [first + timedelta(minutes=30) * n for n in range(367 * 48)]
    # Saturdays and Sundays 150, else 200, and each second half-hour 10 more; 2021 is left out
    # but for its first half-hour.
    truth = np.array(
        [(150.0 if time.weekday() >= 5 else 200.0) + 10 * (time.minute == 30) for time in times]
    )
    truth[366 * 48 + 1 :] = 10_000
    mean, spread, least, most, lower = paper.statistics(truth)
    # 2020 has 104 days of weekends and 262 others.
    assert mean == pytest.approx((104 * 155 + 262 * 205) / 366)
    squares = 24 * sum(
        days * (value - mean) ** 2
        for days, values in ((104, (150, 160)), (262, (200, 210)))
        for value in values
    )
    assert spread == pytest.approx((squares / (366 * 48 - 1)) ** 0.5, rel=1e-9)
    assert (least, most) == (150.0, 210.0)
    assert lower == pytest.approx(100 * (1 - 155 / 205))

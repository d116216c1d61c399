"""Wiesner et al. 2021, "Let's Wait Awhile": what shifting nightly and weekday jobs saves.

Two protocols. The published one is what the authors' code does, with two quirks that this
repeats: a job's window has one half-hour more than from start to deadline, for the baseline
too; and from windows of +-1.5 h on, the first night is left out but still divided by. The
clean one has neither.

A job's time is decided on a forecast, truth plus normal noise drawn once for the whole series,
and paid at the truth; figures are means over ten draws.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridtide.errors import BadInput
from gridtide_pipelines.reproduce.figures import (
    Kind,
    Reproduction,
    Row,
    compare,
    missing_files,
    read_printed,
    row_without_data,
    table,
)
from gridtide_pipelines.reproduce.planners.cheapest import cheapest_totals
from gridtide_pipelines.reproduce.planners.unbroken import best_starts, totals_at
from gridtide_pipelines.reproduce.planners.whole_steps import prepare_sums

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

FOLDER = "data/lets_wait_awhile"
SERIES, JOBS = f"{FOLDER}/ci_30min.parquet", f"{FOLDER}/ml_jobs.parquet"
REGIONS = ("DE", "GB", "FR")
NOT_STORED = "needs the series of California, which these files do not hold"

DRAWS = 10
DAY = 48  # half-hours
WEEK = 7 * DAY
NIGHTS, AT_NIGHT = 365, 2  # jobs at 01:00
WIDEST = 16  # half-hours to each side
YEAR_2020 = 366 * DAY
TOLERANCE = 0.005
STATISTICS = {
    "mean of 2020": ("g/kWh", 1e-6),
    "standard deviation": ("g/kWh", 1e-6),
    "least": ("g/kWh", 1e-6),
    "most": ("g/kWh", 1e-6),
    "weekends are lower by": ("%", 0.005),
}
CLEAN = ", clean protocol"
KINDS = {
    "published": "",
    "computed": "not published; compared with this project's first computation",
    "clean": "compared with this project's first computation",
}
DEADLINES = {"next_workday": "next workday", "semi_weekly": "semi-weekly"}


@dataclass(frozen=True)
class Jobs:
    """Start, length and slack to each deadline, in half-hours from 2020-01-01 (jobs,)."""

    starts: Whole
    lengths: Whole
    slacks: Mapping[str, Whole]


def run(data: Path | None) -> list[Row]:
    """Compute every published figure, those without one, and those of the clean protocol.

    Raises:
        BadInput: a file is there but is not what it should be.
    """
    figures = read_printed("lets_wait_awhile")
    lacking = missing_files(data, SERIES, JOBS)
    if data is None or lacking:
        return list(_rows(figures, {}, lacking))
    truths, jobs = read_series(data / SERIES), read_jobs(data / JOBS)
    ours: dict[str, float] = {}
    for region, truth in truths.items():
        ours |= {f"{region} {key}": value for key, value in _figures(truth, jobs).items()}
    return list(_rows(figures, ours, NOT_STORED))


def ml_savings(
    truth: Floats, jobs: Jobs, deadline: str, error_pct: float, *, published: bool
) -> tuple[float, float]:
    """Return the saving of waiting over the baseline, %: unbroken, and pausing at no cost."""
    late = np.full_like(jobs.starts, int(published))
    slacks = jobs.slacks[deadline] + late
    paid = prepare_sums(truth[None, :])
    baseline = totals_at(paid, best_starts(paid, jobs.starts, jobs.lengths, late), jobs.lengths)
    whole, pausing = [], []
    for forecast in forecasts(truth, error_pct):
        starts = best_starts(prepare_sums(forecast[None, :]), jobs.starts, jobs.lengths, slacks)
        whole.append(totals_at(paid, starts, jobs.lengths).sum())
        spans = jobs.lengths + slacks
        pausing.append(
            cheapest_totals(forecast, jobs.starts, jobs.lengths, spans, counted=truth).sum()
        )
    base = baseline.sum()
    return _saved(np.mean(whole), base), _saved(np.mean(pausing), base)


def nightly_means(truth: Floats, error_pct: float, *, published: bool) -> Floats:
    """Return the mean intensity of the nightly job for windows of +-0 to 8 h (17,), g/kWh."""
    nights = AT_NIGHT + DAY * np.arange(NIGHTS)
    sums = np.zeros(WIDEST + 1)
    for forecast in forecasts(truth, error_pct):
        for wide in range(WIDEST + 1):
            fitting = nights[nights >= wide]
            tried = fitting[:, None] + np.arange(-wide, wide + 1)
            best = tried[np.arange(len(fitting)), forecast[tried].argmin(axis=1)]
            sums[wide] += truth[best].sum() / (NIGHTS if published else len(fitting))
    means: Floats = sums / (DRAWS if error_pct else 1)
    return means


def forecasts(truth: Floats, error_pct: float) -> Iterator[Floats]:
    """Return the truth itself, or ten draws with noise of `error_pct` % of its mean."""
    if not error_pct:
        yield truth
        return
    for seed in range(DRAWS):
        noise = np.random.default_rng(seed).normal(
            0, error_pct / 100 * truth.mean(), len(truth)
        )
        yield truth + noise


def statistics(truth: Floats) -> tuple[float, float, float, float, float]:
    """Return mean, deviation, least and most of 2020, g/kWh and how much lower weekends are, %.

    The last as the authors count it: medians over the year of each half-hour of the week, and
    the means of those.
    """
    year = truth[:YEAR_2020]
    # 2020 began on a Wednesday; theirs runs to midnight, so one Friday half-hour more.
    half_hour = (2 * DAY + np.arange(YEAR_2020 + 1)) % WEEK
    week = [np.median(truth[: YEAR_2020 + 1][half_hour == each]) for each in range(WEEK)]
    weekend, workday = np.mean(week[5 * DAY :]), np.mean(week[: 5 * DAY])
    spread = year.std(ddof=1)
    lower = _saved(float(weekend), float(workday))
    return float(year.mean()), float(spread), float(year.min()), float(year.max()), lower


def read_series(path: Path) -> dict[str, Floats]:
    """Read the half-hours of each region from 2020-01-01 to its last value, g/kWh.

    Raises:
        BadInput: not every half-hour is there.
    """
    read = table(path, "ts", *REGIONS).filter(pl.col("ts") >= pl.datetime(2020, 1, 1))
    if read["ts"].diff().drop_nulls().unique().to_list() != [timedelta(minutes=30)]:
        raise BadInput(f"{path}: the times are not half an hour apart; fetch the series again")
    found = {}
    for region in REGIONS:
        values = read[region].to_numpy()
        known = int((~np.isnan(values)).sum())
        if known < YEAR_2020 or np.isnan(values[:known]).any():
            raise BadInput(f"{path}: {region} lacks half-hours of 2020; fetch the series again")
        found[region] = values[:known]
    return found


def read_jobs(path: Path) -> Jobs:
    """Read the regenerated jobs of the machine-learning scenario."""
    slacks = {name: f"slack_{name}_steps" for name in DEADLINES}
    read = table(path, "start_step", "duration_steps", *slacks.values()).cast(pl.Int64)
    return Jobs(
        read["start_step"].to_numpy(),
        read["duration_steps"].to_numpy(),
        {name: read[column].to_numpy() for name, column in slacks.items()},
    )


def _figures(truth: Floats, jobs: Jobs) -> dict[str, float]:
    """Return every figure of one region, by its label in `_rows`."""
    found: dict[str, float] = {}
    for protocol, errors in (("published", (0, 5, 10)), ("clean", (0,))):
        for deadline in DEADLINES:
            for error in errors:
                both = ml_savings(
                    truth, jobs, deadline, error, published=protocol == "published"
                )
                for pausing, saved in zip((False, True), both, strict=True):
                    found[_job_key(protocol, deadline, error, pausing=pausing)] = saved
    for protocol in ("published", "clean"):
        for error in (0, 5):
            means = nightly_means(truth, error, published=protocol == "published")
            for wide, mean in enumerate(means):
                found[f"{protocol} mean_{error} {wide}"] = float(mean)
                found[f"{protocol} saved_{error} {wide}"] = _saved(mean, means[0])
    return found | dict(zip(STATISTICS, statistics(truth), strict=True))


def _rows(figures: Mapping[str, Any], ours: Mapping[str, float], note: str) -> Iterator[Row]:
    """Return a row for each figure; `note` says why ours is missing."""

    def row(label: str, value: float, key: str, unit: str, kind: str, tolerance: float) -> Row:
        of = Kind.PUBLISHED if kind == "published" else Kind.UNCHANGED
        if key not in ours:
            return row_without_data(
                label, value, kind=of, unit=unit, note=note, tolerance=tolerance
            )
        said = KINDS[kind]
        return compare(
            label, value, ours[key], kind=of, tolerance=tolerance, unit=unit, note=said
        )

    for kind, entries in figures["ml_jobs"].items():
        protocol = "clean" if kind == "clean" else "published"
        for entry in entries:
            deadline, error, pausing = entry["deadline"], entry["error"], entry["pausing"]
            how = "pausing" if pausing else "in one piece"
            for region in (name for name in entry if name.isupper()):
                label = f"ML jobs, {region}, {DEADLINES[deadline]}, {how}, error {error} %"
                label += CLEAN if kind == "clean" else ""
                key = f"{region} {_job_key(protocol, deadline, error, pausing=pausing)}"
                yield row(label, entry[region], key, "% saved", kind, TOLERANCE)
    for kind, tables in figures["nightly"].items():
        protocol = "clean" if kind == "clean" else "published"
        for name, by_region in tables.items():
            quantity, error = name.split("_")
            unit = "% saved" if quantity == "saved" else "g/kWh"
            for region, values in by_region.items():
                for wide, value in enumerate(values):
                    if quantity == "saved" and wide == 0:
                        continue  # without room to shift nothing is saved, by construction
                    label = f"nightly {quantity}, {region}, +-{wide / 2:g} h, error {error} %"
                    label += CLEAN if kind == "clean" else ""
                    key = f"{region} {protocol} {name} {wide}"
                    yield row(label, value, key, unit, kind, TOLERANCE)
    for region, values in figures["statistics"].items():
        for name, value in zip(STATISTICS, values, strict=True):
            unit, tolerance = STATISTICS[name]
            yield row(
                f"{name}, {region}", value, f"{region} {name}", unit, "published", tolerance
            )


def _job_key(protocol: str, deadline: str, error: int, *, pausing: bool) -> str:
    return f"{protocol} {deadline} {error} {'pausing' if pausing else 'whole'}"


def _saved(paid: float, baseline: float) -> float:
    return float(100 * (1 - paid / baseline))


REPRODUCTION = Reproduction(
    name="lets-wait-awhile",
    title="Let's Wait Awhile: nightly and weekday jobs in 2020, as published and put right",
    citation=(
        "Wiesner et al. 2021, Let's Wait Awhile, Middleware 21, arXiv:2110.13234; figures and "
        "notebooks of github.com/dos-group/lets-wait-awhile"
    ),
    original=(
        "github.com/dos-group/lets-wait-awhile, data/ger_ci.csv, gb_ci.csv, fr_ci.csv (from "
        "ENTSO-E generation); as Parquet in FOLDER/data/lets_wait_awhile"
    ),
    run=run,
)

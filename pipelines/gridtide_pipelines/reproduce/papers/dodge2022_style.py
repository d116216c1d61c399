"""Dodge et al. 2022: flexible start and pause-and-resume of eleven training runs, on open data.

The paper's signal (WattTime's marginal emissions) is not public, so its own figures cannot be
computed here. What can: the paper's algorithms and jobs on CarbonCast's hourly average
intensity of 13 regions in 2020, in steps of 5 minutes, against a first computation of this
project; the paper's figures stand beside them. Perfect foresight, constant power.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridtide.errors import BadInput
from gridtide_pipelines.reproduce.figures import (
    Kind,
    Reproduction,
    Row,
    compare,
    compare_claim,
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

REGIONS = (
    *("AUS_QLD", "BPAT", "CISO", "DE", "ERCO", "ES", "FPL", "ISNE", "NL", "NYISO", "PJM"),
    *("PL", "SE"),
)
FILES = tuple(f"data/carboncast/{region}.parquet" for region in REGIONS)
FACTORS = ("lifecycle", "direct")
MEAN = "mean of 13"

NEW_YEAR = datetime(2020, 1, 1, tzinfo=UTC)
DAYS_AND_HOURS = ((1, 0), (7, 5), (13, 10), (19, 15), (25, 20))
HOUR = 12  # steps of 5 minutes
LONGEST = 2 * 216  # hours: ViT Huge with +100 %
COMPARED: Any = {"kind": Kind.UNCHANGED, "tolerance": 0.01, "unit": "%"}  # points
OWN = Kind.ARITHMETIC
NOT_PUBLIC = "WattTime's marginal emissions of 2020 are not public"
OF_READING = 0.1  # points, between the paper's figures and its tables
BY_REGION = (
    (
        "BERT LM, cleanest region below the dirtiest",
        "bert_lm_best_region",
        "bert_lm_worst_region",
    ),
    ("mean intensity, the same", "g_per_kwh_best_region", "g_per_kwh_worst_region"),
    ("g a GPU-hour, the same", "g_per_gpu_hour_best_region", "g_per_gpu_hour_worst_region"),
    ("whole 6B training, the same", "full_6b_training_low", "full_6b_training_high"),
)


class Reduction(NamedTuple):
    """Reduction of emissions against starting at once, %, mean over the starts."""

    flexible_start: float
    pause_resume: float


def run(data: Path | None) -> list[Row]:
    """Compute every job, window and factor set, then compare the paper's own figures.

    Raises:
        BadInput: a file is there but is not what it should be.
    """
    style, paper = read_printed("dodge_style"), read_printed("dodge2022")
    lacking = missing_files(data, *FILES)
    found = {}
    if data is not None and not lacking:
        for factors in FACTORS:
            hourly = read_series(data, factors)
            for job, hours in style["hours"].items():
                found[factors, job] = reductions(hourly, hours, style["windows"])
    return [
        *_style_rows(style, paper, found, lacking),
        *_paper_rows(paper),
        *_not_public(paper),
    ]


def reductions(
    hourly: Floats, hours: float, windows: Sequence[str]
) -> dict[tuple[str, str], Reduction]:
    """Return what a job of `hours` saves in each region and window, and in the regions' mean.

    `hourly` is (regions, hours) from 2020-01-01, in the order of `REGIONS`.
    """
    length = steps_of(hours)
    extras = np.array([extra_steps(length, window) for window in windows])
    at = starts()
    found: dict[tuple[str, str], Reduction] = {}
    for region, values in zip(REGIONS, hourly, strict=True):
        saved = _saved(values, at * HOUR, length, extras)
        found |= {(region, w): each for w, each in zip(windows, saved, strict=True)}
    for window in windows:
        columns = zip(*(found[region, window] for region in REGIONS), strict=True)
        found[MEAN, window] = Reduction(*(float(np.mean(column)) for column in columns))
    return found


def starts() -> Whole:
    """Return sixty starts in hours from 2020-01-01: five a month, 00 to 20 UTC."""
    moments = [
        datetime(2020, month, day, hour, tzinfo=UTC)
        for month in range(1, 13)
        for day, hour in DAYS_AND_HOURS
    ]
    return np.array([(moment - NEW_YEAR) // timedelta(hours=1) for moment in moments])


def steps_of(hours: float) -> int:
    """Return a job's length in slots of 5 minutes, at least one."""
    return max(1, round(hours * HOUR))


def extra_steps(length: int, window: str) -> int:
    """Return by how many slots a window is longer than the job: ``+6h`` or ``+50%``."""
    if window.endswith("h"):
        return int(window[1:-1]) * HOUR
    return max(1, round(length * int(window[1:-1]) / 100))


def read_series(data: Path, factors: str) -> Floats:
    """Read the hourly intensity of each region from 2020-01-01, (regions, hours), g/kWh.

    Raises:
        BadInput: an hour is missing or unknown.
    """
    column = f"ci_{factors}_g_per_kwh"
    hours = int(starts().max()) + LONGEST + 1
    rows = []
    for path in FILES:
        read = table(data / path, "ts_utc", column).filter(pl.col("ts_utc") >= NEW_YEAR)
        # The files hold single precision, in which running sums drift.
        values = read[column].cast(pl.Float64).to_numpy()[:hours]
        labels = read["ts_utc"].head(hours)
        even = labels.diff().drop_nulls().unique().to_list() == [timedelta(hours=1)]
        if len(values) < hours or labels[0] != NEW_YEAR or not even or np.isnan(values).any():
            raise BadInput(
                f"{data / path}: not every hour from {NEW_YEAR:%Y-%m-%d} on has a value in "
                f"{column}; fetch the file again"
            )
        rows.append(values)
    return np.array(rows)


def _saved(hourly: Floats, at: Whole, length: int, extras: Whole) -> list[Reduction]:
    """Return the reductions of one region for each window."""
    sums = prepare_sums(np.repeat(hourly, HOUR)[None, :])
    lengths = np.full_like(at, length)
    at_once = totals_at(sums, at, lengths)
    # All windows in one call: sorting the year's hours costs more than sorting a window.
    jobs, windows = len(at), len(extras)
    spans = length + np.repeat(extras, jobs)
    paused = cheapest_totals(
        hourly, np.tile(at, windows), np.full_like(spans, length), spans, parts=HOUR
    ).reshape(windows, jobs)
    found = []
    for extra, each in zip(extras, paused, strict=True):
        best = best_starts(sums, at, lengths, np.full_like(at, extra))
        shifted = totals_at(sums, best, lengths) / at_once
        found.append(Reduction(_percent(shifted), _percent(each / at_once)))
    return found


def _percent(remaining: Floats) -> float:
    return float(100 * (1 - remaining).mean())


def _style_rows(
    style: Mapping[str, Any], paper: Mapping[str, Any], found: Mapping[Any, Any], lacking: str
) -> Iterator[Row]:
    for factors in FACTORS:
        for job, regions in style[factors].items():
            for region, both in regions.items():
                windows = style["windows" if region == MEAN else "regional_windows"]
                for algorithm in Reduction._fields:
                    for i, window in enumerate(windows):
                        label = f"{factors}, {job}, {region}, {window}, {_words(algorithm)}"
                        value = both[algorithm][i]
                        beside, note = None, ""
                        if region == MEAN and job in paper[algorithm]:
                            beside = float(paper[algorithm][job][i])
                            note = f"Dodge et al. print {beside} on marginal emissions"
                        if (factors, job) not in found:
                            note = f"{lacking}; {note}" if note else lacking
                            row = row_without_data(label, value, note=note, **COMPARED)
                        else:
                            ours = getattr(found[factors, job][region, window], algorithm)
                            row = compare(label, value, ours, note=note, **COMPARED)
                        yield replace(row, beside=beside)


def _words(algorithm: str) -> str:
    return {"flexible_start": "flexible start", "pause_resume": "pause and resume"}[algorithm]


def _paper_rows(paper: Mapping[str, Any]) -> Iterator[Row]:
    """Compare the paper's figures with each other: all that can be checked of them here."""
    text, own = paper["text"], "from the paper's own figures"
    for label, best, worst in BY_REGION:
        less = 100 * (1 - text[best] / text[worst])
        yield compare_claim(
            label, "over 70", less, kind=OWN, holds=less > 70, unit="%", note=own
        )
    grams = np.array(paper["time_of_day"]["grams"])
    hours = paper["time_of_day"]["hours"]
    less = 100 * (grams[:, hours.index(0)] / grams[:, hours.index(6)] - 1).max()
    yield compare(
        "midnight above 06:00, Table 3",
        text["midnight_vs_6am"],
        less,
        kind=OWN,
        tolerance=0.5,
        unit="%",
        note=own,
    )
    regions = paper["regions"]
    plotted = np.array(list(regions["reduction"].values()))
    means, most = plotted.mean(axis=0), plotted[:, 1].max()
    yield compare_claim(
        "6B Transformer, +24h, flexible start, most of 16 regions",
        f"less than {text['flexible_start_8_day_job_max']:g}",
        most,
        kind=OWN,
        holds=most < text["flexible_start_8_day_job_max"],
        unit="%",
        note=own,
    )
    for i, column in enumerate(regions["columns"]):
        job, kind = column.rsplit(" ", 1)
        algorithm, window = (
            ("flexible_start", "+24h") if kind == "flexible" else ("pause_resume", "+100%")
        )
        value = paper[algorithm][job][paper["windows"].index(window)]
        label = f"mean of 16 regions in the plots, {job}, {window}, {_words(algorithm)}"
        yield compare(
            label, value, means[i], kind=OWN, tolerance=OF_READING, unit="%", note=own
        )


def _not_public(paper: Mapping[str, Any]) -> Iterator[Row]:
    """Return the paper's own results, none of which can be computed here."""

    def row(label: str, value: float, unit: str) -> Row:
        return row_without_data(label, value, kind=Kind.PUBLISHED, unit=unit, note=NOT_PUBLIC)

    for algorithm in Reduction._fields:
        for job, values in paper[algorithm].items():
            for window, value in zip(paper["windows"], values, strict=True):
                yield row(f"Tables 6 to 13, {job}, {window}, {_words(algorithm)}", value, "%")
    regions = paper["regions"]
    for region, values in regions["reduction"].items():
        for column, value in zip(regions["columns"], values, strict=True):
            yield row(f"Figs. 3 and 4, {region}, {column}", value, "%")
    day_hours = paper["time_of_day"]
    for day, grams in enumerate(day_hours["grams"], start=1):
        for hour, value in zip(day_hours["hours"], grams, strict=True):
            yield row(f"Table 3, day {day}, {hour:02}:00", value, "gCO2")


REPRODUCTION = Reproduction(
    name="dodge2022-style",
    title="Flexible start and pause-and-resume after Dodge et al. 2022, on CarbonCast 2020",
    citation=(
        "Dodge et al. 2022, Measuring the Carbon Intensity of AI in Cloud Instances, FAccT 22, "
        "arXiv:2206.05229; compared with this project's first computation on CarbonCast data"
    ),
    original=(
        "github.com/carbonfirst/CarbonCast (Apache-2.0), data/*_lifecycle and *_direct hourly "
        "files; as Parquet in FOLDER/data/carboncast"
    ),
    run=run,
)

"""Sukprasert et al. 2024: the limits of shifting work in time and space, 123 zones in 2022.

The hourly series (Electricity Maps, ODbL) is not part of the recorded data; the computation
runs where it is supplied. As in the authors' simulation, a job of whole hours arrives at every
hour and may end up to its slack later than at once; what is left of the year cuts windows off.
Deferring saves against running at once, interrupting against deferring. Figures are g per hour
of work, the mean over arrivals, then over zones; percentages are of the emissions summed over
zones.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
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
    missing_files,
    read_printed,
    row_without_data,
)
from gridtide_pipelines.reproduce.planners.cheapest import cheapest_totals
from gridtide_pipelines.reproduce.planners.unbroken import best_starts, totals_at
from gridtide_pipelines.reproduce.planners.whole_steps import prepare_sums

Floats = NDArray[np.float64]

SERIES = "data/eurosys2024/combined_carbon.csv"
YEAR = 8760  # hours of 2022
GLOBAL = "Global"
# The authors' file of this zone, slack and job is empty, so their means leave it out.
EMPTY_FILE = ("SE-SE1", 24, 168)
TOLERANCE = 0.01  # of the unit; the authors round sums to 0.01 g


class Paid(NamedTuple):
    """Cost of one job by hour of arrival, g/kWh x h: at once, deferred, interrupted."""

    at_once: Floats
    deferred: Floats
    interrupted: Floats


class Saved(NamedTuple):
    """Saving of waiting: g/kWh by group, and % of all emissions."""

    deferring: dict[str, float]
    interrupting: dict[str, float]
    deferring_pct: float
    interrupting_pct: float


def run(data: Path | None) -> list[Row]:
    """Compute every figure of the result files.

    Raises:
        BadInput: the file is there but is not what it should be.
    """
    figures = read_printed("eurosys2024")
    lacking = missing_files(data, SERIES)
    if data is None or lacking:
        return list(_rows(figures, {}, lacking))
    groups = {name: zones.split() for name, zones in figures["zones"].items()}
    groups[GLOBAL] = [zone for zones in groups.values() for zone in zones]
    return list(
        _rows(figures, compute(figures, read_series(data / SERIES, groups), groups), "")
    )


def compute(
    figures: Mapping[str, Any],
    hourly: Mapping[str, Floats],
    groups: Mapping[str, Sequence[str]],
) -> dict[tuple[str, ...], float]:
    """Return every figure by its key in the table: (table, slack or kind, group[, job])."""
    found: dict[tuple[str, ...], float] = {}
    for slack in figures["together"]:
        together: dict[str, list[float]] = {group: [] for group in groups}
        for job in figures["jobs"]:
            all_paid = {
                zone: paid(values, job, int(slack))
                for zone, values in hourly.items()
                if (zone, int(slack), job) != EMPTY_FILE
            }
            both = saved(all_paid, groups, job)
            for group in groups:
                found["deferrability", slack, group, str(job)] = both.deferring[group]
                found["interruptibility", slack, group, str(job)] = both.interrupting[group]
                together[group].append(both.deferring[group] + both.interrupting[group])
            found["defer_pct", slack, GLOBAL, str(job)] = both.deferring_pct
            found["interrupt_pct", slack, GLOBAL, str(job)] = both.interrupting_pct
        for group, each in together.items():
            found["together", slack, group] = float(np.mean(each))
    for group, zones in groups.items():
        once, hour_by_hour = migration(np.array([hourly[zone] for zone in zones]))
        found["migration", "one", group] = once
        found["migration", "every_hour", group] = hour_by_hour
    return found


def paid(hourly: Floats, job: int, slack: int) -> Paid:
    """Return the cost of a job of `job` hours that arrives at each hour of the year.

    A slack as long as the year lets windows end with it, and takes the last arrival that still
    fits; with less slack the authors' last arrival is an hour before that.
    """
    hours, open_ended = len(hourly), slack >= len(hourly)
    starts = np.arange(hours - job + int(open_ended))
    lengths = np.full_like(starts, job)
    sums = prepare_sums(hourly[None, :])
    at_once = totals_at(sums, starts, lengths)
    if open_ended:
        deferred = np.minimum.accumulate(at_once[::-1])[::-1]
        interrupted = _cheapest_to_the_end(hourly, job)
    else:
        slacks = np.minimum(slack, hours - job - starts)
        best = best_starts(sums, starts, lengths, slacks)
        deferred = totals_at(sums, best, lengths)
        interrupted = cheapest_totals(hourly, starts, lengths, lengths + slacks)
    return Paid(at_once, deferred.round(2), interrupted.round(2))


def saved(by_zone: Mapping[str, Paid], groups: Mapping[str, Sequence[str]], job: int) -> Saved:
    """Return what one job saves over the groups' zones; zones without a result are left out."""
    deferring = {zone: (each.at_once - each.deferred) for zone, each in by_zone.items()}
    interrupting = {zone: (each.deferred - each.interrupted) for zone, each in by_zone.items()}
    emitted = np.sum([each.at_once for each in by_zone.values()], axis=0)
    means = [
        {
            group: float(
                np.mean([effect[zone].mean() for zone in zones if zone in effect]) / job
            )
            for group, zones in groups.items()
        }
        for effect in (deferring, interrupting)
    ]
    shares = [
        float(100 * (np.sum(list(effect.values()), axis=0) / emitted).mean())
        for effect in (deferring, interrupting)
    ]
    return Saved(means[0], means[1], shares[0], shares[1])


def migration(hourly: Floats) -> tuple[float, float]:
    """Return what moving saves the zones (zones, hours) on average, g/kWh.

    Once, to the zone with the least mean of the year; and every hour, to the cleanest zone.
    """
    mean = hourly.mean(axis=1)
    return float((mean - mean.min()).mean()), float(mean.mean() - hourly.min(axis=0).mean())


def read_series(path: Path, groups: Mapping[str, Sequence[str]]) -> dict[str, Floats]:
    """Read the hours of 2022 of each zone as the authors prepare them: gaps filled backwards.

    Raises:
        BadInput: the file cannot be read, or lacks a zone or an hour.
    """
    try:
        read = pl.read_csv(
            path, columns=["datetime", *groups[GLOBAL]], infer_schema_length=None
        )
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadInput(
            f"{path}: cannot be read: {error}; copy provided_data/combined_carbon.csv there"
        ) from error
    filled = read.fill_null(strategy="backward").fill_null(strategy="forward")
    year = filled.filter(pl.col("datetime").str.starts_with("2022-"))
    if year.height != YEAR:
        raise BadInput(f"{path}: {year.height} hours of 2022, not {YEAR}; fetch it again")
    return {zone: year[zone].cast(pl.Float64).to_numpy() for zone in groups[GLOBAL]}


def _cheapest_to_the_end(hourly: Floats, job: int) -> Floats:
    """Sum the `job` cheapest hours from each hour on, while there are as many."""
    cheapest = sorted(hourly[-job:].tolist())
    total = sum(cheapest)
    totals = [total]
    for value in hourly[-job - 1 :: -1].tolist():
        insort(cheapest, value)
        total += value - cheapest.pop()
        totals.append(total)
    return np.array(totals[::-1])


def _rows(
    figures: Mapping[str, Any], ours: Mapping[tuple[str, ...], float], lacking: str
) -> Iterator[Row]:
    def row(label: str, value: float, unit: str, *place: str) -> Row:
        if place not in ours:
            return row_without_data(
                label, value, kind=Kind.PUBLISHED, unit=unit, note=lacking, tolerance=TOLERANCE
            )
        return compare(
            label, value, ours[place], kind=Kind.PUBLISHED, tolerance=TOLERANCE, unit=unit
        )

    for effect in ("deferrability", "interruptibility", "defer_pct", "interrupt_pct"):
        unit = "%" if effect.endswith("pct") else "g/kWh saved"
        for slack, by_group in figures[effect].items():
            for group, values in by_group.items():
                for job, value in zip(figures["jobs"], values, strict=True):
                    if job == 1 and effect.startswith("interrupt"):
                        continue  # a job of one hour cannot be interrupted: 0 by construction
                    label = f"{effect}, {group}, slack {slack} h, job {job} h"
                    yield row(label, value, unit, effect, slack, group, str(job))
    for slack, by_group in figures["together"].items():
        for group, value in by_group.items():
            label = f"deferring and interrupting, {group}, slack {slack} h, mean of jobs"
            yield row(label, value, "g/kWh saved", "together", slack, group)
    for kind, words in (("one", "moving once"), ("every_hour", "moving every hour")):
        for group, value in figures["migration"][kind].items():
            yield row(f"{words}, {group}", value, "g/kWh saved", "migration", kind, group)


REPRODUCTION = Reproduction(
    name="eurosys2024",
    title="Limits of shifting in time and place: 123 zones, 2022",
    citation=(
        "Sukprasert et al. 2024, On the Limitations of Carbon-Aware Temporal and Spatial "
        "Workload Shifting in the Cloud, EuroSys 24, arXiv:2306.06502; result files of "
        "github.com/umassos/decarbonization-potential"
    ),
    original=(
        "github.com/umassos/decarbonization-potential, provided_data/combined_carbon.csv "
        "(Electricity Maps, ODbL), also zenodo.org/records/10790855; put it at "
        f"FOLDER/{SERIES}"
    ),
    run=run,
)

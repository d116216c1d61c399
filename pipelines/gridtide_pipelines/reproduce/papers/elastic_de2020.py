"""Elastic scaling on Germany 2020: the saving of running more workers when power is clean.

A job of 24 hours or 8 days on one worker may run on none up to two or four workers, within a
window of its length, a day more or twice its length. Power is proportional to workers;
throughput too, or it falls off as workers^0.9. Quarter hours, 59 starts, perfect foresight.
What was computed first came from a linear programme; ours is the greedy and, with a ramp limit,
priced work. On six of the starts a linear programme of this run stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gridtide.errors import BadInput
from gridtide.planning.errors import NoSolver
from gridtide.planning.solvers.highs import Programme
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
from gridtide_pipelines.reproduce.planners.elastic import Knees, least, spread

Floats = NDArray[np.float64]

SERIES = "data/lets_wait_awhile/ci_de_15min.parquet"
STEP = timedelta(minutes=15)
SLOTS = {"24h": 96, "8d": 768}
WINDOWS = {"+0h": (0, 0), "+24h": (96, 0), "+100%": (0, 1)}  # slots, and times the job
KEPT_STARTS = 59  # of 60: the last window would leave the series
TOLERANCE = 0.05  # points
EVERY = 10  # of the starts one in ten is given to the linear programme too: six
CHECKED = ", by linear programme on six starts"
OF_SOLVER = 1e-6  # points
EARLIER, CHECK = Kind.UNCHANGED, Kind.CROSS_CHECK

LINEAR_2: Knees = ((0.0, 0.0), (2.0, 2.0))
PAUSING = "pause_resume (max 1x)"
POLICIES: Mapping[str, tuple[Knees, float | None]] = {
    PAUSING: (((0.0, 0.0), (1.0, 1.0)), None),
    "elastic max 2x, linear": (LINEAR_2, None),
    "elastic max 4x, linear": (((0.0, 0.0), (4.0, 4.0)), None),
    "elastic max 4x, throughput=chips^0.9": (
        tuple((float(workers), workers**0.9) for workers in range(5)),
        None,
    ),
    "elastic max 2x, linear, ramp 0.5x per 15 min": (LINEAR_2, 0.5),
    "elastic max 2x, linear, ramp 0.125x per 15 min": (LINEAR_2, 0.125),
}


def run(data: Path | None) -> list[Row]:
    """Compute each job, window and policy.

    Raises:
        BadInput: the file is there but is not what it should be.
    """
    figures = read_printed("elastic_de2020")
    lacking = missing_files(data, SERIES)
    series = None if data is None or lacking else read_series(data / SERIES)
    return list(_rows(figures, series, lacking))


def reduction(values: Floats, length: int, knees: Knees, ramp: float | None) -> float:
    """Return the mean reduction against one worker, %, over windows (windows, slots)."""
    at_once = values[:, :length].sum(axis=1)
    if ramp is None:
        spent = (values * spread(values, length, knees)).sum(axis=1)
    else:
        spent = least(values, length, knees, ramp)
    return float(100 * (1 - spent / at_once).mean())


def by_programme(values: Floats, length: int, knees: Knees, ramp: float | None) -> float:
    """Return `reduction` by a linear programme with a variable for each slot and part.

    Raises:
        NoSolver: no solver is installed.
        BadInput: the work does not fit.
    """
    remaining = []
    for window in values:
        found = Programme("elastic-de2020")
        work: list[tuple[int, float]] = []
        slots: list[list[tuple[int, float]]] = []
        for value in window.tolist():
            slots.append([])
            for (left, slow), (right, fast) in pairwise(knees):
                variable = found.variable(value, right - left)
                work.append((variable, (fast - slow) / (right - left)))
                slots[-1].append((variable, 1.0))
        found.equal.add(work, float(length))
        if ramp is not None:
            for before, after in pairwise([[], *slots, []]):
                less = [(variable, -1.0) for variable, _ in before]
                found.at_most.add([*after, *less], ramp)
                found.at_most.add([(each, -sign) for each, sign in [*after, *less]], ramp)
        workers = found.solve()
        if workers is None:
            raise BadInput(f"{length} slots of work do not fit into {len(window)}")
        remaining.append(np.dot(workers, found.costs) / window[:length].sum())
    return float(100 * (1 - np.mean(remaining)))


def windows(series: tuple[datetime, Floats], length: int) -> Floats:
    """Return the windows of `length` slots from the 59 starts on, (starts, slots)."""
    first, values = series
    days_and_hours = ((1, 0), (7, 5), (13, 10), (19, 15), (25, 20))
    moments = [
        first.replace(year=2020, month=month, day=day, hour=hour, minute=0)
        for month in range(1, 13)
        for day, hour in days_and_hours
    ][:KEPT_STARTS]
    at = np.array([(moment - first) // STEP for moment in moments])
    found: Floats = values[at[:, None] + np.arange(length)]
    return found


def read_series(path: Path) -> tuple[datetime, Floats]:
    """Read the first quarter hour and the values from it on; single gaps are interpolated.

    Raises:
        BadInput: more than single quarter hours are missing, or it ends too early.
    """
    read = table(path, "ts", "DE").sort("ts").upsample("ts", every="15m")
    lacking = read["DE"].is_null().to_numpy()
    in_a_row = bool((lacking[1:] & lacking[:-1]).any())
    if in_a_row or read.filter(pl.col("ts") >= pl.datetime(2021, 1, 6)).is_empty():
        raise BadInput(
            f"{path}: quarter hours are missing in a row, or it ends before 2021-01-06; fetch "
            "the series again"
        )
    return read["ts"][0], read["DE"].interpolate().to_numpy()


def _rows(
    figures: Mapping[str, Any], series: tuple[datetime, Floats] | None, lacking: str
) -> Iterator[Row]:
    for job, policies in figures["jobs"].items():
        length = SLOTS[job]
        for window, (slots, times) in WINDOWS.items():
            whole = length + slots + times * length
            values = None if series is None else windows(series, whole)
            for policy, by_window in policies.items():
                if whole == length and policy == PAUSING:
                    continue  # pausing without room to pause: 0 by construction
                label = f"{job}, {window}, {policy}"
                value = by_window[figures["windows"].index(window)]
                if values is None:
                    note, tolerance = lacking, TOLERANCE
                    yield row_without_data(
                        label, value, kind=EARLIER, unit="%", note=note, tolerance=tolerance
                    )
                    yield row_without_data(
                        f"{label}{CHECKED}", None, kind=CHECK, unit="%", note=note
                    )
                    continue
                ours = reduction(values, length, *POLICIES[policy])
                yield compare(label, value, ours, kind=EARLIER, tolerance=TOLERANCE, unit="%")
                yield _checked(f"{label}{CHECKED}", values[::EVERY], length, policy)


def _checked(label: str, values: Floats, length: int, policy: str) -> Row:
    """Return our reduction beside that of the linear programme."""
    try:
        value = by_programme(values, length, *POLICIES[policy])
    except NoSolver as error:
        return row_without_data(label, None, kind=CHECK, unit="%", note=str(error))
    ours = reduction(values, length, *POLICIES[policy])
    return compare(label, value, ours, kind=CHECK, tolerance=OF_SOLVER, unit="%")


REPRODUCTION = Reproduction(
    name="elastic-de2020",
    title="Elastic scaling on Germany 2020 in quarter hours",
    citation=(
        "this project's first computation, by linear programme, on the series of Wiesner et "
        "al. 2021, arXiv:2110.13234; scaling in the manner of CarbonScaler, Hanafy et al. 2023"
    ),
    original=(
        "github.com/dos-group/lets-wait-awhile, data/ger_ci.csv; as Parquet in "
        "FOLDER/data/lets_wait_awhile/ci_de_15min.parquet"
    ),
    run=run,
)

"""The computation of the EuroSys study on a year of 40 hours, by loops over its protocol."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gridtide.errors import BadInput
from gridtide_pipelines.reproduce.papers import eurosys2024 as paper

HOURS = 40
DRAW = np.random.default_rng(11)
ZONES = {zone: DRAW.uniform(20.0, 700.0, HOURS).round(2) for zone in ("AA", "BB", "CC")}
GROUPS = {"Europe": ["AA", "BB"], "Africa": ["CC"], "Global": ["AA", "BB", "CC"]}


def loop(values: list[float], job: int, slack: int) -> list[tuple[float, float, float]]:
    """At once, deferred and interrupted by arrival, as the authors' simulation goes on."""
    found = []
    endless = slack >= HOURS
    for arrival in range(HOURS - job + endless):
        window = values[arrival:] if endless else values[arrival : arrival + slack + job]
        runs = [sum(window[s : s + job]) for s in range(len(window) - job + 1)]
        found.append((runs[0], round(min(runs), 2), round(sum(sorted(window)[:job]), 2)))
    return found


@pytest.mark.parametrize("job", [1, 6, 13])
@pytest.mark.parametrize("slack", [0, 5, 24, HOURS])
def test_each_arrival_pays_what_the_simulation_says(job: int, slack: int) -> None:
    values = ZONES["AA"]
    paid = paper.paid(values, job, slack)
    expected = loop(values.tolist(), job, slack)
    for ours, theirs in zip(paid, zip(*expected, strict=True), strict=True):
        assert ours.tolist() == pytest.approx(list(theirs), abs=1e-6)


def test_savings_are_means_over_arrivals_then_zones_an_hour_of_work() -> None:
    by_zone = {zone: paper.paid(values, 6, 24) for zone, values in ZONES.items()}
    found = paper.saved(by_zone, GROUPS, 6)
    each = {zone: np.array(loop(values.tolist(), 6, 24)) for zone, values in ZONES.items()}
    defer = {zone: (paid[:, 0] - paid[:, 1]).mean() / 6 for zone, paid in each.items()}
    interrupt = {zone: (paid[:, 1] - paid[:, 2]).mean() / 6 for zone, paid in each.items()}
    assert found.deferring["Europe"] == pytest.approx((defer["AA"] + defer["BB"]) / 2)
    assert found.interrupting["Global"] == pytest.approx(np.mean(list(interrupt.values())))
    total = sum(each.values())
    assert found.deferring_pct == pytest.approx(
        100 * ((total[:, 0] - total[:, 1]) / total[:, 0]).mean()
    )
    assert found.interrupting_pct == pytest.approx(
        100 * ((total[:, 1] - total[:, 2]) / total[:, 0]).mean()
    )


def test_moving_by_hand() -> None:
    # Means 20 and 30; the cleaner of each hour is 10 and 20.
    once, hour_by_hour = paper.migration(np.array([[10.0, 30.0], [40.0, 20.0]]))
    assert (once, hour_by_hour) == (5.0, 10.0)


def test_every_printed_figure_is_computed_and_an_empty_file_of_theirs_is_left_out() -> None:
    hourly = {**ZONES, "SE-SE1": ZONES["AA"] * 3}
    groups = {**GROUPS, "Asia": ["CC"], "Americas": ["CC"], "Oceania": ["BB"]}
    groups["Global"] = list(hourly)
    figures = {**paper.read_printed("eurosys2024"), "jobs": [1, 168]}
    # The series is repeated so that a job of 168 hours fits.
    longer = {zone: np.tile(values, 10) for zone, values in hourly.items()}
    found = paper.compute(figures, longer, groups)
    with_it = {zone: paper.paid(values, 168, 24) for zone, values in longer.items()}
    without = {zone: paid for zone, paid in with_it.items() if zone != "SE-SE1"}
    ours = found["deferrability", "24", "Global", "168"]
    assert ours == pytest.approx(paper.saved(without, groups, 168).deferring["Global"])
    assert ours != pytest.approx(paper.saved(with_it, groups, 168).deferring["Global"])
    requested = {(row.label, row.unit) for row in paper.run(None)}
    assert len(requested) == 203 - 12  # a job of an hour cannot be interrupted: no figure
    assert found["together", "24", "Africa"] == pytest.approx(
        np.mean(
            [
                found[effect, "24", "Africa", job]
                for effect in ("deferrability", "interruptibility")
                for job in ("1", "168")
            ]
        )
        * 2
    )


def write(folder: Path, hours: int) -> Path:
    """A file of the original's shape: a stamp with offset, one column a zone, a gap."""
    first = datetime(2021, 12, 31, 22, tzinfo=UTC)
    stamps = [f"{first + i * timedelta(hours=1)}" for i in range(hours)]
    values: list[float | None] = [float(i) for i in range(hours)]
    values[5] = None
    path = folder / "combined_carbon.csv"
    pl.DataFrame({"datetime": stamps, "AA": values, "BB": values}).write_csv(path)
    return path


def test_the_year_2022_is_read_with_gaps_filled_from_behind(tmp_path: Path) -> None:
    found = paper.read_series(write(tmp_path, 8_780), {"Global": ["AA", "BB"]})
    assert found["BB"][:5].tolist() == [2.0, 3.0, 4.0, 6.0, 6.0]
    assert len(found["AA"]) == 8760


@pytest.mark.parametrize(
    ("hours", "zones", "words"), [(8_000, ["AA"], "hours of 2022"), (8_780, ["XX"], "XX")]
)
def test_a_file_without_the_whole_year_or_a_zone_is_refused(
    tmp_path: Path, hours: int, zones: list[str], words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        paper.read_series(write(tmp_path, hours), {"Global": zones})


def test_the_study_has_123_zones() -> None:
    groups = paper.read_printed("eurosys2024")["zones"]
    zones = [zone for each in groups.values() for zone in each.split()]
    assert len(zones) == len(set(zones)) == 123

"""The papers computed again on the recorded series: everything that can pass does."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from gridtide_pipelines.reproduce.figures import Kind, Row, Verdict, counts, counts_by_kind
from gridtide_pipelines.reproduce.headlines import headlines
from gridtide_pipelines.reproduce.papers import dodge2022_style, lets_wait_awhile, reproductions

pytestmark = pytest.mark.recorded

# Pass and no data; nothing fails.
EXPECTED = {
    "dodge2022-style": (1174, 264),  # the paper's own figures: its signal is not public
    "elastic-de2020": (68, 0),
    "eurosys2024": (0, 191),  # the series is not among the recorded ones
    "google-regions": (410, 0),
    "patterson2021": (63, 2),  # one run prints no inputs
    "lets-wait-awhile": (306, 46),  # California is not among the recorded series
}


@pytest.fixture(scope="module")
def results(recorded: Path) -> dict[str, list[Row]]:
    return {name: paper.run(recorded) for name, paper in reproductions().items()}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_figure_with_a_series_is_reproduced(
    results: dict[str, list[Row]], name: str
) -> None:
    found = counts(results[name])
    assert (found[Verdict.PASS], found[Verdict.NO_DATA]) == EXPECTED[name]
    assert found[Verdict.FAIL] == 0


def test_the_five_kinds_are_counted_apart(results: dict[str, list[Row]]) -> None:
    found = counts_by_kind([row for rows in results.values() for row in rows])
    assert {kind: each[Verdict.PASS] for kind, each in found.items()} == {
        Kind.PUBLISHED: 138,
        Kind.ARITHMETIC: 73,
        Kind.RANKING: 410,
        Kind.CROSS_CHECK: 34,
        Kind.UNCHANGED: 1366,
    }
    assert all(each[Verdict.FAIL] == 0 for each in found.values())


def test_123_published_values_of_lets_wait_awhile_within_five_thousandths(
    results: dict[str, list[Row]],
) -> None:
    published = [
        row
        for row in results["lets-wait-awhile"]
        if row.verdict is Verdict.PASS
        and not row.note
        and row.label.startswith(("ML jobs", "nightly"))
    ]
    assert len(published) == 123
    assert {row.tolerance for row in published} == {0.005}


def test_all_582_rows_of_both_algorithms_after_dodge_within_a_hundredth(
    results: dict[str, list[Row]],
) -> None:
    computed = [
        row
        for row in results["dodge2022-style"]
        if row.label.startswith(("lifecycle", "direct"))
    ]
    algorithms = Counter(row.label.rsplit(", ", 1)[1] for row in computed)
    assert algorithms == {"flexible start": 582, "pause and resume": 582}
    assert max(abs(row.difference or 9.0) for row in computed if row.difference) <= 0.01


def test_single_precision_would_make_pausing_worse_than_shifting(recorded: Path) -> None:
    # The trap of the files: the running sums of single precision drift.
    hourly = dodge2022_style.read_series(recorded, "lifecycle")
    assert hourly.dtype == np.float64
    found = dodge2022_style.reductions(hourly, 24, ["+6h", "+24h", "+100%"])
    assert all(each.pause_resume >= each.flexible_start - 1e-9 for each in found.values())


def test_deadlines_of_the_recorded_jobs_follow_the_rule(recorded: Path) -> None:
    jobs = lets_wait_awhile.read_jobs(recorded / lets_wait_awhile.JOBS)
    ends = jobs.starts + jobs.lengths
    day, hour = ends // 48, ends % 48 / 2
    weekday = (day + 2) % 7  # 2020 began on a Wednesday
    nine = (day * 48 + 18) - ends
    before = hour < 9
    later = np.select(
        [weekday == 5, (weekday == 6) | (hour > 17), before], [nine + 96, nine + 48, nine], 0
    )
    assert jobs.slacks["next_workday"].tolist() == later.tolist()
    monday_or_thursday = (np.isin(weekday, (0, 3)) & (hour <= 9)).astype(int)
    ahead = np.array([3, 2, 1, 4, 3, 2, 1])[weekday]
    semi_weekly = np.where(monday_or_thursday == 1, nine, nine + 48 * ahead)
    assert jobs.slacks["semi_weekly"].tolist() == semi_weekly.tolist()


def test_the_claims_come_out_on_the_recorded_data(recorded: Path) -> None:
    by_place, by_region, by_time, by_pausing = headlines(recorded)
    assert "without the US Northwest they lie 1.65 and 1.80 times apart" in by_place.ours
    assert "6.5 times apart with lifecycle factors, 9.9 times with direct ones" in by_place.ours
    assert by_region.ours.startswith("95 %: 1.4 kg in Sweden against 25.4 kg in Poland")
    assert "3 % (Sweden) to 69 % (California)" in by_time.ours
    # The best of the table: 23.4 % in Germany with lifecycle factors, 26.7 % with direct ones.
    assert by_pausing.ours.startswith("23.4 % at best (Germany, lifecycle factors; 26.7 %")
    assert [len(each.pictures) for each in (by_place, by_region, by_time, by_pausing)] == [
        *(2, 1, 1, 3)
    ]

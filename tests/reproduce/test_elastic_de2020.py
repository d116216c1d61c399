"""Elastic scaling: the windows, the gaps, and one case by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gridtide.errors import BadInput
from gridtide_pipelines.reproduce.papers import elastic_de2020 as paper

FIRST = datetime(2019, 12, 20)  # noqa: DTZ001  # the file's clock has no time zone
QUARTERS = 37_149


def write(folder: Path, missing: set[int], quarters: int = QUARTERS) -> Path:
    there = [i for i in range(quarters) if i not in missing]
    path = folder / "ci_de_15min.parquet"
    times = [FIRST + i * timedelta(minutes=15) for i in there]
    pl.DataFrame({"ts": times, "DE": [float(i % 1000) for i in there]}).write_parquet(path)
    return path


def test_single_missing_quarters_lie_on_a_straight_line(tmp_path: Path) -> None:
    first, values = paper.read_series(write(tmp_path, {500, 502}))
    assert first == FIRST
    assert len(values) == QUARTERS
    assert values[499:504].tolist() == [499.0, 500.0, 501.0, 502.0, 503.0]


@pytest.mark.parametrize(("missing", "quarters"), [({500, 501}, QUARTERS), (set(), 30_000)])
def test_a_longer_gap_or_an_early_end_is_refused(
    tmp_path: Path, missing: set[int], quarters: int
) -> None:
    with pytest.raises(BadInput, match="missing in a row, or it ends"):
        paper.read_series(write(tmp_path, missing, quarters))


def test_windows_begin_at_the_59_starts_that_fit() -> None:
    found = paper.windows((FIRST, np.arange(float(QUARTERS))), 96)
    assert found.shape == (59, 96)
    day = 96
    assert found[:3, 0].tolist() == [12 * day, 18 * day + 5 * 4, 24 * day + 10 * 4]
    assert found[-1, 0] == (12 + 335 + 18) * day + 15 * 4  # 19 December, 15:00


def test_doubling_up_on_the_clean_half_saves_by_hand() -> None:
    # 8 slots of work at 1x cost 4 x 300 + 4 x 100; at 2x all of it fits into the clean half.
    values = np.array([[300.0] * 4 + [100.0] * 4])
    assert paper.reduction(values, 8, paper.LINEAR_2, None) == pytest.approx(50.0)
    # Up and down by halves: 0.5 1 1.5 2 2 1.5 1 0.5 is ten slots of work, two too many; they
    # are taken where it is dear, and what is clean stays: 2 + 1.5 + 1 + 0.5 = 5 of 8.
    ramped = paper.reduction(values, 8, paper.LINEAR_2, 0.5)
    assert ramped == pytest.approx(100 * (1 - (5 * 100 + 3 * 300) / 1600))


def test_every_policy_of_the_table_is_known_to_the_code() -> None:
    figures = paper.read_printed("elastic_de2020")
    for policies in figures["jobs"].values():
        assert set(policies) == set(paper.POLICIES)
    assert figures["windows"] == list(paper.WINDOWS)


@pytest.mark.parametrize("policy", sorted(paper.POLICIES))
def test_each_policy_saves_what_the_linear_programme_says(policy: str) -> None:
    values = np.random.default_rng(5).uniform(50.0, 500.0, (3, 24))
    ours = paper.reduction(values, 8, *paper.POLICIES[policy])
    assert ours == pytest.approx(paper.by_programme(values, 8, *paper.POLICIES[policy]))


def test_work_that_does_not_fit_is_refused_by_the_programme_too() -> None:
    with pytest.raises(BadInput, match="8 slots of work do not fit into 6"):
        paper.by_programme(np.full((1, 6), 10.0), 8, paper.LINEAR_2, 0.125)

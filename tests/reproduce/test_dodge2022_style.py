"""Dodge's algorithms on made-up hours, against loops over steps of 5 minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gridtide.errors import BadInput
from gridtide_pipelines.reproduce.papers import dodge2022_style as paper

HOURS = 366 * 24
HOURLY = np.random.default_rng(3).uniform(20.0, 700.0, (13, HOURS))


def by_loop(values: list[float], length: int, extra: int) -> tuple[float, float]:
    """Mean saving over the starts, % : the best start, and the cheapest steps."""
    steps = [value for value in values for _ in range(12)]
    flexible, pausing = [], []
    for hour in paper.starts().tolist():
        window = steps[hour * 12 : hour * 12 + length + extra]
        at_once = sum(window[:length])
        best = min(sum(window[s : s + length]) for s in range(extra + 1))
        flexible.append(1 - best / at_once)
        pausing.append(1 - sum(sorted(window)[:length]) / at_once)
    return 100 * float(np.mean(flexible)), 100 * float(np.mean(pausing))


@pytest.mark.parametrize(("hours", "window"), [(0.4, "+6h"), (6.0, "+25%"), (19.0, "+12h")])
def test_reductions_are_those_of_loops_over_five_minutes(hours: float, window: str) -> None:
    found = paper.reductions(HOURLY, hours, ["+100%", window])
    length = paper.steps_of(hours)
    extra = paper.extra_steps(length, window)
    for region in ("AUS_QLD", "SE"):
        values = HOURLY[paper.REGIONS.index(region)].tolist()
        assert found[region, window] == pytest.approx(by_loop(values, length, extra))
    each = [found[region, window].pause_resume for region in paper.REGIONS]
    assert found["mean of 13", window].pause_resume == pytest.approx(sum(each) / 13)


def test_jobs_and_windows_are_whole_steps_and_at_least_one() -> None:
    # 24 minutes are 4.8 steps, 18 minutes 3.6; a quarter of 4 steps is 1, of 1 step 0.25.
    assert [paper.steps_of(hours) for hours in (0.4, 0.3, 0.01, 6)] == [5, 4, 1, 72]
    requested = [(72, "+6h"), (72, "+25%"), (4, "+25%"), (1, "+25%"), (2304, "+100%")]
    assert [paper.extra_steps(*each) for each in requested] == [72, 18, 1, 1, 2304]


def test_there_are_sixty_starts_five_a_month_at_five_hours() -> None:
    starts = paper.starts().tolist()
    assert len(starts) == 60
    assert starts[:6] == [0, 6 * 24 + 5, 12 * 24 + 10, 18 * 24 + 15, 24 * 24 + 20, 31 * 24]


def write(folder: Path, *, hole: bool) -> Path:
    """The thirteen files in their real shape, in single precision, from December 2019 on."""
    times = [datetime(2019, 12, 30, tzinfo=UTC) + i * timedelta(hours=1) for i in range(9_200)]
    values = np.arange(len(times), dtype=np.float32) / np.float32(3)
    if hole:
        values[1_000] = np.nan
    (folder / "data/carboncast").mkdir(parents=True)
    columns = {f"ci_{each}_g_per_kwh": values for each in paper.FACTORS}
    for path in paper.FILES:
        pl.DataFrame({"ts_utc": times, **columns}).write_parquet(folder / path)
    return folder


def test_series_begin_with_2020_in_double_precision(tmp_path: Path) -> None:
    found = paper.read_series(write(tmp_path, hole=False), "direct")
    assert found.dtype == np.float64
    assert found[:, 0].tolist() == [16.0] * 13  # two days, a third a piece
    assert found.shape == (13, int(paper.starts().max()) + 432 + 1)


def test_an_unknown_hour_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"AUS_QLD\.parquet: not every hour"):
        paper.read_series(write(tmp_path, hole=True), "lifecycle")


def test_the_paper_s_own_figure_stands_beside_every_mean_of_its_jobs() -> None:
    rows = {row.label: row for row in paper.run(None)}
    # Table 10, 6 h more for the finetuning of BERT; and the last figure of ViT Huge.
    flexible = rows["lifecycle, BERT finetune, mean of 13, +6h, flexible start"]
    pausing = rows["direct, ViT Huge, mean of 13, +100%, pause and resume"]
    assert (flexible.beside, pausing.beside) == (6.9, 11.3)
    assert flexible.note.endswith("Dodge et al. print 6.9 on marginal emissions")
    assert flexible.document()["beside"] == 6.9
    of_jobs = [row for row in rows.values() if ", mean of 13, " in row.label]
    own = [row for row in of_jobs if ", 24 h job, " not in row.label]
    # 2 factor sets x 11 jobs x 8 windows x 2 algorithms.
    assert len(own) == 352
    assert all(row.beside is not None for row in own)
    assert [row.beside for row in rows.values() if row not in own] == [None] * (
        len(rows) - len(own)
    )

"""A past forecast is the one known then: as issued, or made again from what was known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from gridtide.errors import NoData
from gridtide.model import Signal
from gridtide_pipelines.forecast.forecaster import Known
from gridtide_pipelines.forecast.models import chain
from gridtide_pipelines.policies.as_issued import (
    PastForecast,
    PastForecasts,
    Recorded,
    Reissued,
    whole,
)
from gridtide_store.data_directory import DataDirectory
from gridtide_store.forecast_runs import read_known_between
from gridtide_store.store import Store

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
START = datetime(2021, 1, 1, 22, tzinfo=UTC)
SIGNAL = Signal.CI_LIFECYCLE_PRODUCED
MakeRun = Callable[..., pl.DataFrame]


def values(issue: PastForecast) -> list[float | None]:
    return [slot.value for slot in issue.outlook.expected.slots]


# As issued


def test_the_newest_run_known_by_then_is_taken_whole(
    run: MakeRun, nothing: PastForecasts
) -> None:
    runs = pl.concat(
        [
            run([1.0] * 9),
            run([2.0] * 8, first=START + HOUR, known_at=START + 3 * HOUR),
            run([3.0] * 7, first=START + 2 * HOUR),
        ]
    )
    issues = Recorded(runs, nothing)
    assert values(issues.at(START + HOUR)) == [1.0] * 9  # issued is not yet known
    assert values(issues.at(START + 2 * HOUR)) == [3.0] * 7
    # What is known later but issued earlier is not newer.
    later = issues.at(START + 4 * HOUR)
    assert values(later) == [3.0] * 7
    assert (later.known_at, later.outlook.issued_at) == (START + 2 * HOUR,) * 2
    assert (later.stored, later.outlook.model) == (True, "m@1")


def test_of_runs_issued_at_once_the_preferred_model_s_is_taken(
    run: MakeRun, nothing: PastForecasts
) -> None:
    runs = pl.concat([run([float(i)], model=name) for i, name in enumerate("abc")])
    for preferred, value in ((("b", "a"), 1.0), (("c",), 2.0), (("z", "a"), 0.0)):
        assert values(Recorded(runs, nothing, preferred).at(START)) == [value]


def test_a_run_that_does_not_cover_the_moment_is_no_answer(
    run: MakeRun, nothing: PastForecasts
) -> None:
    issues = Recorded(run([1.0, 2.0]), Recorded(run([7.0] * 9, model="x"), nothing))
    assert values(issues.at(START + HOUR)) == [1.0, 2.0]
    assert values(issues.at(START + 2 * HOUR)) == [7.0] * 9
    with pytest.raises(NoData, match="nothing is forecast"):
        Recorded(run([1.0]), nothing).at(START - HOUR)


def test_between_two_moments_come_the_runs_that_were_news(
    run: MakeRun, nothing: PastForecasts
) -> None:
    runs = pl.concat(
        [run([float(i)] * 9, first=START + HOUR * i) for i in range(5)]
        + [run([9.0] * 9, issued_at=START - HOUR, known_at=START + 2.5 * HOUR)]
    )
    found = Recorded(runs, nothing).between(START, START + 4 * HOUR)
    assert [values(each)[0] for each in found] == [1.0, 2.0, 3.0]
    spare = Recorded(run([5.0] * 99, first=START - 9 * HOUR), Recorded(runs, nothing))
    found = spare.between(START, START + 2 * HOUR)
    assert [values(each)[0] for each in found] == [1.0]


@pytest.mark.parametrize(
    ("given", "end", "reached"),
    [([1.0] * 4, 3, 3), ([1.0] * 4, 4, 4), ([1.0] * 4, 9, 4), ([1.0] * 2 + [None, 1.0], 2, 2)],
)
def test_a_forecast_reaches_as_far_as_it_is_known(
    given: list[float | None], end: int, reached: int, run: MakeRun, nothing: PastForecasts
) -> None:
    issue = Recorded(run(given), nothing).at(START)
    assert whole(issue, START, START + HOUR * end) == START + HOUR * reached


def test_a_gap_within_reach_is_reported_with_its_time(
    run: MakeRun, nothing: PastForecasts
) -> None:
    issue = Recorded(run([1.0, None, 1.0]), nothing).at(START)
    with pytest.raises(NoData, match=r"m@1 issued .*22:00:00Z has a gap at 2021-01-01T23:00"):
        whole(issue, START, START + 2 * HOUR)
    with pytest.raises(NoData, match="does not say anything of 2021-01-01T21:00:00Z"):
        whole(issue, START - HOUR, START + HOUR)


def test_the_store_gives_every_run_known_in_a_stretch(run: MakeRun, tmp_path: Path) -> None:
    runs = [run([1.0, 2.0], first=START + HOUR * i) for i in range(4)]
    runs.append(run([5.0], known_at=START + 2 * HOUR, issued_at=START - DAY))
    with Store.open(DataDirectory(tmp_path)) as store:
        store.append_forecasts(pl.concat(runs))
        found = read_known_between(
            store.connection, "DE", SIGNAL, START + HOUR, START + 3 * HOUR
        )
        assert read_known_between(store.connection, "FR", SIGNAL, START, START + DAY).is_empty()
        assert read_known_between(
            store.connection, "DE", "cfe_produced", START, START + DAY
        ).is_empty()
    expected = pl.concat([runs[1], runs[4], runs[2]])
    assert found.equals(expected)


# Issued again


class Past:
    """Hourly values; what was known at a moment is what had started by then."""

    zone = "DE"

    def __init__(self, numbers: list[float], first: datetime) -> None:
        start = pl.Series("start", [first + HOUR * i for i in range(len(numbers))])
        self.frame = pl.DataFrame({"start": start, "end": start + HOUR, "value": numbers})

    def known(self, at: datetime) -> Known:
        return Known("DE", SIGNAL, at, self.frame.filter(pl.col("start") < at))


FIRST = datetime(2021, 1, 1, tzinfo=UTC)


def noise(hours: int) -> list[float]:
    return np.random.default_rng(3).uniform(100, 500, hours).tolist()


def test_what_is_made_again_is_the_model_s_answer_as_of_then() -> None:
    past = Past([float(hour) for hour in range(20 * 24)], FIRST)
    issue = Reissued(past, chain("naive")).at(FIRST + 10 * DAY)
    day = [float(hour) for hour in range(9 * 24, 10 * 24)]
    assert values(issue) == day * 3
    assert (issue.stored, issue.outlook.model) == (False, "naive@1")
    assert issue.outlook.issued_at == FIRST + 10 * DAY


def test_nothing_after_the_issue_changes_it() -> None:
    numbers = noise(40 * 24)
    at = FIRST + 30 * DAY + 7 * HOUR
    changed = [*numbers[: 30 * 24 + 7], *[value * 3 for value in numbers[30 * 24 + 7 :]]]
    one, other = (
        Reissued(Past(each, FIRST), chain("weekly")).at(at) for each in (numbers, changed)
    )
    assert one == other


def test_too_little_history_is_no_data_with_the_reason() -> None:
    issues = Reissued(Past(noise(48), FIRST), chain("weekly"), [FIRST + DAY])
    with pytest.raises(NoData, match="no forecast can be issued: weekly@1"):
        issues.at(FIRST + DAY)
    assert list(issues.between(FIRST, FIRST + 2 * DAY)) == []


def test_issues_come_at_their_moments_between_two() -> None:
    moments = [FIRST + DAY * i for i in range(8, 15)]
    issues = Reissued(Past(noise(20 * 24), FIRST), chain("weekly"), moments)
    found = list(issues.between(moments[1], moments[4]))
    assert [each.known_at for each in found] == moments[2:4]
    assert issues.at(moments[2]) is found[0]


def test_a_model_that_learns_is_fitted_as_of_the_month_s_beginning() -> None:
    fits: list[datetime] = []

    class Noting:
        name = "noting@1"
        memory, wants, keeps = 40 * DAY, frozenset[str](), True

        def fit(self, known: Known, *, seed: int) -> object:
            fits.append(known.at)
            return chain("naive")[0].fit(known, seed=seed)

        def from_bytes(self, content: bytes) -> object:
            raise NotImplementedError

    issues = Reissued(Past(noise(90 * 24), FIRST), (Noting(),))  # type: ignore[arg-type]  # the test passes what the type refuses
    # A job of one month asks for an issue of the next before jobs of that month come.
    for day in (40, 62, 60, 41):
        issues.at(FIRST + DAY * day)
    assert fits == [datetime(2021, 2, 1, tzinfo=UTC), datetime(2021, 3, 1, tzinfo=UTC)]

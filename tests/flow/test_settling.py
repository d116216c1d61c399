"""Which days count as answered, and what is still to be requested."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from gridtide_pipelines.ingest.settling import AnsweredDays
from gridtide_pipelines.ingest.source import Span
from gridtide_store.vocabulary import OBSERVATION

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIRST, SECOND, THIRD = date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)


def rows(
    zone: str, hours: Sequence[int], *, signal: str = "load", value: float | None = 1.0
) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "zone": zone,
                "signal": signal,
                "source": "x",
                "slot_start": START + hour * HOUR,
                "slot_end": START + (hour + 1) * HOUR,
                "value": value,
                "quality": "measured",
                "known_at": START + 99 * DAY,
                "retrieval_id": 1,
            }
            for hour in hours
        ],
        schema=OBSERVATION,
    )


def days(zones: Sequence[str], of: Sequence[date]) -> list[tuple[str, date]]:
    return [(zone, day) for zone in zones for day in of]


def test_a_day_is_complete_when_each_of_its_hours_has_a_value() -> None:
    answered = AnsweredDays()
    answered.add(rows("A", range(30)), [])
    assert answered.complete(days(["A", "B"], [FIRST, SECOND])) == [("A", FIRST)]
    assert answered.silent(days(["A", "B"], [FIRST, SECOND])) == [
        ("A", SECOND),
        ("B", FIRST),
        ("B", SECOND),
    ]


def test_two_signals_do_not_make_half_a_day_whole_and_two_groups_do() -> None:
    answered = AnsweredDays()
    answered.add(pl.concat([rows("A", range(12), signal=s) for s in ("load", "flow")]), [])
    assert answered.complete(days(["A"], [FIRST])) == []
    answered.add(pl.concat([rows("A", range(12, 24), signal=s) for s in ("load", "flow")]), [])
    assert answered.complete(days(["A"], [FIRST])) == [("A", FIRST)]


def test_the_same_half_day_twice_is_half_a_day() -> None:
    answered = AnsweredDays()
    for _ in range(2):
        answered.add(rows("A", range(12)), [])
    assert answered.complete(days(["A"], [FIRST])) == []
    assert answered.silent(days(["A"], [FIRST])) == [("A", FIRST)]


def test_hours_that_came_before_count_once_whatever_came_between() -> None:
    answered = AnsweredDays()
    for hours in (range(12), range(2), range(4, 6), range(11, 14)):
        answered.add(rows("A", hours), [])
    assert answered.covered() == {("A", FIRST): 14 * HOUR}


@pytest.mark.parametrize(
    "late", [rows("A", range(12), signal="gas"), rows("A", [3], signal="gas", value=None)]
)
def test_a_fuel_that_came_in_part_or_is_named_without_a_value_leaves_the_day_open(
    late: pl.DataFrame,
) -> None:
    answered = AnsweredDays()
    answered.add(pl.concat([rows("A", range(24), signal="wind"), late]), [])
    assert answered.complete(days(["A"], [FIRST])) == []
    assert answered.silent(days(["A"], [FIRST])) == [("A", FIRST)]


def test_a_value_that_is_null_answers_nothing() -> None:
    answered = AnsweredDays()
    answered.add(rows("A", range(24), value=None), [])
    assert answered.complete(days(["A"], [FIRST])) == []


def test_a_flow_answers_for_either_end() -> None:
    answered = AnsweredDays()
    answered.add(rows("A->B", range(24)), [])
    assert answered.complete(days(["A", "B"], [FIRST])) == [("A", FIRST), ("B", FIRST)]


def test_a_day_with_bad_values_alone_is_neither_and_one_with_some_is_silent() -> None:
    answered = AnsweredDays()
    answered.add(rows("A", range(5)), [("A", START + 6 * HOUR), ("B", START)])
    assert answered.complete(days(["A", "B"], [FIRST])) == []
    assert answered.silent(days(["A", "B"], [FIRST])) == [("A", FIRST)]


def test_days_are_answered_by_all_groups_of_their_zone_together() -> None:
    day = [Span(START + n * DAY, START + (n + 1) * DAY) for n in range(3)]
    half = START + 1.5 * DAY
    groups = [
        ({"A"}, Span(START, half)),
        ({"A"}, Span(half, START + 3 * DAY)),
        ({"B"}, day[0]),
        ({"B"}, day[0]),  # two items, both of which count
        ({"B"}, day[2]),
    ]

    def whole(*answered: int) -> list[tuple[str, date]]:
        return sorted(AnsweredDays(groups, set(answered)).whole())

    assert whole() == []
    assert whole(0) == [("A", FIRST)]
    assert whole(1) == [("A", THIRD)]
    assert whole(0, 1) == [("A", FIRST), ("A", SECOND), ("A", THIRD)]
    assert whole(2) == []
    assert whole(2, 3) == [("B", FIRST)]
    assert whole(2, 3, 4) == [("B", FIRST), ("B", THIRD)]


def test_a_day_that_is_not_over_is_not_answered() -> None:
    groups = [({"A"}, Span(START + HOUR, START + 2 * DAY + 5 * HOUR))]
    assert AnsweredDays(groups, {0}).whole() == [("A", SECOND)]

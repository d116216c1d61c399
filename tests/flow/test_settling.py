"""Which days count as answered, and what is still to be requested."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from gridtide_pipelines.ingest.schedule import AnsweredDays, final_days, open_part
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


def test_a_day_is_complete_when_each_of_its_hours_has_a_value() -> None:
    answered = AnsweredDays()
    answered.add(rows("A", range(30)), [])
    assert answered.complete(["A", "B"], [FIRST, SECOND]) == [("A", FIRST)]
    assert answered.silent(["A", "B"], [FIRST, SECOND]) == [
        ("A", SECOND),
        ("B", FIRST),
        ("B", SECOND),
    ]


def test_two_signals_do_not_make_half_a_day_whole_and_two_groups_do() -> None:
    answered = AnsweredDays()
    answered.add(pl.concat([rows("A", range(12), signal=s) for s in ("load", "flow")]), [])
    assert answered.complete(["A"], [FIRST]) == []
    answered.add(pl.concat([rows("A", range(12, 24), signal=s) for s in ("load", "flow")]), [])
    assert answered.complete(["A"], [FIRST]) == [("A", FIRST)]


def test_the_same_half_day_twice_is_half_a_day() -> None:
    answered = AnsweredDays()
    for _ in range(2):
        answered.add(rows("A", range(12)), [])
    assert answered.complete(["A"], [FIRST]) == []
    assert answered.silent(["A"], [FIRST]) == [("A", FIRST)]


@pytest.mark.parametrize(
    "late", [rows("A", range(12), signal="gas"), rows("A", [3], signal="gas", value=None)]
)
def test_a_fuel_that_came_in_part_or_is_named_without_a_value_leaves_the_day_open(
    late: pl.DataFrame,
) -> None:
    answered = AnsweredDays()
    answered.add(pl.concat([rows("A", range(24), signal="wind"), late]), [])
    assert answered.complete(["A"], [FIRST]) == []
    assert answered.silent(["A"], [FIRST]) == [("A", FIRST)]


def test_a_value_that_is_null_answers_nothing() -> None:
    answered = AnsweredDays()
    answered.add(rows("A", range(24), value=None), [])
    assert answered.complete(["A"], [FIRST]) == []


def test_a_flow_answers_for_either_end() -> None:
    answered = AnsweredDays()
    answered.add(rows("A->B", range(24)), [])
    assert answered.complete(["A", "B"], [FIRST]) == [("A", FIRST), ("B", FIRST)]


def test_a_day_with_bad_values_alone_is_neither_and_one_with_some_is_silent() -> None:
    answered = AnsweredDays()
    answered.add(rows("A", range(5)), [("A", START + 6 * HOUR), ("B", START)])
    assert answered.complete(["A", "B"], [FIRST]) == []
    assert answered.silent(["A", "B"], [FIRST]) == [("A", FIRST)]


def test_a_day_is_final_when_it_is_over_and_past_its_revisions() -> None:
    span = Span(START, START + 3 * DAY + 5 * HOUR)
    assert final_days(span, refetch=7 * DAY, now=START + 9 * DAY) == [FIRST, SECOND]
    assert final_days(span, refetch=DAY, now=START + 99 * DAY) == [FIRST, SECOND, THIRD]
    cut = Span(START + HOUR, START + 3 * DAY - HOUR)
    assert final_days(cut, refetch=DAY, now=START + 99 * DAY) == [SECOND]


def test_what_is_open_reaches_from_the_first_open_day_to_the_last_of_any_zone() -> None:
    span = Span(START, START + 2 * DAY + 5 * HOUR)
    assert open_part(span, ["A", "B"], {}) == (span, ("A", "B"))
    assert open_part(span, ["A", "B"], {"A": {FIRST, SECOND, THIRD}}) == (span, ("B",))
    settled = {"A": {FIRST, THIRD}, "B": {FIRST, SECOND, THIRD}}
    middle = Span(START + DAY, START + 2 * DAY)
    assert open_part(span, ["A", "B"], settled) == (middle, ("A",))
    assert open_part(span, ["B"], settled) is None

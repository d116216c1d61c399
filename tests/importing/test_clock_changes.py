"""Times of days on which clocks change: both ways to write ends, and hours written twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

import pytest

from gridtide.errors import BadInput
from gridtide_pipelines.importing.content import Content
from gridtide_pipelines.importing.layouts import Hints, Label
from gridtide_pipelines.importing.tables import Table, read_table

AUTUMN, SPRING = date(2024, 10, 27), date(2024, 3, 31)
HOUR = timedelta(hours=1)


def instants(day: date, step: timedelta, timezone: str) -> list[datetime]:
    """The starts of the slots of a local day."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone))
    first, after = (at.astimezone(UTC) for at in (midnight, midnight + timedelta(days=1)))
    return [first + i * step for i in range((after - first) // step)]


def rows_of(starts: list[datetime], step: timedelta, timezone: str, written: str) -> list[str]:
    """A row for each slot, labelled by its start, or its end by the clock or by the start."""
    zone, rows = ZoneInfo(timezone), []
    for i, start in enumerate(starts):
        if written == "clock":
            label = (start + step).astimezone(zone)
        else:
            label = start.astimezone(zone).replace(tzinfo=None)
            label += step if written == "added" else timedelta(0)
        rows.append(f"{label:%d.%m.%Y %H:%M};{i};{i % 2}\n")
    return rows


def read(rows: list[str], timezone: str, label: Label = Label.END) -> Table:
    hints = Hints(
        time_column="t",
        mapping=(("gas", "a"), ("wind", "b")),
        unit="MW",
        timezone=timezone,
    )
    content = Content("a.csv", f"t;a;b\n{''.join(rows)}".encode())
    return read_table(content, "DE", hints, label)


def gas(table: Table) -> list[tuple[datetime, float | None]]:
    mine = table.rows.filter(signal="generation_gas").sort("label")
    return list(mine.select("label", "value").iter_rows())


@pytest.mark.parametrize("written", ["start", "clock", "added"])
@pytest.mark.parametrize(
    ("day", "timezone", "minutes", "order"),
    [
        (AUTUMN, "Europe/Berlin", 60, 1),
        (AUTUMN, "Europe/Berlin", 30, 1),
        (AUTUMN, "Europe/Berlin", 15, -1),
        (SPRING, "Europe/Berlin", 60, -1),
        (SPRING, "Europe/Berlin", 30, 1),
        (SPRING, "Europe/Berlin", 15, 1),
        (date(2024, 11, 3), "America/New_York", 60, -1),
        (date(2024, 10, 6), "Australia/Lord_Howe", 30, 1),  # by half an hour
    ],
)
def test_every_slot_is_read_however_its_end_is_written(
    day: date, timezone: str, minutes: int, written: str, order: int
) -> None:
    step = timedelta(minutes=minutes)
    starts = instants(day, step, timezone)
    label = Label.START if written == "start" else Label.END
    table = read(rows_of(starts, step, timezone, written)[::order], timezone, label)
    moved = timedelta(0) if written == "start" else step
    assert gas(table) == [(start + moved, float(i)) for i, start in enumerate(starts)]
    assert table.left_out == {}


def test_both_days_of_one_file_are_read_in_one_way() -> None:
    starts = [at for day in (SPRING, AUTUMN) for at in instants(day, HOUR, "Europe/Berlin")]
    table = read(rows_of(starts, HOUR, "Europe/Berlin", "added"), "Europe/Berlin")
    assert [at - HOUR for at, _ in gas(table)] == starts


def test_ends_in_another_time_zone_are_refused_still() -> None:
    starts = instants(SPRING, HOUR, "UTC")
    rows = rows_of(starts, HOUR, "UTC", "clock")
    with pytest.raises(BadInput, match=r"2024-03-31 02:00 does not exist in Europe/Berlin"):
        read(rows, "Europe/Berlin")


@pytest.mark.parametrize("written", ["start", "clock", "added"])
def test_rows_that_all_come_twice_are_read_once(written: str) -> None:
    starts = instants(AUTUMN, HOUR, "Europe/Berlin")
    rows = rows_of(starts, HOUR, "Europe/Berlin", written)
    label = Label.START if written == "start" else Label.END
    once = read(rows, "Europe/Berlin", label)
    for twice in (rows + rows, list(chain.from_iterable(zip(rows, rows, strict=True)))):
        table = read(twice, "Europe/Berlin", label)
        assert gas(table) == gas(once)
        assert table.left_out == {"rows that repeat another": 25}


def test_an_hour_that_is_there_once_is_not_read_as_two_because_all_rows_repeat() -> None:
    starts = instants(AUTUMN, HOUR, "Europe/Berlin")
    rows = rows_of(starts[:3] + starts[4:], HOUR, "Europe/Berlin", "start")
    table = read(rows + rows, "Europe/Berlin", Label.START)
    found = dict(gas(table))
    assert found[starts[2]] is found[starts[3]] is None
    assert [reason for reason in table.left_out if "while clocks go back" in reason]
    assert found[starts[4]] == 3.0


@pytest.mark.parametrize("year", ["0001", "0024", "9999"])
@pytest.mark.parametrize("timezone", ["Europe/Berlin", "-12:00", "UTC"])
def test_a_year_of_no_grid_is_refused_with_its_row(year: str, timezone: str) -> None:
    with pytest.raises(BadInput, match=rf"a.csv, row 2, t is 31.12.{year} 23:00, in the year"):
        read([f"31.12.{year} 23:00;1;1\n"], timezone)

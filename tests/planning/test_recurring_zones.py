"""Cron expressions around changes of the clock, against a count of minutes in every zone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from gridtide.planning.problem.recurrence import Recurring

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# Since then no offset has seconds, so minutes of UTC are minutes of every clock.
FIRST, LAST = datetime(1975, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
# The expression, its minutes and hours, and whether it goes by real time. Written out: nothing
# here reads an expression.
EVERY = range(24)
EXPRESSIONS: tuple[tuple[str, tuple[int, ...], tuple[int, ...], bool], ...] = (
    ("0 * * * *", (0,), tuple(EVERY), True),
    ("@hourly", (0,), tuple(EVERY), True),
    ("30 0-23 * * *", (30,), tuple(EVERY), True),
    ("*/15 * * * *", (0, 15, 30, 45), tuple(EVERY), True),
    ("7/10 */2 * * *", (7, 17, 27, 37, 47, 57), tuple(EVERY[::2]), True),
    ("*/20 2 * * *", (0, 20, 40), (2,), True),
    ("0 1-4 * * *", (0,), (1, 2, 3, 4), False),
    ("30 2 * * *", (30,), (2,), False),
    ("15,45 0,1,23 * * *", (15, 45), (0, 1, 23), False),
    ("@daily", (0,), (0,), False),
    ("59 23 * * *", (59,), (23,), False),
)
# Half an hour, midnight, winter as the time of summer, days that are not there, and the like.
KNOWN = (
    "Africa/Casablanca",
    "America/Havana",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Gaza",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/Dublin",
    "Pacific/Apia",
    "Pacific/Kwajalein",
)


def changes(zone: ZoneInfo) -> Iterator[datetime]:
    """The first minute after each change of the offset: found by weeks, then by halves."""
    weeks = (LAST - FIRST) // timedelta(weeks=1)
    instants = [FIRST + i * timedelta(weeks=1) for i in range(weeks)]
    for low, high in pairwise(instants):
        before = low.astimezone(zone).utcoffset()
        if before == high.astimezone(zone).utcoffset():
            continue
        while high - low > MINUTE:
            middle = low + (high - low) // 2 // MINUTE * MINUTE
            same = middle.astimezone(zone).utcoffset() == before
            low, high = (middle, high) if same else (low, middle)
        yield high


def kinds_of_change(zone: ZoneInfo) -> dict[tuple[object, ...], datetime]:
    """The last change of each kind: which offset, from which reading to which."""
    found: dict[tuple[object, ...], datetime] = {}
    for change in changes(zone):
        after = change.astimezone(zone).replace(tzinfo=None)
        before = (change - MINUTE).astimezone(zone).replace(tzinfo=None) + MINUTE
        found[before.time(), after - before, change.astimezone(zone).utcoffset()] = change
    return found


def by_minutes(
    readings: list[tuple[datetime, datetime]],
) -> tuple[dict[time, set[datetime]], dict[time, set[datetime]]]:
    """When each minute of the day comes, from (instant, what the clock reads then) by minutes.

    Twice: as often as the clock reads it, and once for each day it belongs to.
    """
    real: dict[time, set[datetime]] = defaultdict(set)
    local: dict[time, set[datetime]] = defaultdict(set)
    seen: set[datetime] = set()
    previous = readings[0][1] - MINUTE
    for at, reads in readings:
        real[reads.time()].add(at)
        # Usually one minute; more where the clock skips some, none where it goes back.
        passed = previous + MINUTE
        while passed <= reads:
            if passed not in seen:
                local[passed.time()].add(at)
                seen.add(passed)
            passed += MINUTE
        previous = reads
    return real, local


def differences(name: str, around: Iterable[datetime]) -> list[str]:
    """Where `Recurring` and the count of minutes differ around some changes of a zone."""
    zone, found = ZoneInfo(name), []
    for change in around:
        start = change - 31 * HOUR
        readings = [
            (at, at.astimezone(zone).replace(tzinfo=None, fold=0))
            for at in (start + i * MINUTE for i in range(62 * 60))
        ]
        # A part begins and ends at, before and after the change, to see that none is lost.
        spans = [
            (change - 30 * HOUR, change + 30 * HOUR),
            (change, change + 3 * HOUR),
            (change - 3 * HOUR, change),
            (change + 30 * MINUTE, change + 2 * HOUR),
        ]
        real, local = by_minutes(readings)
        for cron, minutes, hours, goes_by_real_time in EXPRESSIONS:
            counted = real if goes_by_real_time else local
            expected = {
                at for hour in hours for minute in minutes for at in counted[time(hour, minute)]
            }
            recurring = Recurring(cron, HOUR, name)
            for low, high in spans:
                wanted = sorted(at for at in expected if low <= at < high)
                if recurring.occurrences(low, high) != wanted:
                    found.append(f"{name} {cron!r} from {low} to {high}")
    return found


@pytest.mark.parametrize("name", KNOWN)
def test_every_start_is_one_that_a_count_of_minutes_finds(name: str) -> None:
    kinds = kinds_of_change(ZoneInfo(name))
    assert kinds
    assert differences(name, kinds.values()) == []


@pytest.mark.slow
def test_every_start_in_every_zone_is_one_that_a_count_of_minutes_finds() -> None:
    found: list[str] = []
    seen: set[tuple[object, ...]] = set()
    for name in sorted(available_timezones()):
        kinds = kinds_of_change(ZoneInfo(name))
        found += differences(name, [kinds[each] for each in kinds.keys() - seen])
        seen |= kinds.keys()
    assert found == []
    assert len(seen) > 200


def day_of(name: str, day: date) -> tuple[datetime, datetime]:
    """The instants at which a local day begins and ends."""
    begin, end = (
        datetime(each.year, each.month, each.day, tzinfo=ZoneInfo(name)).astimezone(UTC)
        for each in (day, day + DAY)
    )
    return begin, end


@pytest.mark.parametrize(
    ("cron", "name", "day", "count"),
    [
        ("0 * * * *", "Europe/Berlin", date(2021, 10, 31), 25),
        ("0 * * * *", "Europe/Berlin", date(2021, 3, 28), 23),
        ("*/15 * * * *", "Europe/Berlin", date(2021, 10, 31), 100),
        ("0 1-4 * * *", "Europe/Berlin", date(2021, 10, 31), 4),
        ("0 1-4 * * *", "Europe/Berlin", date(2021, 3, 28), 3),  # 02:00 and 03:00 are one
        ("30 1-4 * * *", "Europe/Berlin", date(2021, 3, 28), 4),
        ("*/30 * * * *", "Australia/Lord_Howe", date(2021, 4, 4), 49),
        ("*/30 * * * *", "Australia/Lord_Howe", date(2021, 10, 3), 47),
        ("30 0 * * *", "America/Havana", date(2021, 11, 7), 1),
        ("30 0 * * *", "America/Havana", date(2021, 3, 14), 1),
        ("0 0 * * *", "Asia/Beirut", date(2021, 3, 28), 1),
        ("30 23 * * *", "Asia/Beirut", date(2021, 10, 30), 1),
        ("30 1 * * *", "Europe/Dublin", date(2021, 10, 31), 1),
        ("0 * * * *", "Europe/Dublin", date(2021, 10, 31), 25),
        ("0 * 30 12 *", "Pacific/Apia", date(2011, 12, 30), 0),
        ("0 9 * * *", "Pacific/Apia", date(2011, 12, 31), 2),  # the one of the day skipped, too
        ("0 * 31 10 sun", "Europe/Berlin", date(2021, 10, 31), 25),
        ("0 * * nov *", "Europe/Berlin", date(2021, 10, 31), 0),
    ],
)
def test_a_day_on_which_the_clock_changes_has_its_runs(
    cron: str, name: str, day: date, count: int
) -> None:
    assert len(Recurring(cron, HOUR, name).occurrences(*day_of(name, day))) == count

"""Readings: what a frame of them refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gridtide.model import Quality
from gridtide_pipelines.errors import NothingYet, SourceChanged
from gridtide_pipelines.ingest.checks import check_readings
from gridtide_pipelines.ingest.parsing import (
    check_shape,
    number,
    readings,
    with_values,
)
from gridtide_pipelines.ingest.schedule import is_recent
from gridtide_pipelines.ingest.source import READING, Kind, Query, Request
from gridtide_pipelines.ingest.sources import sources
from gridtide_pipelines.ingest.tasks import plan
from gridtide_store.ledger import Ledger

HOUR = timedelta(hours=1)
START = datetime(2026, 3, 1, tzinfo=UTC)
STAMP = "%Y-%m-%dT%H:%MZ"


def made(**changed: Any) -> pl.DataFrame:  # noqa: ANN401  # any argument of readings
    given: dict[str, Any] = {
        "zone": "GB",
        "signal": ["load", "flow"],
        "start": ["2026-03-01T00:00Z", "2026-03-01T01:00Z"],
        "end": HOUR,
        "value": [1, None],
        "stamp": STAMP,
    }
    return readings(**given | changed)


def test_single_values_hold_for_every_row() -> None:
    issued = datetime(2026, 3, 1, tzinfo=UTC)
    frame = made(quality=Quality.FORECAST, issued_at=issued, body=3)
    assert frame.schema == READING
    assert frame["zone"].to_list() == ["GB", "GB"]
    assert frame["issued_at"].to_list() == [issued, issued]
    assert frame["body"].to_list() == [3, 3]
    assert frame["value"].to_list() == [1.0, None]
    assert frame["end"][0] == datetime(2026, 3, 1, 1, tzinfo=UTC)


def test_no_rows_are_an_empty_frame() -> None:
    frame = made(signal=[], start=[], value=[])
    assert (frame.schema, frame.height) == (READING, 0)


@pytest.mark.parametrize(
    "changed",
    [
        {"value": [1, float("nan")]},
        {"start": [START.replace(tzinfo=None)] * 2, "stamp": None},
        {"issued_at": [START, START.replace(tzinfo=None)]},
        {"value": [1, float("inf")]},
        {"value": [1, "2"]},
        {"end": timedelta(0)},
        {"end": -HOUR},
        {"end": ["2026-03-01T00:00Z", "2026-03-01T02:00Z"]},
        {"start": ["2026-03-01T00:00Z", None]},
        {"start": ["2026-03-01T00:00Z", "2026-02-30T00:00Z"]},
        {"zone": ["GB", None]},
        {"zone": ["GB", 5]},
        {"value": [1]},
    ],
    ids=range(13),
)
def test_what_is_no_reading_is_refused_by_the_name_of_its_source(
    changed: dict[str, Any],
) -> None:
    with pytest.raises(SourceChanged, match="neso: unexpected body"), check_shape("neso"):
        made(**changed)


def test_a_frame_with_other_columns_is_no_frame_of_readings() -> None:
    with pytest.raises(ValueError, match="not those of a reading"):
        check_readings(made().drop("flag"))


@pytest.mark.parametrize(
    ("value", "read"), [(3, 3.0), ("-4.5", -4.5), (None, None), (0.1, 0.1)]
)
def test_a_number_may_be_text(value: object, read: float | None) -> None:
    assert number(value) == read


@pytest.mark.parametrize("value", [True, [], {}, "x", ""])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        number(value)


def test_an_address_repeats_names_and_escapes_them() -> None:
    assert Request("GET", "/x", (("a[]", "1"), ("a[]", "2 3"))).address == (
        "/x?a%5B%5D=1&a%5B%5D=2+3"
    )
    assert Request("GET", "/x").address == "/x"


def test_frames_without_a_value_are_nothing_yet() -> None:
    slots: dict[str, Any] = {"zone": "GB", "signal": "load", "end": HOUR}
    gap, load = (
        readings(**slots, start=[START + hour * HOUR], value=[value])
        for hour, value in enumerate((None, 5.0))
    )
    assert with_values("written", [gap, load])["value"].to_list() == [None, 5.0]
    for frames in ([], [gap]):
        with pytest.raises(NothingYet, match="written"):
            with_values("written", frames)


def test_of_a_slot_in_several_frames_the_newest_body_counts() -> None:
    slots: dict[str, Any] = {"zone": "GB", "signal": "load", "start": [START], "end": HOUR}

    def said(*stated: tuple[float, int]) -> list[tuple[float | None, str | None]]:
        frames = [readings(**slots, value=[value], body=body) for value, body in stated]
        return with_values("written", frames)["value", "flag"].rows()

    assert said((5.0, 1), (4.0, 0)) == [(5.0, None)]
    assert said((5.0, 1), (5.0, 1)) == [(5.0, None)]
    assert said((5.0, 1), (4.0, 1)) == [(None, "conflict")]


def test_each_flag_of_a_reading_is_there_once_in_order() -> None:
    slots: dict[str, Any] = {"zone": "GB", "signal": "load", "start": [START], "end": HOUR}
    frame = readings(**slots, value=[5.0], flag=["unmapped_code:b;partial;unmapped_code:b"])
    assert frame["flag"].to_list() == ["partial;unmapped_code:b"]


def test_a_publisher_of_the_present_is_requested_for_spans_that_reach_it() -> None:
    def query(start: datetime, end: datetime) -> Query:
        return Query(Kind.LOAD, ("CA-NB",), start, end, START)

    assert is_recent(query(START - 24 * HOUR, START), HOUR)
    assert is_recent(query(START - 24 * HOUR, START - HOUR), HOUR)
    assert not is_recent(query(START - 24 * HOUR, START - 2 * HOUR), HOUR)
    assert not is_recent(query(START + HOUR, START + 2 * HOUR), HOUR)


def test_a_span_that_was_planned_to_reach_the_present_does_when_its_turn_comes(
    tmp_path: Path,
) -> None:
    planned, later = START + 5 * HOUR, START + 8 * HOUR
    names = ("landsnet", "sev_faroe", "statnett")
    present = [sources()[name] for name in names]
    tasks = plan(present, (), ledger=Ledger(tmp_path / "l"), now=planned, since=None)
    assert [each.source.name for each in tasks if each.reaches_now] == [*names]
    for task in tasks:
        query = task.query(later)
        assert query.end == (later if task.reaches_now else task.span.end)
        assert bool(task.source.requests(query)) == task.reaches_now


def test_spans_of_the_past_are_not_requested_of_a_publisher_of_the_present() -> None:
    def query(start: datetime, end: datetime) -> Query:
        return Query(Kind.LOAD, ("CA-NB",), start, end, START)

    for name, zone in (("aeso", "CA-AB"), ("nbpower", "CA-NB"), ("other_canada", "CA-NL")):
        source = sources()[name]
        kind = Kind.GENERATION if Kind.GENERATION in source.kinds else Kind.LOAD
        old = Query(kind, (zone,), START - 48 * HOUR, START - 24 * HOUR, START)
        assert not source.requests(old)


def test_no_source_is_read_over_plain_http() -> None:
    plain = [
        source.name
        for source in sources().values()
        for url in (source.base_url, *source.hosts.values())
        if source.answer is None and not url.startswith("https://")
    ]
    assert plain == []

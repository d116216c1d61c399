"""EIA's files of six months: columns of several years, and the parts a file is read in."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import polars as pl
import pytest

from gridtide_pipelines.errors import NothingYet, SourceChanged
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources import eia, eia_bulk, eia_bulk_parts

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).with_name("data") / "eia_bulk"
KNOWN_AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ERCO, TVA, BPAT, DUK = "US-TEX-ERCO", "US-TEN-TVA", "US-NW-BPAT", "US-CAR-DUK"


def body(content: bytes) -> Body:
    return Body(Request("GET", "/written"), content, KNOWN_AT, 7)


def read(name: str) -> bytes:
    return (DATA / f"{name}.csv").read_bytes()


def said(name: str, zone: str, signal: str) -> list[tuple[int, float | None]]:
    """UTC hour of the start, and value."""
    frame = eia_bulk.parse([body(read(name))]).filter(
        pl.col("issued_at").is_null(), zone=zone, signal=signal
    )
    return [(start.hour, value) for start, value in frame.select("start", "value").iter_rows()]


def test_the_label_is_the_end_of_the_hour_and_thousands_have_commas() -> None:
    frame = eia_bulk.parse([body(read("interchange"))])
    assert frame.select("zone", "signal", "start", "end", "value").rows() == [
        (
            zone,
            "flow",
            datetime(2022, 1, 1, 8, tzinfo=UTC),
            datetime(2022, 1, 1, 9, tzinfo=UTC),
            value,
        )
        for zone, value in (
            ("US-CAL-CISO->US-NW-BPAT", -1391.0),
            ("US-NW-BPAT->US-CAL-CISO", 1380.0),
        )
    ]


def test_the_adjusted_value_is_read_and_the_reported_one_where_there_is_none() -> None:
    assert said("balance_2020", TVA, "load") == [(5, 1497.0), (6, 1480.0)]
    assert said("balance_2020", TVA, "generation_gas") == [(5, 536.0), (6, 510.0), (7, 500.0)]
    # Unknown fuel sources have no adjusted twin.
    assert said("balance_2020", BPAT, "generation_unknown") == [(5, 12.0)]
    assert said("balance_2024", DUK, "generation_hydro_storage") == [(17, -1151.0)]


def test_a_blank_among_values_is_a_gap_and_a_blank_column_is_not_a_fuel() -> None:
    assert said("balance_2020", TVA, "generation_hydro") == [(5, -40.0), (6, 30.0), (7, None)]
    assert said("balance_2020", TVA, "generation_solar") == []
    assert said("balance_2020", BPAT, "generation_coal") == []
    assert said("balance_2020", BPAT, "generation_solar") == [(5, 15.0)]


def test_columns_of_one_fuel_are_summed_and_one_that_charges_takes_nothing_away() -> None:
    # The adjusted column of solar with batteries is misspelt.
    assert said("balance_2024", ERCO, "generation_solar") == [(17, 12000.0), (18, 13900.0)]
    assert said("balance_2024", ERCO, "generation_battery_storage") == [(17, 30.0), (18, 420.0)]
    assert said("balance_2024", DUK, "generation_solar") == [(17, 300.0)]


def test_another_fuel_is_unknown_and_flagged_where_an_authority_has_it() -> None:
    frame = eia_bulk.parse([body(read("balance_2024"))])
    new = frame.filter(signal="generation_unknown").select("zone", "value", "flag")
    assert new.rows() == [
        (ERCO, 7.0, "unmapped_code:Fusion"),
        (ERCO, None, "unmapped_code:Fusion"),
        (DUK, 1.0, None),
    ]


def test_the_demand_forecast_is_a_forecast() -> None:
    frame = eia_bulk.parse([body(read("balance_2020"))]).filter(pl.col("issued_at") == KNOWN_AT)
    assert frame.select("zone", "signal", "value").rows() == [
        (TVA, "load", 1060.0),
        (TVA, "load", 1000.0),
        (BPAT, "load", 6000.0),
    ]
    assert set(frame["quality"]) == {"forecast"}


def test_a_joint_column_is_not_added_to_those_it_was_split_into() -> None:
    both = read("balance_2024").replace(b"from Coal", b"from Solar")
    frame = eia_bulk.parse([body(both)]).filter(zone=ERCO, signal="generation_solar")
    assert frame["value"].to_list() == [12000.0, 13900.0]


def test_every_fuel_is_one_of_the_interface_too() -> None:
    assert set(eia_bulk.FUELS.values()) == set(eia.FUELS.values())


def test_a_fuel_is_not_known_from_its_first_value_on_and_absent_before() -> None:
    whole = days(["", "", "", "", "5", "", "", "", ""])
    parts = list(eia_bulk_parts.parts(io.BytesIO(whole)))
    frame = pl.concat([eia_bulk.parse([body(part)]) for part in parts])
    gas = frame.filter(zone=TVA, signal="generation_gas").sort("start")["value"].to_list()
    assert gas == [5.0, None, None, None, None]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>busy</html>",
        read("balance_2020").replace(b"UTC Time", b"Time"),
        read("balance_2020").replace(b"Balancing Authority", b"BA"),
        read("balance_2020").replace(b"1,139", b"1,x39"),
        read("balance_2020").replace(b"07/01/2020 6", b"2020-07-01 6"),
        read("balance_2020")[:-40],
        read("interchange").replace(b"Interchange (MW)", b"Interchange"),
        b'"Balancing Authority","UTC Time at End of Hour"\nTVA,07/01/2020 6:00:00 AM\n',
    ],
    ids=range(9),
)
def test_another_file_is_source_changed(content: bytes) -> None:
    with pytest.raises(SourceChanged, match="eia_bulk"):
        eia_bulk.parse([body(content)])


def test_a_file_without_a_value_is_nothing_yet() -> None:
    header = read("interchange").split(b"\n")[0] + b"\n"
    with pytest.raises(NothingYet):
        eia_bulk.parse([body(header)])


def months(start: datetime, days: int) -> bytes:
    """A file of two authorities, in order of authority and time."""
    lines = [read("interchange").split(b"\n")[0]]
    for one, other in (("BPAT", "CISO"), ("CISO", "BPAT")):
        for hour in range(24 * days):
            end = start + timedelta(hours=hour + 1)
            label = f"{end:%m/%d/%Y} {end.hour % 12 or 12}:00:00 {end:%p}"
            row = (
                f'{one},x,{hour % 24 + 1},{other},"{hour:,}",01/01/2000 1:00:00 AM,{label},A,B'
            )
            lines.append(row.encode())
    return b"\n".join(lines) + b"\n"


def test_parts_are_files_of_a_day_and_together_say_what_the_file_says() -> None:
    whole = months(datetime(2023, 6, 20, tzinfo=UTC), 20)
    parts = list(eia_bulk_parts.parts(io.BytesIO(whole)))
    assert 20 <= len(parts) <= 21
    frames = [eia_bulk.parse([body(part)]) for part in parts]
    for frame in frames:
        assert frame["zone"].n_unique() == 2  # merges need all authorities of an hour
        assert frame["start"].max() - frame["start"].min() < timedelta(days=1)
    ends = [frame["start"].max() for frame in frames]
    assert ends == sorted(ends)
    assert (
        pl.concat(frames)
        .sort("zone", "start")
        .equals(eia_bulk.parse([body(whole)]).sort("zone", "start"))
    )


def days(gas: Sequence[str]) -> bytes:
    """A balance file of an hour a day: gas as given, wind always, coal and sun never."""
    names = [
        eia_bulk_parts.AUTHORITY,
        eia_bulk_parts.LOCAL_END,
        eia_bulk_parts.END,
        eia_bulk_parts.DEMAND,
    ]
    names += [eia_bulk_parts.FUEL + fuel for fuel in ("Coal", "Natural Gas", "Wind")]
    lines = [",".join(f'"{name}"' for name in names)]
    for code, values in (("TVA", gas), ("BPAT", [""] * len(gas))):
        for day, value in enumerate(values, start=1):
            label = f"07/{day:02}/2020 6:00:00 AM"
            lines.append(f"{code},{label},{label},20,,{value},7")
    return "\n".join([*lines, ""]).encode()


def test_a_fuel_that_is_blank_for_days_is_a_gap_and_never_absent() -> None:
    whole = days(["1", "2", "", "", "", "", "", "8"])
    parts = list(eia_bulk_parts.parts(io.BytesIO(whole)))
    assert len(parts) > 3
    frame = pl.concat([eia_bulk.parse([body(part)]) for part in parts])
    gas = frame.filter(zone=TVA, signal="generation_gas").sort("start")["value"].to_list()
    assert gas == [1.0, 2.0, None, None, None, None, None, 8.0]
    # A column without any value in the file is none of the authority's fuels.
    assert set(frame.filter(zone=BPAT)["signal"]) == {"load", "generation_wind"}
    assert set(frame.filter(zone=TVA)["signal"]) == {
        "load",
        "generation_gas",
        "generation_wind",
    }
    # The lines that list columns are no hours.
    assert frame["start"].n_unique() == 8
    assert frame.filter(signal="load")["value"].unique().to_list() == [20.0]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>busy</html>\n" * 10,
        b"x" * 100_000,
        months(datetime(2023, 6, 20, tzinfo=UTC), 1)[:-6],
        months(datetime(2023, 6, 20, tzinfo=UTC), 1) + b"\x00" * 100_000,
    ],
    ids=range(5),
)
def test_what_is_not_such_a_file_has_no_parts(content: bytes) -> None:
    with pytest.raises(SourceChanged, match="eia_bulk"):
        list(eia_bulk_parts.parts(io.BytesIO(content)))


def paths(start: datetime, end: datetime, kind: Kind = Kind.GENERATION) -> list[str]:
    query = Query(kind, (TVA, BPAT), start, end, KNOWN_AT)
    groups = [list(group) for group in eia_bulk.requests(query)]
    assert all(len(group) == 1 and group[0].zones == (TVA, BPAT) for group in groups)
    spans = [group[0].span for group in groups]
    assert spans[0] is not None
    assert spans[-1] is not None
    assert (spans[0].start, spans[-1].end) == (max(start, eia_bulk.FIRST), end)
    return [group[0].path.rpartition("/")[2] for group in groups]


def test_each_half_year_is_a_file_and_a_group() -> None:
    assert paths(datetime(2021, 12, 31, tzinfo=UTC), datetime(2022, 7, 1, 1, tzinfo=UTC)) == [
        "EIA930_BALANCE_2021_Jul_Dec.csv",
        "EIA930_BALANCE_2022_Jan_Jun.csv",
        "EIA930_BALANCE_2022_Jul_Dec.csv",
    ]
    assert paths(
        datetime(2010, 1, 1, tzinfo=UTC), datetime(2016, 1, 1, tzinfo=UTC), Kind.FLOW
    ) == ["EIA930_INTERCHANGE_2015_Jul_Dec.csv"]


def test_a_file_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    # 12 MB of 60 authorities; benchmarks/eia_bulk_memory.py has one of 100 MB.
    spec = spec_from_file_location("eia_bulk_memory", ROOT / "benchmarks/eia_bulk_memory.py")
    assert spec is not None
    assert spec.loader is not None
    benchmark = module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    small, large = tmp_path / "small.csv", tmp_path / "large.csv"
    benchmark.write_balance(small, 0.1)
    benchmark.write_balance(large, 14)
    assert large.stat().st_size > 8 * small.stat().st_size > 5e6
    memory = [
        benchmark.measure(["parse", "eia_bulk", str(path), "--zone", "*"])[0]
        for path in (small, large)
    ]
    assert memory[1] < 300
    # Ten times the file, and hardly more than the day that is in memory at a time.
    assert memory[1] - memory[0] < 60

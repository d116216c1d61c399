"""Past weather: a backfill of GFS, and packs of its runs for others."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest

from gridtide.cli.command import Everywhere
from gridtide.clock import Clock
from gridtide.errors import BadInput, NoData
from gridtide_pipelines.backfill import Report, backfill
from gridtide_pipelines.commands.weather import weather
from gridtide_pipelines.ingest.source import Request, Response, Source
from gridtide_pipelines.ingest.sources import gfs
from gridtide_pipelines.replay.grib_messages import message
from gridtide_pipelines.weather_packs import unpack_weather
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.settings import Settings
from gridtide_store.store import Store
from gridtide_store.weather import WEATHER_RUN, append_weather, read_source_weather

DAY: Final = timedelta(days=1)
NOW: Final = datetime(2026, 3, 4, 12, tzinfo=UTC)
SINCE: Final = NOW.replace(hour=0) - 3 * DAY
ZONES: Final = ("DE", "NO-NO1")
EVER: Final = datetime(2100, 1, 1, tzinfo=UTC)


class Bucket:
    """Runs of which one field at one lead time is there, and what was requested."""

    def __init__(self) -> None:
        self.requested: list[str] = []

    def __call__(self, source: Source, request: Request) -> Response:
        self.requested.append(request.path)
        found = re.search(r"gfs\.(\d{8})/(\d\d)/.*\.f(\d\d\d)", request.path)
        assert found, request.path
        run = datetime.strptime(found[1] + found[2], "%Y%m%d%H").replace(tzinfo=UTC)
        if found[3] != "003":
            return Response(b"", 404)
        if request.path.endswith(".idx"):
            line = f"1:0:d={run:%Y%m%d%H}:TMP:2 m above ground:3 hour fcst:\n"
            return Response(line.encode())
        return Response(message((0, 0, 0), (103, 2), run, 3, 270.0 + run.day), 206)

    def backfill(self, home: DataDirectory) -> Report:
        self.requested.clear()
        return backfill(
            home,
            Settings(home=home.root),
            Clock(NOW),
            sources=[gfs.SOURCE],
            zones=ZONES,
            since=SINCE,
            fetch=self,
            show=lambda *_: None,
        )


def rows(home: DataDirectory) -> pl.DataFrame:
    with Store.open(home) as store:
        return read_source_weather(store.connection, "gfs", NOW - 30 * DAY, EVER)


def test_a_backfill_takes_the_run_of_00_utc_of_each_day_once(tmp_path: Path) -> None:
    home, bucket = DataDirectory(tmp_path / "home"), Bucket()
    report = bucket.backfill(home)
    assert report.exit_code == 0
    # Of each run 33 indexes and one part.
    assert len(bucket.requested) == 3 * 34
    found = rows(home)
    issued = [SINCE, SINCE + DAY, SINCE + 2 * DAY]
    assert found["issued_at"].unique().sort().to_list() == issued
    warm = found.drop_nulls("value").filter(zone="DE").sort("issued_at")
    assert warm["value"].to_list() == [271.0, 272.0, 273.0]
    # A past run counts as known at its usual time.
    assert (found["known_at"] - found["issued_at"]).unique().to_list() == [gfs.SOURCE.lag]
    assert found["received_at"].unique().to_list() == [NOW]
    again = bucket.backfill(home)
    assert bucket.requested == []
    assert not again.spans


class Commands:
    """The command itself on a data directory, without an installed script."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, home: DataDirectory, *words: str) -> dict[str, Any]:
        self._capsys.readouterr()
        environ = {"GRIDTIDE_HOME": str(home.root), "GRIDTIDE_NOW": NOW.isoformat()}
        everywhere = Everywhere(environ, json=True)
        assert weather.main(list(words), standalone_mode=False, obj=everywhere) == 0
        return dict(json.loads(self._capsys.readouterr().out))


def runs(*days: int, simulated: bool = False, **values: float | None) -> pl.DataFrame:
    """Runs of 00 UTC of two zones on some days before NOW; of 06 UTC on the first one."""
    times = [NOW.replace(hour=0) - each * DAY for each in days]
    lag = timedelta(hours=5)
    found = [
        (zone, gfs.SOURCE.weather, at, at + lag, at + 2 * lag, "gfs", simulated, name, 3, value)
        for at in (*times, times[0] + DAY / 4)
        for zone in (*ZONES, "XX")
        for name, value in values.items()
    ]
    return pl.DataFrame(found, schema=WEATHER_RUN, orient="row")


def stored(home: DataDirectory, frame: pl.DataFrame) -> DataDirectory:
    with writer_lock(home, "test", NOW), Store.open(home) as store:
        append_weather(store, frame)
    return home


def test_a_pack_has_its_provenance_and_comes_back_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, path = Commands(capsys), tmp_path / "gfs.parquet"
    values = {"temp_k": 281.37, "precip_mm": 12.345, "dswrf_w_m2": 771.2, "cloud_pct": None}
    written = runs(9, 2, **values)
    mine = stored(DataDirectory(tmp_path / "mine"), written)
    assert command(mine, "pack", str(path))["values"] == written.height
    said = pl.read_parquet_metadata(path)
    assert said["licence"] == gfs.SOURCE.licence
    assert said["attribution"] == gfs.SOURCE.attribution
    assert "temp_k in K" in said["units"]
    other = DataDirectory(tmp_path / "other")
    done = command(other, "unpack", str(path))
    # A zone that this catalogue lacks is left out, and named.
    assert done["zones_left_out"] == ["XX"]
    assert done["values_added"] == written.height * 2 // 3
    kept = rows(mine).filter(pl.col("zone") != "XX")
    assert rows(other).equals(kept)
    assert kept.height == done["values_added"]
    assert command(other, "unpack", str(path))["values_added"] == 0
    # A backfill requests the days that the pack has not.
    bucket = Bucket()
    bucket.backfill(other)
    assert {each[5:13] for each in bucket.requested} == {"20260301", "20260303"}
    # Some of it: one run of one zone.
    part = tmp_path / "part.parquet"
    words = ("--zone", "DE", "--from", "2026-03-02", "--to", "2026-03-03")
    assert command(mine, "pack", str(part), *words)["values"] == len(values)
    assert pl.read_parquet(part)["zone"].unique().to_list() == ["DE"]
    with pytest.raises(NoData, match="backfill --source gfs"):
        command(mine, "pack", str(tmp_path / "none.parquet"), "--zone", "FR")


WHOLE: Final = {"gridtide_weather": "1", "source": "gfs"}


def test_a_file_that_cannot_be_a_pack_is_refused_whole(tmp_path: Path) -> None:
    path, home = tmp_path / "gfs.parquet", DataDirectory(tmp_path / "home")
    frame = runs(3, temp_k=280.0, dewpoint_k=270.0).filter(pl.col("zone") != "XX")
    frame = frame.cast({"value": pl.Float32()})
    path.write_bytes(b"PAR1 not")
    with writer_lock(home, "test", NOW), Store.open(home) as store:

        def refuse(word: str) -> None:
            with pytest.raises(BadInput, match=word):
                unpack_weather(store, Ledger(home.ledger), path, now=NOW)

        refuse("cannot be read as a Parquet file")
        for said, word in (
            ({}, "not a pack of weather runs"),
            (WHOLE | {"gridtide_weather": "2"}, "not a pack of weather runs"),
            (WHOLE | {"source": "eia"}, "of the source 'eia', which is unknown here"),
        ):
            frame.write_parquet(path, metadata=said)
            refuse(word)
        for change, word in (
            ({"value": pl.lit(1e6, pl.Float32)}, "8 values are implausible"),
            ({"source": pl.lit("eia")}, "8 values are of another source"),
            ({"known_at": pl.col("issued_at") - DAY}, "8 values are known before they were"),
            ({"received_at": pl.col("issued_at") - DAY}, "8 values are received before they"),
            ({"received_at": pl.col("issued_at") + 9 * DAY}, "8 values are received after now"),
            ({"zone": pl.lit(None, pl.String)}, "8 values are without one of the columns"),
            ({"simulated": pl.col("zone") == "DE"}, "4 values are simulated among real ones"),
            ({"value": pl.lit(1, pl.Int64)}, "the columns are not those of a pack"),
            ({"quantity": pl.lit("snow")}, "unknown weather quantity 'snow'"),
        ):
            frame.with_columns(**change).write_parquet(path, metadata=WHOLE)
            refuse(word)
        # One row of the newest run cannot be stored, so that the oldest is not either.
        twice = runs(9, 2, temp_k=280.0).cast({"value": pl.Float32()}).sort("issued_at")
        pl.concat([twice, twice[-1:]]).write_parquet(path, metadata=WHOLE)
        refuse("two values for one lead time")
    assert rows(home).is_empty()


def test_runs_at_points_of_an_older_table_do_not_stand_for_those_of_now(tmp_path: Path) -> None:
    path, home = tmp_path / "gfs.parquet", DataDirectory(tmp_path / "home")
    frame = runs(3, temp_k=280.0).filter(pl.col("zone") != "XX").cast({"value": pl.Float32()})
    with writer_lock(home, "test", NOW), Store.open(home) as store:
        frame.with_columns(model=pl.lit("gfs_1p00@box1")).write_parquet(path, metadata=WHOLE)
        ledger = Ledger(home.ledger)
        assert unpack_weather(store, ledger, path, now=NOW).values == frame.height
        assert not ledger.answers("gfs", "weather")

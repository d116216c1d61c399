"""Weather of NOAA's model: indexes, windows of means and sums, runs that are late or old."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import polars as pl
import pytest

from gridtide_pipelines.errors import NothingYet, SourceChanged
from gridtide_pipelines.ingest.fetch import Fetcher
from gridtide_pipelines.ingest.groups import Intake
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request, Span
from gridtide_pipelines.ingest.sources import gfs
from gridtide_pipelines.ingest.weather import due_run
from gridtide_pipelines.ingest.weather_points import locations
from gridtide_pipelines.replay.grib_messages import message
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.settings import Settings
from gridtide_store.store import Store
from gridtide_store.weather import newest_weather, read_weather
from tests.flow.written import ingest_query
from tests.sources.bands import bands

RUN = datetime(2026, 3, 2, 6, tzinfo=UTC)
NOW = RUN + timedelta(hours=5, minutes=7)
ZONES = ("DE", "US-CAL-CISO")
FOLDER = "/gfs.20260302/06/atmos/gfs.t06z.pgrb2.1p00"
# Means and sums since the last multiple of six hours, as the publisher has them.
MEANS = {3: 100.0, 6: 250.0, 9: 600.0}
SUMS = {3: 1.0, 6: 1.5, 9: 2.0}


@dataclass
class Bucket:
    """Files of one run, each with its index, and what was requested."""

    leads: Sequence[int] = (0, 3, 6, 9, gfs.LAST)
    run: datetime = RUN
    without: Sequence[str] = ()
    requested: list[str] = field(default_factory=list)
    files: dict[int, tuple[str, bytes]] = field(default_factory=dict)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        part = request.headers.get("Range", "")
        self.requested.append(f"{request.url.path} {part}".strip())
        found = re.fullmatch(rf"{FOLDER}\.f(\d\d\d)(\.idx)?", request.url.path)
        assert found, request.url.path
        if int(found[1]) not in self.leads:
            return httpx.Response(404, content=b"<Error><Code>NoSuchKey</Code></Error>")
        index, content = self.file(int(found[1]))
        if found[2]:
            return httpx.Response(200, content=index.encode())
        first, _, last = part.removeprefix("bytes=").partition("-")
        until = int(last) + 1 if last else None
        return httpx.Response(206, content=content[int(first) : until])

    def file(self, lead: int) -> tuple[str, bytes]:
        """The index and the content of a file; a field of another kind comes first.

        Beyond nine hours there is no field of ours, but one at the end.
        """
        if lead not in self.files:
            self.files[lead] = self.written(lead)
        return self.files[lead]

    def written(self, lead: int) -> tuple[str, bytes]:
        when = f"{lead} hour fcst" if lead else "anl"
        lines: list[tuple[str, bytes]] = [(f"PRMSL:mean sea level:{when}:", b"x" * 11)]
        if 9 < lead < gfs.LAST:
            return self.joined(lines)
        wind = {"UGRD": (0, 2, 2), "VGRD": (0, 2, 3)}
        for height in (10, 100):
            for name, speed in (("UGRD", 3.0), ("VGRD", 4.0)):
                values = speed * height / 10
                text = message(wind[name], (103, height), self.run, lead, values)
                lines.append((f"{name}:{height} m above ground:{when}:", text))
        warm = message((0, 0, 0), (103, 2), self.run, lead, bands(300, 10, 45))
        lines += [
            (f"TMP:2 m above ground:{when}:", warm),
            (f"SPFH:2 m above ground:{when}:", b"y" * 7),
            (
                f"DPT:2 m above ground:{when}:",
                message((0, 0, 6), (103, 2), self.run, lead, 270.5),
            ),
        ]
        if lead in MEANS:
            since = (lead - 1) // 6 * 6
            lines += self.windows(lead, since)
        return self.joined(lines)

    def joined(self, lines: Sequence[tuple[str, bytes]]) -> tuple[str, bytes]:
        lines = [each for each in lines if each[0].split(":")[0] not in self.without]
        index, content = "", b""
        for number, (words, text) in enumerate(lines, 1):
            index += f"{number}:{len(content)}:d={self.run:%Y%m%d%H}:{words}\n"
            content += text
        return index, content

    def windows(self, lead: int, since: int) -> list[tuple[str, bytes]]:
        def mean(element: tuple[int, int, int], surface: int, value: float) -> bytes:
            return message(element, (surface, 0), self.run, lead, value, since=since)

        def rain(begin: int, value: float) -> bytes:
            return message(
                (0, 1, 8), (1, 0), self.run, lead, value, since=begin, statistic=1, decimals=3
            )

        total = SUMS[lead] + (SUMS[6] if lead > 6 else 0)
        return [
            (f"APCP:surface:{since}-{lead} hour acc fcst:", rain(since, SUMS[lead])),
            (f"APCP:surface:0-{lead} hour acc fcst:", rain(0, total)),
            (f"DSWRF:surface:{since}-{lead} hour ave fcst:", mean((0, 4, 7), 1, MEANS[lead])),
            (f"TCDC:entire atmosphere:{lead} hour fcst:", b"z"),
            (
                f"TCDC:entire atmosphere:{since}-{lead} hour ave fcst:",
                mean((0, 6, 1), 10, 50.0),
            ),
        ]


@pytest.fixture
def home(tmp_path: Path) -> DataDirectory:
    return DataDirectory(tmp_path / "home")


def fetched(
    home: DataDirectory, bucket: Bucket, now: datetime = NOW, zones: tuple[str, ...] = ZONES
) -> tuple[Intake, pl.DataFrame, Mapping[tuple[str, str], datetime]]:
    query = Query(Kind.WEATHER, zones, RUN, RUN + timedelta(hours=6), now)
    fetch = Fetcher(
        Settings(home=home.root),
        transport=httpx.MockTransport(bucket),
        sleep=lambda _: None,
        now=lambda: now,
    )
    with fetch, writer_lock(home, "test", now), Store.open(home) as store:
        work = ingest_query(gfs.SOURCE, query, fetch=fetch, store=store)
        intake = work.finish()
        frame = read_weather(store.connection, "DE", gfs.SOURCE.weather, RUN, NOW, as_of=now)
        return intake, frame, newest_weather(store.connection)


def test_a_run_is_fetched_by_its_parts_and_stored_as_issued(home: DataDirectory) -> None:
    bucket = Bucket(leads=range(0, gfs.LAST + 1, 3))
    intake, frame, newest = fetched(home, bucket)
    assert intake.rows == 2 * 7 * 33
    assert newest == {("gfs", zone): RUN for zone in ZONES}
    head = frame.head(4)
    assert frame["lead_h"].to_list() == list(range(0, 97, 3))
    assert head["wind_speed_m_s"].to_list() == [5.0] * 4
    assert head["wind_speed_100m_m_s"].to_list() == [50.0] * 4
    assert head["dewpoint_k"].to_list() == [270.5] * 4
    # Rows 0 to 44 have 300 K, those from 45 N southward 290 K; Germany lies north of it.
    assert head["temp_k"].to_list() == [300.0] * 4
    assert head["dswrf_w_m2"].to_list() == [None, 100.0, 400.0, 600.0]
    assert head["precip_mm"].to_list() == [None, 1.0, 0.5, 2.0]
    assert head["cloud_pct"].to_list() == [None, 50.0, 50.0, 50.0]
    # The index of the last lead time first, then the others, then parts of the files: the four
    # winds and the temperature lie together.
    assert bucket.requested[0] == f"{FOLDER}.f096.idx"
    assert sum(each.endswith(".idx") for each in bucket.requested) == 33
    parts = [each for each in bucket.requested if f"{FOLDER}.f003 " in each]
    assert len(parts) == 4
    assert parts[0].startswith(f"{FOLDER}.f003 bytes=11-")
    # The same run again is not stored twice.
    again, _, _ = fetched(home, Bucket(leads=range(0, gfs.LAST + 1, 3)))
    assert again.rows == 0


def test_a_run_that_is_not_whole_yet_costs_one_request(home: DataDirectory) -> None:
    bucket = Bucket(leads=(0, 3, 6, 9))
    with pytest.raises(NothingYet, match="not complete yet"):
        fetched(home, bucket)
    assert bucket.requested == [f"{FOLDER}.f096.idx"]


def test_an_old_run_lacks_lead_times_and_fields_and_stays(home: DataDirectory) -> None:
    now = RUN + timedelta(days=400)
    bucket = Bucket(leads=(0, 3, 9), without=("DSWRF", "VGRD"))
    _, frame, _ = fetched(home, bucket, now)
    assert frame.height == 33
    rows = {row["lead_h"]: row for row in frame.head(4).iter_rows(named=True)}
    assert rows[0]["temp_k"] == rows[3]["temp_k"] == 300.0
    assert rows[6]["temp_k"] is None
    assert rows[9]["precip_mm"] == 2.0
    assert frame["dswrf_w_m2"].null_count() == frame["wind_speed_m_s"].null_count() == 33
    with Store.open(home) as store:
        known = store.connection.execute(
            "SELECT DISTINCT known_at - issued_at, received_at - issued_at FROM weather_run"
        ).fetchall()
    assert known == [(timedelta(hours=5), timedelta(days=400))]


def test_a_run_of_which_nothing_is_there_is_nothing_yet(home: DataDirectory) -> None:
    with pytest.raises(NothingYet, match="no run"):
        fetched(home, Bucket(leads=()), RUN + timedelta(days=400))


def test_an_index_of_another_run_is_source_changed(home: DataDirectory) -> None:
    with pytest.raises(SourceChanged, match="an index of the run 2026030106"):
        fetched(home, Bucket(run=RUN - timedelta(days=1), leads=(gfs.LAST,)))


def body(content: bytes, path: str = "/written", part: str = "") -> Body:
    headers = (("Range", part),) if part else ()
    return Body(Request("GET", path, headers=headers), content, NOW, 1)


def test_a_message_is_compared_with_what_was_requested() -> None:
    warm = message((0, 0, 0), (103, 2), RUN, 9, 280.0)
    for path, part, word in (
        (f"{FOLDER}.f006", "", r"\+9 h in place of"),
        (f"{FOLDER.replace('20260302', '20260301')}.f009", "", "2026-03-02T06Z .9 h in place"),
        (f"{FOLDER}.f009", "bytes=5-99", "bytes in answer to"),
    ):
        with pytest.raises(SourceChanged, match=word):
            gfs.parse([body(warm, path, part)])
    assert gfs.parse([body(warm, f"{FOLDER}.f009", f"bytes=5-{4 + len(warm)}")]).height


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>down</html>",
        b"1:0:d=2026030206:TMP:2 m above ground:9 hour fcst:\nx",
        b"1:0:d=2026030200:TMP:2 m above ground:9 hour fcst:\n",
        b"\xff\xfe",
    ],
    ids=range(5),
)
def test_an_index_that_is_not_one_is_source_changed(content: bytes) -> None:
    indexes = [body(content, f"{FOLDER}.f{lead:03d}.idx") for lead in range(96, -1, -3)]
    with pytest.raises(SourceChanged, match="gfs"):
        gfs.following(indexes)


def test_an_index_gives_parts_by_words_and_never_by_number() -> None:
    words = (
        "1:0:d=2026030206:TMP:2 m above ground:24 hour fcst:",
        "2:50:d=2026030206:APCP:surface:18-24 hour acc fcst:",
        "3:70:d=2026030206:APCP:surface:0-1 day acc fcst:",
        "4:90:d=2026030206:TMP:surface:24 hour fcst:",
        "5.1:100:d=2026030206:UGRD:10 m above ground:24 hour fcst:",
        "5.2:100:d=2026030206:VGRD:10 m above ground:24 hour fcst:",
        "6:130:d=2026030206:DSWRF:surface:18-24 hour ave fcst:",
    )
    content = "\n".join(words).encode()
    assert [*gfs.read_index(content, RUN, 24)] == ["bytes=0-69", "bytes=100-"]


def test_one_run_a_day_is_requested_and_one_newest_run() -> None:
    day = datetime(2026, 2, 1, tzinfo=UTC)
    groups = gfs.requests(Query(Kind.WEATHER, ZONES, day, day + timedelta(days=3), NOW))
    assert [group[0].path[:16] for group in groups] == [
        "/gfs.20260201/00",
        "/gfs.20260202/00",
        "/gfs.20260203/00",
    ]
    assert groups[0][0].span == Span(day, day + timedelta(days=1))
    due = due_run(gfs.SOURCE, ZONES, {("gfs", "DE"): RUN}, NOW)
    assert due == (Span(RUN, RUN + timedelta(hours=6)), ("US-CAL-CISO",))
    assert due_run(gfs.SOURCE, ["DE"], {("gfs", "DE"): RUN}, NOW) is None
    before = due_run(gfs.SOURCE, ["DE"], {}, RUN + timedelta(hours=4, minutes=59))
    assert before is not None
    assert before[0].start == RUN - timedelta(hours=6)


def test_the_weights_of_each_zone_and_role_add_up_to_one() -> None:
    for (zone, role), (_, weights) in locations().members.items():
        assert weights.sum() == pytest.approx(1.0, abs=1e-5), (zone, role)
        assert (weights > 0).all()
    _, weights = locations().members["DE", "box"]
    assert len(weights) == 9
    assert np.argmax(weights) >= 6  # the south has more ground between two meridians


def test_gridtide_parse_prints_a_message_by_lead_time() -> None:
    content = (Path(__file__).with_name("data") / "gfs/temperature_f009.grib2").read_bytes()
    frame = gfs.parse([body(content)]).drop_nulls("value").filter(pl.col("zone") == "DE")
    assert frame["signal"].to_list() == ["weather_temp_k"]
    assert frame["end"].to_list() == [RUN + timedelta(hours=9)]
    assert frame["value"].to_list() == pytest.approx([280.0])


@pytest.mark.parametrize("number", [7, 192])
def test_radiation_is_read_by_the_number_of_the_wmo_and_by_the_older_one(number: int) -> None:
    content = message((0, 4, number), (1, 0), RUN, 3, 100.0, since=0)
    frame = gfs.parse([body(content)]).drop_nulls("value")
    assert frame["signal"].unique().to_list() == ["weather_dswrf_w_m2"]

"""Weather of single points: MET Norway and Open-Meteo, and responses kept until they expire."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

import httpx
import numpy as np
import polars as pl
import pytest

from gridtide_pipelines.errors import NothingYet, SourceChanged
from gridtide_pipelines.ingest.access import reason_to_skip
from gridtide_pipelines.ingest.fetch import Fetcher
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources import met_norway, open_meteo
from gridtide_pipelines.ingest.weather_points import BOX, few_points, locations, zones
from gridtide_store.settings import Settings
from tests.faults.publisher import http_date

RUN: Final = datetime(2026, 3, 2, 6, tzinfo=UTC)
NOW: Final = RUN + timedelta(hours=6, minutes=10)
HOUR: Final = timedelta(hours=1)
ONE: Final = "GB-ZET"  # a zone with one point
DATA: Final = Path(__file__).with_name("data")
COMPLETE: Final = (DATA / "met_norway/complete.json").read_bytes()
FORECAST: Final = (DATA / "open_meteo/forecast_nothing_without_its_run.json").read_bytes()
ABOUT: Final = (DATA / "open_meteo/meta_nothing_alone.json").read_bytes()


def query(*mine: str) -> Query:
    return Query(Kind.WEATHER, mine, RUN, RUN + 6 * HOUR, NOW)


def body(content: bytes, request: Request | None = None) -> Body:
    return Body(request or Request("GET", "/written"), content, NOW, 0)


def values(frame: pl.DataFrame, quantity: str, zone: str = ONE) -> dict[int, float | None]:
    """The first lead times of a quantity."""
    rows = frame.filter(zone=zone, signal=f"weather_{quantity}").sort("end")
    leads = ((rows["end"] - rows["issued_at"]).dt.total_hours()).to_list()
    return dict(zip(leads[:5], rows["value"].round(6).to_list()[:5], strict=True))


# MET Norway


def test_a_forecast_of_met_norway_is_read_as_its_quantities_are_defined() -> None:
    frame = met_norway.parse([body(COMPLETE)])
    # Made at 06:31, so that its hour is the time of issue; the first row is of 07:00. From 08 h
    # on there is one row, 12 h ahead, which knows no rain of an hour and no dew point.
    assert frame["issued_at"].unique().to_list() == [RUN]
    none = {0: None, 3: None, 6: None, 9: None, 12: None}
    assert values(frame, "temp_k") == none | {3: 276.15, 6: 279.15, 12: 280.65}
    assert values(frame, "dewpoint_k") == none | {3: 271.65, 6: 271.65}
    assert values(frame, "wind_speed_m_s") == none | {3: 4.2, 6: 4.2, 12: 6.0}
    # The hours that begin at 3, 4 and 5 h bring 0.3, 0.4 and 0.5 mm; those at 0 h are unknown.
    assert values(frame, "precip_mm") == none | {6: 1.2, 9: 2.1}
    assert values(frame, "cloud_pct") == none | {3: 20.0, 6: 50.0}
    assert values(frame, "dswrf_w_m2") == values(frame, "wind_speed_100m_m_s") == none


def changed(change: dict[str, Any]) -> bytes:
    tree = json.loads(COMPLETE)
    tree["properties"]["meta"]["units"] |= change.get("units", {})
    tree["geometry"]["coordinates"] = change.get("at", tree["geometry"]["coordinates"])
    row = tree["properties"]["timeseries"][2]["data"]["instant"]["details"]
    row |= change.get("details", {})
    return json.dumps(tree).encode()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"units": {"wind_speed": "km/h"}}, "'km/h' in place of 'm/s'"),
        ({"at": [0.0, 0.0]}, "not a point of a zone"),
        ({"details": {"air_temperature": float("nan")}}, "not a finite number"),
    ],
)
def test_another_unit_place_or_number_is_source_changed(
    change: dict[str, Any], word: str
) -> None:
    with pytest.raises(SourceChanged, match=word):
        met_norway.parse([body(changed(change))])


def test_a_forecast_of_another_place_than_requested_is_source_changed() -> None:
    ((request,),) = met_norway.requests(query("AU-LH"))
    with pytest.raises(SourceChanged, match="in place of"):
        met_norway.parse([body(COMPLETE, request)])


class Norway:
    """The publisher: what was requested, and what it says of its forecast's time."""

    def __init__(self) -> None:
        self.now = NOW
        self.requests: list[httpx.Request] = []
        self.modified = "Mon, 02 Mar 2026 06:31:02 GMT"

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        expires = self.now + timedelta(minutes=30)
        headers = {
            "Date": http_date(self.now),
            "Expires": http_date(expires),
            "Last-Modified": self.modified,
        }
        if request.headers.get("If-Modified-Since") == self.modified:
            return httpx.Response(304, headers=headers)
        content = COMPLETE + b" " * len(self.requests)
        return httpx.Response(200, headers=headers, content=content)

    def fetch(self, home: Path, request: Request) -> bytes:
        """Request as a new process would."""
        given = Settings(home=home, secrets={"MET_NORWAY_CONTACT": "ops@example.org"})
        with Fetcher(
            given,
            transport=httpx.MockTransport(self),
            sleep=lambda _: None,
            now=lambda: self.now,
        ) as fetcher:
            return fetcher(met_norway.SOURCE, request).content


def test_a_response_that_cannot_be_kept_is_used_all_the_same(tmp_path: Path) -> None:
    """As on a full disk: weather must not end a refresh."""
    (tmp_path / "kept").write_text("no folder")
    publisher = Norway()
    ((request,),) = met_norway.requests(query(ONE))
    assert publisher.fetch(tmp_path, request).startswith(COMPLETE)
    publisher.fetch(tmp_path, request)
    assert len(publisher.requests) == 2


def test_a_response_is_kept_until_it_expires_and_then_requested_if_modified(
    tmp_path: Path,
) -> None:
    publisher = Norway()
    ((request,),) = met_norway.requests(query(ONE))
    first = publisher.fetch(tmp_path, request)
    (sent,) = publisher.requests
    assert sent.headers["User-Agent"].startswith("gridtide/")
    assert sent.headers["User-Agent"].endswith(" ops@example.org")
    assert str(sent.url).endswith("/2.0/complete?lat=60.3900&lon=-1.1900")
    assert "If-Modified-Since" not in sent.headers
    publisher.now += timedelta(minutes=29)
    assert publisher.fetch(tmp_path, request) == first
    assert len(publisher.requests) == 1
    # Expired: the same forecast is not sent again, and holds for another half hour.
    publisher.now += timedelta(minutes=2)
    assert publisher.fetch(tmp_path, request) == first
    assert publisher.requests[-1].headers["If-Modified-Since"] == publisher.modified
    publisher.now += timedelta(minutes=29)
    assert publisher.fetch(tmp_path, request) == first
    assert len(publisher.requests) == 2
    publisher.now += timedelta(hours=6)
    publisher.modified = "Mon, 02 Mar 2026 12:31:02 GMT"
    newer = publisher.fetch(tmp_path, request)
    assert newer != first
    # A kept file that was damaged is as none, and what was kept later than now is not used.
    (kept,) = (tmp_path / "kept/met_norway").iterdir()
    for content in (kept.read_bytes()[:40], b"\x1f\x8b", b""):
        kept.write_bytes(content)
        assert publisher.fetch(tmp_path, request) not in (first, newer)
        assert "If-Modified-Since" not in publisher.requests[-1].headers
    publisher.now -= timedelta(days=1)
    publisher.fetch(tmp_path, request)
    assert "If-Modified-Since" not in publisher.requests[-1].headers


def test_met_norway_is_off_until_it_knows_whom_to_contact() -> None:
    given = Settings(home=Path("/nowhere"))
    reason = reason_to_skip(met_norway.SOURCE, given)
    assert reason is not None
    assert reason.startswith("MET_NORWAY_CONTACT is not set: set it to your mail address")
    for contact, word in (
        ("ops@example.org", None),
        ("J\u00f6rg", "in plain ASCII"),
        ("a\nb", "plain"),
    ):
        given = Settings(home=Path("/nowhere"), secrets={"MET_NORWAY_CONTACT": contact})
        assert (word or "None") in str(reason_to_skip(met_norway.SOURCE, given))


# Open-Meteo


def answers(*mine: str, content: bytes = FORECAST, runs: Sequence[int] = (0, 0)) -> list[Body]:
    """The bodies of the one group for some zones; `runs` are hours after `RUN`."""
    (group,) = open_meteo.requests(query(*mine))
    about = json.loads(ABOUT)
    before, again = (
        json.dumps(about | {open_meteo.RUN: about[open_meteo.RUN] + 3600 * hours}).encode()
        for hours in runs
    )
    return [
        body(each, request)
        for each, request in zip((before, content, again), group, strict=True)
    ]


def test_a_forecast_of_open_meteo_is_read_as_its_quantities_are_defined() -> None:
    frame = open_meteo.parse(answers(ONE))
    assert frame["issued_at"].unique().to_list() == [RUN]
    assert values(frame, "wind_speed_m_s") == {0: 3.0, 3: 6.0, 6: 9.0, 9: 12.0, 12: None}
    assert values(frame, "wind_speed_100m_m_s")[3] == 9.0
    assert values(frame, "temp_k")[0] == 274.65
    assert values(frame, "dewpoint_k") == {
        **dict.fromkeys((0, 3, 6), 272.65),
        **dict.fromkeys((9, 12)),
    }
    # Of the hours that end at 1, 2 and 3 h: 100, 200 and 300 W/m2; 0.1, 0.2 and 0.3 mm.
    assert values(frame, "dswrf_w_m2") == {0: None, 3: 200.0, 6: 500.0, 9: 800.0, 12: None}
    assert values(frame, "precip_mm") == {0: None, 3: 0.6, 6: 1.5, 9: 2.4, 12: None}
    assert values(frame, "cloud_pct")[6] == 50.0


def test_points_of_several_zones_are_in_the_order_of_the_request() -> None:
    places = few_points()
    size = len(places.of_zone("DE")) + 1
    one = json.loads(FORECAST)
    several = []
    for number in range(size):
        hourly = one["hourly"] | {"temperature_2m": [float(number)] * 10}
        several.append(one | {"hourly": hourly, "location_id": number})
    content = json.dumps(several).encode()
    frame = open_meteo.parse(answers("DE", ONE, content=content))
    which, weights = places.members["DE", "load"]
    warm = float(np.searchsorted(places.of_zone("DE"), which) @ weights) + 273.15
    assert values(frame, "temp_k", "DE")[0] == pytest.approx(warm, abs=1e-5)
    assert values(frame, "temp_k")[0] == pytest.approx(5 + 273.15)
    with pytest.raises(SourceChanged, match="6 points in answer to 5"):
        open_meteo.parse(answers("DE", content=content))


def test_points_are_dropped_where_the_run_changed_while_they_were_requested() -> None:
    with pytest.raises(NothingYet, match="a new run came in"):
        open_meteo.parse(answers(ONE, runs=(0, 6)))


@pytest.mark.parametrize("which", [0, 2])
def test_points_are_dropped_where_one_answer_about_the_run_is_empty(which: int) -> None:
    """One answer alone does not show that the run stayed the same."""
    bodies = answers(ONE)
    bodies[which] = replace(bodies[which], content=b"{}")
    with pytest.raises(NothingYet, match="has no last_run_initialisation_time"):
        open_meteo.parse(bodies)


def test_all_zones_take_few_requests_of_not_too_many_points() -> None:
    groups = open_meteo.requests(query(*sorted(zones())))
    named = [zone for group in groups for zone in group[1].zones]
    assert named == sorted(zones())
    for group in groups:
        form = parse_qs("&".join("=".join(each) for each in group[1].form))
        lats = form["latitude"][0].split(",")
        assert len(lats) == len(form["longitude"][0].split(",")) <= open_meteo.MOST
        assert form["elevation"][0].split(",") == ["nan"] * len(lats)
        assert len(set(group)) == 3  # the run is requested before and after
    assert len(groups) <= 5


def test_open_meteo_is_restricted_on_its_free_host_alone() -> None:
    home = Path("/nowhere")
    free = Settings(home=home, secrets={"OPEN_METEO_API_KEY": "0123456789"})
    assert "its licence restricts use" in str(reason_to_skip(open_meteo.SOURCE, free))
    for host in ("https://customer-api.open-meteo.com", "http://weather.internal:8080"):
        own = Settings(home=home, base_urls={"open_meteo": host})
        assert reason_to_skip(open_meteo.SOURCE, own) is None


# Points


def test_few_points_are_spread_and_keep_all_weight() -> None:
    places, whole = few_points(), locations()
    for zone in sorted(zones()):
        assert 1 <= len(places.of_zone(zone)) <= 5
    for (zone, role), (which, weights) in places.members.items():
        assert set(places.lat[which]) <= set(whole.lat[whole.of_zone(zone)])
        assert weights.sum() == pytest.approx(1.0), role
    # Of a box its corners and its middle.
    mine = whole.members["DE", BOX]
    box = replace(whole, members={("DE", BOX): mine}).spread(5)
    assert len(set(box.lat)) == len(set(box.lon)) == 3
    assert len(box.lat) == 5

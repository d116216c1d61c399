"""What is special about the smaller publishers of Europe, over bodies of their shape."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide_pipelines.errors import NothingYet, SourceChanged
from gridtide_pipelines.ingest.schedule import split_span
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request, Span
from gridtide_pipelines.ingest.sources import sources
from gridtide_pipelines.ingest.sources.kraftnat_aland import parse as parse_aland
from gridtide_pipelines.ingest.sources.smard import following

DATA = Path(__file__).with_name("data")
KNOWN_AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def read(source: str, *contents: bytes, address: str = "/written") -> pl.DataFrame:
    request = Request("GET", address)
    return sources()[source].parse([Body(request, each, KNOWN_AT, 7) for each in contents])


def written(source: str, name: str, address: str = "/written") -> pl.DataFrame:
    return read(source, (DATA / source / name).read_bytes(), address=address)


def mix(frame: pl.DataFrame) -> dict[str, float | None]:
    first = frame.filter(pl.col("start") == frame["start"].min())
    return dict(first.select("signal", "value").rows())


def test_elia_adds_types_of_one_fuel_and_keeps_a_null_as_a_gap() -> None:
    assert mix(written("elia", "records.json")) == {
        "generation_nuclear": 3900.5,
        "generation_biomass": 320.5,
        "generation_hydro_storage": None,
        "generation_battery_storage": -50.0,
        "generation_wind": 1000.0,
    }
    new = written("elia", "export.json").filter(pl.col("flag").is_not_null())
    assert new.select("value", "flag").rows() == [(3.0, "unmapped_code:Tidal")]


AREA = "/ProductionConsumption/DownloadText?ConstraintAreaId=SN4&ProductionSortId=VI"


def test_svk_counts_in_kilowatts_of_cet_all_year() -> None:
    frame = written("svk", "wind.csv", AREA)
    assert frame.select("zone", "signal").unique().rows() == [("SE-SE4", "generation_wind")]
    assert frame["value"].to_list() == pytest.approx([562.120272, 195.563226])
    assert frame["start"][0] == datetime(2026, 3, 28, 23, tzinfo=UTC)
    with pytest.raises(NothingYet):
        written("svk", "nothing_but_the_sum.csv", AREA)
    # Without its request it is of the country, and of an unknown fuel.
    frame = written("svk", "wind.csv")
    assert frame.select("zone", "flag").unique().rows() == [("SE", "unmapped_code:not said")]


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_svk_has_24_hours_on_days_when_clocks_change(day: str) -> None:
    rows = [f"{day} {hour:02}:00;1000,0;2026-11-08 11:03" for hour in range(24)]
    text = "\n".join(["Period;Avräknad (kWh);Publiceringstidpunkt;", *rows, "Summa;24000,0;"])
    starts = read("svk", text.encode(), address=AREA)["start"]
    first = datetime.fromisoformat(f"{day}T00:00+01:00")
    assert starts.to_list() == [first + timedelta(hours=hour) for hour in range(24)]


def test_esett_gives_energy_which_becomes_power_by_the_length_of_the_period() -> None:
    hours, quarters = written("esett", "hours.json"), written("esett", "quarters.json")
    assert mix(hours) == {
        "generation_hydro": 1502.1,
        "generation_nuclear": 0.0,
        "generation_solar": 12.0,
        "generation_unknown": 3.5,
        "generation_wind": 220.0,
        "generation_battery_storage": -1.5,
    }
    assert set(hours["zone"]) == {"NO-NO2"}
    assert mix(quarters)["generation_wind"] == 880.0
    assert set(quarters["end"] - quarters["start"]) == {QUARTER}


def test_pse_labels_the_end_and_its_utc_tells_the_double_hour() -> None:
    frame = written("pse", "autumn.json")
    solar = frame.filter(pl.col("signal") == "generation_solar").sort("start")
    assert solar["value"].to_list() == [0.5, 1.25]
    assert solar["start"].to_list() == [
        datetime(2026, 10, 25, 0, tzinfo=UTC),
        datetime(2026, 10, 25, 1, tzinfo=UTC),
    ]
    coal = frame.filter(pl.col("signal") == "generation_coal")
    assert coal["value"].to_list() == [13001.5]
    assert frame["flag"].drop_nulls().to_list() == ["unmapped_code:B99"]


def ren_day(day: str, count: int) -> pl.DataFrame:
    series = {
        "Hydro": [100.0 + i for i in range(count)],
        "Hydro Pumping": [30.0] * count,
        "Natural Gas": [500.0] * count,
        "Wave": [0.5] * count,
        "Imports": [200.0] * count,
        "Exports": [50.0] * count,
        "Consumption": [900.0] * count,
    }
    document = {
        "xAxis": {"categories": [f"{i // 4:02}:{i % 4 * 15:02}" for i in range(count)]},
        "series": [{"name": name, "data": data} for name, data in series.items()],
    }
    return read("ren", json.dumps(document).encode(), address=f"/x?culture=en-US&date={day}")


@pytest.mark.parametrize(("day", "count"), [("2026-03-29", 92), ("2026-10-25", 100)])
def test_ren_has_more_or_fewer_quarters_when_clocks_change(day: str, count: int) -> None:
    frame = ren_day(day, count)
    assert mix(frame) == {
        "generation_hydro": 100.0,
        "generation_hydro_storage": -30.0,
        "generation_gas": 500.0,
        "generation_unknown": 0.5,
        "imports": 150.0,
    }
    hydro = frame.filter(pl.col("signal") == "generation_hydro").sort("start")["start"]
    assert hydro[-1] - hydro[0] == (count - 1) * QUARTER
    with pytest.raises(SourceChanged):
        ren_day("2026-10-26", 100)


@pytest.mark.parametrize("source", ["landsnet", "sev_faroe", "statnett"])
def test_a_report_of_the_moment_ends_when_it_was_received(source: str) -> None:
    later = written(source, "now.json")
    start, end = later["start"][0], later["end"][0]
    assert end - start == timedelta(minutes=5)
    # A slot that ends after it was received would be refused as of the future.
    received = start + timedelta(minutes=1)
    content = (DATA / source / "now.json").read_bytes()
    body = Body(Request("GET", "/written"), content, received, 7)
    assert set(sources()[source].parse([body])["end"]) == {received}


def test_what_holds_now_stands_for_five_minutes() -> None:
    iceland = written("landsnet", "now.json")
    assert set(iceland["start"]) == {datetime(2026, 3, 1, 5, tzinfo=UTC)}
    assert set(iceland["end"] - iceland["start"]) == {timedelta(minutes=5)}
    faroe = written("sev_faroe", "now.json")
    main = faroe.filter(pl.col("zone") == "FO-MI")
    assert mix(main) == {
        "generation_hydro": 12.31,
        "generation_oil": 4.02,
        "generation_wind": 20.5,
        "generation_unknown": 0.7,
    }
    assert mix(faroe.filter(pl.col("zone") == "FO-SI")) == {
        "generation_wind": 0.4,
        "generation_solar": None,
        "generation_hydro": 1.2,
    }
    north = written("statnett", "now.json")
    assert mix(north.filter(pl.col("zone") == "FI")) == {
        "generation_nuclear": 4300.0,
        "generation_hydro": 1900.0,
        "generation_unknown": 1230.0,
        "generation_wind": 2500.0,
        "load": 10500.0,
    }


@pytest.mark.parametrize(
    ("label", "starts"),
    [
        ("29-03-2026 02:03", [datetime(2026, 3, 29, 1, tzinfo=UTC)]),
        ("29-03-2026 01:03", []),  # in the hour that is missing
        ("25-10-2026 02:03", [datetime(2026, 10, 25, 2, tzinfo=UTC)]),
        ("25-10-2026 01:03", []),  # one of two
    ],
)
def test_faroese_time_on_both_days_when_clocks_change(
    label: str, starts: list[datetime]
) -> None:
    tree = json.loads((DATA / "sev_faroe/now.json").read_bytes()) | {"tiden": label}
    content = json.dumps(tree).encode()
    if starts:
        assert read("sev_faroe", content)["start"].unique().to_list() == starts
    else:
        with pytest.raises(NothingYet):
            read("sev_faroe", content)


def test_nothing_of_the_past_is_requested_where_only_now_is_published() -> None:
    for name in ("landsnet", "sev_faroe", "statnett"):
        source = sources()[name]
        zones = tuple(sorted(source.zones))
        start = KNOWN_AT - timedelta(days=2)
        past = Query(Kind.GENERATION, zones, start, start + timedelta(days=1), KNOWN_AT)
        now = Query(Kind.GENERATION, zones, start, KNOWN_AT, KNOWN_AT)
        assert (len(source.requests(past)), len(source.requests(now))) == (0, 1)


def test_corsica_imports_over_cables_and_burns_oil() -> None:
    frame = written("edf_sei", "export.json")
    assert mix(frame) == {
        "generation_oil": 115.0,
        "generation_hydro": 27.0,
        "generation_solar": 107.0,
        "generation_wind": 0.0,
        "generation_biomass": 1.0,
        "generation_battery_storage": -2.5,
        "imports": 55.0,
    }
    quality = frame.filter(pl.col("signal") == "generation_oil").sort("start")["quality"]
    assert quality.to_list() == ["estimated", "measured"]


def test_smard_gives_energy_of_quarters_and_lists_its_weeks_first() -> None:
    frame = written("smard", "week.json", "/app/chart_data/4387/DE/4387_DE_quarterhour_1.json")
    assert frame.sort("start").select("signal", "value").rows() == [
        ("generation_hydro_storage", -3250.0),
        ("generation_hydro_storage", -3201.0),
    ]
    query = Query(Kind.GENERATION, ("DE",), KNOWN_AT - timedelta(days=1), KNOWN_AT, KNOWN_AT)
    (group,) = sources()["smard"].requests(query)
    names = (DATA / "smard/nothing_but_the_list.json").read_bytes()
    lists = [Body(each, names, KNOWN_AT, 7) for each in group]
    files = following(lists)
    # The day before is in the first week of the list, the day itself in the second.
    assert len(files) == 2 * len(group)
    assert files[1].path == "/app/chart_data/1223/DE/1223_DE_quarterhour_1772406000000.json"
    week = (DATA / "smard/week.json").read_bytes()
    assert not following([*lists, Body(files[0], week, KNOWN_AT, 7)])


def aland(labels: list[str], known_at: datetime) -> pl.DataFrame:
    series = [json.dumps(labels), *[json.dumps([1.0] * len(labels))] * 6]
    page = "<html>" + "".join(f"data: {each};" for each in series) + "</html>"
    return parse_aland([Body(Request("GET", "/x"), page.encode(), known_at, 7)])


def test_aland_has_labels_without_a_date() -> None:
    frame = written("kraftnat_aland", "chart.html")
    assert mix(frame.filter(pl.col("zone") == "AX")) == {
        "generation_oil": 0.0,
        "generation_wind": 20.0,
        "load": 29.5,
    }
    flows = frame.filter(pl.col("signal") == "flow").sort("zone", "start")
    assert flows.select("zone", "value").rows() == [
        ("FI->AX", -1.0),
        ("FI->AX", -1.0),
        ("SE-SE3->AX", 10.5),
        ("SE-SE3->AX", 11.0),
    ]
    assert frame["start"].max() == datetime(2026, 3, 2, 11, 45, tzinfo=UTC)


@pytest.mark.parametrize(
    ("known_at", "labels"),
    [
        (datetime(2026, 3, 29, 1, 20, tzinfo=UTC), ["02:30", "02:45", "04:00", "04:15"]),
        (datetime(2026, 10, 25, 1, 20, tzinfo=UTC), ["03:30", "03:45", "03:00", "03:15"]),
    ],
)
def test_aland_on_both_days_when_clocks_change(known_at: datetime, labels: list[str]) -> None:
    starts = aland(labels, known_at)["start"].unique().sort().to_list()
    last = known_at - timedelta(minutes=5)
    assert starts == [last - each * QUARTER for each in (3, 2, 1, 0)]


def test_aland_refuses_labels_that_are_not_in_order() -> None:
    with pytest.raises(SourceChanged, match="quarter of an hour"):
        aland(["10:00", "12:00"], KNOWN_AT)


@pytest.mark.parametrize("name", ["landsnet", "sev_faroe", "statnett"])
def test_a_report_of_the_moment_is_requested_for_the_newest_span_only(name: str) -> None:
    source, now = sources()[name], datetime(2026, 3, 2, 12, 10, tzinfo=UTC)
    spans = split_span(Span(now - timedelta(hours=3), now), source.max_span)
    assert len(spans) > 1
    asked = [
        span
        for span in spans
        if source.requests(
            Query(Kind.GENERATION, tuple(source.zones), span.start, span.end, now)
        )
    ]
    assert asked == spans[-1:]

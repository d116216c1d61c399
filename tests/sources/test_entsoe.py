"""ENTSO-E: documents of its seven types, their curves, codes, areas and acknowledgements."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from gridtide_pipelines.errors import NothingYet, SourceChanged
from gridtide_pipelines.ingest.normalize import normalize
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request
from gridtide_pipelines.ingest.sources import entsoe
from gridtide_pipelines.ingest.sources.entsoe_areas import areas

DATA = Path(__file__).with_name("data") / "entsoe"
KNOWN_AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
AT, CH = "10YAT-APG------L", "10YCH-SWISSGRIDZ"
START, HOUR = datetime(2026, 3, 1, tzinfo=UTC), timedelta(hours=1)


def body(name: str | bytes, *zones: str) -> Body:
    content = name if isinstance(name, bytes) else (DATA / f"{name}.xml").read_bytes()
    return Body(Request("GET", "/api", zones=zones), content, KNOWN_AT, 1)


def said(frame: pl.DataFrame, signal: str) -> list[tuple[float, float, float | None]]:
    """Start, length, both in hours, and value of each slot."""
    rows = frame.filter(pl.col("signal") == signal).sort("start")
    return [
        ((start - START) / HOUR, (end - start) / HOUR, value)
        for start, end, value in rows.select("start", "end", "value").iter_rows()
    ]


def test_codes_of_one_fuel_are_added_and_what_consumes_counts_negative() -> None:
    frame = entsoe.parse([body("generation", "AT")])
    assert set(frame["zone"]) == {"AT"}
    # Curve A03 repeats 100.5 in hour 1; hard coal (A01) has no hour 2.
    assert said(frame, "generation_coal") == [
        (0, 1, 150.5),
        (1, 1, 160.5),
        (2, 1, 120.0),
        (3, 1, 200.0),
    ]
    partial = frame.filter(pl.col("flag") == "partial")
    assert partial.select("signal", "start").rows() == [("generation_coal", START + 2 * HOUR)]
    assert said(frame, "generation_hydro_storage") == [
        (0, 1, 40.0),
        (1, 1, -70.0),
        (2, 1, -70.0),
        (3, 1, -70.0),
    ]
    # A point without a quantity is known to be unknown.
    assert said(frame, "generation_hydro") == [
        (0, 1, 5.0),
        (1, 1, None),
        (2, 1, 6.0),
        (3, 1, 7.0),
    ]


def test_a_sum_that_lacks_a_code_is_stored_as_unknown() -> None:
    bodies = [body("generation", "AT")]
    found = normalize(entsoe.parse(bodies), entsoe.SOURCE, bodies)
    coal = found.observations.filter(pl.col("signal") == "generation_coal")
    assert coal["value"].to_list() == [150.5, 160.5, None, 200.0]
    assert found.flags == {"partial": 1}


def test_codes_of_one_fuel_in_slots_of_two_lengths_are_no_whole() -> None:
    content = (DATA / "generation.xml").read_bytes()
    hours = b"<end>2026-03-01T04:00Z</end></timeInterval>\n      <resolution>PT60M"
    first, _, rest = content.partition(hours)  # lignite
    quarters = rest.replace(hours, hours.replace(b"04:00", b"01:00").replace(b"60M", b"15M"), 1)
    frame = entsoe.parse([body(first + hours + quarters, "AT")])  # hard coal, 4 quarter hours
    coal = frame.filter(pl.col("signal") == "generation_coal")
    assert len(said(frame, "generation_coal")) == 4 + 3
    assert coal["flag"].to_list() == ["partial"] * 7


def test_a_document_may_change_its_resolution_and_time_between_periods_is_a_gap() -> None:
    frame = entsoe.parse([body("generation", "AT")])
    assert said(frame, "generation_solar") == [
        *((hour, 1, 10.0) for hour in range(4)),
        (5, 0.25, 20.0),
        (5.25, 0.25, 20.0),
        (5.5, 0.25, 30.0),
        (5.75, 0.25, 30.0),
    ]


def test_an_unknown_code_is_unknown_and_flagged() -> None:
    frame = entsoe.parse([body("generation_new_code", "AT")])
    assert said(frame, "generation_unknown") == [(0, 1, 4.0), (1, 1, 6.0)]
    assert set(frame["flag"]) == {"unmapped_code:B99"}


@pytest.mark.parametrize(
    ("name", "signal", "values"),
    [
        ("generation_forecast", "generation_total", [5000.0, 5100.0]),
        ("load_forecast", "load", [7100.0, 7150.0]),
        ("wind_solar_forecast", "generation_solar", [0.0, 0.0, 12.0]),
        ("wind_solar_forecast", "generation_wind", [300.0, 300.0, 300.0]),
    ],
)
def test_a_forecast_is_a_run_known_when_it_was_received(
    name: str, signal: str, values: list[float]
) -> None:
    frame = entsoe.parse([body(name, "AT")])
    assert [value for _, _, value in said(frame, signal)] == values
    assert set(frame["issued_at"]) == {KNOWN_AT}
    assert set(frame["quality"]) == {"forecast"}


def test_load_is_an_observation() -> None:
    frame = entsoe.parse([body("load", "AT")])
    assert said(frame, "load") == [
        (0, 0.5, 7000.0),
        (0.5, 0.5, 7000.0),
        (1, 0.5, 7200.25),
        (1.5, 0.5, 7200.25),
    ]
    assert frame["issued_at"].null_count() == frame.height


def test_the_flow_of_a_border_is_the_difference_of_its_directions() -> None:
    bodies = [body(name, "AT", "CH") for name in ("flow_from_AT_to_CH", "flow_from_CH_to_AT")]
    frame = entsoe.parse(bodies)
    assert set(frame["zone"]) == {"AT->CH"}
    # Hour 2 came for one direction only, so the flow is not known.
    assert said(frame, "flow") == [(0, 1, 200.0), (1, 1, -150.0)]


def test_one_direction_alone_is_what_it_says() -> None:
    one = entsoe.parse([body("flow_from_AT_to_CH", "AT", "CH")])
    assert said(one, "flow") == [(0, 1, 200.0), (1, 1, 0.0), (2, 1, 0.0)]
    turned = entsoe.parse([body("flow_from_AT_to_CH", "CH", "AT")])
    assert said(turned, "flow") == [(0, 1, -200.0), (1, 1, 0.0), (2, 1, 0.0)]
    plain = entsoe.parse([body("flow_from_AT_to_CH")])
    assert set(plain["zone"]) == {f"{AT}->{CH}"}


def test_an_exchange_of_another_border_is_refused() -> None:
    with pytest.raises(SourceChanged, match="not of FR->ES"):
        entsoe.parse([body("flow_from_AT_to_CH", "FR", "ES")])


def test_of_several_contracts_the_total_counts() -> None:
    frame = entsoe.parse([body("scheduled_two_contracts", "AT", "CH")])
    assert [value for _, _, value in said(frame, "flow")] == [90.0, 91.0]
    assert set(frame["issued_at"]) == {KNOWN_AT}


def test_the_first_auction_counts() -> None:
    frame = entsoe.parse([body("price_two_auctions", "AT")])
    assert said(frame, "price_eur") == [(0, 1, 55.5), (1, 1, -3.25)]


def test_of_two_resolutions_the_finer_counts_where_it_is() -> None:
    frame = entsoe.parse([body("price_two_resolutions", "AT")])
    assert said(frame, "price_eur") == [
        (0, 0.25, 70.0),
        (0.25, 0.25, 70.0),
        (0.5, 0.25, 72.0),
        (0.75, 0.25, 72.0),
        (1, 1, 61.0),
    ]


@pytest.mark.parametrize("name", ["nothing_acknowledged", "nothing_not_available"])
def test_an_acknowledgement_without_data_is_nothing_yet(name: str) -> None:
    with pytest.raises(NothingYet):
        entsoe.parse([body(name, "AT")])


def test_one_body_without_data_leaves_the_others() -> None:
    frame = entsoe.parse([body("nothing_acknowledged", "AT"), body("load", "AT")])
    assert frame.height == 4


def test_an_acknowledgement_that_refuses_is_source_changed() -> None:
    with pytest.raises(SourceChanged, match="exceeds the allowed maximum"):
        entsoe.parse([body("error_too_many", "AT")])


def test_a_zip_of_documents_is_read() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("generation", "load"):
            archive.writestr(f"{name}.xml", (DATA / f"{name}.xml").read_bytes())
    frame = entsoe.parse([body(packed.getvalue(), "AT")])
    assert {"generation_coal", "load"} <= set(frame["signal"])


GOOD = (DATA / "load.xml").read_text()
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {chr(98 + i)} "{"&" + chr(97 + i) + ";"}{("&" + chr(97 + i) + ";") * 9}">'
        for i in range(8)
    )
    + "]><GL_MarketDocument>&i;</GL_MarketDocument>"
)


def _zip_bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", b" " * (40 * 2**20))
    return packed.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><body>Service unavailable</body></html>",
        GOOD[:300].encode(),
        GOOD.replace("GL_MarketDocument", "Unknown_MarketDocument").encode(),
        GOOD.replace("PT30M", "PT7M").encode(),
        GOOD.replace("PT30M", "P1Y").encode(),
        GOOD.replace("<position>3<", "<position>99<").encode(),
        GOOD.replace("<position>3<", "<position>x<").encode(),
        GOOD.replace("7200.25", "NaN").encode(),
        GOOD.replace("2026-03-01T02:00Z", "9999-03-01T02:00Z").encode(),
        GOOD.replace("A03", "A02").encode(),
        GOOD.replace("A65", "A99").encode(),
        GOOD.replace('encoding="UTF-8"', 'encoding="EBCDIC-9"').encode(),
        BOMB.encode(),
        b"<a>" * 200_000,
        b"PK\x03\x04 and no more",
        _zip_bomb(),
        b"<a>" + b" " * (33 * 2**20) + b"</a>",
    ],
    ids=range(18),
)
def test_a_hostile_body_is_source_changed(content: bytes) -> None:
    with pytest.raises(SourceChanged, match="entsoe"):
        entsoe.parse([body(content, "AT")])


def test_another_encoding_is_read_as_it_says() -> None:
    utf_16 = GOOD.replace("UTF-8", "UTF-16").encode("utf-16")
    assert entsoe.parse([body(utf_16, "AT")]).height == 4


def requests(kind: Kind, zones: Sequence[str], start: datetime = START) -> list[list[Request]]:
    end = start + 24 * HOUR
    query = Query(kind, tuple(zones), start, end, end)
    return [list(group) for group in entsoe.requests(query)]


def test_each_zone_is_a_group_and_asks_under_the_code_of_the_item() -> None:
    ((germany,), (france,)) = requests(Kind.GENERATION, ["DE", "FR"])
    assert germany.zones == ("DE",)
    assert dict(germany.params) == {
        "documentType": "A75",
        "processType": "A16",
        "in_Domain": "10Y1001A1001A83F",
        "periodStart": "202603010000",
        "periodEnd": "202603020000",
    }
    assert dict(france.params)["in_Domain"] == "10YFR-RTE------C"
    ((price,),) = requests(Kind.PRICE, ["DE"])
    assert dict(price.params)["out_Domain"] == "10Y1001A1001A82H"


def test_a_zone_of_several_codes_is_one_group_and_they_are_added() -> None:
    (group,) = requests(Kind.GENERATION, ["IT-SO"])
    assert [dict(each.params)["in_Domain"] for each in group] == [
        "10Y1001A1001A788",
        "10Y1001C--00096J",
    ]
    (before,) = requests(Kind.GENERATION, ["IT-SO"], datetime(2018, 6, 1, tzinfo=UTC))
    assert len(before) == 4
    load = (DATA / "load.xml").read_bytes()
    two = [body(load, "IT-SO"), body(load.replace(AT.encode(), CH.encode()), "IT-SO")]
    assert said(entsoe.parse(two), "load")[0] == (0, 0.5, 14000.0)


def later(content: bytes) -> bytes:
    """The load of half hours 2 and 3 alone: those before it are not there yet."""
    first = content.index(b"<Point>")
    return content[:first] + content[content.index(b"<position>3</position>") - 7 :]


@pytest.mark.parametrize("second", ["nothing_acknowledged", "half"])
def test_a_zone_of_which_one_code_lacks_a_time_is_partial(second: str) -> None:
    load = (DATA / "load.xml").read_bytes()
    of_other = load.replace(AT.encode(), CH.encode())
    other = later(of_other) if second == "half" else second
    frame = entsoe.parse([body(load, "IT-SO"), body(other, "IT-SO")])
    flags = dict(frame.select((pl.col("start") - START) / HOUR, "flag").iter_rows())
    late = [0.0, 0.5] if second == "half" else [0.0, 0.5, 1.0, 1.5]
    assert [hour for hour, flag in sorted(flags.items()) if flag == "partial"] == late


def test_a_code_is_missed_only_at_times_it_was_requested_for() -> None:
    def within(first: str, last: str, name: str | bytes) -> Body:
        plain = body(name, "IT-SO")
        span = (("periodStart", f"2026030{first}"), ("periodEnd", f"2026030{last}"))
        return Body(Request("GET", "/api", span, zones=("IT-SO",)), plain.content, KNOWN_AT, 1)

    load = (DATA / "load.xml").read_bytes()
    ended, goes_on = within("10000", "10100", load), within("10100", "20000", load)
    frame = entsoe.parse([ended, goes_on])
    assert said(frame, "load") == said(entsoe.parse([body("load", "IT-SO")]), "load")
    assert frame["flag"].null_count() == 4


def test_a_direction_without_data_leaves_the_flow_unknown() -> None:
    bodies = [body(name, "AT", "CH") for name in ("flow_from_AT_to_CH", "nothing_acknowledged")]
    with pytest.raises(NothingYet):
        entsoe.parse(bodies)


def test_the_load_of_a_zone_is_requested_under_one_code_at_a_time() -> None:
    for zone in {area.zone for area in areas() if area.item == "load"} - {"IT-SO"}:
        spans = sorted(
            (area.since or datetime.min.replace(tzinfo=UTC), area.until)
            for area in areas()
            if (area.zone, area.item) == (zone, "load")
        )
        assert all(
            until is not None and until <= since for (_, until), (since, _) in pairwise(spans)
        )


def test_a_code_that_ends_within_the_span_is_asked_until_then() -> None:
    split = datetime(2018, 10, 1, tzinfo=UTC)
    (group,) = [
        list(each)
        for each in entsoe.requests(
            Query(Kind.PRICE, ("DE",), split - 24 * HOUR, split + 24 * HOUR, KNOWN_AT)
        )
    ]
    assert [(dict(r.params)["in_Domain"], dict(r.params)["periodEnd"]) for r in group] == [
        ("10Y1001A1001A63L", "201810010000"),
        ("10Y1001A1001A82H", "201810020000"),
    ]


def test_a_border_is_a_group_of_both_directions() -> None:
    groups = requests(Kind.FLOW, ["AT"])
    border = next(group for group in groups if group[0].zones == ("AT", "CH"))
    assert [(dict(r.params)["in_Domain"], dict(r.params)["out_Domain"]) for r in border] == [
        (AT, CH),
        (CH, AT),
    ]


def test_every_zone_of_the_catalogue_with_this_source_has_a_code_for_generation() -> None:
    asked = {
        group[0].zones[0] for group in requests(Kind.GENERATION, sorted(entsoe.SOURCE.zones))
    }
    assert asked == entsoe.SOURCE.zones
    assert len(asked) >= 50

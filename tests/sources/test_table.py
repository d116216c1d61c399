"""Readings as a table in the publisher's terms, and the command that prints it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide.cli.script import main
from gridtide_pipelines.derive.factors import factor_set
from gridtide_pipelines.derive.intensity import derive
from gridtide_pipelines.ingest.normalize import normalize
from gridtide_pipelines.ingest.parsing import readings
from gridtide_pipelines.ingest.source import Body, Kind, Request
from gridtide_pipelines.ingest.sources import sources
from gridtide_pipelines.ingest.table import table, zones_of

DATA = Path(__file__).with_name("data")
KNOWN_AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def rows(source: str, zone: str, kind: Kind | None, *names: str) -> list[tuple[object, ...]]:
    publisher = sources()[source]
    bodies = [
        Body(
            Request("GET", "/", zones=zones_of(publisher, zone)),
            (DATA / source / name).read_bytes(),
            KNOWN_AT,
            0,
        )
        for name in names
    ]
    return table(publisher.parse(bodies), publisher, zone, kind).rows()


def test_of_several_runs_of_a_forecast_the_newest_is_printed() -> None:
    pair = [KNOWN_AT - timedelta(hours=hours) for hours in (1, 2)]
    frame = readings(
        zone="GB",
        signal="load",
        start=[KNOWN_AT] * 3,
        end=timedelta(hours=1),
        value=[7.0, 6.0, 5.0],
        issued_at=[*pair, None],
    )
    printed = table(frame, sources()["uk_carbon_intensity"], "GB", None)
    assert printed["fuel", "mw"].rows() == [("forecast_load", 7), ("load", 5)]


def test_net_imports_are_of_the_kind_generation_and_no_fuel() -> None:
    start = [KNOWN_AT - timedelta(hours=1)] * 3
    frame = readings(
        zone="US-CAL-CISO",
        signal=["imports", "import_france", "generation_wind"],
        start=start,
        end=timedelta(minutes=5),
        value=[5.0, -2.0, 1.0],
    )
    printed = table(frame, sources()["eia"], "US-CAL-CISO", Kind.GENERATION)
    assert printed["fuel"].to_list() == ["import_france", "imports", "wind"]
    requested = [Body(Request("GET", "/", zones=("US-CAL-CISO",)), b"", KNOWN_AT, 1)]
    kept = normalize(frame, sources()["eia"], requested).observations
    assert sorted(kept["signal"]) == ["generation_wind", "import_france", "imports"]
    mix = derive(kept, factor_set())
    assert mix.filter(pl.col("signal") == "cfe_produced")["value"].to_list() == [1.0]


FLOWS = ("flow_from_AT_to_CH.xml", "flow_from_CH_to_AT.xml")


def test_a_pair_is_printed_as_asked_positive_along_the_arrow() -> None:
    assert rows("entsoe", "AT->CH", Kind.FLOW, *FLOWS) == [
        ("AT->CH", "2026-03-01T00:00:00Z", "net_flow", 200.0),
        ("AT->CH", "2026-03-01T01:00:00Z", "net_flow", -150.0),
    ]
    assert [row[3] for row in rows("entsoe", "CH->AT", Kind.FLOW, *FLOWS)] == [-200.0, 150.0]


@pytest.mark.parametrize(
    ("pair", "sign"),
    [
        ("10YAT-APG------L->10YCH-SWISSGRIDZ", 1),
        ("10YCH-SWISSGRIDZ->10YAT-APG------L", -1),
        ("AT->10YCH-SWISSGRIDZ", 1),
    ],
)
def test_a_pair_may_be_of_the_publisher_s_codes(pair: str, sign: int) -> None:
    assert [(row[0], row[3]) for row in rows("entsoe", pair, Kind.FLOW, *FLOWS)] == [
        (pair, 200.0 * sign),
        (pair, -150.0 * sign),
    ]


def test_codes_of_the_publisher_are_names_too_and_stand_where_all_are_asked() -> None:
    by_key = rows("entsoe", "AT", Kind.LOAD, "load.xml")
    by_code = rows("entsoe", "10YAT-APG------L", Kind.LOAD, "load.xml")
    assert [row[1:] for row in by_code] == [row[1:] for row in by_key]
    assert {row[0] for row in by_code} == {"10YAT-APG------L"}
    assert {row[0] for row in rows("entsoe", "*", None, "load.xml")} == {"10YAT-APG------L"}
    eia = rows("eia", "*", Kind.GENERATION, "generation.json")
    assert all(not str(row[0]).startswith("US-") for row in eia)
    (first, *_) = sorted({str(row[0]) for row in eia})
    assert [row for row in eia if row[0] == first] == rows(
        "eia", first, Kind.GENERATION, "generation.json"
    )


def test_fuels_are_named_by_what_they_are() -> None:
    names = {
        name: {row[2] for row in rows("entsoe", "AT", None, f"{name}.xml")}
        for name in ("price_two_auctions", "wind_solar_forecast", "generation_forecast")
    }
    assert names == {
        "price_two_auctions": {"price_eur"},
        "wind_solar_forecast": {"forecast_solar", "forecast_wind"},
        "generation_forecast": {"forecast_total"},
    }
    shares = rows("uk_carbon_intensity", "GB", Kind.INTENSITY, "generation.json")
    assert {"share_pct_other", "share_pct_imports"} <= {str(row[2]) for row in shares}
    assert sum(float(str(row[3])) for row in shares if row[1] == shares[0][1]) == pytest.approx(
        100, abs=1
    )


def test_a_null_makes_no_row_and_another_kind_none() -> None:
    hydro = [row for row in rows("entsoe", "AT", None, "generation.xml") if row[2] == "hydro"]
    assert [row[3] for row in hydro] == [5.0, 6.0, 7.0]
    assert rows("entsoe", "AT", Kind.LOAD, "generation.xml") == []
    assert rows("entsoe", "FR", Kind.FLOW, "generation.xml") == []


def test_the_command_prints_csv_and_says_the_rest_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = str(DATA / "entsoe/generation_new_code.xml")
    assert main(["parse", "entsoe", path, "--zone", "AT"], {}) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        "zone,timestamp_utc,fuel,mw",
        "AT,2026-03-01T00:00:00Z,unknown,4.0",
        "AT,2026-03-01T01:00:00Z,unknown,6.0",
    ]
    assert "unmapped_code:B99 (2 values)" in printed.err
    assert main(["parse", "entsoe", path, "--zone", "AT", "--json"], {}) == 0
    assert json.loads(capsys.readouterr().out)["rows"][1]["mw"] == 6.0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["enstoe", "load.xml", "--zone", "AT"], 2, "must be one of "),
        (["entsoe", "load.xml", "--zone", "AT", "--kind", "fuel"], 2, "must be one of"),
        (["entsoe", "absent.xml", "--zone", "AT"], 2, "cannot be read"),
        (["entsoe", "error_too_many.xml", "--zone", "AT"], 1, "allowed maximum"),
        (["eia", "load.xml", "--zone", "BANC"], 1, "unexpected body"),
        (["entsoe", "load.xml", "flow_from_AT_to_CH.xml", "--zone", "AT"], 0, ""),
    ],
)
def test_what_cannot_be_parsed_is_refused_with_its_reason(
    words: list[str],
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(DATA / "entsoe")
    assert main(["parse", *words], {}) == code
    assert said in capsys.readouterr().err


def test_a_body_that_says_nothing_has_no_rows(capsys: pytest.CaptureFixture[str]) -> None:
    path = str(DATA / "entsoe/nothing_acknowledged.xml")
    assert main(["parse", "entsoe", path, "--zone", "AT"], {}) == 0
    printed = capsys.readouterr()
    assert printed.out == "zone,timestamp_utc,fuel,mw\n"
    assert "no value yet" in printed.err


def test_a_file_larger_than_any_answer_is_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (tmp_path / "large").open("wb") as large:
        large.truncate(200 * 2**20)
    assert main(["parse", "entsoe", str(tmp_path / "large"), "--zone", "AT"], {}) == 1
    assert "an answer has at most" in capsys.readouterr().err


def test_a_zone_that_the_body_lacks_is_named_with_those_it_has(
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = str(DATA / "eia/generation.json")
    assert main(["parse", "eia", path, "--zone", "XX"], {}) == 0
    printed = capsys.readouterr()
    assert printed.out == "zone,timestamp_utc,fuel,mw\n"
    there = sorted({str(row[0]) for row in rows("eia", "*", None, "generation.json")})
    said = f"no value for zone 'XX'; there are values for {', '.join(there)}"
    assert printed.err.splitlines()[-1] == said
    assert main(["parse", "eia", path, "--zone", there[0], "--kind", "price"], {}) == 0
    assert f"no value of kind price for zone {there[0]!r}" in capsys.readouterr().err

"""What a file may look like, and what is said of one that may not."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gridtide.errors import BadInput
from gridtide_pipelines.importing.content import Content
from gridtide_pipelines.importing.layouts import Hints
from gridtide_pipelines.importing.tables import Table, read_table

WIDE = """ts_utc,gen_nat_gas_mwh,gen_wind_mwh,note
2021-01-01T00:00Z,100,50.5,x
2021-01-01T01:00Z,,60,y
2021-01-01T02:00Z,120,NaN,z
"""
LONG = """zone,start,fuel,mw
DE,2021-01-01T00:00Z,gas,100
DE,2021-01-01T00:00Z,Wind,50
FR,2021-01-01T00:00Z,nuclear,900
CISO,2021-01-01T00:00Z,solar,7
"""


def hour(h: int) -> datetime:
    return datetime(2021, 1, 1, h, tzinfo=UTC)


def read(content: str | bytes, zone: str = "DE") -> Table:
    data = content.encode() if isinstance(content, str) else content
    return read_table(Content("a.csv", data), zone)


def values(table: Table) -> dict[tuple[str, datetime], float | None]:
    rows = table.rows.select("label", pl.col("signal").str.strip_prefix("generation_"), "value")
    return {(fuel, label): value for label, fuel, value in rows.iter_rows()}


def parquet(frame: pl.DataFrame) -> bytes:
    sink = io.BytesIO()
    frame.write_parquet(sink)
    return sink.getvalue()


def test_a_wide_csv_is_energy_by_fuel_and_empty_cells_are_gaps() -> None:
    table = read(WIDE)
    assert table.energy
    assert table.ignored == ("note",)
    assert values(table) == {
        ("gas", hour(0)): 100.0,
        ("gas", hour(1)): None,
        ("gas", hour(2)): 120.0,
        ("wind", hour(0)): 50.5,
        ("wind", hour(1)): 60.0,
        ("wind", hour(2)): None,
    }


def test_parquet_says_the_same_as_csv() -> None:
    frame = pl.DataFrame(
        {
            "ts_utc": [hour(0), hour(1), hour(2)],
            "gen_nat_gas_mwh": [100, None, 120],
            "gen_wind_mwh": [50.5, 60.0, float("nan")],
            "note": [None, None, None],
        }
    )
    table = read_table(Content("a.parquet", parquet(frame)), "DE")
    assert values(table) == values(read(WIDE))
    assert table.ignored == ("note",)


def test_a_long_csv_is_power_of_the_zone_selected_by_key_or_alias() -> None:
    table = read(LONG)
    assert not table.energy
    assert values(table) == {("gas", hour(0)): 100.0, ("wind", hour(0)): 50.0}
    assert values(read(LONG, "US-CAL-CISO")) == {("solar", hour(0)): 7.0}


def test_a_zone_that_is_not_in_the_file_is_refused_naming_those_that_are() -> None:
    with pytest.raises(BadInput, match="no rows of PL; its zones are CISO, DE, FR"):
        read(LONG, "PL")


@pytest.mark.parametrize(
    "time",
    ["2021-01-01T01:00+01:00", "2020-12-31 23:00:00-01:00", "20210101T000000Z"],
)
def test_an_offset_is_turned_into_utc(time: str) -> None:
    table = read(f"ts_utc,gen_gas_mwh\n{time},1\n")
    assert table.rows["label"].to_list() == [hour(0)]


def test_a_parquet_column_in_another_time_zone_is_turned_into_utc() -> None:
    stamps = pl.Series([hour(0), hour(1)], dtype=pl.Datetime("ms", "UTC"))
    frame = pl.DataFrame(
        {"ts_utc": stamps.dt.convert_time_zone("Asia/Kolkata"), "gen_gas_mwh": [1, 2]}
    )
    table = read_table(Content("a.parquet", parquet(frame)), "DE")
    assert table.rows["label"].to_list() == [hour(0), hour(1)]


def test_other_and_unknown_are_added_up_and_a_missing_part_leaves_a_gap() -> None:
    table = read(
        "ts_utc,gen_other_mwh,gen_unknown_mwh\n2021-01-01T00:00Z,1,10\n2021-01-01T01:00Z,,10\n"
    )
    assert values(table) == {("unknown", hour(0)): 11.0, ("unknown", hour(1)): None}


def test_other_that_charges_takes_nothing_from_unknown() -> None:
    table = read(
        "ts_utc,gen_other_mwh,gen_unknown_mwh\n2021-01-01T00:00Z,-80,100\n"
        "2021-01-01T01:00Z,-80,-5\n"
    )
    assert values(table) == {("unknown", hour(0)): 100.0, ("unknown", hour(1)): -85.0}


def test_a_column_without_values_is_a_gap_unless_another_names_its_fuel() -> None:
    table = read("ts_utc,gen_other_mwh,gen_unknown_mwh,gen_oil_mwh\n2021-01-01T00:00Z,,10,\n")
    assert values(table) == {("unknown", hour(0)): 10.0, ("oil", hour(0)): None}
    assert table.empty == ("gen_oil_mwh",)


def test_an_empty_cell_is_a_gap_also_before_the_first_value() -> None:
    table = read(
        "ts_utc,gen_gas_mwh,gen_battery_storage_mwh\n"
        "2021-01-01T00:00Z,1,\n2021-01-01T01:00Z,1,-5\n2021-01-01T02:00Z,1,\n"
    )
    battery = {key[1]: v for key, v in values(table).items() if key[0] == "battery_storage"}
    assert battery == {hour(0): None, hour(1): -5.0, hour(2): None}


def test_a_long_file_names_a_fuel_by_its_rows_alone() -> None:
    table = read(
        "zone,start,fuel,mw\nDE,2021-01-01T00:00Z,wind,1\nDE,2021-01-01T01:00Z,wind,1\n"
        "DE,2021-01-01T02:00Z,wind,1\nDE,2021-01-01T01:00Z,gas,\nDE,2021-01-01T02:00Z,gas,5\n"
    )
    gas = {key[1]: v for key, v in values(table).items() if key[0] == "gas"}
    assert gas == {hour(1): None, hour(2): 5.0}


def test_upper_case_headers_are_read_and_not_ignored() -> None:
    table = read("ts_utc,GEN_COAL_MWH\n2021-01-01T00:00Z,5\n")
    assert values(table) == {("coal", hour(0)): 5.0}
    assert table.ignored == ()


T0 = "2021-01-01T00:00Z"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "a.csv is empty"),
        ("\n\n", "a.csv is empty"),
        ("ts_utc,gen_gas_mwh\n", "no rows"),
        (f"ts_utc,gen_gas_mwh\n{T0},\n", "every cell of generation is empty"),
        ("a,b\n1,2\n", "columns a, b; it needs ts_utc"),
        (f"ts_utc,wind\n{T0},2\n", "no column gen_<fuel>_mwh; it has ts_utc, wind"),
        (
            f"zone,start,fuel,value\nDE,{T0},gas,2\n",
            "lacks mw; it has zone, start, fuel, value",
        ),
        ("ts_utc,gen_gas_mwh\n2021-01-01T00:00,1\n", "row 2, ts_utc .* has no UTC offset"),
        (f"ts_utc,gen_gas_mwh\n{T0},1\n01/02/2021,1\n", "some times have no UTC offset"),
        (f"ts_utc,gen_gas_mwh\n{T0},1\n,1\n", "row 3, ts_utc is empty"),
        (f"ts_utc,gen_gas_mwh\n{T0},1\n{T0},2\n", "rows 2 and 3 are both gen_gas_mwh at 2021"),
        (f"ts_utc,gen_gas_mwh\n{T0},12 GW\n", "row 2, gen_gas_mwh is '12 GW', not a number"),
        (f'ts_utc,gen_gas_mwh\n{T0},"1,5"\n', "'1,5', not a number"),
        (f"ts_utc,gen_gas_mwh\n{T0},inf\n", "'inf', not a number"),
        (f"ts_utc,gen_peat_mwh\n{T0},1\n", "no fuel peat; there are coal, gas"),
        (f"ts_utc,gen_gas_mwh,gen_nat_gas_mwh\n{T0},1,1\n", "are all gas; keep one"),
        (f"ts_utc,gen_gas_mwh,gen_gas_mwh\n{T0},1,1\n", "two columns gen_gas_mwh"),
        (f"ts_utc,gen_gas_mwh\n{T0},1,2,3\n", "cannot be read as CSV"),
        (f"zone,start,fuel,mw\nDE,{T0},,2\n", "no fuel"),
        (
            f"zone,start,fuel,mw\nFR,{T0},gas,1\nDE,{T0},gas,1\nDE,{T0},gas,2\n",
            "rows 3 and 4 are both gas",
        ),
        (f"zone,start,fuel,mw\nFR,{T0},gas,1\nDE,{T0},gas,x\n", "row 3, mw is 'x'"),
        (b"\xff\xfe\x00\x01", "neither Parquet nor CSV"),
        (b"PAR1 and then nothing", "not a whole Parquet file"),
    ],
)
def test_a_bad_file_is_refused_and_says_where(content: str | bytes, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        read(content)


@pytest.mark.parametrize(
    ("stamps", "says"),
    [
        (pl.Series([hour(0)]).dt.replace_time_zone(None), "no UTC offset; name the time zone"),
        (pl.Series([hour(0).date()]), "no UTC offset"),
        (pl.Series([1609459200.5]), "is Float64, not times"),
        (pl.Series([None], dtype=pl.Datetime("us", "UTC")), "row 1, ts_utc is empty"),
    ],
)
def test_a_parquet_column_that_names_no_instants_is_refused(
    stamps: pl.Series, says: str
) -> None:
    content = parquet(pl.DataFrame({"ts_utc": stamps, "gen_gas_mwh": [1.0]}))
    with pytest.raises(BadInput, match=says):
        read_table(Content("a.parquet", content), "DE")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_column_may_be_named_as_ours_are(kind: str) -> None:
    frame = pl.DataFrame({"row": [hour(0), hour(1)], "zone of row": [1.0, 2.0], "zone": "DE"})
    text = "row,zone of row,zone\n2021-01-01T00:00Z,1,DE\n2021-01-01T01:00Z,2,DE\n"
    hints = Hints(
        time_column="row", zone_column="zone", mapping=(("gas", "zone of row"),), unit="MW"
    )
    content = Content("a", text.encode() if kind == "csv" else parquet(frame))
    table = read_table(content, "DE", hints)
    assert values(table) == {("gas", hour(0)): 1.0, ("gas", hour(1)): 2.0}


def test_a_parquet_column_of_lists_is_no_generation() -> None:
    frame = pl.DataFrame({"ts_utc": [hour(0)], "gen_gas_mwh": [[1.0, 2.0]]})
    with pytest.raises(BadInput, match=r"gen_gas_mwh is List.*, not numbers"):
        read(parquet(frame))


def test_a_parquet_column_of_truth_values_is_no_generation() -> None:
    content = parquet(pl.DataFrame({"ts_utc": [hour(0)], "gen_gas_mwh": [True]}))
    with pytest.raises(BadInput, match="is Boolean, not numbers"):
        read_table(Content("a.parquet", content), "DE")


WHOLE = parquet(
    pl.DataFrame(
        {"ts_utc": [hour(h) for h in range(24)], "gen_gas_mwh": [float(h) for h in range(24)]}
    )
)


@given(st.integers(0, len(WHOLE) - 1))
def test_a_parquet_file_cut_short_anywhere_is_refused(length: int) -> None:
    with pytest.raises(BadInput):
        read_table(Content("a.parquet", WHOLE[:length]), "DE")


def outcome(content: bytes) -> Table | BadInput:
    """What `read_table` gives or raises."""
    try:
        return read_table(Content("a.bin", content), "DE")
    except BadInput as error:
        return error


@given(st.binary(max_size=200))
@example(b"\r\x00")
def test_any_bytes_are_a_table_or_bad_input(content: bytes) -> None:
    assert isinstance(outcome(content), Table | BadInput)


@given(st.text(alphabet='tsu_cgenmwh,"\n\r\t 0129-:.TZ;é', max_size=200))
def test_any_text_after_a_good_header_is_a_table_or_bad_input(text: str) -> None:
    content = f"ts_utc,gen_gas_mwh\n{text}".encode()
    assert isinstance(outcome(content), Table | BadInput)


@pytest.mark.parametrize(
    "column", ["Coal [MWh]", "wind_mwh", "gen_coal", "Nuclear", "GEN_X_MW"]
)
def test_a_column_that_may_be_a_fuel_is_not_left_out_of_a_wide_file(column: str) -> None:
    text = f"ts_utc,gen_gas_mwh,{column},load_mwh\n2021-01-01T00:00Z,1,5,9\n"
    with pytest.raises(BadInput, match=f"not said what {re.escape(column)} are; map each"):
        read(text)
    for ignore in (column, "*"):
        table = read_table(Content("a.csv", text.encode()), "DE", Hints(ignore=(ignore,)))
        assert values(table) == {("gas", hour(0)): 1.0}
    assert read(text.replace(",5,", ",,")).ignored == (column, "load_mwh")


@pytest.mark.parametrize("column", ["ci_g_per_kwh", "gCO2/kWh", "total_mwh", "Net export MW"])
def test_a_column_that_is_no_fuel_is_passed_over_and_named(column: str) -> None:
    assert read(f"ts_utc,gen_gas_mwh,{column}\n2021-01-01T00:00Z,1,5\n").ignored == (column,)


def test_a_column_to_ignore_that_is_not_there_is_refused() -> None:
    hints = Hints(ignore=("note", "coal"))
    with pytest.raises(BadInput, match="has no column coal to ignore; it has ts_utc, gen_nat"):
        read_table(Content("a.csv", WIDE.encode()), "DE", hints)


@pytest.mark.parametrize(
    "text",
    [
        "#t;gas\n2021-01-01T00:00Z;7\n",
        "# made by hand\n\n# t ; gas\n# a remark\n2021-01-01T00:00Z;7\n",
        "#;t;gas\n1;2021-01-01T00:00Z;7\n",
        "# a;b\nt;gas\n2021-01-01T00:00Z;7\n",
    ],
)
def test_a_header_may_begin_with_the_sign_of_comments(text: str) -> None:
    hints = Hints(time_column="t", mapping=(("gas", "gas"),), unit="MW", ignore=("*",))
    table = read_table(Content("a.csv", text.encode()), "DE", hints)
    assert values(table) == {("gas", hour(0)): 7.0}

"""Files as people have them: columns that the user names, local times, numbers of any form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from gridtide.errors import BadInput
from gridtide_pipelines.importing.content import Content
from gridtide_pipelines.importing.layouts import Hints, Label
from gridtide_pipelines.importing.numbers import Mark
from gridtide_pipelines.importing.tables import Table, read_table

BERLIN = ZoneInfo("Europe/Berlin")
GERMAN = Hints(
    time_column="Datum",
    mapping=(
        ("gas", "Erdgas [MWh]"),
        ("coal", "Braunkohle [MWh]"),
        ("coal", "Steinkohle [MWh]"),
        ("load", "Netzlast [GWh]"),
    ),
    timezone="Europe/Berlin",
)
TITLES = "Erzeugung in S\u00fcd;;;;\r\n\r\n"
HEADER = "Datum;Erdgas [MWh];Braunkohle  [MWh];Steinkohle [MWh];Netzlast [GWh]\r\n"


def read(text: str | bytes, hints: Hints, zone: str = "DE") -> Table:
    content = text.encode() if isinstance(text, str) else text
    return read_table(Content("a.csv", content), zone, hints)


def series(table: Table, signal: str) -> list[tuple[datetime, float | None]]:
    rows = table.rows.filter(pl.col("signal") == signal).sort("label")
    return list(rows.select("label", "value").iter_rows())


def german(start: datetime, hours: int) -> list[str]:
    """Rows of a spreadsheet in local time, an hour each; gas counts the hours."""
    return [
        f"{(start + timedelta(hours=i)).astimezone(BERLIN):%d.%m.%Y %H:%M};"
        f"1.{i:03},5;10,25;2.000,5;4,5\r\n"
        for i in range(hours)
    ]


def test_a_german_spreadsheet_is_read_with_its_columns_added_up() -> None:
    start = datetime(2024, 5, 1, 22, tzinfo=UTC)
    text = TITLES + HEADER + "".join(german(start, 3))
    table = read(text.encode("cp1252"), Hints(**_fields(GERMAN) | {"encoding": "cp1252"}))
    assert series(table, "generation_gas")[0] == (start, 1000.5)
    assert series(table, "generation_coal")[2] == (start + timedelta(hours=2), 2010.75)
    assert series(table, "load")[1] == (start + timedelta(hours=1), 4500.0)
    assert table.energy
    assert table.understood["times"] == "Datum, Europe/Berlin, day first"
    assert table.understood["decimals after"] == "a comma"


def _fields(hints: Hints) -> dict[str, object]:
    return {name: getattr(hints, name) for name in Hints.__slots__}


@pytest.mark.parametrize(
    ("start", "hours"),
    [(datetime(2024, 10, 26, 22, tzinfo=UTC), 25), (datetime(2024, 3, 30, 23, tzinfo=UTC), 23)],
)
@pytest.mark.parametrize("order", [1, -1], ids=["oldest first", "newest first"])
def test_both_days_on_which_clocks_change_are_whole(
    start: datetime, hours: int, order: int
) -> None:
    table = read(HEADER + "".join(german(start, hours)[::order]), GERMAN)
    assert series(table, "generation_gas") == [
        (start + timedelta(hours=i), 1000.5 + i) for i in range(hours)
    ]
    assert table.left_out == {}


def test_an_hour_that_is_there_once_while_clocks_go_back_is_unknown_and_counted() -> None:
    start = datetime(2024, 10, 26, 22, tzinfo=UTC)
    rows = german(start, 25)
    table = read(HEADER + "".join(rows[:3] + rows[4:]), GERMAN)
    values = dict(series(table, "generation_gas"))
    assert values[start + timedelta(hours=2)] is values[start + timedelta(hours=3)] is None
    assert values[start + timedelta(hours=4)] == 1004.5
    [(reason, count)] = table.left_out.items()
    assert ("while clocks go back" in reason, count) == (True, 1)


def test_a_time_that_clocks_skip_means_another_time_zone() -> None:
    rows = [f"31.03.2024 {hour:02}:00;1,5;1,5;1,5;1,5\n" for hour in range(5)]
    with pytest.raises(BadInput, match=r"row 4: 2024-03-31 02:00 does not exist in Europe/Be"):
        read(HEADER + "".join(rows), GERMAN)
    fixed = Hints(**_fields(GERMAN) | {"timezone": "+01:00"})
    labels = [label for label, _ in series(read(HEADER + "".join(rows), fixed), "load")]
    assert labels[0] == datetime(2024, 3, 30, 23, tzinfo=UTC)
    assert labels[-1] - labels[0] == timedelta(hours=4)


def gas(times: list[str], **said: object) -> list[datetime]:
    """The labels of a file with these times."""
    given = {"time_column": "t", "mapping": (("gas", "v"),), "unit": "MW", "timezone": "UTC"}
    text = "t;v\n" + "".join(f"{time};{i}\n" for i, time in enumerate(times))
    table = read(text, Hints(**given | said))
    return [label for label, _ in series(table, "generation_gas")]


TWO = [datetime(2025, 4, 3, hour, tzinfo=UTC) for hour in (0, 13)]


@pytest.mark.parametrize(
    "times",
    [
        ["2025-04-03 00:00", "2025-04-03 13:00"],
        ["2025/4/3 0:00:00", "2025/4/3 13:00:00"],
        ["2025-04-03", "2025-04-03T13:00:00.000"],
        ["03.04.2025 00:00", "03.04.2025 13:00"],
        ["3.4.2025", "3.4.2025, 13:00"],
        ["02.04.2025 24:00", "03.04.2025 13:00"],
        ["2025-04-03 12:00 AM", "2025-04-03 1:00 p.m."],
        ["2025-04-03T00:00Z", "2025-04-03T15:00+02:00"],
        ["2025-04-03 00:00 UTC", "2025-04-03 13:00 UTC"],
        ["03.04.2025 00:00 - 03.04.2025 01:00", "03.04.2025 13:00 - 03.04.2025 14:00"],
        ["03.04.2025 - 00:00", "03.04.2025 - 13:00"],
    ],
)
def test_times_are_read_as_people_write_them(times: list[str]) -> None:
    assert gas(times) == TWO


@pytest.mark.parametrize(
    ("column", "named"),
    [
        ("Time (UTC)", True),
        ("time_gmt", True),
        ("Zeit (UTC+1)", False),
        ("Local time [UTC-05:00]", False),
        ("GMT/BST", False),
    ],
)
def test_only_a_column_of_utc_itself_names_its_time_zone(column: str, *, named: bool) -> None:
    hints = Hints(time_column=column, mapping=(("gas", "MW"),), timezone="+01:00")
    text = f"{column};MW\n2024-01-01 01:00;1\n"
    if named:
        with pytest.raises(BadInput, match="is in UTC by its name; leave out --timezone"):
            read(text, hints)
        return
    assert series(read(text, hints), "generation_gas")[0][0] == datetime(2024, 1, 1, tzinfo=UTC)
    with pytest.raises(BadInput, match="has no UTC offset; name the time zone"):
        read(text, Hints(**_fields(hints) | {"timezone": None}))


def test_the_order_of_day_and_month_is_that_of_a_date_that_tells() -> None:
    days = [datetime(2025, 4, day, tzinfo=UTC) for day in (3, 13)]
    assert gas(["03/04/2025", "13/04/2025"]) == days
    assert gas(["04/03/2025", "04/13/2025"]) == days
    assert gas(["04-03-2025", "04-13-2025"]) == days


@pytest.mark.parametrize(
    ("times", "said", "says"),
    [
        (["03/04/2025 00:00"], {}, "may come first; say which: --time-format '%d/%m/%Y %H:%M'"),
        (["13/04/2025", "04/13/2025"], {}, "write all dates in one way"),
        (["2025-04-03 00:00"], {"timezone": None}, "row 2, t '2025.*: --timezone Europe/Berl"),
        (["2025-04-03 00:00"], {"timezone": "Mars"}, "--timezone 'Mars' is unknown"),
        (["2025-04-03 00:00"], {"timezone": "+99:00"}, "--timezone '.99:00' is unknown"),
        (["2025-04-03 00:00"], {"timezone": "+01:75"}, "--timezone '.01:75' is unknown"),
        (["2025-04-03T00:00Z", "2025-04-03 01:00"], {}, "some times have no UTC offset"),
        (["2025-02-30 00:00"], {}, "row 2, t is '2025-02-30 00:00', not a time"),
        (["2025-04-03 13:00 PM"], {}, "not a time"),
        (["noon"], {}, "row 2, t 'noon' is not"),
        (["03.04.25"], {}, "say how it is written: --time-format '%d.%m.%y"),
        (["2025-04-03", "Total"], {}, "row 3, t 'Total' .* remove a row of totals"),
        (["3 April"], {"time_format": "%d/%m/%Y"}, "not a time as in --time-format"),
    ],
)
def test_a_time_that_is_not_clear_is_refused_naming_the_option(
    times: list[str], said: dict[str, object], says: str
) -> None:
    with pytest.raises(BadInput, match=says):
        gas(times, **said)


def test_a_format_settles_what_may_be_either() -> None:
    third = datetime(2025, 4, 3, tzinfo=UTC)
    assert gas(["03/04/2025"], time_format="%d/%m/%Y") == [third]
    assert gas(["04/03/25"], time_format="%m/%d/%y") == [third]
    both = "03/04/2025 00:00 - 03/04/2025 01:00"
    assert gas([both], time_format="%d/%m/%Y %H:%M") == [third]


@pytest.mark.parametrize(
    ("time", "stamp", "label"),
    [
        ("03.04.2025 00:00 - 03.04.2025 01:00", None, Label.START),
        ("03.04.2025 00:00 - 03.04.2025 01:00", "%d.%m.%Y %H:%M", Label.START),
        ("03.04.2025 - 00:00", None, None),
        ("03.04.2025 - 00:00", "%d.%m.%Y - %H:%M", None),
    ],
)
def test_only_a_slot_with_both_its_ends_tells_that_the_first_is_its_start(
    time: str, stamp: str | None, label: Label | None
) -> None:
    hints = Hints(time_column="t", mapping=(("gas", "MW"),), timezone="UTC", time_format=stamp)
    assert read(f"t;MW\n{time};1\n", hints).label is label


def numbers(values: list[str], **said: object) -> list[float | None]:
    given = {"time_column": "t", "mapping": (("gas", "v"),), "unit": "MW", "timezone": "UTC"}
    rows = [f"2025-04-03 {i:02}:00;{value}\n" for i, value in enumerate(values)]
    table = read("t;v\n" + "".join(rows), Hints(**given | said))
    return [value for _, value in series(table, "generation_gas")]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1.234,5", "1.234"], [1234.5, 1234.0]),
        (["1,234.5", "1,234"], [1234.5, 1234.0]),
        (["1.234", "12,5"], [1234.0, 12.5]),
        (["1.234", "0.5"], [1.234, 0.5]),
        (["1.234", "2345.678"], [1.234, 2345.678]),
        # Numbers of four digits without a sign: thousands are not set apart.
        (["1.234", "2345"], [1.234, 2345.0]),
        (["1,234", "2345"], [1.234, 2345.0]),
        (["1.234.567", "1.234"], [1234567.0, 1234.0]),
        (["1'234.5", "-2"], [1234.5, -2.0]),
    ],
)
def test_a_number_that_tells_settles_the_others(
    values: list[str], expected: list[float]
) -> None:
    assert numbers(values) == expected


def test_numbers_of_one_column_do_not_settle_those_of_another() -> None:
    hints = Hints(time_column="t", mapping=(("gas", "a"), ("wind", "b")), unit="MW")
    with pytest.raises(BadInput, match=r"'1\.234' may be thousands or a decimal point"):
        read("t;a;b\n2025-04-03T00:00Z;1.234;2345\n", hints)


@pytest.mark.parametrize("values", [["1.250", "2345"], ["1,250", "2345"], ["1.234", "3.210"]])
def test_decimals_with_zeros_are_not_settled_by_thousands_without_a_sign(
    values: list[str],
) -> None:
    with pytest.raises(BadInput, match=r"may be thousands or a decimal .*--decimal comma or"):
        numbers(values)


@pytest.mark.parametrize("value", ["1.234", "1,234"])
def test_three_digits_after_the_only_sign_are_refused_until_it_is_named(value: str) -> None:
    with pytest.raises(BadInput, match=r"may be thousands or a decimal .*--decimal comma or"):
        numbers([value, "12"])
    point, comma = (1.234, 1234.0) if "." in value else (1234.0, 1.234)
    assert numbers([value, "12"], decimal=Mark.POINT) == [point, 12.0]
    assert numbers([value, "12"], decimal=Mark.COMMA) == [comma, 12.0]
    with pytest.raises(BadInput, match=r"row 3, v is '2\.25', not a number"):
        numbers(["1,5", "2.25"], decimal=Mark.COMMA)


MIX = "Zeit bis,Kohle (GW),Wind (GW),Temperatur\n2024-01-01 01:00,1.5,2,7\n"


def mixed(mapping: str = "coal=Kohle (GW)", **said: object) -> Table:
    pairs = tuple((each.split("=")[0], each.split("=")[1]) for each in mapping.split(";"))
    given = {"time_column": "Zeit bis", "mapping": pairs, "timezone": "UTC"}
    return read(MIX, Hints(**given | said))


def test_a_column_of_numbers_must_be_mapped_or_left_out_on_purpose() -> None:
    with pytest.raises(BadInput, match=r"not said what Wind \(GW\), Temperatur are"):
        mixed()
    table = mixed(ignore=("Wind (GW)", "Temperatur"))
    assert table.rows["signal"].to_list() == ["generation_coal"]
    assert table.rows["value"].to_list() == [1500.0]
    assert table.ignored == ("Wind (GW)", "Temperatur")
    assert table.label is Label.END
    assert not table.energy
    everything = mixed("coal=Kohle (GW);wind=Wind (GW)", ignore=("*",))
    assert everything.rows["value"].to_list() == [1500.0, 2000.0]


@pytest.mark.parametrize("cell", ["1\u2019234", "1.2e3", "77 MW", "1\u00a0234,5", "5 %"])
def test_numbers_of_any_form_in_a_later_chunk_are_not_left_out(cell: str) -> None:
    far = "\n" * 100_000
    text = f"t;gas;coal;note\n2024-01-01;1;;x\n{far}2024-01-02;1;{{}};01.01.2024 00:00\n"
    hints = Hints(time_column="t", mapping=(("gas", "gas"),), unit="MW", timezone="UTC")
    assert read(text.format(""), hints).ignored == ("coal", "note")
    with pytest.raises(BadInput, match="not said what coal are; map each"):
        read(text.format(cell), hints)


@pytest.mark.parametrize(
    ("mapping", "said", "says"),
    [
        ("coal=Coal", {}, r"has no column 'Coal'; it has Zeit bis, Kohle"),
        ("peat=Kohle (GW)", {}, "'peat' is neither a fuel nor a signal"),
        ("coal=Kohle (GW);gas=Kohle (GW)", {}, r"column Kohle \(GW\) is mapped twice"),
        ("coal=Zeit bis", {"unit": "MW"}, "column Zeit bis is mapped twice"),
        ("coal=Kohle (GW)", {"zone_column": "Zeit bis"}, "column Zeit bis is mapped twice"),
        ("coal=Kohle (GW)", {"encoding": "hex"}, "--encoding 'hex' is unknown; write utf-8"),
        ("coal=Temperatur", {}, "unit of column Temperatur is not known; name it: --unit"),
        ("coal=Temperatur", {"unit": "furlong"}, "--unit 'furlong' is not one of"),
        ("coal=Kohle (GW)", {"time_column": "Zeit"}, "has no column 'Zeit'"),
        ("coal=Kohle (GW)", {"time_column": None}, "--time-column, one of Zeit bis"),
        ("coal=Kohle (GW)", {"fuel_column": "Temperatur"}, "--value-column, one of"),
    ],
)
def test_what_is_missing_to_read_columns_is_asked_for(
    mapping: str, said: dict[str, object], says: str
) -> None:
    with pytest.raises(BadInput, match=says):
        mixed(mapping, **said)


def test_a_long_file_of_other_names_is_read_with_their_fuels() -> None:
    text = (
        "DateTime(UTC)\tMapCode\tProductionType\tActualGenerationOutput[MW]\n"
        "2024-01-01 00:00:00.000\tDE\tFossil Brown coal/Lignite\t100\n"
        "2024-01-01 00:00:00.000\tDE\tFossil Hard coal\t50.5\n"
        "2024-01-01 00:00:00.000\tDE\tKernkraft\t7\n"
        "2024-01-01 00:00:00.000\tFR\tNuclear\t9\n"
    ).encode("utf-16")
    hints = Hints(
        time_column="DateTime(UTC)",
        zone_column="MapCode",
        fuel_column="ProductionType",
        value_column="ActualGenerationOutput[MW]",
    )
    with pytest.raises(BadInput, match=r"no fuel kernkraft; .*--map FUEL='kernkraft'"):
        read(text, hints)
    mapped = Hints(**_fields(hints) | {"mapping": (("nuclear", "Kernkraft"),)})
    table = read(text, mapped)
    found = dict(table.rows.select("signal", "value").iter_rows())
    assert found == {"generation_coal": 150.5, "generation_nuclear": 7.0}
    assert table.left_out == {"rows of other zones": 1}


@pytest.mark.parametrize(
    ("column", "signal", "unit", "expected"),
    [
        ("gCO2eq/kWh", "ci_lifecycle_consumed", None, 0.5),
        ("value", "ci_lifecycle_consumed", "kg/kWh", 500.0),
        ("lbs CO2/MWh", "ci_direct_produced", None, 0.226796185),
        ("CFE %", "cfe_produced", None, 0.005),
        ("value", "cfe_produced", "fraction", 0.5),
        ("EUR/MWh", "price_eur", None, 0.5),
        ("value", "price_eur", "EUR/kWh", 500.0),
        ("value", "price_gbp", "ct/kWh", 5.0),
    ],
)
def test_a_series_of_one_signal_is_read_in_its_unit(
    column: str, signal: str, unit: str | None, expected: float
) -> None:
    hints = Hints(time_column="t", signal=signal, unit=unit)
    table = read(f"t,{column}\n2024-01-01T00:00Z,0.5\n", hints)
    assert table.rows.select("signal", "value").rows() == [(signal, expected)]


def test_comments_empty_rows_repeats_and_other_zones_are_counted() -> None:
    text = (
        "zone,start,fuel,mw\n# a remark\nDE,2024-01-01T00:00Z,gas,1\n,,,\n"
        "DE,2024-01-01T00:00Z,gas,1\nFR,2024-01-01T00:00Z,gas,1\n"
    )
    assert read(text, Hints()).left_out == {
        "comments": 1,
        "empty rows": 1,
        "rows of other zones": 1,
        "rows that repeat another": 1,
    }


def test_a_quoted_cell_may_have_several_lines_and_rows_are_counted_on() -> None:
    text = 't,note,v\n2024-01-01T00:00Z,"two\nlines, and ""quotes""",1\n2024-01-01T01:00Z,,x\n'
    hints = Hints(time_column="t", mapping=(("gas", "v"),), unit="MW")
    with pytest.raises(BadInput, match="row 3, v is 'x', not a number"):
        read(text, hints)
    with pytest.raises(BadInput, match=r"row 3 .* cut short|quotes do not come in pairs"):
        read(text.replace(",,x", ',"x'), hints)

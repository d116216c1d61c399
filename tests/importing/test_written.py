"""Times, numbers and rows as tools, spreadsheets and publishers write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gridtide.errors import BadInput
from gridtide_pipelines.importing.content import Content
from gridtide_pipelines.importing.layouts import Hints
from gridtide_pipelines.importing.tables import Table, read_table

HOUR = timedelta(hours=1)
SAID: dict[str, object] = {
    "time_column": "t",
    "mapping": (("gas", "v"),),
    "unit": "MW",
    "timezone": "UTC",
}


def read(text: str, **said: object) -> Table:
    hints = Hints(**(SAID | said))  # type: ignore[arg-type]  # fields of several types
    return read_table(Content("a.csv", text.encode()), "DE", hints)


def labels(times: list[str], **said: object) -> list[datetime]:
    rows = "".join(f'"{time}";{i}\n' for i, time in enumerate(times))
    found: list[datetime] = read(f"t;v\n{rows}", **said).rows["label"].to_list()
    return found


def values(text: str, **said: object) -> list[float | None]:
    found: list[float | None] = read(text, **said).rows.sort("label")["value"].to_list()
    return found


@pytest.mark.parametrize(
    "times",
    [
        ["13-Jan-2024 00:00", "13-Jan-2024 13:00"],
        ["13JAN2024 0:00:00", "13JAN2024 13:00:00"],
        ["Jan 13, 2024 12:00 AM", "January 13, 2024 1:00 PM"],
        ["13/01/2024 00h00", "13/01/2024 13h00"],
        ["2024-01-13T00", "2024-01-13T13"],
        ["20240113T0000", "20240113T130000"],
        ["20240113", "2024011313"],
        ["202401130000", "20240113130000"],
        ["1705104000", "1705150800"],
        ["1705104000000", "1705150800000"],
        ["45304", "45304.5416666667"],
        ["45304,0", "45304,5416666667"],
        ["13.01.2024 00:00 UTC", "13.01.2024 13:00 (UTC)"],
        ["13.01.2024 01:00 MEZ", "13.01.2024 14:00 (CET)"],
        ["13.01.2024 00:00 - 13.01.2024 01:00 (UTC)", "13.01.2024 13:00 - 14.01.2024 (UTC)"],
        ["13/01/2024 01:00 (CET) - 13/01/2024 02:00 (CET)", "13/01/2024 15:00 CEST"],
    ],
)
def test_a_time_is_read_as_it_is_written(times: list[str]) -> None:
    assert labels(times) == [datetime(2024, 1, 13, hour, tzinfo=UTC) for hour in (0, 13)]


@pytest.mark.parametrize(
    "form",
    [
        "2024-01-13 {:02}:00-{:02}:00",
        "13/01/2024 {:02}-{:02}",
        "2024-01-13T{:02}:00:00-{:02}:00:00",
    ],
)
def test_both_ends_of_a_slot_may_stand_close(form: str) -> None:
    """The second is not read as an offset from UTC."""
    times = [form.format(hour, (hour + 1) % 24) for hour in range(24)]
    assert labels(times) == [datetime(2024, 1, 13, hour, tzinfo=UTC) for hour in range(24)]


@pytest.mark.parametrize("offsets", [("-05:00",), ("-05:00", "-06:00", "-07:00", "-08:00")])
def test_offsets_from_utc_are_not_read_as_ends(offsets: tuple[str, ...]) -> None:
    times = [
        f"2024-01-{day:02}T{h:02}:00{o}" for day, o in enumerate(offsets, 1) for h in range(24)
    ]
    assert [at.hour for at in labels(times)] == [
        (hour + int(offset[1:3])) % 24 for offset in offsets for hour in range(24)
    ]


@pytest.mark.parametrize(
    "marks",
    [
        ["2A:00", "2B:00"],
        ["02:00A", "02:00 B"],
        ["02:00 CEST", "02:00 CET"],
        ["02:00 (MESZ)", "02:00 (MEZ)"],
    ],
)
def test_marks_tell_the_hours_apart_while_clocks_go_back(marks: list[str]) -> None:
    around = ["01:00 CEST", "03:00 CET"] if "C" in marks[0] + marks[1] else ["01:00", "03:00"]
    if "MEZ" in marks[1]:
        around = ["01:00 MESZ", "03:00 MEZ"]
    times = [f"27.10.2024 {clock}" for clock in (around[0], *marks, around[1])]
    first = datetime(2024, 10, 26, 23, tzinfo=UTC)
    assert labels(times, timezone="Europe/Berlin") == [first + i * HOUR for i in range(4)]


@pytest.mark.parametrize(
    ("times", "says"),
    [
        (["13.01.2024 00:00 CST"], "say how it is written: --time-format"),
        (["13.01.2024 00:00 CET", "13.01.2024 01:00"], "some times have no UTC offset"),
        (["1705104000", "2024-01-13 01:00"], "some times have no UTC offset"),
        (["3 M\u00e4rz 2024"], "say how it is written: --time-format"),
        (["3 marraskuu 2024"], "say how it is written: --time-format"),  # November, in Finnish
        (["170510400"], "say how it is written: --time-format"),
        (["2024-01-13", "Summe"], "remove a row of totals, units or remarks"),
        (["2024-01-13", ""], "row 3, t is empty; .*remove a row of totals"),
    ],
)
def test_a_time_that_is_not_clear_is_refused(times: list[str], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        labels(times)


@pytest.mark.parametrize("cell", ["1" * 900_000, "1 - " * 200_000, "1 " * 400_000 + "UTC"])
def test_a_cell_that_is_far_longer_than_a_time_is_refused_at_once(cell: str) -> None:
    with pytest.raises(
        BadInput, match=r"row 3, t begins with '1.* longer than any time"
    ) as error:
        labels(["2024-01-13 00:00", cell])
    assert len(str(error.value)) < 200


def test_a_name_of_a_column_may_be_long() -> None:
    with pytest.raises(BadInput, match="has no column 'w'"):
        read(f"t;{'1' * 200_000}x;v\n2024-01-13;1;2\n", mapping=(("gas", "w"),))


def test_what_numbers_count_as_times_is_said() -> None:
    table = read("t;v\n45304;1\n45304.5;2\n")
    assert table.understood["times"] == "t, UTC, days of a spreadsheet"


@pytest.mark.parametrize(
    ("day", "clock", "hour"),
    [
        ("2024-01-13", "01:00", 1),
        ("13.01.2024", "1", 1),
        ("13.01.2024 00:00:00", "1:00 PM", 13),
        ("2024-01-12", "24", 0),
    ],
)
def test_days_and_times_of_day_may_stand_in_two_columns(
    day: str, clock: str, hour: int
) -> None:
    table = read(f"t;h;v\n{day};{clock};7\n", clock_column="h")
    assert table.rows["label"].to_list() == [datetime(2024, 1, 13, hour, tzinfo=UTC)]
    assert table.ignored == ()


def test_a_column_of_days_alone_is_refused_with_what_to_name() -> None:
    text = "t;h;v\n2024-01-13;0;1\n2024-01-13;1;2\n"
    with pytest.raises(BadInput, match="in another column, name that: --clock-column"):
        read(text, ignore=("h",))
    with pytest.raises(BadInput, match="Period counts the slots of a day, which is not a time"):
        read(text.replace("h", "Period"), clock_column="Period")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("\u22125,5", -5.5),
        ("\u2013 5,5", -5.5),
        ("1\u202f234,5", 1234.5),
        ("#NV", None),
        ("#DIV/0!", None),
    ],
)
def test_a_number_is_read_as_it_is_written(written: str, expected: float | None) -> None:
    assert values(f"t;v\n2024-01-13;{written}\n2024-01-14;0,5\n") == [expected, 0.5]


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        ("Gas;Gas;\nt;v;\n2024-01-13;1;\n2024-01-14;2;\n", {}),
        ("Series Name;v\nUnits;MW\nt;v\n2024-01-13;1\n2024-01-14;2\n", {}),
        ("t;v\n2024-01-13;1\n2024-01-14;2\n\nQuelle: a, b\n", {"remarks": 1, "empty rows": 1}),
        ('t,v\n2024-01-13,1\n2024-01-14,2\n"Source: a, b"\n', {"remarks": 1}),
        ('t,v\n2024-01-13,1\n2024-01-14,2\n"Source: a, b",\n', {"remarks": 1}),
    ],
)
def test_rows_above_and_below_a_table_are_passed_over(
    text: str, left_out: dict[str, int]
) -> None:
    table = read(text)
    assert table.rows.sort("label")["value"].to_list() == [1.0, 2.0]
    assert table.left_out == left_out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1705104000;7\n1705107600;8\n", "these are values: write a row with names above"),
        ("<!DOCTYPE html><html>\n", "is a page of HTML or XML, not a table; download or save"),
        ('{"data": [1, 2]}\n', "is JSON, not a table; download or save it as CSV"),
        ("t;v\n2024-01-13;5 MW\n", "write no unit into it"),
        ("t;v\n2024-01-13;5\nno\n", "row 3 is cut short"),
        (";a;b\nt;v;v\n2024-01-13;5;6\n", "has two columns v; rename one of each"),
    ],
)
def test_what_is_no_table_is_refused_with_what_to_do(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        read(text)


@pytest.mark.parametrize("name", ["DE_LU", "BZN|DE-LU", "10Y1001A1001A82H", "Germany", "DE"])
def test_a_zone_is_found_by_the_names_of_its_publishers(name: str) -> None:
    text = f"z;t;f;v\n{name};2024-01-13;natural gas;5\nFR;2024-01-13;Wind;9\n"
    table = read(text, mapping=(), zone_column="z", fuel_column="f", value_column="v")
    assert table.rows.select("signal", "value").rows() == [("generation_gas", 5.0)]

"""CSV as people have it."""

from __future__ import annotations

import gzip

import polars as pl
import pytest

from gridtide.errors import BadInput
from gridtide_pipelines.importing import content as contents
from gridtide_pipelines.importing.content import Content
from gridtide_pipelines.importing.tables import read_table

HEADER = ("ts_utc", "gen_gas_mwh", "gen_wind_mwh")
ROWS = [("2021-06-01T00:00Z", "3000.5", "1"), ("2021-06-01T01:00Z", "10", "2.25")]
WANTED = {"gas": [3000.5, 10.0], "wind": [1.0, 2.25]}


def read(content: str | bytes) -> dict[str, list[float | None]]:
    data = content.encode() if isinstance(content, str) else content
    rows = read_table(Content("a.csv", data), "DE").rows.sort("label")
    rows = rows.with_columns(fuel=pl.col("signal").str.strip_prefix("generation_"))
    return {str(fuel): part["value"].to_list() for (fuel,), part in rows.group_by("fuel")}


def written(separator: str = ",", *, end: str = "\n", tail: str = "") -> str:
    lines = [separator.join(row) + tail for row in (HEADER, *ROWS)]
    return end.join(lines) + end


COMMAS = "\n".join([";".join(HEADER), *(";".join(row).replace(".", ",") for row in ROWS)])


@pytest.mark.parametrize(
    "content",
    [
        written(),
        written(";"),
        written("\t"),
        written("|"),
        written(end="\r\n"),
        written(end="\r"),
        COMMAS,
        COMMAS.replace("3000,5", "3.000,5"),
        COMMAS.replace("3000,5", "3 000,5"),
        COMMAS.replace("3000,5", "3\u202f000,5"),
        written(";").replace("3000.5", "3'000.5"),
        written().replace("3000.5", '"3,000.5"'),
        written("\t").replace("3000.5", "3,000.5"),
        "sep=;\n" + written(";"),
        "sep=\t\n" + written("\t"),
        "sep=;\n" + COMMAS,
        "# from the grid\n#second\n\n" + written(),
        written(tail=",,"),
        written(";", tail=";"),
        written() + ",,\n\n,,\n",
        written() + "\n\n",
        written().replace("\n", "\n\n", 1),
        "\ufeff" + written(),
        gzip.compress(written(";").encode(), mtime=0),
        written().encode("utf-16"),
        written("\t").encode("utf-16-le"),
        b"\xfe\xff" + written().encode("utf-16-be"),
        written().replace("ts_utc", '"ts_utc"'),
    ],
)
def test_one_table_in_many_spellings(content: str | bytes) -> None:
    assert read(content) == WANTED


@pytest.mark.parametrize("word", ["N/A", "-", "null", "NaN", "None", "#N/A", "na", "", "--"])
def test_words_for_no_value_are_gaps(word: str) -> None:
    for separator in ",;":
        content = written(separator).replace("2.25", word)
        assert read(content) == WANTED | {"wind": [1.0, None]}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            COMMAS.replace("3000,5", "3,000").replace("2,25", "2"),
            "thousands or a decimal comma",
        ),
        (written().replace("3000.5", '"3,000"').replace("2.25", "2"), "thousands or a decimal"),
        (COMMAS.replace("2,25", "2.25"), "writes numbers in two formats, '2.25' and '3000,5'"),
        (
            written().replace("3000.5", '"3000,5"'),
            "row 2, gen_gas_mwh is '3000,5', not a number",
        ),
        (
            written().replace("3000.5", '"0,412"').replace("2.25", "2"),
            "row 2, gen_gas_mwh is '0,412', not a number .*: --decimal comma",
        ),
        (written().replace("3000.5", "3000,5"), "row 2 has 4 cells for 3 .* commas; mend"),
        (written() + "2021-06-01T20:00Z,3000\n", "row 4 is cut short: 2 cells for 3 columns"),
        ("# x\n" + written() + "\n2021-06-01T20:00Z,1\n", "row 6 is cut short"),
        (written().replace("wind_mwh", "wind_mwh,").replace(",1\n", ",1,7\n"), "row 2 has 4"),
        (written(tail=",5").replace("mwh,5", "mwh,,x"), "cut short"),
        (gzip.compress(written().encode(), mtime=0)[:-9], "cut short; fetch it again"),
        (b"\x1f\x8bnot gzip", "not a whole gzip"),
        (b"PK\3\4\x14\0\6\0sheet", "ZIP archive or a workbook.*save its sheet as CSV"),
        (written().replace("10,", "1.2.3,"), "row 3, gen_gas_mwh is '1.2.3', not a number"),
    ],
)
def test_what_may_be_read_in_two_ways_is_refused_and_says_so(
    content: str | bytes, says: str
) -> None:
    with pytest.raises(BadInput, match=says):
        read(content)


def test_a_file_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "MOST_BYTES", 1000)
    with pytest.raises(BadInput, match=r"more than .* MB of text"):
        read(gzip.compress(b"a" * 2000))


def test_rows_that_say_the_same_count_once() -> None:
    again = ",".join(ROWS[0])
    assert read(written() + again + "\n" + again + "\n") == WANTED
    with pytest.raises(BadInput, match=r"rows 2 and 4 are both gen_wind_mwh .* and differ"):
        read(written() + again.replace(",1", ",7") + "\n")

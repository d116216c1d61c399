"""Points of ENTSO-E's documents: taken out as columns or read one by one, they say the same."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridtide_pipelines.errors import NothingYet, SourceChanged
from gridtide_pipelines.ingest.source import Body, Request
from gridtide_pipelines.ingest.sources import entsoe
from gridtide_pipelines.ingest.sources.entsoe_documents import POINTS, read_documents

DATA = Path(__file__).with_name("data") / "entsoe"
BODIES = sorted(path for path in DATA.glob("*.xml") if "error" not in path.stem)
KNOWN_AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def parsed(content: bytes) -> pl.DataFrame | None:
    body = Body(Request("GET", "/api", zones=("AT",)), content, KNOWN_AT, 1)
    try:
        return entsoe.parse([body])
    except NothingYet:
        return None


@pytest.mark.parametrize("path", BODIES, ids=lambda path: path.stem)
def test_points_of_another_form_are_read_one_by_one_and_say_the_same(path: Path) -> None:
    content = path.read_bytes()
    expected = parsed(content)
    one_by_one = content.replace(b"<Point>", b"<Point >")
    assert not POINTS.search(one_by_one)
    # One that bears the name of what stands for points is not believed.
    named = content.replace(b"<TimeSeries>", b'<TimeSeries><Points n="0"/>', 1)
    commented = content.replace(b"<Point>", b"<Point><!-- as received -->")
    for other in (one_by_one, named, commented):
        found = parsed(other)
        assert (found is None) == (expected is None)
        if found is not None and expected is not None:
            assert found.equals(expected)


def test_points_that_are_no_elements_do_not_count() -> None:
    content = (DATA / "load.xml").read_bytes()
    point = POINTS.search(content)
    assert point is not None
    without = POINTS.sub(b"", content)
    for hidden in (b"<!-- " + point[0] + b" -->", b"<![CDATA[" + point[0] + b"]]>"):
        assert parsed(content.replace(point[0], hidden)) is None
        assert parsed(without) is None


def test_points_are_taken_out_of_a_document() -> None:
    (document,) = read_documents((DATA / "load.xml").read_bytes(), 2**20)
    assert len(document.taken) == 1
    assert document.root.find(".//Point") is None
    assert document.root.find(".//Points") is not None


def document(points: list[tuple[int, str]], curve: str) -> bytes:
    written = "".join(
        f"<Point><position>{position}</position><quantity>{value}</quantity></Point>"
        for position, value in points
    )
    return f"""<GL_MarketDocument><type>A65</type><process.processType>A16</process.processType>
    <TimeSeries><outBiddingZone_Domain.mRID>X</outBiddingZone_Domain.mRID>
    <curveType>{curve}</curveType><Period><timeInterval><start>2026-03-01T00:00Z</start>
    <end>2026-03-01T06:00Z</end></timeInterval><resolution>PT60M</resolution>{written}</Period>
    </TimeSeries></GL_MarketDocument>""".encode()


@settings(deadline=None)
@given(
    points=st.lists(
        st.tuples(st.integers(1, 6), st.sampled_from(["1", "-2.5", "3e2", "+4"])), max_size=8
    ),
    curve=st.sampled_from(["A01", "A03"]),
)
def test_curves_are_as_by_hand(points: list[tuple[int, str]], curve: str) -> None:
    last = {position: float(value) for position, value in points}
    expected, before = [], None
    for position in range(1, 7):
        if position in last:
            before = last[position]
        elif curve == "A01" or before is None:
            continue
        expected.append((position - 1, before))
    frame = parsed(document(points, curve))
    found = [] if frame is None else frame.select(pl.col("start").dt.hour(), "value").rows()
    assert found == expected


@pytest.mark.parametrize(
    "points",
    [
        [(7, "1")],
        [(0, "1")],
        [(999999, "1")],
        [(1, "1-2")],
        [(1, "1e999")],
        [(1, "nan")],
        [(1, "inf")],
        [(1, "."), (2, "1")],
    ],
)
def test_a_point_that_cannot_be_is_source_changed(points: list[tuple[int, str]]) -> None:
    with pytest.raises(SourceChanged):
        parsed(document(points, "A03"))


def test_a_zip_is_unpacked_as_far_as_its_limit() -> None:
    content = (DATA / "load.xml").read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("first.xml", content)
        archive.writestr("second.xml", content)
    both = packed.getvalue()
    assert len(list(read_documents(both, 2 * len(content)))) == 2
    with pytest.raises(ValueError, match="more than"):
        list(read_documents(both, 2 * len(content) - 1))

"""CSV, ZIP, gzip and XML bodies: what is read, and how the malformed is refused."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from gridtide_pipelines.errors import NothingYet, SourceChanged
from gridtide_pipelines.ingest.delimited import number_of, read_csv
from gridtide_pipelines.ingest.packed import read_gzip, read_zip
from gridtide_pipelines.ingest.parsing import check_shape, readings
from gridtide_pipelines.ingest.xml import read_xml

MIB = 2**20


def packed(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", method) as file:
        for name, content in members:
            file.writestr(name, content)
    return archive.getvalue()


def with_size(content: bytes, size: int) -> bytes:
    """A ZIP of one file that states another unpacked size than it has."""
    changed = bytearray(content)
    central = content.index(b"PK\x01\x02")
    for at in (22, central + 24):
        changed[at : at + 4] = struct.pack("<I", size)
    return bytes(changed)


def encrypted(content: bytes) -> bytes:
    changed = bytearray(content)
    for at in (6, content.index(b"PK\x01\x02") + 8):
        changed[at] |= 1
    return bytes(changed)


def test_a_zip_is_read_in_the_order_of_its_directory() -> None:
    content = packed(("b.csv", b"2"), ("folder/", b""), ("a.csv", b"1"))
    assert list(read_zip(content)) == [("b.csv", b"2"), ("a.csv", b"1")]


BLANK = b" " * (3 * MIB)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 and no more",
        packed(("a", b"1"))[:-5],
        packed(("a", BLANK)),
        packed(("a", BLANK[: 2 * MIB]), ("b", BLANK[: 2 * MIB])),
        with_size(packed(("a", BLANK)), 10),
        packed(("a", b"1"), method=zipfile.ZIP_BZIP2),
        packed(("a", b"1"), method=zipfile.ZIP_LZMA),
        encrypted(packed(("a", b"1"))),
        packed(*((f"{n}", b"") for n in range(1001))),
        packed(("a", b"abcdef" * 100)).replace(b"\x4b\x4c", b"\xff\xff", 1),
        packed(("a", b"1")).replace(b"a", b"\0"),  # a name ends at a NUL
    ],
    ids=range(12),
)
def test_a_zip_that_is_not_whole_or_holds_too_much_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="ZIP"):
        list(read_zip(content, most_bytes=2 * MIB + 1))


def test_gzip_is_read_and_what_is_not_whole_or_too_large_is_refused() -> None:
    assert read_gzip(gzip.compress(b"a") + gzip.compress(b"b")) == b"ab"
    for content in (b"text", gzip.compress(b"abc")[:-4], gzip.compress(BLANK)):
        with pytest.raises(ValueError, match="not a readable gzip file"):
            read_gzip(content, most_bytes=2 * MIB)


def test_csv_is_text_under_its_header_and_numbers_may_have_separators() -> None:
    body = b'\xef\xbb\xbfzone,  power \r\nA,"1,060.5"\r\n\r\nB,\r\nC,-3\r\n'
    frame = read_csv(body, ["zone", "power"])
    assert frame["zone"].to_list() == ["A", "B", "C"]
    assert frame.select(number_of("power")).to_series().to_list() == [1060.5, None, -3.0]
    local = read_csv(b"note\nzone;power\nA;1.060,5\n", ["power"], separator=";", skip=1)
    european = number_of("power", decimal=",", thousands=".")
    assert local.select(european).item() == 1060.5
    assert read_csv("a,b\n1,é\n".encode("utf-16"), ["b"])["b"].to_list() == ["é"]
    assert read_csv("a,b\n1,é\n".encode("latin-1"), ["b"], encoding="latin-1").item(0, 1) == "é"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"<html><body>a,b</body></html>",
        b"  \n<!DOCTYPE html>\na,b\n",
        b"c,d\n1,2\n",
        b"a,b\n1,2,3\n",
        b"a,b\n1,2\n3",
        b'a,b\n1,2\n"3',
        b"a,b\n\xff,2\n",
        b"a,b" + b"," * 70_000 + b"\n1,2\n",
        b'a,b\n1,"' + b"x" * 200_000,
        b"\x00" * 1000,
        "a,b\n1,2\n".encode("utf-16")[:-1],
    ],
    ids=range(13),
)
def test_csv_that_is_malformed_is_source_changed(content: bytes) -> None:
    with pytest.raises(SourceChanged, match="publisher"), check_shape("publisher"):
        read_csv(content, ["a", "b"])


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(SourceChanged), check_shape("publisher"):
        read_csv(b"a\nx1\n", ["a"]).select(number_of("a"))


@pytest.mark.parametrize("label", ["+12345-03-01", "0000-03-01", "-0005-03-01", "9999-12-31"])
def test_a_time_that_python_cannot_hold_is_source_changed(label: str) -> None:
    with pytest.raises(SourceChanged, match="publisher"), check_shape("publisher"):
        readings(
            zone="X",
            signal="load",
            start=[f"{label}T00:00Z"],
            end=timedelta(hours=1),
            value=[1.0],
            stamp="%Y-%m-%dT%H:%MZ",
        )


@pytest.mark.parametrize(
    "error",
    [EOFError(), zipfile.BadZipFile("x"), struct.error(), StopIteration(), SyntaxError("x")],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_library_raises_for_a_body_is_source_changed(error: Exception) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(SourceChanged, match=type(error).__name__), check_shape("publisher"):
        fail()
    with pytest.raises(NothingYet), check_shape("publisher"):
        raise NothingYet("publisher", "no data")


def test_a_panic_of_polars_is_source_changed() -> None:
    def panic(_: int) -> int:
        raise pl.exceptions.PanicException("index out of bounds")

    with pytest.raises(SourceChanged, match="PanicException"), check_shape("publisher"):
        panic(1)
    with pytest.raises(KeyboardInterrupt), check_shape("publisher"):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    "content",
    [
        b"<a>" * 100,
        b"<!DOCTYPE a><a/>",
        b'<?xml version="1.0" encoding="EBCDIC-9"?><a/>',
        b"<a></b>",
        b"<a/>" + b" " * 2000,
    ],
    ids=range(5),
)
def test_xml_that_is_not_plain_elements_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="XML"):
        read_xml(content, most_bytes=1000)


def test_the_length_of_a_slot_is_taken_off_a_label_at_its_end() -> None:
    end = datetime(2026, 3, 1, 1, tzinfo=UTC)
    frame = readings(zone="X", signal="load", start=timedelta(hours=1), end=[end], value=[1.0])
    assert frame.select("start", "end").row(0) == (end - timedelta(hours=1), end)
    with pytest.raises(TypeError, match="both lengths"):
        readings(
            zone="X",
            signal="load",
            start=timedelta(hours=1),
            end=timedelta(hours=1),
            value=[1.0],
        )

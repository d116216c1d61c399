"""Reports of AEMO's NEMWEB: directory listings, ZIPs of ZIPs, and tables of C, I and D records.

A report is a CSV file. Its I records name a table and its columns, which change over the years
and their order with them, so D records are read by those names. Several tables may be in one
file. The last C record counts the lines of the whole; archives that were cut to a sample keep
the count of the whole, so only a report that lacks it is refused.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from gridtide_pipelines.ingest.packed import ZIP, read_zip
from gridtide_pipelines.ingest.source import Span

OFFSET: Final = timedelta(hours=10)  # all year
HREF: Final = re.compile(r'href="([^"<>]{1,300}\.zip)"', re.IGNORECASE)
# The end of an interval, a day or the days of a range, in the name of a file.
STAMPS: Final = re.compile(
    r"_(\d{8})(\d{4})?(?:\d{2})?(?:_(\d{8}))?(?:_\d{9,})?\.zip$", re.IGNORECASE
)
LISTING: Final = re.compile(rb"\s*<html><head><title>[^<]{0,300}nemweb", re.IGNORECASE)
ROOFTOP: Final = re.compile("ROOFTOP_PV_ACTUAL", re.IGNORECASE)
END: Final = "END OF REPORT"
DAY: Final = timedelta(days=1)


def is_listing(content: bytes) -> bool:
    """Say whether a body is the listing of a directory, and a whole one."""
    whole = content.rstrip().lower().endswith(b"</html>")
    return whole and LISTING.match(content[:400]) is not None


def listed(content: bytes, span: Span) -> list[str]:
    """Return the paths of the files in a listing that hold a part of `span`, oldest first.

    Raises:
        ValueError: it is not a listing.
    """
    if not is_listing(content):
        raise ValueError("not the listing of a directory")
    found: dict[str, datetime] = {}
    for path in HREF.findall(content.decode("utf-8", errors="replace")):
        whole = _span_of(path)
        if whole is not None and whole.start < span.end and span.start < whole.end:
            found[path] = whole.start
    return sorted(found, key=lambda path: (found[path], path))


def _span_of(path: str) -> Span | None:
    """Return the time that a file's name says it is of: a day, days, or a moment of its slot.

    An interval ends at its stamp; one of rooftop solar half an hour before.
    """
    stamps = STAMPS.search(path)
    if stamps is None:
        return None
    first, clock, last = stamps.groups()
    try:
        start = _instant(f"{first}{clock or '0000'}", "%Y%m%d%H%M")
        if clock:
            end = start - timedelta(minutes=30) if ROOFTOP.search(path) else start
            return Span(end - timedelta(minutes=5), end)
        return Span(start, _instant(last or first, "%Y%m%d") + DAY)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def instant(label: str) -> datetime:
    """Return the UTC instant of a label such as ``2026/03/01 00:05:00``."""
    return _instant(label, "%Y/%m/%d %H:%M:%S")


def _instant(label: str, stamp: str) -> datetime:
    return datetime.strptime(label, stamp).replace(tzinfo=UTC) - OFFSET


def read_reports(content: bytes, most_bytes: int) -> Iterator[bytes]:
    """Yield the CSV files in a body: one, a ZIP of them, or a ZIP of such ZIPs.

    Raises:
        ValueError: it cannot be read, or holds more than `most_bytes` unpacked.
    """
    if not content.startswith(ZIP):
        yield content
        return
    left = most_bytes
    for _, member in read_zip(content, most_bytes=most_bytes):
        left -= len(member)
        if not member.startswith(ZIP):
            yield member
            continue
        for name, inner in read_zip(member, most_bytes=max(left, 0)):
            left -= len(inner)
            if inner.startswith(ZIP):
                raise ValueError(f"{name} is a ZIP in a ZIP in a ZIP")
            yield inner


def records(
    content: bytes, tables: Mapping[str, Collection[str]]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the records of a report, by the names of their columns.

    Args:
        tables: names such as ``DISPATCH.UNIT_SCADA`` with the columns that are wanted; columns
            that a table does not have are left out of its records.

    Raises:
        ValueError: no report, one that is cut short, or a record without a table.
    """
    layouts: dict[str, tuple[Sequence[tuple[str, int]], int]] = {}
    ended = False
    # Line by line: all lines at once would take several times the room of the report.
    for row in csv.reader(io.TextIOWrapper(io.BytesIO(content), encoding="utf-8")):
        if len(row) < 2:
            raise ValueError(f"a line of {len(row)} fields in a report")
        kind = row[0]
        if kind == "D":
            name = f"{row[1]}.{row[2]}"
            places, width = layouts[name]
            if len(row) != width:
                raise ValueError(f"a record of {len(row)} fields in {name}")
            if places:
                yield name, {each: row[place].strip() for each, place in places}
        elif kind == "I":
            name = f"{row[1]}.{row[2]}"
            wanted = tables.get(name, ())
            places = [(each, row.index(each)) for each in wanted if each in row]
            layouts[name] = places, len(row)
        elif kind == "C":
            ended = row[1] == END
        else:
            raise ValueError(f"a line of kind {kind!r} in a report")
    if not ended:
        raise ValueError(f"a report without {END!r}: the body is cut short")

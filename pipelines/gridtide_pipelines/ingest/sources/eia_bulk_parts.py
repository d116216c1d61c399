"""EIA's files of six months, taken apart by days. Pure."""

from __future__ import annotations

import csv
import io
import re
from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final, TypeAlias

from gridtide_pipelines.ingest.delimited import check_last
from gridtide_pipelines.ingest.parsing import check_shape

NAME = "eia_bulk"
AUTHORITY, NEIGHBOUR = "Balancing Authority", "Directly Interconnected Balancing Authority"
END, LOCAL_END = "UTC Time at End of Hour", "Local Time at End of Hour"
DEMAND, AHEAD = "Demand (MW)", "Demand Forecast (MW)"
FUEL: Final = "Net Generation (MW) from "

# In the place of the hour: the line lists the columns that its authority has in the file.
LISTED: Final = "listed"
LONGEST_LINE: Final = 64 * 1024
# Year, month and day.
_Key: TypeAlias = tuple[bytes, bytes, bytes]
TIME: Final = re.compile(rb"(\d\d)/(\d\d)/(\d{4}) \d{1,2}:\d\d:\d\d [AP]M")


def parts(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the file as smaller ones of the same form, each of all authorities for one day.

    It is read twice: once to see where the lines of each part are, then part by part.

    Args:
        stream: the file; it must be seekable.

    Raises:
        SourceChanged: it is not one of these files, or cut short.
    """
    with check_shape(NAME):
        header = stream.readline(LONGEST_LINE)
        names = [name.strip().strip('"') for name in header.decode("utf-8-sig").split(",")]
        place = [name for name in names if name in (END, LOCAL_END)].index(END)
        found: dict[_Key, array[int]] = defaultdict(lambda: array("Q"))
        start, line, last = stream.tell(), stream.readline(LONGEST_LINE), b""
        listing = _Listing(names)
        while line:
            after = start + len(line)
            if line.strip():
                month, day, year = TIME.findall(line)[place]
                key = year, month, day
                spans = found[key]
                # Neighbouring lines are one span: files are in order of authority and time.
                if spans and spans[-1] == start:
                    spans[-1] = after
                else:
                    spans.extend((start, after))
                listing.add(line, key)
                last = line
            start, line = after, stream.readline(LONGEST_LINE)
        check_last(last, len(names))
    for key in sorted(found):
        part = bytearray(header.rstrip(b"\r\n") + b"\n" + listing.lines(key))
        spans = found.pop(key)
        for start, after in zip(spans[::2], spans[1::2], strict=True):
            stream.seek(start)
            part += stream.read(after - start)
        yield bytes(part)


class _Listing:
    """In which part each authority first has a value of a quantity; of interchange none.

    From then on the file lists it. Before, the authority may not have had the fuel: a battery
    that begins in October says nothing about July.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._authority = names.index(AUTHORITY)
        wanted = () if NEIGHBOUR in names else (FUEL, DEMAND, AHEAD)
        self._columns = [n for n, name in enumerate(names) if name.startswith(tuple(wanted))]
        self._first: dict[str, dict[int, _Key]] = {}

    def add(self, line: bytes, key: _Key) -> None:
        """Note the values of one line of the part `key`."""
        if not self._columns:
            return
        fields = next(csv.reader((line.decode("latin-1"),)))
        first = self._first.setdefault(fields[self._authority], {})
        for n in self._columns:
            if (n not in first or key < first[n]) and fields[n].strip():
                first[n] = key

    def lines(self, key: _Key) -> bytes:
        """Return a line for each authority, with 1 in its columns and LISTED for the hour."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for authority, first in self._first.items():
            row = {n: "1" for n, since in first.items() if since <= key}
            row |= {self._authority: authority, self._names.index(END): LISTED}
            writer.writerow(row.get(n, "") for n in range(len(self._names)))
        return text.getvalue().encode("latin-1")

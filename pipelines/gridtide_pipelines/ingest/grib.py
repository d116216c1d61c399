"""Read GRIB2 messages of a regular grid with the one packing that NOAA's models use. Pure.

Packing: template 5.3, complex packing with spatial differencing (WMO Manual on Codes, volume
I.2, FM 92). Anything else is refused with ValueError: other packings, bitmaps, missing values,
other grids. Octets are numbered from 1, as in the manual.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]

BEGIN, END = b"GRIB", b"7777"
LEAST_MESSAGE = 16 + 4
MOST_POINTS = 4_000_000  # four times a grid of 0.25 degrees
MOST_BITS = 32  # of one number

NO_BITMAP = 255
INSTANT, INTERVAL = 0, 8  # templates of section 4
PACKING = 3  # template of section 5
HOUR_UNITS: Final = {1: 1, 10: 3, 11: 6, 12: 12}  # code table 4.4: hours in one unit
MICRODEGREES = 1e6


@dataclass(frozen=True, slots=True)
class Mesh:
    """A grid of equal steps: rows from `north` southward, columns from `west` eastward.

    Attributes:
        step: degrees from one point to the next, along both axes.
    """

    rows: int
    columns: int
    north: float
    west: float
    step: float

    def nearest(self, lat: Floats, lon: Floats) -> Ints:
        """Return the index of the grid point nearest to each of the coordinates.

        Raises:
            ValueError: one lies beside the grid.
        """
        row = np.rint((self.north - lat) / self.step).astype(np.int64)
        column = np.rint((lon - self.west) % 360 / self.step).astype(np.int64)
        if self.columns * self.step >= 360:  # the grid goes round the world
            column %= self.columns
        beside = (row < 0) | (row >= self.rows) | (column >= self.columns)
        if beside.any():
            raise ValueError(f"{int(beside.sum())} points lie beside the grid")
        return row * self.columns + column


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message: what it is, and its packed values.

    Attributes:
        element: discipline, category and number of the parameter (code table 4.2).
        surface: type (code table 4.5) and level, such as ``(103, 10.0)`` for 10 m above ground.
        run: when the model began; the leads are hours from it.
        first: beginning of the time that a mean or sum is over; of an instant its lead.
        last: end of that time; of an instant its lead.
        statistic: 0 mean, 1 sum (code table 4.10); None for an instant.
        grid: where its values lie.
    """

    element: tuple[int, int, int]
    surface: tuple[int, float]
    run: datetime
    first: int
    last: int
    statistic: int | None
    grid: Mesh
    _packing: bytes
    _data: bytes

    def values(self) -> Floats:
        """Return the values in the order of the grid.

        Raises:
            ValueError: they are not packed as described above, or cut.
        """
        return _unpack(self._packing, self._data, self.grid.rows * self.grid.columns)


def read_fields(content: bytes) -> Iterator[Field]:
    """Yield the fields of messages that follow each other without a gap.

    Raises:
        ValueError, IndexError: they are not whole, or not of a kind described above.
    """
    at = 0
    if not content:
        raise ValueError("no message")
    while at < len(content):
        head = content[at : at + 16]
        if head[:4] != BEGIN or len(head) < 16 or head[7] != 2:
            raise ValueError(f"no GRIB2 message at byte {at}")
        length = int.from_bytes(head[8:16], "big")
        message = content[at : at + length]
        if length < LEAST_MESSAGE or len(message) != length or message[-4:] != END:
            raise ValueError(f"the message at byte {at} is cut")
        yield from _fields(message, head[6])
        at += length


def _fields(message: bytes, discipline: int) -> Iterator[Field]:
    """Yield the fields of one message; sections 2 to 7 may be repeated in it."""
    sections: dict[int, bytes] = {}
    at, found = 16, 0
    while at < len(message) - 4:
        length, number = int.from_bytes(message[at : at + 4], "big"), message[at + 4]
        if length < 5 or at + length > len(message) - 4:
            raise ValueError(f"section {number} is longer than its message")
        sections[number] = message[at : at + length]
        at += length
        if number == 7:
            yield _field(sections, discipline)
            found += 1
    if not found:
        raise ValueError("a message without data")


def _field(sections: dict[int, bytes], discipline: int) -> Field:
    missing = {1, 3, 4, 5, 6, 7} - sections.keys()
    if missing:
        raise ValueError(f"a field without section {min(missing)}")
    one, four = sections[1], sections[4]
    if sections[6][5] != NO_BITMAP:
        raise ValueError("a field with a bitmap")
    month, day, hour, minute, second = one[14:19]
    run = datetime(_number(one, 13, 14), month, day, hour, minute, second, tzinfo=UTC)
    template, unit = _number(four, 8, 9), HOUR_UNITS.get(four[17])
    if template not in (INSTANT, INTERVAL) or unit is None:
        raise ValueError(f"product template {template} with time unit {four[17]}")
    first = last = _number(four, 19, 22) * unit
    statistic = None
    if template == INTERVAL:
        unit = HOUR_UNITS.get(four[48])
        if four[41] != 1 or unit is None:
            raise ValueError(f"{four[41]} time ranges with time unit {four[48]}")
        statistic, last = four[46], first + _number(four, 50, 53) * unit
    return Field(
        element=(discipline, four[9], four[10]),
        surface=(four[22], _signed(four, 25, 28) / 10.0 ** _signed(four, 24, 24)),
        run=run,
        first=first,
        last=last,
        statistic=statistic,
        grid=_grid(sections[3]),
        _packing=sections[5],
        _data=sections[7][5:],
    )


def _grid(three: bytes) -> Mesh:
    rows, columns = _number(three, 35, 38), _number(three, 31, 34)
    step = _number(three, 64, 67) / MICRODEGREES
    plain = _number(three, 13, 14) == 0 and three[71] == 0 and three[10] == 0
    angle = _number(three, 39, 42)
    if not plain or angle not in (0, 2**32 - 1) or step <= 0:
        raise ValueError("a grid that is not one of equal steps southward and eastward")
    if step != _number(three, 68, 71) / MICRODEGREES or _number(three, 7, 10) != rows * columns:
        raise ValueError("a grid whose numbers contradict each other")
    if not 0 < rows * columns <= MOST_POINTS:
        raise ValueError(f"a grid of {rows} x {columns} points")
    north, west = _signed(three, 47, 50) / MICRODEGREES, _signed(three, 51, 54) / MICRODEGREES
    return Mesh(rows, columns, north, west, step)


def _unpack(five: bytes, data: bytes, count: int) -> Floats:
    """Undo template 5.3: groups of numbers, each with its own reference and width."""
    if _number(five, 10, 11) != PACKING or _number(five, 6, 9) != count:
        raise ValueError(f"packing {_number(five, 10, 11)} of {_number(five, 6, 9)} values")
    if five[22] != 0:
        raise ValueError("missing values")
    reference = float(np.frombuffer(five[11:15], ">f4")[0])
    binary, decimal = 2.0 ** _signed(five, 16, 17), 10.0 ** _signed(five, 18, 19)
    groups, order, octets = _number(five, 32, 35), five[47], five[48]
    if groups == 0:  # one value everywhere
        return np.full(count, reference / decimal)
    if order not in (1, 2) or groups > count or not 0 <= octets <= 4:
        raise ValueError(f"{groups} groups with differences of order {order}")
    bits = _Bits(data)
    firsts = [bits.take(8 * octets) for _ in range(order)]
    smallest = _signed(bits.bytes(octets), 1, octets) if octets else 0
    references = bits.array(groups, five[19])
    widths = bits.array(groups, five[36]) + five[35]
    lengths = bits.array(groups, five[46]) * five[41] + _number(five, 38, 41)
    lengths[-1] = _number(five, 43, 46)
    if (lengths < 0).any() or lengths.sum() != count:
        raise ValueError(f"groups of {lengths.sum()} values in place of {count}")
    numbers = bits.groups(widths, lengths) + np.repeat(references, lengths)
    numbers[order:] += smallest
    numbers[:order] = firsts[:count]
    if order == 2:  # the second differences become first ones
        numbers[1:] = np.cumsum(np.concatenate([numbers[1:2] - numbers[:1], numbers[2:]]))
    values = (reference + np.cumsum(numbers) * binary) / decimal
    return values.astype(np.float64)


class _Bits:
    """Numbers of any width, one after the other; arrays begin at a whole octet."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._octets = np.frombuffer(data + bytes(8), np.uint8).astype(np.int64)
        self._at = 0  # in bits

    def bytes(self, count: int) -> bytes:
        first = self._at // 8
        self._at += 8 * count
        self._refuse_cut()
        return self._data[first : first + count]

    def take(self, width: int) -> int:
        return int.from_bytes(self.bytes(width // 8), "big")

    def array(self, count: int, width: int) -> Ints:
        """Return `count` numbers of one width, and go on at the next octet."""
        found = self.groups(np.array([width]), np.array([count]))
        self._at += -self._at % 8
        return found

    def groups(self, widths: Ints, lengths: Ints) -> Ints:
        """Return all numbers of groups, each of which has a width of its own."""
        if widths.max(initial=0) > MOST_BITS:
            raise ValueError(f"numbers of {widths.max()} bits")
        begins = self._at + np.cumsum(widths * lengths) - widths * lengths
        self._at = int(begins[-1] + widths[-1] * lengths[-1])
        self._refuse_cut()
        width = np.repeat(widths, lengths)
        number = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        bit = np.repeat(begins, lengths) + number * width
        octet, within = bit >> 3, bit & 7
        window = np.zeros(len(bit), np.int64)
        for further in range(5):  # 32 bits from any bit of an octet lie in five octets
            window = window << 8 | self._octets[octet + further]
        numbers: Ints = window >> (40 - within - width) & ((1 << width) - 1)
        return numbers

    def _refuse_cut(self) -> None:
        if self._at > 8 * len(self._data):
            raise ValueError("the packed values are cut")


def _number(section: bytes, first: int, last: int) -> int:
    """Return the unsigned number in octets `first` to `last`."""
    found = section[first - 1 : last]
    if len(found) != last - first + 1:
        raise ValueError("a section is cut")
    return int.from_bytes(found, "big")


def _signed(section: bytes, first: int, last: int) -> int:
    """Return the number in octets `first` to `last`, whose first bit is its sign."""
    number = _number(section, first, last)
    sign = 1 << (8 * (last - first + 1) - 1)
    return sign - number if number & sign else number

"""GRIB2 messages as `ingest/grib.py` reads them: fields of the world, in template 5.3."""

from __future__ import annotations

import struct
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

GROUP: Final = 64  # values
MICRO: Final = 1_000_000  # parts of a degree


def message(
    element: tuple[int, int, int],
    surface: tuple[int, int],
    run: datetime,
    lead: int,
    values: npt.NDArray[np.float64] | float,
    *,
    since: int | None = None,
    statistic: int = 0,
    missing: int = 0,
    bitmap: int = 255,
    decimals: int = 2,
    degrees: int = 1,
) -> bytes:
    """Write one field of the whole world, from the north pole and 0 E on.

    Args:
        element: discipline, category and number of the parameter.
        surface: its kind and level.
        values: of a mesh with a point each `degrees`, by row; or one for all.
        since: where the field is a mean or a sum: the lead time when it begins.
        statistic: 0 mean, 1 sum.
        missing: management of missing values, 0 without.
        bitmap: 255 without one.
        decimals: that are kept.
    """
    rows, columns = 180 // degrees + 1, 360 // degrees
    discipline, category, number = element
    one = struct.pack(">HHBBBHBBBBBBB", 7, 0, 2, 1, 1, run.year, *run.timetuple()[1:6], 0, 1)
    grid = struct.pack(
        ">BIBBHBBIBIBIIIIIiIBiIIIB",
        *(0, rows * columns, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, columns, rows, 0, 0xFFFFFFFF),
        *(90_000_000, 0, 48, 0, (360 - degrees) * MICRO, degrees * MICRO, degrees * MICRO, 0),
    )
    kind, level = surface
    begin = lead if since is None else since
    product = struct.pack(
        ">HHBBBBBHBBIBBIBBI",
        *(0, 0 if since is None else 8, category, number, 2, 0, 96, 0, 0, 1, begin),
        *(kind, 0, level, 255, 0, 0),
    )
    if since is not None:
        product += struct.pack(">HBBBBBBI", run.year, 1, 1, 0, 0, 0, 1, 0)
        product += struct.pack(">BBBIBI", statistic, 2, 1, lead - since, 255, 0)
    whole = np.broadcast_to(np.asarray(values, np.float64), (rows, columns)).ravel()
    packing, data = _pack(whole, decimals, missing)
    body = b"".join(
        struct.pack(">IB", len(each) + 5, number) + each
        for number, each in (
            *((1, one), (3, grid), (4, product), (5, packing)),
            *((6, bytes([bitmap])), (7, data)),
        )
    )
    length = 16 + len(body) + 4
    return b"GRIB\0\0" + struct.pack(">BBQ", discipline, 2, length) + body + b"7777"


def _pack(values: npt.NDArray[np.float64], decimals: int, missing: int) -> tuple[bytes, bytes]:
    """Return sections 5 and 7 of template 5.3: second differences in groups of 64."""
    low = float(np.float32(np.floor(values.min() * 10**decimals)))
    whole = np.rint(values * 10**decimals - low).astype(np.int64)
    second = whole[2:] - 2 * whole[1:-1] + whole[:-2]
    smallest = int(second.min())
    numbers = np.concatenate([[0, 0], second - smallest])
    groups = [numbers[at : at + GROUP] for at in range(0, len(numbers), GROUP)]
    references = [int(group.min()) for group in groups]
    widths = [int(group.max() - group.min()).bit_length() for group in groups]
    bits = max(references).bit_length()
    width_bits = max(widths).bit_length()
    data = b"".join(number.to_bytes(4, "big") for number in whole[:2].tolist())
    sign = 1 << 31
    data += (sign - smallest if smallest < 0 else smallest).to_bytes(4, "big")
    data += _in_bits([(references, bits)]) + _in_bits([(widths, width_bits)])
    data += _in_bits(
        [
            ((group - reference).tolist(), width)
            for group, reference, width in zip(groups, references, widths, strict=True)
        ]
    )
    last = len(groups[-1])
    section = struct.pack(
        ">IHfHHBBBBIIIBBIBIBBB",
        *(len(values), 3, low, 0, decimals, bits, 0, 1, missing, 0, 0),
        *(len(groups), 0, width_bits, GROUP, 1, last, 0, 2, 4),
    )
    return section, data


def _in_bits(parts: list[tuple[list[int], int]]) -> bytes:
    """Return numbers one after the other, each part in its own width, to a whole octet."""
    text = "".join(
        format(number, f"0{width}b") for numbers, width in parts if width for number in numbers
    )
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big") if text else b""

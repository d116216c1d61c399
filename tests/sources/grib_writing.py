"""Written GRIB2 messages: fields of one degree, packed by an encoder of its own."""

from __future__ import annotations

import struct
from datetime import datetime

import numpy as np
import numpy.typing as npt

ROWS, COLUMNS = 181, 360
GROUP = 64  # values


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
) -> bytes:
    """One field of the whole world; with `since` a mean (0) or sum (1) from then on."""
    discipline, category, number = element
    one = struct.pack(">HHBBBHBBBBBBB", 7, 0, 2, 1, 1, run.year, *run.timetuple()[1:6], 0, 1)
    grid = struct.pack(
        ">BIBBHBBIBIBIIIIIiIBiIIIB",
        *(0, ROWS * COLUMNS, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, COLUMNS, ROWS, 0, 0xFFFFFFFF),
        *(90_000_000, 0, 48, 0, 359_000_000, 1_000_000, 1_000_000, 0),
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
    whole = np.broadcast_to(np.asarray(values, np.float64), (ROWS, COLUMNS)).ravel()
    packing, data = packed(whole, decimals, missing)
    body = b"".join(
        struct.pack(">IB", len(each) + 5, number) + each
        for number, each in (
            *((1, one), (3, grid), (4, product), (5, packing)),
            *((6, bytes([bitmap])), (7, data)),
        )
    )
    length = 16 + len(body) + 4
    return b"GRIB\0\0" + struct.pack(">BBQ", discipline, 2, length) + body + b"7777"


def packed(values: npt.NDArray[np.float64], decimals: int, missing: int) -> tuple[bytes, bytes]:
    """Sections 5 and 7 of template 5.3: second differences in groups of 64."""
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
    data += in_bits([(references, bits)]) + in_bits([(widths, width_bits)])
    data += in_bits(
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


def in_bits(parts: list[tuple[list[int], int]]) -> bytes:
    """Numbers one after the other, those of each part in its own width, to a whole octet."""
    text = "".join(
        format(number, f"0{width}b") for numbers, width in parts if width for number in numbers
    )
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big") if text else b""


def bands(north: float, step: float, height: int = 30) -> npt.NDArray[np.float64]:
    """Values that fall by `step` every `height` rows from the pole southward."""
    return (north - step * (np.arange(ROWS) // height))[:, None].astype(np.float64)

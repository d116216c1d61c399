"""Reading GRIB2: a message worked out by hand, ours against an encoder and a known library."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from gridtide_pipelines.ingest.grib import Mesh, read_fields
from gridtide_pipelines.replay.grib_messages import message
from tests.sources.bands import COLUMNS, ROWS, bands

RUN = datetime(2026, 11, 20, 6, tzinfo=UTC)
TEMPERATURE, HEIGHT = (0, 0, 0), (103, 2)
RAIN, SURFACE = (0, 1, 8), (1, 0)

# Six values of a grid of 2 x 3, in tenths: reference 2800, first differences 0 5 5 3 -2 -2.
# The first value is 10 above the reference. Groups: [10 5 5] and [3 -2 -2]; the smallest
# difference is -2, so 0 7 7 and 5 0 0 are packed (the first is taken from the descriptor).
BY_HAND = [281.0, 281.5, 282.0, 282.3, 282.1, 281.9]
SECTION_3 = (
    "00000048 03 00 00000006 00 00 0000 06 00 00000000 00 00000000 00 00000000"
    "00000003 00000002 00000000 FFFFFFFF 055D4A80 00000000 30 054E0840 001E8480"
    "000F4240 000F4240 00"
)
SECTION_5 = (
    "00000031 05 00000006 0003 452F0000 0000 0001 03 00 01 00 00000000 00000000"
    "00000002 00 02 00000003 01 00000003 00 01 01"
)
# Octets 6 on: first value 10, smallest -2; references 0 and 0 in 3 bits each, widths 3 and 3 in
# 2 bits each, no bits of lengths; then 000 111 111 101 000 000.
SECTION_7 = "0000000C 07 0A 82 00 F0 1F D0 00"
SECTIONS = (
    "00000015 01 0007 0000 02 01 01 07EA 0B 14 06 00 00 00 01",
    SECTION_3,
    "00000022 04 0000 0000 00 00 02 00 60 0000 00 01 00000009 67 00 00000002 FF 00 00000000",
    SECTION_5,
    "00000006 06 FF",
    SECTION_7,
)


def by_hand(sections: tuple[str, ...] = SECTIONS) -> bytes:
    body = b"".join(map(bytes.fromhex, sections))
    return b"GRIB\0\0\0\2" + (len(body) + 20).to_bytes(8, "big") + body + b"7777"


def test_a_message_worked_out_by_hand() -> None:
    (field,) = read_fields(by_hand())
    assert field.values() == pytest.approx(BY_HAND, abs=1e-9)
    assert field.grid == Mesh(rows=2, columns=3, north=90.0, west=0.0, step=1.0)
    assert (field.run, field.first, field.last, field.statistic) == (RUN, 9, 9, None)
    assert (field.element, field.surface) == (TEMPERATURE, (103, 2.0))


def noise() -> np.ndarray:
    seeded = np.random.default_rng(20_211)
    return seeded.normal(280, 20, (ROWS, COLUMNS)) + bands(30, 4, 9)


def test_what_an_encoder_packed_is_read_and_a_window_with_its_ends() -> None:
    values = noise()
    fields = [
        *read_fields(
            message(TEMPERATURE, HEIGHT, RUN, 9, values)
            + message(RAIN, SURFACE, RUN, 12, 3.25, since=6, statistic=1)
        )
    ]
    assert np.abs(fields[0].values() - values.ravel()).max() < 0.00501
    assert (fields[1].values() == 3.25).all()
    assert [(each.first, each.last, each.statistic) for each in fields] == [
        (9, 9, None),
        (6, 12, 1),
    ]


@pytest.mark.parametrize("order", [1, 2])
def test_values_are_those_of_eccodes(order: int) -> None:
    eccodes = pytest.importorskip("eccodes")
    handle = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
    wanted = {
        "Ni": COLUMNS,
        "Nj": ROWS,
        "latitudeOfFirstGridPointInDegrees": 90,
        "longitudeOfFirstGridPointInDegrees": 0,
        "latitudeOfLastGridPointInDegrees": -90,
        "longitudeOfLastGridPointInDegrees": 359,
        "iDirectionIncrementInDegrees": 1,
        "jDirectionIncrementInDegrees": 1,
        "dataDate": 20261120,
        "dataTime": 600,
        "typeOfFirstFixedSurface": 103,
        "scaleFactorOfFirstFixedSurface": 0,
        "scaledValueOfFirstFixedSurface": 2,
        "forecastTime": 9,
        "packingType": "grid_complex_spatial_differencing",
        "orderOfSpatialDifferencing": order,
        "decimalScaleFactor": 1,
        "bitsPerValue": 14,
    }
    for key, value in wanted.items():
        eccodes.codes_set(handle, key, value)
    eccodes.codes_set_values(handle, noise().ravel())
    content = eccodes.codes_get_message(handle)
    (field,) = read_fields(content)
    read = eccodes.codes_get_values(eccodes.codes_new_from_message(content))
    assert np.abs(field.values() - read).max() < 1e-9
    assert (field.run, field.last, field.surface) == (RUN, 9, (103, 2.0))


def test_eccodes_reads_what_our_encoder_wrote() -> None:
    eccodes = pytest.importorskip("eccodes")
    content = message(RAIN, SURFACE, RUN, 12, bands(80, 3, 7), since=6, statistic=1)
    handle = eccodes.codes_new_from_message(content)
    (field,) = read_fields(content)
    assert np.abs(field.values() - eccodes.codes_get_values(handle)).max() < 1e-9
    assert eccodes.codes_get(handle, "stepRange") == "6-12"
    assert eccodes.codes_get(handle, "shortName") == "tp"


@pytest.mark.parametrize(
    ("place", "digits", "word"),
    [
        (3, SECTION_5.replace("0003 452F", "0002 452F"), "packing 2"),
        (3, SECTION_5.replace("03 00 01 00 ", "03 00 01 01 "), "missing values"),
        (3, SECTION_5.replace("00000003 00 01 01", "00000004 00 01 01"), "groups of 7"),
        (3, SECTION_5.replace("00 01 01", "00 03 01"), "order 3"),
        (3, SECTION_5.replace("00 01 01", "00 01 09"), "order 1"),
        (4, "00000006 06 00", "bitmap"),
        (5, SECTION_7.replace("0000000C", "0000000A")[:-6], "cut"),
        (1, SECTION_3.replace("000F4240 00", "001E8480 00"), "contradict"),
        (1, SECTION_3[:-2] + "40", "steps southward"),
        (2, SECTIONS[2].replace("04 0000 0000", "04 0000 000B"), "template 11"),
    ],
    ids=range(10),
)
def test_what_is_packed_otherwise_is_refused(place: int, digits: str, word: str) -> None:
    changed = (*SECTIONS[:place], digits, *SECTIONS[place + 1 :])
    with pytest.raises(ValueError, match=word):
        [field.values() for field in read_fields(by_hand(changed))]


def test_a_message_that_is_cut_or_followed_by_something_is_refused() -> None:
    whole = by_hand()
    for content in (
        b"",
        whole[:-1],
        whole + b"x",
        b"x" + whole,
        whole[:15],
        whole[:-4] + b"7778",
    ):
        with pytest.raises(ValueError, match="message"):
            list(read_fields(content))


def test_the_nearest_point_goes_round_the_world() -> None:
    grid = Mesh(rows=181, columns=360, north=90.0, west=0.0, step=1.0)
    found = grid.nearest(np.array([90.0, 51.4, -90.0, 0.0]), np.array([0.0, 10.6, -0.6, -0.4]))
    assert found.tolist() == [0, 39 * 360 + 11, 180 * 360 + 359, 90 * 360]
    small = Mesh(rows=2, columns=3, north=90.0, west=0.0, step=1.0)
    for lat, lon in ((88.0, 1.0), (90.0, 4.0)):
        with pytest.raises(ValueError, match="beside the grid"):
            small.nearest(np.array([lat]), np.array([lon]))

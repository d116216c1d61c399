"""How close a figure has to be: as it was promised, no looser."""

from __future__ import annotations

import re

import pytest

from gridtide_pipelines.reproduce.figures import Row
from gridtide_pipelines.reproduce.papers import reproductions


def rows(name: str, pattern: str) -> list[Row]:
    found = [row for row in reproductions()[name].run(None) if re.search(pattern, row.label)]
    assert found
    return found


@pytest.mark.parametrize(
    ("name", "pattern", "tolerance", "count"),
    [
        ("dodge2022-style", "^(lifecycle|direct), ", 0.01, 1164),
        ("lets-wait-awhile", "^(ML jobs|nightly)", 0.005, 332),
        ("lets-wait-awhile", "^weekends are lower by", 0.005, 4),
        ("elastic-de2020", "[^s]$(?<!starts)", 0.05, 34),
        ("eurosys2024", "", 0.01, 191),
    ],
)
def test_series_are_reproduced_within_a_fixed_distance(
    name: str, pattern: str, tolerance: float, count: int
) -> None:
    found = rows(name, pattern)
    assert {row.tolerance for row in found} == {tolerance}
    assert len(found) == count


def test_table_4_is_reproduced_within_a_share_of_the_printed_value() -> None:
    of_table_4 = [row for row in rows("patterson2021", "as run") if row.note == "Table 4"]
    energy = [row for row in of_table_4 if row.label.endswith(", energy")]
    emitted = [row for row in of_table_4 if row.label.endswith((", gross", ", net"))]
    assert (len(energy), len(emitted)) == (6, 12)
    for found, share in ((energy, 0.013), (emitted, 0.016)):
        for row in found:
            assert isinstance(row.printed, float)
            assert row.tolerance == pytest.approx(share * row.printed)


def test_table_1_is_reproduced_to_the_last_digit_printed() -> None:
    of_table_1 = [row for row in rows("patterson2021", "") if row.note == "Table 1"]
    assert {(row.unit, row.tolerance) for row in of_table_1} == {
        ("kWh", 0.5),
        ("tCO2e", 0.00005),
    }
    assert len(of_table_1) == 15


@pytest.mark.parametrize(
    ("label", "printed", "tolerance"),
    [
        ("strubell nas estimate", 284.0, 0.05),
        ("nas estimate actual proxy task us average", 15.2, 0.05),
        ("nas estimate over proxy task", 18.7, 0.05),
        ("nas estimate over actual", 88.0, 0.5),
        ("gain by algorithm and processor", 7.4, 0.05),
        ("gain by these and data centre", 10.5, 0.05),
        ("gain by these and energy mix", 56.5, 0.05),
    ],
)
def test_the_text_is_reproduced_to_half_of_its_last_digit(
    label: str, printed: float, tolerance: float
) -> None:
    (row,) = (row for row in rows("patterson2021", label) if row.label == label)
    assert (row.printed, row.tolerance, row.verdict) == (printed, tolerance, "pass")

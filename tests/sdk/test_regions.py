"""Regions as written on a command line."""

from __future__ import annotations

import pytest

from gridtide.cli.regions import split_regions


@pytest.mark.parametrize(
    ("words", "regions"),
    [
        (["DE"], ["DE"]),
        (["DE,FR", "aws:us-east-1"], ["DE", "FR", "aws:us-east-1"]),
        (["52.5,13.4"], ["52.5,13.4"]),
        ([" -33.9, 18.4 "], ["-33.9,18.4"]),
        (["DE,52.5,13.4,FR"], ["DE", "52.5,13.4", "FR"]),
        (["1,2,3,4"], ["1,2", "3,4"]),
        (["52.5", "13.4"], ["52.5", "13.4"]),
        (["DE,,", ""], ["DE"]),
        ([], []),
    ],
)
def test_commas_part_regions_but_not_a_place(words: list[str], regions: list[str]) -> None:
    assert split_regions(words) == regions

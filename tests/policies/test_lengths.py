"""Lengths of time are read in the two ways people write them, and no other."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gridtide.errors import BadInput
from gridtide_pipelines.policy.lengths import parse_length


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("PT24H", 24),
        ("P1D", 24),
        ("P1W", 168),
        ("P1DT12H", 36),
        ("PT1H30M", 1.5),
        ("PT90M", 1.5),
        ("PT1800S", 0.5),
        ("PT0.5H", 0.5),
        ("24h", 24),
        ("1.5d", 36),
        (" 90 min ", 1.5),
        ("0h", 0),
    ],
)
def test_a_length_is_read(text: str, hours: float) -> None:
    assert parse_length(text, name="--slack") == timedelta(hours=hours)


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1DT", "24", "h", "-1h", "P1Y", "P1M", "1w", "PT1D", "1e3h"]
)
def test_what_is_none_is_refused_with_the_way_to_write_it(text: str) -> None:
    with pytest.raises(BadInput, match=r"--slack .* write it as PT24H, P1D, 24h or 90min"):
        parse_length(text, name="--slack")


def test_a_length_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(BadInput, match="longer than the calendar"):
        parse_length("P" + "9" * 12 + "D", name="--every")

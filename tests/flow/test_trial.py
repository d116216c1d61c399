"""A check of one publisher: what its newest answer would bring into the store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import polars as pl
import pytest

from gridtide_pipelines.ingest.limits import DEFAULT
from gridtide_pipelines.ingest.source import Body, Response
from gridtide_pipelines.ingest.trial import Trial, try_source
from tests.flow.written import HOUR, rows, source

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def tried(value: float | None, signal: str) -> Trial:
    """The check of a source whose every value is the same."""
    body = json.dumps([[*row[:2], value] for row in rows("DE", NOW - 3 * HOUR, 3)])
    inner = source().parse

    def parse(bodies: Sequence[Body]) -> pl.DataFrame:
        return inner(bodies).with_columns(signal=pl.lit(signal))

    (trial,) = try_source(
        source(zones=frozenset({"DE"}), parse=parse),
        lambda *_: Response(body.encode()),
        now=lambda: NOW,
        limits=DEFAULT,
    )
    return trial


@pytest.mark.parametrize("signal", ["generation_gas", "load"])
def test_values_that_are_all_refused_are_a_failure_that_names_them(signal: str) -> None:
    trial = tried(9e9, signal)
    assert (trial.status, trial.failed) == ("all_refused", True)
    assert f"{signal} 9000000000.0 at " in trial.message
    assert trial.values == []


def test_nothing_but_gaps_is_nothing_yet() -> None:
    trial = tried(None, "load")
    assert (trial.status, trial.failed) == ("nothing_yet", False)


def test_values_are_what_would_be_stored() -> None:
    trial = tried(50.0, "generation_gas")
    assert (trial.status, trial.rows, trial.newest_slot_end) == ("done", 3, NOW)
    assert [value for _, _, value, _ in trial.values] == [50.0] * 3

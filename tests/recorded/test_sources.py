"""Recorded bodies of the publishers, parsed and compared with what they say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from gridtide_pipelines.ingest.source import Body, Request
from gridtide_pipelines.ingest.sources import eia, sources

pytestmark = pytest.mark.recorded

KNOWN_AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NAMES = {
    "net_flow": "flow",
    "load": "load",
    "share_pct_other": "share_unknown",
    "ci_actual_gco2_kwh": "ci_direct_consumed",
    "ci_forecast_gco2_kwh": "ci_direct_consumed",
}


@pytest.fixture(scope="session")
def cases(recorded: Path) -> pl.DataFrame:
    """The cases of the sources we have a parser for, which have something to compare with."""
    table = pl.read_csv(recorded / "fixtures" / "cases.csv", infer_schema=False)
    ours = table.filter(pl.col("source").is_in(list(sources())), pl.col("status") == "ok")
    rest = table.filter(~pl.col("source").is_in(list(sources())))
    print(f"{rest.height} cases of {rest['source'].n_unique()} sources without a parser yet")  # noqa: T201  # shown by -s and on failure
    return ours


def bodies(recorded: Path, case: dict[str, str]) -> list[Body]:
    """The recorded bodies of one case as if they had just come."""
    folder = recorded / "fixtures" / case["source"]
    return [
        Body(Request("GET", "/recorded"), (folder / name).read_bytes(), KNOWN_AT, index)
        for index, name in enumerate(case["bodies"].split(";"))
    ]


def said(frame: pl.DataFrame) -> list[tuple[str, str, str, bool, float]]:
    """Values of a READING frame as sorted rows: zone, start, signal, forecast, value."""
    rows = frame.drop_nulls("value").select(
        "zone",
        pl.col("start").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "signal",
        (pl.col("signal").eq("ci_direct_consumed") & pl.col("issued_at").is_not_null()).alias(
            "f"
        ),
        "value",
    )
    return sorted(rows.iter_rows())


def expected(recorded: Path, case: dict[str, str]) -> list[tuple[str, str, str, bool, float]]:
    """The expected file of one case in our words."""
    path = recorded / "fixtures" / case["source"] / "expected" / case["expected"]
    rows = []
    for zone, start, fuel, value in pl.read_csv(path).iter_rows():
        forecast = fuel == "ci_forecast_gco2_kwh"
        if fuel.startswith("share_pct_"):
            name = NAMES.get(fuel, f"share_{fuel[10:]}")
            rows.append((zone, start, name, False, value / 100))
        elif case["source"] == "eia":
            ours = "->".join(eia.ZONES.get(code, code) for code in zone.split("->"))
            rows.append((ours, start, NAMES.get(fuel, f"generation_{fuel}"), False, value))
        else:
            rows.append((zone, start, NAMES[fuel], forecast, value))
    return sorted(rows)


def test_each_recorded_body_parses_to_what_it_says(recorded: Path, cases: pl.DataFrame) -> None:
    wrong = []
    for case in cases.iter_rows(named=True):
        assert case["compare"] == "exact", f"{case['bodies']}: no such comparison here"
        frame = sources()[case["source"]].parse(bodies(recorded, case))
        if said(frame) != expected(recorded, case):
            wrong.append(f"{case['source']} {case['bodies']}")
    assert wrong == []
    assert cases.height >= 21

"""Recorded bodies of the publishers, parsed and compared with what they say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from gridtide.cli.script import main
from gridtide_pipelines.ingest.newest import CONFLICT
from gridtide_pipelines.ingest.source import PARTIAL, Body, Kind, Request
from gridtide_pipelines.ingest.sources import sources
from gridtide_pipelines.ingest.table import COLUMNS, table, zones_of

pytestmark = pytest.mark.recorded

KNOWN_AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
POWER = 0.5  # MW
OTHERS = 0.05  # of shares in %, prices and intensities
# What is printed, and stored as unknown: rooftops come later than what stands beside them.
NOT_STORED = {("openelectricity", "generation_solar")}


@pytest.fixture(scope="session")
def cases(recorded: Path) -> pl.DataFrame:
    """The cases of the sources we have a parser for, which have something to compare with."""
    listed = pl.read_csv(recorded / "fixtures" / "cases.csv", infer_schema=False)
    ours = listed.filter(pl.col("source").is_in(list(sources())), pl.col("status") == "ok")
    rest = listed.filter(~pl.col("source").is_in(list(sources())))
    print(f"{rest.height} cases of {rest['source'].n_unique()} sources without a parser yet")  # noqa: T201  # shown by -s and on failure
    return ours


def parsed(recorded: Path, case: dict[str, str]) -> pl.DataFrame:
    """The readings of one case, as if its bodies had just come."""
    source = sources()[case["source"]]
    folder = recorded / "fixtures" / case["source"]
    bodies = [
        Body(
            Request("GET", case["url"] or "/recorded", zones=zones_of(source, case["zone"])),
            (folder / name).read_bytes(),
            KNOWN_AT,
            index,
        )
        for index, name in enumerate(case["bodies"].split())
    ]
    return source.parse(bodies)


def expected(recorded: Path, case: dict[str, str]) -> pl.DataFrame:
    path = recorded / "fixtures" / case["source"] / "expected" / case["expected"]
    return pl.read_csv(path, schema_overrides={"mw": pl.Float64}).sort(COLUMNS[:3])


def differs(
    found: pl.DataFrame, wanted: pl.DataFrame, tolerance: float, *, exact: bool
) -> bool:
    """Say whether other rows were found than wanted, or more of them where `exact`."""
    if not exact:
        found = found.join(wanted, on=COLUMNS[:3], how="semi").sort(COLUMNS[:3])
    if not found.select(COLUMNS[:3]).equals(wanted.select(COLUMNS[:3])):
        return True
    return (found["mw"] - wanted["mw"]).abs().max() > tolerance  # type: ignore[operator]  # numbers


def test_each_recorded_body_parses_to_what_it_says(recorded: Path, cases: pl.DataFrame) -> None:
    wrong = []
    unknown: set[tuple[str, str]] = set()
    for case in cases.iter_rows(named=True):
        assert case["compare"] in ("exact", "subset"), f"{case['bodies']}: unknown comparison"
        power = case["kind"] in ("generation", "load", "flow", "forecast")
        frame, wanted = parsed(recorded, case), expected(recorded, case)
        found = table(frame, sources()[case["source"]], case["zone"], Kind(case["kind"]))
        exact = case["compare"] == "exact"
        if differs(found, wanted, POWER if power else OTHERS, exact=exact):
            wrong.append(f"{case['source']} {case['bodies']}")
        partial = frame.filter(pl.col("flag").str.contains(f"{PARTIAL}|{CONFLICT}"))
        unknown |= {(case["source"], signal) for signal in partial["signal"]}
    assert wrong == []
    assert unknown == NOT_STORED
    assert cases.height >= 41


def test_the_command_prints_what_is_parsed(
    recorded: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("GRIDTIDE_HOME", str(tmp_path))
    folder = recorded / "fixtures/eia"
    path = folder / "edge_US_NW_AVRN-wind.json"
    assert main(["parse", "eia", str(path), "--zone", "AVRN", "--kind", "generation"]) == 0
    printed = capsys.readouterr()
    wanted = (folder / "expected/edge_US_NW_AVRN-wind.csv").read_text().splitlines()
    assert printed.out.splitlines()[0] == wanted[0]
    assert len(printed.out.splitlines()) == len(wanted)
    assert "unmapped_code:WIN" in printed.err
    other = recorded / "fixtures/entsoe/not_xml_invalid.xml"
    assert main(["parse", "entsoe", str(other), "--zone", "AT"]) == 1
    assert "not a market document" in capsys.readouterr().err

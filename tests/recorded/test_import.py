"""All CarbonCast files into one home, against numbers read from the files by hand.

The README beside the files says which label each region uses and which defects it has.
"""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gridtide.cli.script import main
from gridtide_store.data_directory import DataDirectory
from gridtide_store.store import Store

pytestmark = pytest.mark.recorded

# Region, zone key, label, hours, fuels. Eight have three years, five end with June 2021.
THREE_YEARS, UNTIL_JULY = 26_304, 21_888
REGIONS = [
    ("AUS_QLD", "AU-QLD", "start", UNTIL_JULY, 7),
    ("BPAT", "US-NW-BPAT", "end", THREE_YEARS, 6),
    ("CISO", "US-CAL-CISO", "start", THREE_YEARS, 8),
    ("DE", "DE", "start", THREE_YEARS, 10),
    ("ERCO", "US-TEX-ERCO", "end", UNTIL_JULY, 7),
    ("ES", "ES", "start", UNTIL_JULY, 9),
    ("FPL", "US-FLA-FPL", "end", THREE_YEARS, 4),
    ("ISNE", "US-NE-ISNE", "end", THREE_YEARS, 8),
    ("NL", "NL", "start", THREE_YEARS, 7),
    ("NYISO", "US-NY-NYIS", "end", UNTIL_JULY, 6),
    ("PJM", "US-MIDA-PJM", "start", THREE_YEARS, 8),
    ("PL", "PL", "start", THREE_YEARS, 7),
    ("SE", "SE", "start", UNTIL_JULY, 4),
]
LATE = datetime(2100, 1, 1, tzinfo=UTC)


def run_import(
    home: DataDirectory, folder: Path, region: str, zone: str, label: str
) -> dict[str, Any]:
    """The summary of importing one region."""
    words = ["--json", "import", str(folder / f"{region}.parquet"), "--zone", zone]
    out = io.StringIO()
    with redirect_stdout(out):
        code = main([*words, "--label", label], {"GRIDTIDE_HOME": str(home.root)})
    assert code == 0
    summary: dict[str, Any] = json.loads(out.getvalue())
    return summary


@pytest.fixture(scope="module")
def folder(recorded: Path) -> Path:
    return recorded / "data" / "carboncast"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DataDirectory:
    return DataDirectory(tmp_path_factory.mktemp("carboncast"))


@pytest.fixture(scope="module")
def summaries(home: DataDirectory, folder: Path) -> dict[str, dict[str, Any]]:
    """What the import of each region, by its zone key, said."""
    return {
        region: run_import(home, folder, region, zone, label)
        for region, zone, label, *_ in REGIONS
    }


@pytest.fixture(scope="module")
def history(home: DataDirectory, summaries: dict[str, Any]) -> pl.DataFrame:
    """Everything stored: zone, signal, slot_start, value."""
    assert summaries
    day = datetime(2018, 12, 1, tzinfo=UTC)
    with Store.open(home) as store:
        series = store.series().filter(~pl.col("signal").str.starts_with("cfe"))
        frames = [
            store.history(zone, signal, day, LATE, as_of=LATE).select(
                pl.lit(zone).alias("zone"), pl.lit(signal).alias("signal"), "start", "value"
            )
            for zone, signal in series.select("zone", "signal").iter_rows()
        ]
    return pl.concat(frames)


def test_every_hour_and_fuel_is_stored_and_three_signals_derived(
    summaries: dict[str, dict[str, Any]],
) -> None:
    for region, zone, _, hours, fuels in REGIONS:
        [file] = summaries[region]["files"]
        assert (file["zone"], file["slots"], file["rows_added"]) == (zone, hours, hours * fuels)
        assert file["ignored_columns"] == [
            "ci_lifecycle_g_per_kwh",
            "ci_direct_g_per_kwh",
            "ci_published",
        ]
        assert summaries[region]["derived_rows"] == 3 * hours


def test_labels_are_starts_afterwards(summaries: dict[str, dict[str, Any]]) -> None:
    [start], [end] = summaries["CISO"]["files"], summaries["FPL"]["files"]
    assert (start["from"], start["to"]) == ("2019-01-01T00:00:00Z", "2022-01-01T00:00:00Z")
    assert (end["from"], end["to"]) == ("2018-12-31T23:00:00Z", "2021-12-31T23:00:00Z")


# Read off the row labelled 2020-07-01 12:00 UTC: FPL's names the end of its hour.
@pytest.mark.parametrize(
    ("zone", "hour", "expected"),
    [
        ("US-FLA-FPL", 11, {"gas": 8637, "nuclear": 3656, "solar": 108, "unknown": 2035}),
        ("SE", 12, {"nuclear": 5586, "hydro": 8049, "wind": 3054, "unknown": 1139}),
        ("DE", 12, {"coal": 12343.25, "gas": 8414.25, "solar": 22740.75, "geothermal": 12.5}),
    ],
)
def test_values_read_by_hand(
    history: pl.DataFrame, zone: str, hour: int, expected: dict[str, float]
) -> None:
    then = datetime(2020, 7, 1, hour, tzinfo=UTC)
    slot = history.filter(pl.col("zone") == zone, pl.col("start") == then)
    found = dict(slot.select("signal", "value").iter_rows())
    assert {fuel: found[f"generation_{fuel}"] for fuel in expected} == expected


def test_six_hours_of_nl_without_generation_are_unknown(history: pl.DataFrame) -> None:
    nl = history.filter(pl.col("zone") == "NL", pl.col("signal") == "ci_lifecycle_produced")
    unknown = nl.filter(pl.col("value").is_null())
    assert unknown["start"].dt.date().unique().to_list() == [datetime(2019, 5, 18).date()]  # noqa: DTZ001  # a calendar day
    assert unknown.height == 6


def test_negative_output_is_kept_as_reported(history: pl.DataFrame) -> None:
    negative = history.filter(pl.col("value") < 0)
    counts = dict(negative.group_by("zone").len().iter_rows())
    # The README counts 291 and 336 negative cells in the rows of 2019.
    assert (counts["US-NW-BPAT"], counts["US-FLA-FPL"]) == (291, 336)


def test_a_second_import_adds_nothing(
    home: DataDirectory, folder: Path, summaries: dict[str, dict[str, Any]]
) -> None:
    assert summaries
    for region, zone, label, *_ in REGIONS[:2]:
        again = run_import(home, folder, region, zone, label)
        assert again["files"][0]["rows_added"] == 0
        assert again["derived_rows"] == 0


def test_an_alias_names_the_same_zone(
    home: DataDirectory, folder: Path, summaries: dict[str, dict[str, Any]]
) -> None:
    assert summaries
    assert run_import(home, folder, "NYISO", "NYISO", "end")["files"][0]["rows_added"] == 0


def test_a_truncated_file_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "DE.parquet"
    cut.write_bytes((folder / "DE.parquet").read_bytes()[:500_000])
    words = ["import", str(cut), "--zone", "DE", "--label", "start"]
    assert main(words, {"GRIDTIDE_HOME": str(tmp_path / "home")}) == 2
    assert "not a whole Parquet file" in capsys.readouterr().err
    assert not (tmp_path / "home").exists()

"""Deriving what is pending, and which source a snapshot trusts."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest

from gridtide.cli.script import main
from gridtide.errors import BadInput
from gridtide_pipelines.derive.factors import factor_set
from gridtide_pipelines.errors import NotStored
from gridtide_pipelines.ingest.flow import derive_pending
from gridtide_store.catalogue import trusted
from gridtide_store.check import check
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.store import Store
from gridtide_store.vocabulary import OBSERVATION

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def mix(hour: int, **power: float) -> pl.DataFrame:
    """One hour of DE's generation, known when it ended."""
    start = START + hour * HOUR
    rows = [
        {
            "zone": "DE",
            "signal": f"generation_{fuel}",
            "source": "import",
            "slot_start": start,
            "slot_end": start + HOUR,
            "value": megawatts,
            "quality": "measured",
            "known_at": start + HOUR,
            "retrieval_id": 1,
        }
        for fuel, megawatts in power.items()
    ]
    return pl.DataFrame(rows, schema=OBSERVATION)


def test_what_a_later_batch_lacks_is_missed_by_what_came_in_earlier_ones(
    tmp_path: Path,
) -> None:
    home = DataDirectory(tmp_path)
    with writer_lock(home, "test", START), Store.open(home) as store:
        store.append(mix(0, gas=50.0, wind=50.0))
        assert derive_pending(store, factor_set()) == 3
        # At the live edge wind comes first: without gas the hour would read as clean.
        store.append(mix(1, wind=50.0))
        derive_pending(store, factor_set())
        values = store.history(
            "DE", "ci_lifecycle_produced", START, START + 2 * HOUR, as_of=START + 9 * HOUR
        )["value"]
        assert values.to_list() == [pytest.approx((50 * 490 + 50 * 11) / 100), None]
        assert derive_pending(store, factor_set()) == 0


def test_a_zone_trusts_the_sources_its_catalogue_entry_lists() -> None:
    assert trusted("GB") == ("elexon", "neso", "uk_carbon_intensity")
    assert trusted("US-CAL-CISO") == ("caiso", "eia", "eia_bulk")
    assert trusted("GB:13") == ()


def test_an_empty_home_is_not_published(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish"], {"GRIDTIDE_HOME": str(tmp_path / "home")}) == 2
    assert "holds no store; look at --home" in capsys.readouterr().err


def test_a_backup_into_the_home_itself_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {"GRIDTIDE_HOME": str(tmp_path)}
    home = DataDirectory(tmp_path)
    with writer_lock(home, "test", START), Store.open(home) as store:
        store.append(mix(0, gas=50.0))
    assert main(["backup", str(tmp_path / "copy")], environ) == 2
    assert "name a path outside it" in capsys.readouterr().err
    assert not (tmp_path / "copy").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "room", [1 << 20, 2 << 20, 4 << 20], ids=["the raw body", "the rows", "the store"]
)
def test_a_full_disk_is_a_message_and_what_was_there_stays(tmp_path: Path, room: int) -> None:
    """A limit on the size of files stands in for a full disk: writes fail the same way."""
    home = DataDirectory(tmp_path / "home")
    with writer_lock(home, "test", START), Store.open(home) as store:
        store.append(mix(0, gas=50.0))
    limited = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room})); "
        "from gridtide.cli.script import main; sys.exit(main())"
    )
    words = ["import", str(_big(tmp_path)), "--zone", "DE", "--label", "start"]
    done = subprocess.run(
        [sys.executable, "-c", limited, *words, "--home", str(home.root)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "make room on its disk, then run the command again" in done.stderr
    assert check(home, START + 9 * HOUR) == []
    with writer_lock(home, "test", START), Store.open(home) as store:
        assert store.series()["rows"].sum() == 1


def _big(folder: Path) -> Path:
    """Random megawatts, which do not compress below the limit."""
    hours = 60_000
    random = Random(7)  # noqa: S311  # no secret
    frame = pl.DataFrame(
        {
            "ts_utc": [START - (hours - h) * HOUR for h in range(hours)],
            "gen_gas_mwh": [random.random() * 1e5 for _ in range(hours)],
            "gen_wind_mwh": [random.random() * 1e5 for _ in range(hours)],
        }
    )
    frame.write_parquet(folder / "big.parquet")
    return folder / "big.parquet"


def test_what_cannot_be_derived_is_named_and_hides_nothing_else(tmp_path: Path) -> None:
    home = DataDirectory(tmp_path)
    with writer_lock(home, "test", START), Store.open(home) as store:
        store.append(mix(0, gas=50.0))
        store.append(mix(0, phlogiston=50.0).with_columns(pl.lit("FR").alias("zone")))
        failed: list[NotStored] = []
        assert derive_pending(store, factor_set(), failed=failed) == 3
        (error,) = failed
        assert (error.source, error.zone, error.code) == ("import", "FR", "not_stored")
        assert "phlogiston" in str(error)
        # It is pending still.
        with pytest.raises(BadInput, match="phlogiston"):
            derive_pending(store, factor_set())

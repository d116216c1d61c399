"""``gridtide export``: the rows of the service as files, read back by other libraries."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest

from gridtide.cli import script
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.export import ROW
from tests.server.published import HOUR, NOW, PRODUCED, Asker, Publisher, observed

DAY = NOW.replace(hour=0)
ZONES = ("BE", "DE", "ES", "FR", "NL", "PL")

Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(home: DataDirectory, *words: str) -> int:
        """``gridtide export`` at NOW with these words."""
        environ = {"GRIDTIDE_HOME": str(home.root), "HOME": str(tmp_path)}
        return script.main(["export", *words, "--now", NOW.isoformat()], environ)

    return run


def answers(ask: Asker, zone: str, query: str, signal: str = PRODUCED) -> list[dict[str, Any]]:
    """The slots of a range by REST."""
    found = ask.json(f"/v1/zones/{zone}/intensity?signal={signal}&{query}")
    slots: list[dict[str, Any]] = found["slots"]
    return slots


def rows(frame: pl.DataFrame, zone: str) -> list[dict[str, Any]]:
    """The rows of a zone as REST writes slots."""
    names = ("start", "end", "value", "quality", "known_at", "source")
    mine = frame.filter(pl.col("zone") == zone)
    return [
        {
            name: f"{row[name]:%Y-%m-%dT%H:%M:%SZ}"
            if isinstance(row[name], datetime)
            else row[name]
            for name in names
        }
        for row in mine.iter_rows(named=True)
    ]


@pytest.mark.parametrize(
    "query",
    [
        "start=2026-03-01&end=2026-03-02T06:00:00Z",
        "start=2026-03-01T05:30:00Z&end=2026-03-02T12:00:00Z",
        "start=2026-03-02&end=2026-03-03",  # the end has not come yet
        "start=2026-03-01&end=2026-03-02T12:00:00Z&as_of=2026-03-02T11:15:00Z",
    ],
)
def test_parquet_has_the_rows_of_the_service(
    home: DataDirectory, ask: Asker, run: Run, tmp_path: Path, query: str
) -> None:
    path = tmp_path / "all.parquet"
    names = {"start": "--from", "end": "--to", "as_of": "--as-of"}
    words = [f"{names[name]}={value}" for name, _, value in map(_pair, query.split("&"))]
    assert run(home, str(path), *words) == 0
    found = pl.read_parquet(path)
    assert found.schema == ROW
    assert set(found["unit"]) == {"gCO2e/kWh"}
    there = [zone for zone in ZONES if ask(f"/v1/zones/{zone}/intensity?{query}").is_success]
    assert there
    for zone in there:
        assert rows(found, zone) == answers(ask, zone, query), zone
    assert found.filter(pl.col("value").is_null()).height > 0  # the gaps are rows
    assert found["zone"].is_sorted()


def _pair(text: str) -> tuple[str, str, str]:
    return text.partition("=")


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_duckdb_and_pandas_read_what_was_written(
    home: DataDirectory, run: Run, tmp_path: Path
) -> None:
    parquet, csv = tmp_path / "de.parquet", tmp_path / "de.csv"
    for path in (parquet, csv):
        assert run(home, str(path), "--zone", "DE", "--from", "2026-03-01") == 0
    written = pl.read_parquet(parquet)
    connection = duckdb.connect()
    kinds = connection.execute("DESCRIBE FROM read_parquet(?)", [str(parquet)]).fetchall()
    assert {name: kind for name, kind, *_ in kinds} == {
        **dict.fromkeys(("zone", "signal", "unit", "quality", "source"), "VARCHAR"),
        **dict.fromkeys(("start", "end", "known_at"), "TIMESTAMP WITH TIME ZONE"),
        "value": "DOUBLE",
    }
    counted = connection.execute(
        "SELECT count(*), count(value), epoch_us(min(start)), sum(value) FROM read_parquet(?)",
        [str(parquet)],
    ).fetchone()
    connection.close()
    first: datetime = written["start"].min()  # type: ignore[assignment]  # not empty
    assert counted == (
        written.height,
        written["value"].count(),
        round(first.timestamp() * 1e6),
        written["value"].sum(),
    )
    # CSV: times with Z, a gap is an empty value.
    header, line = csv.read_text().splitlines()[:2]
    assert header == ",".join(ROW.names())
    assert line == (
        "DE,ci_lifecycle_produced,2026-03-01T00:00:00Z,2026-03-01T01:00:00Z,100.0,gCO2e/kWh,"
        "measured,derived@ipcc_ar5/alpha,2026-03-01T01:00:00Z"
    )
    read = pd.read_csv(csv, parse_dates=["start", "end", "known_at"])
    assert read["start"].tolist() == [pd.Timestamp(each) for each in written["start"]]
    assert read["value"].isna().tolist() == written["value"].is_null().to_list()
    assert read["value"].sum() == written["value"].sum()


def test_csv_goes_to_standard_output_and_messages_do_not(
    home: DataDirectory, run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(home, "-", "--zone", "DE,GB", "--region", "aws:eu-west-3") == 0
    out, err = capfd.readouterr()
    found = pl.read_csv(io.StringIO(out))
    # GB has no default signal, and Paris is in FR.
    assert set(found["zone"]) == {"DE", "FR"}
    assert err.splitlines()[0] == "GB: no such values here"
    assert f"{found.height} rows" in err


def test_parquet_goes_to_standard_output(
    home: DataDirectory, run: Run, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(home, "-", "--format", "parquet", "--zone", "DE") == 0
    assert set(pl.read_parquet(io.BytesIO(capfdbinary.readouterr().out))["zone"]) == {"DE"}


def test_what_is_not_published_comes_from_the_store(
    publisher: Publisher, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def add(signal: str, values: list[float | None], zone: str = "DE", **more: Any) -> None:  # noqa: ANN401
        start = NOW - 4 * HOUR
        publisher.add(
            observed(zone, values, start=start, signal=signal, source="alpha", **more)
        )

    add("generation_wind", [10.123456, None, 30.0])
    add("generation_gas", [1.0, 2.0, 3.0])
    add("load", [50.0])
    add("flow", [-5.0, 5.0], zone="DE->FR")
    add("flow", [7.0], zone="NL->PL")
    add("price_eur", [99.5])
    add(PRODUCED, [300.25])
    publisher.add(
        observed(
            *("DE", [11.0]),
            start=NOW - 4 * HOUR,
            signal="generation_wind",
            source="alpha",
            known_at=NOW - HOUR,
        )
    )
    publisher.publish()
    path = tmp_path / "mix.parquet"
    signals = "generation,load,flow,price,ci_lifecycle_produced"
    words = [str(path), "--zone", "DE", "--signal", signals]
    assert run(publisher.home, *words) == 4  # the store is open for writing
    assert "test (pid" in capsys.readouterr().err
    publisher.close()
    assert run(publisher.home, *words) == 0
    found = pl.read_parquet(path)
    values = {
        (zone, signal): list(value)
        for (zone, signal), value in found.group_by("zone", "signal", maintain_order=True)
        .agg("value")
        .rows_by_key(("zone", "signal"))
        .items()
    }
    assert {pair: value[0] for pair, (value,) in values.items()} == {
        ("DE", "ci_lifecycle_produced"): [300.25, None, None, None],
        # The newest revision; null was said; nothing is known of the last hour.
        ("DE", "generation_gas"): [1.0, 2.0, 3.0, None],
        ("DE", "generation_wind"): [11.0, None, 30.0, None],
        ("DE", "load"): [50.0, None, None, None],
        ("DE", "price_eur"): [99.5, None, None, None],
        ("DE->FR", "flow"): [-5.0, 5.0, None, None],
    }
    units = dict(found.select("signal", "unit").unique().iter_rows())
    assert units == {
        "ci_lifecycle_produced": "gCO2e/kWh",
        "price_eur": "EUR/MWh",
        **dict.fromkeys(("generation_gas", "generation_wind", "load", "flow"), "MW"),
    }
    # As it was known before the revision; values of the store are not rounded.
    early = [f"--as-of={(NOW - 2 * HOUR).isoformat()}", "--force", "--signal=generation_wind"]
    assert run(publisher.home, str(path), *early) == 0
    assert pl.read_parquet(path)["value"].to_list() == [10.123456, None]


def test_the_store_answers_where_nothing_is_published(
    publisher: Publisher, run: Run, tmp_path: Path
) -> None:
    start = NOW - 3 * HOUR
    publisher.add(
        observed("DE", [1.0, None, 3.0], start=start, source="beta"),
        observed("DE", [10.0, 20.0], start=start, source="derived@ipcc_ar5/zeta"),
        observed("DE", [7.0], start=start, signal="ci_lifecycle_consumed", source="beta"),
        observed("FR", [5.0], start=start, source="beta"),
    )
    publisher.close()
    path = tmp_path / "all.csv"
    assert run(publisher.home, str(path)) == 0
    assert pl.read_csv(path).select("zone", "signal").unique().sort("zone").rows() == [
        ("DE", "ci_lifecycle_consumed"),  # the default where it is known
        ("FR", PRODUCED),
    ]
    words = [str(path), "--force", "--signal", PRODUCED, "--zone", "DE"]
    assert run(publisher.home, *words) == 0
    found = pl.read_csv(path)
    # Names decide, as neither source is trusted more; a gap is filled by the other.
    assert found["value"].to_list() == [1.0, 20.0, 3.0]
    assert run(publisher.home, *words, "--source", "derived@ipcc_ar5/zeta") == 0
    assert pl.read_csv(path)["value"].to_list() == [10.0, 20.0, None]


def test_a_file_is_replaced_only_by_force_and_never_by_half(
    home: DataDirectory, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "de.csv"
    assert run(home, str(path), "--zone", "DE", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["rows"] == len(path.read_text().splitlines()) - 1 == 36
    assert said["snapshot"]
    assert said["without_values"] == []
    before = path.read_bytes()
    assert run(home, str(path), "--zone", "FR") == 2
    assert "--force" in capsys.readouterr().err
    assert path.read_bytes() == before
    # Nothing to write: what is there stays, even by force.
    words = ["--zone", "DE", "--from", "2020-01-01", "--to", "2020-02-01"]
    assert run(home, str(path), "--force", *words) == 1
    assert "DE ci_lifecycle_produced" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert run(home, str(path), "--force", "--zone", "FR") == 0
    assert path.read_text().splitlines()[1].startswith("FR,")
    assert files(tmp_path) == ["de.csv"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["x.txt"], "ending"),
        (["x.csv", "--format", "xml"], "parquet or csv"),
        (["missing/x.csv"], "folder"),
        (["x.csv", "--signal", "wind"], "unknown signal 'wind'"),
        (["x.csv", "--signal", ","], "--signal names no signal"),
        (["x.csv", "--zone", "Atlantis"], "Atlantis"),
        (["x.csv", "--from", "2026-03-02", "--to", "2026-03-01"], "not after --from"),
        (["x.csv", "--as-of", "2027-01-01T00:00Z"], "later than now"),
        (["x.csv", "--from", "yesterday"], "--from"),
        (["-", "--json"], "name a file"),
    ],
)
def test_wrong_words_are_refused_before_anything_is_read(
    run: Run,
    tmp_path: Path,
    words: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(DataDirectory(tmp_path / "none"), *words) == 2
    assert said in capsys.readouterr().err
    assert files(tmp_path) == []


def test_an_empty_data_directory_says_what_to_do(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = DataDirectory(tmp_path / "home")
    assert run(home, str(tmp_path / "x.csv")) == 2
    assert "gridtide refresh" in capsys.readouterr().err
    assert files(tmp_path) == []


def test_a_refresh_that_runs_does_not_keep_intensities_from_being_exported(
    home: DataDirectory, run: Run, tmp_path: Path
) -> None:
    with writer_lock(home, "refresh", datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=12)):
        assert run(home, str(tmp_path / "de.csv"), "--zone", "DE") == 0

"""Results as rows and frames: one set of columns in mappings, polars and pandas."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pandas as pd
import polars as pl
import pytest

from gridtide.errors import MissingExtra
from gridtide.model import Series, Signal
from gridtide.planning import Cap, Job, Request, plan, plan_batch
from gridtide.schema.responses import BestRegion, Forecast, Intensity, Zones
from gridtide.schema.result import Tabular

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TIME = pl.Datetime("us", "UTC")
SERIES = Series.regular("DE", Signal.CI_LIFECYCLE_CONSUMED, NOON, HOUR, [5.0, None, 4.0, 2.0])


@pytest.fixture
def results(said: SimpleNamespace) -> dict[str, Tabular]:
    """One of each kind that has rows."""
    made = plan(Job(1), SERIES, now=NOON)
    several = plan_batch([Request(Job(1), SERIES)] * 2, {"DE": Cap(1)}, now=NOON)
    return {
        "Forecast": Forecast.from_json(said.forecast),
        "Intensity": Intensity.from_json(said.intensity),
        "BestRegion": BestRegion.from_json(said.best_region),
        "Zones": Zones.from_json(said.zones),
        "Series": SERIES,
        "Plan": made,
        "BatchPlan": several,
    }


@pytest.mark.parametrize(
    "name", ["Forecast", "Intensity", "BestRegion", "Zones", "Series", "Plan", "BatchPlan"]
)
def test_mappings_and_both_frames_say_the_same(results: dict[str, Tabular], name: str) -> None:
    result = results[name]
    rows, frame, pandas = result.to_dicts(), result.to_polars(), result.to_pandas()
    assert rows
    assert frame.to_dicts() == rows
    assert list(pandas.columns) == list(rows[0])
    for row, (_, other) in zip(rows, pandas.iterrows(), strict=True):
        for column, value in row.items():
            found = other[column]
            if value is None:
                assert found is None or pd.isna(found), column
            else:
                assert found == value, column


def test_columns_have_types_with_rows_and_without(said: SimpleNamespace) -> None:
    forecast = Forecast.from_json(said.forecast)
    empty = Forecast.from_json({**said.forecast, "slots": []})
    schema = {"start": TIME, "end": TIME, "p10": pl.Float64(), "p50": pl.Float64()}
    for each in (forecast, empty):
        assert dict(each.to_polars().schema) == {**schema, "p90": pl.Float64()}
        kinds = {name: str(kind) for name, kind in each.to_pandas().dtypes.items()}
        assert kinds["start"] == kinds["end"] == "datetime64[us, UTC]"
        assert {kinds[name] for name in ("p10", "p50", "p90")} == {"float64"}
    assert forecast.to_polars()["p10"].to_list() == [380.0, None]
    assert empty.to_dicts() == []


def test_a_nested_field_and_a_list_are_columns(results: dict[str, Tabular]) -> None:
    frame = results["Zones"].to_polars()
    assert frame.schema["forecast_issued_at"] == TIME
    assert frame.schema["aliases"] == pl.List(pl.String())
    assert frame["signals"].to_list()[0][0] == "ci_lifecycle_consumed"


def test_regions_without_a_window_come_last_with_their_reason(said: SimpleNamespace) -> None:
    rows = BestRegion.from_json(said.best_region).to_dicts()
    assert [(row["region"], row["reason"] is None) for row in rows][-1] == ("FR", False)
    assert (rows[-1]["start"], rows[-1]["mean"]) == (None, None)
    assert rows[0]["mean"] == 300.0


def test_slots_of_a_schedule_name_their_job(results: dict[str, Tabular]) -> None:
    rows = results["BatchPlan"].to_dicts()
    assert sorted((row["job"], row["start"].hour) for row in rows) in (
        [(0, 14), (1, 15)],
        [(0, 15), (1, 14)],
    )


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_without_the_library_its_extra_is_named(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    extra = {"polars": "frames", "pandas": "pandas"}[library]
    with pytest.raises(MissingExtra, match=rf"pip install 'gridtide\[{extra}\]'"):
        getattr(SERIES, f"to_{library}")()


def test_frames_are_built_without_pyarrow_and_loaded_on_use() -> None:
    code = """if True:
        import sys
        sys.modules["pyarrow"] = None
        from datetime import datetime, timedelta, UTC
        from gridtide import Series, Signal
        noon, hour = datetime(2026, 3, 2, 12, tzinfo=UTC), timedelta(hours=1)
        series = Series.regular("DE", Signal.CFE_PRODUCED, noon, hour, [1, 2])
        series.to_dicts(), str(series)
        assert not {"polars", "pandas", "numpy"} & set(sys.modules)
        assert series.to_polars().shape == series.to_pandas().shape == (2, 4)
    """
    subprocess.run([sys.executable, "-c", code], check=True)

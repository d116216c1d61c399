"""Known errors of a publisher are corrected on the way to the store, unless switched off."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from gridtide.clock import Clock
from gridtide_pipelines.ingest.fetch import Fetcher
from gridtide_pipelines.ingest.source import Kind
from gridtide_pipelines.ingest.sources import eia, eia_bulk
from gridtide_pipelines.refresh import refresh
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.settings import Settings
from gridtide_store.store import Store

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
FIRST = datetime(2026, 3, 1, 1, tzinfo=UTC)  # the label of the first hour


def answer(request: httpx.Request) -> httpx.Response:
    """Wind power of PJM and TVA, and demand, as much as their hour."""
    code = {"fuel-type-data": {"fueltype": "WND"}, "region-data": {"type": "D"}}
    route = request.url.path.split("/")[4]
    rows = [
        {
            "period": f"{FIRST + timedelta(hours=hour):%Y-%m-%dT%H}",
            "respondent": zone,
            "value": 100 + hour,
            **code[route],
        }
        for zone in ("PJM", "TVA")
        for hour in range(24)
    ]
    return httpx.Response(
        200,
        json={"response": {"total": len(rows), "data": rows}},
        headers={"Date": format_datetime(NOW, usegmt=True)},
    )


@pytest.mark.parametrize(("setting", "hours"), [("1", 1), ("0", 0)])
def test_the_setting_decides_what_is_stored(tmp_path: Path, setting: str, hours: int) -> None:
    settings = Settings.from_env({"EIA_API_KEY": "key", "GRIDTIDE_CORRECTIONS": setting})
    home = DataDirectory(tmp_path)
    source = replace(eia.SOURCE, kinds=frozenset({Kind.GENERATION}))
    transport = httpx.MockTransport(answer)
    with (
        Fetcher(settings, transport=transport, now=lambda: NOW, sleep=lambda _: None) as fetch,
        writer_lock(home, "test", NOW),
    ):
        refresh(
            home,
            settings,
            Clock(NOW),
            # A bulk source is left out of a refresh: it would fail here.
            sources=[source, eia_bulk.SOURCE],
            zones=["US-MIDA-PJM", "US-TEN-TVA"],
            since=NOW - timedelta(days=2),
            model="naive",
            fetch=fetch,
            progress=lambda *_: None,
        )
    start = FIRST - timedelta(hours=1)
    with Store.open(home) as store:
        first = {
            zone: store.history(zone, "generation_wind", start, NOW, as_of=NOW).row(0)[:3]
            for zone in ("US-MIDA-PJM", "US-TEN-TVA")
        }
    moved = timedelta(hours=hours)
    assert first == {
        "US-MIDA-PJM": (start + moved, FIRST + moved, 100.0),
        "US-TEN-TVA": (start, FIRST, 100.0),
    }

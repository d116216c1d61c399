"""``gridtide sources``: how each publisher is doing, on the shell and over REST."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide.cli.script import main
from gridtide.schema.sources import Sources
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.store import Store
from tests.flow.publishers import Publishers, publishers
from tests.server.published import Asker, FixedClock

# Requests keep the pace that publishers require.
pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)

Run = Callable[..., int]


@pytest.fixture
def upstream() -> Iterator[Publishers]:
    with publishers(NOW) as state:
        yield state


@pytest.fixture
def home(tmp_path: Path) -> DataDirectory:
    return DataDirectory(tmp_path / "home")


@pytest.fixture
def run(home: DataDirectory, upstream: Publishers) -> Run:
    def run(*words: str, now: datetime = NOW, **more: str) -> int:
        upstream.now = now
        environ = {"GRIDTIDE_HOME": str(home.root), "GRIDTIDE_NOW": now.isoformat()}
        return main(
            list(words), {**environ, "GRIDTIDE_WORKERS": "1", **upstream.environ, **more}
        )

    return run


def test_sources_tell_how_each_is_doing_on_the_shell_and_over_rest(
    home: DataDirectory, upstream: Publishers, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("refresh", "--zone", "US-CAL-CISO,GB", "--model", "naive")
    since = (NOW - timedelta(days=3)).isoformat()
    assert run(*words, "--since", since) == 0
    upstream.failing["eia"] = "403"
    assert run(*words, "--since", since, now=LATER) == 3
    capsys.readouterr()
    assert run("sources", "--json", now=LATER) == 0
    printed = capsys.readouterr().out
    listed = {source["source"]: source for source in json.loads(printed)["sources"]}
    with Asker(home, FixedClock(LATER)) as ask:
        answer = ask.json("/v1/sources")
    decoded = Sources.from_json(answer)
    assert decoded.to_json() == answer
    assert str(decoded) == "3 sources: eia, entsoe, uk_carbon_intensity"
    assert decoded.to_polars()["source"].to_list() == [each.source for each in decoded]
    served = {source["source"]: source for source in answer["sources"]}
    assert list(served) == ["eia", "entsoe", "uk_carbon_intensity"]  # no simulated one here
    assert answer["published_at"] == "2026-03-02T13:00:00Z"
    for name, source in served.items():
        mine = listed[name]
        shared = source.keys() & mine.keys()
        assert {"rows", "newest_slot_end", "failures", "raw_bytes", "last_seen"} <= shared
        assert {each: source[each] for each in shared} == {each: mine[each] for each in shared}
        last = mine["last"] or {"done_at": None}
        assert source["last_success"] == last["done_at"]
    with writer_lock(home, "test", NOW), Store.open(home) as store:
        rows = dict(store.series().group_by("source").agg(pl.col("rows").sum()).iter_rows())
    assert served["eia"]["rows"] == rows["eia"] > 0
    assert served["uk_carbon_intensity"]["rows"] == rows["uk_carbon_intensity"] > 0
    assert (served["entsoe"]["rows"], served["entsoe"]["newest_slot_end"]) == (0, None)
    sizes = sum(each.stat().st_size for each in home.raw.glob("??/*.gz"))
    assert sum(source["raw_bytes"] for source in served.values()) == sizes
    # The first hour that eia refused is missing; the other publisher went on.
    assert served["eia"]["newest_slot_end"] == "2026-03-02T12:00:00Z"
    assert served["uk_carbon_intensity"]["newest_slot_end"] == "2026-03-02T13:00:00Z"
    assert (served["eia"]["failures"] > 0, served["uk_carbon_intensity"]["failures"]) == (
        True,
        0,
    )
    assert (served["eia"]["needs_key"], served["uk_carbon_intensity"]["needs_key"]) == (
        True,
        False,
    )
    # A key is named where it is read from, and nothing of it is printed or served.
    key = {"variables": ["EIA_API_KEY"], "present": True}
    assert key.items() <= listed["eia"]["key"].items()
    assert listed["entsoe"]["key"]["present"] is False
    for text in (printed, json.dumps(answer)):
        assert upstream.key not in text
    assert "present" not in json.dumps(answer)
    assert run("sources") == 0
    text = capsys.readouterr().out
    assert "    key EIA_API_KEY: set" in text.splitlines()
    assert "shape last seen 2024-04, recorded" in text

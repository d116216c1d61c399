"""``gridtide sources``: how each publisher is doing, on the shell and over REST."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gridtide.cli.script import main
from gridtide.schema.sources import Sources
from gridtide_pipelines.ingest.sources import sources
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
    names = [name for name, source in sources().items() if not source.simulated]
    # Of many the first ones are named.
    assert str(decoded).startswith(f"{len(names)} sources: {', '.join(names[:5])}, ")
    assert decoded.to_polars()["source"].to_list() == [each.source for each in decoded]
    served = {source["source"]: source for source in answer["sources"]}
    assert list(served) == names
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


# Those whose publishers are played here, or need no request; no other may be asked.
PLAYED = ("eia", "eia_bulk", "entsoe", "uk_carbon_intensity")


def check(
    run: Run, capsys: pytest.CaptureFixture[str], *names: str, code: int = 0, **more: str
) -> dict[str, Any]:
    """What ``--check`` printed of each source, by name."""
    capsys.readouterr()
    assert run("sources", "--check", *names, "--json", **more) == code
    printed = json.loads(capsys.readouterr().out)
    return {source["source"]: source for source in printed["sources"]}


def test_a_check_asks_each_publisher_and_stores_nothing(
    home: DataDirectory, upstream: Publishers, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    checked = check(run, capsys, *PLAYED)
    assert tuple(checked) == PLAYED
    assert "ENTSOE_API_TOKEN is not set" in checked["entsoe"]["skipped"]
    kinds = {each["kind"]: each for each in checked["eia"]["kinds"]}
    # This publisher has no forecast of the load: that nothing is there yet is no failure.
    assert kinds.pop("forecast")["status"] == "nothing_yet"
    assert sorted(kinds) == ["flow", "generation", "load"]
    for each in (*kinds.values(), *checked["uk_carbon_intensity"]["kinds"]):
        assert each["status"] == "done", each
        assert each["rows"] > 0
        assert each["bytes"] > 0
        assert each["seconds"] >= 0
    # Six fuels, and the newest of them as the publisher has it.
    newest = kinds["generation"]
    assert newest["newest_slot_end"] == "2026-03-02T12:00:00Z"
    assert newest["rows"] % 6 == 0
    (first, *_) = newest["values"]
    assert first["start"] == "2026-03-02T11:00:00Z"
    assert (first["unit"], first["value"] > 0) == ("MW", True)
    assert len(upstream.requested) == 7
    assert not home.root.exists()


def test_a_check_corrects_as_a_refresh_does(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    for setting, corrected in (("1", True), ("0", False)):
        checked = check(run, capsys, "eia", GRIDTIDE_CORRECTIONS=setting)
        (found,) = (each for each in checked["eia"]["kinds"] if each["kind"] == "generation")
        assert found["zone"] == "US-MIDA-PJM"  # whose hours are labelled wrongly
        assert ("corrected:shift" in found["flags"]) == corrected


def test_a_check_says_why_a_publisher_failed_and_goes_on(
    upstream: Publishers, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream.failing["eia"] = "403"
    checked = check(run, capsys, *PLAYED, code=1)
    assert {each["status"] for each in checked["eia"]["kinds"]} == {"source_refused"}
    assert all("EIA_API_KEY" in each["message"] for each in checked["eia"]["kinds"])
    assert {each["status"] for each in checked["uk_carbon_intensity"]["kinds"]} == {"done"}
    upstream.failing["uk"] = "html"
    checked = check(run, capsys, "uk_carbon_intensity", code=1)
    assert list(checked) == ["uk_carbon_intensity"]
    assert {each["status"] for each in checked["uk_carbon_intensity"]["kinds"]} == {
        "source_changed"
    }
    assert run("sources", "--check", "uk_carbon_intensity") == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("uk_carbon_intensity ") for line in lines)
    assert all(": source_changed (" in line for line in lines)
    # Nobody answers: the other kinds are not tried.
    closed = "http://127.0.0.1:9"
    checked = check(
        *(run, capsys, "uk_carbon_intensity"),
        code=1,
        GRIDTIDE_UK_CARBON_INTENSITY_URL=closed,
    )
    assert [each["status"] for each in checked["uk_carbon_intensity"]["kinds"]] == [
        "source_unavailable"
    ]


def test_a_check_prints_what_it_would_store(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("sources", "--check", "eia") == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("eia generation of US-") for line in lines)
    assert any(line.startswith("    generation_") and " MW at " in line for line in lines)
    assert run("sources", "--check", "atlantis") == 2
    assert "unknown source 'atlantis'" in capsys.readouterr().err
    # Without its key a publisher is skipped, which is no failure.
    assert run("sources", "--check", "eia", EIA_API_KEY="") == 0
    assert "skipped: EIA_API_KEY is not set" in capsys.readouterr().out

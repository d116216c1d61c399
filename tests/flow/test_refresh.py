"""The whole line against publishers on loopback: gather, derive, forecast, publish, answer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gridtide.cli.script import main
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.records import Outcome
from gridtide_store.store import Store
from gridtide_store.vocabulary import OBSERVATION
from tests.flow.publishers import Publishers, publishers

# Each test runs whole refreshes, which keep the pace that publishers ask for.
pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
# Two zones, so that few requests have to keep the pace that real publishers ask for.
ZONES = ("--zone", "US-CAL-CISO,GB")


@pytest.fixture
def upstream() -> Iterator[Publishers]:
    with publishers(NOW) as state:
        yield state


class Line:
    """The command line on one home, at one time."""

    def __init__(
        self, home: Path, upstream: Publishers, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.home = DataDirectory(home)
        self.upstream = upstream
        self._capsys = capsys
        self.out = self.err = ""
        self.keep: dict[str, str] = {}

    def __call__(self, *words: str, now: datetime = NOW) -> int:
        self._capsys.readouterr()
        self.upstream.now = now
        environ = environment(self.home.root, now, self.upstream) | self.keep
        code = main(list(words), environ)
        captured = self._capsys.readouterr()
        self.out, self.err = captured.out, captured.err
        return code

    @property
    def document(self) -> dict[str, Any]:
        return dict(json.loads(self.out))


@pytest.fixture
def fresh(tmp_path: Path, upstream: Publishers, capsys: pytest.CaptureFixture[str]) -> Line:
    """An empty home."""
    return Line(tmp_path / "home", upstream, capsys)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home after its first refresh; copied, not shared."""
    home = tmp_path_factory.mktemp("filled") / "home"
    with publishers(NOW) as state:
        environ = environment(home, NOW, state)
        assert main(["refresh", *ZONES, "--model", "weekly"], environ) == 0
    return home


@pytest.fixture
def line(filled: Path, fresh: Line) -> Line:
    """A home of its own after a first refresh."""
    shutil.copytree(filled, fresh.home.root)
    return fresh


def environment(home: Path, now: datetime, upstream: Publishers) -> dict[str, str]:
    return {
        "GRIDTIDE_HOME": str(home),
        "GRIDTIDE_NOW": now.isoformat(),
        "GRIDTIDE_WORKERS": "1",
        **upstream.environ,
    }


def refresh(line: Line, *more: str, now: datetime = NOW) -> int:
    return line("refresh", *ZONES, "--model", "weekly", "--json", *more, now=now)


def test_a_refresh_leads_from_publishers_to_a_best_window(fresh: Line) -> None:
    line = fresh
    assert refresh(line) == 0, line.err
    printed = line.document
    assert printed["sources"]["eia"]["status"] == "done"
    assert printed["sources"]["uk_carbon_intensity"]["rows"] > 0
    assert line("best-window", "US-CAL-CISO", "--hours", "4", "--json") == 0, line.err
    answer = line.document
    # The publishers' wave is the same for every fuel, so its mix does not change: what is
    # checked here is the way, not the window.
    assert answer["zone"] == "US-CAL-CISO"
    assert answer["signal"] == "ci_lifecycle_produced"
    assert answer["model"] == "weekly@1"
    assert answer["replay"] is True
    assert answer["simulated"] is False
    # coal 40, gas 100, nuclear 60, wind 30, sun 20, water 10, with the factors of ipcc_ar5.
    by_hand = (40 * 820 + 100 * 490 + 60 * 12 + 30 * 11 + 20 * 45 + 10 * 24) / 260
    assert answer["mean"] == pytest.approx(by_hand, abs=2.0)  # the publisher rounds to MW


def test_gb_is_cleanest_where_its_gas_is_lowest(line: Line) -> None:
    assert line("best-window", "GB", "--hours", "2", "--json") == 0, line.err
    start = datetime.fromisoformat(line.document["start"])
    # Gas follows a daily wave with its trough at 03:00 UTC.
    assert (start.hour, start.minute) == (2, 0)


def test_a_second_refresh_adds_nothing(line: Line) -> None:
    assert refresh(line) == 0
    printed = line.document
    assert {"eia", "uk_carbon_intensity"} <= printed["sources"].keys()
    assert {entry["rows"] for entry in printed["sources"].values()} == {0}
    assert printed["derived_rows"] == 0
    assert printed["forecast_rows"] == 0


def test_one_failing_source_spoils_nothing_else(line: Line, upstream: Publishers) -> None:
    upstream.failing["eia"] = "403"
    later = NOW + timedelta(hours=6)
    assert refresh(line, now=later) == 3
    printed = line.document
    assert printed["sources"]["eia"]["status"] == "source_refused"
    assert "403" in printed["sources"]["eia"]["message"]
    assert printed["sources"]["uk_carbon_intensity"]["status"] == "done"
    assert printed["sources"]["uk_carbon_intensity"]["rows"] > 0
    assert line("best-window", "GB", "--hours", "2", "--json", now=later) == 0
    assert line("best-window", "US-CAL-CISO", "--hours", "2", "--json", now=later) == 0
    run = Ledger(line.home.ledger).commands(1)[0]
    assert (run.outcome, run.exit_code) == (Outcome.PARTIAL, 3)


def test_a_page_of_html_is_a_changed_source_and_its_body_is_kept(
    line: Line, upstream: Publishers
) -> None:
    upstream.failing["uk"] = "html"
    assert refresh(line, now=NOW + timedelta(hours=1)) == 3
    assert line.document["sources"]["uk_carbon_intensity"]["status"] == "source_changed"
    with (
        writer_lock(line.home, "test", NOW),
        Store.open(line.home) as store,
    ):
        newest = store.connection.execute(
            "SELECT max(id) FROM retrieval WHERE source = 'uk_carbon_intensity'"
        ).fetchone()
        assert newest is not None
        assert store.body(newest[0]) == b"<html>maintenance</html>"


def test_no_key_is_a_skip_with_the_way_to_one_and_no_failure(line: Line) -> None:
    line.upstream.key = ""
    assert refresh(line) == 0, line.err
    printed = line.document["sources"]["eia"]
    assert printed["status"] == "skipped"
    assert "EIA_API_KEY" in printed["message"]


def test_settled_spans_are_not_requested_again_and_since_reaches_further_back(
    line: Line, upstream: Publishers
) -> None:
    refresh(line, now=NOW + timedelta(minutes=1))
    # 60 days were requested at first; EIA revises for 14 days, GB for 7.
    assert not any("2026-01" in address for address in upstream.requested)
    upstream.requested.clear()
    refresh(line, "--since", "2025-11-01T00:00Z", now=NOW + timedelta(minutes=2))
    assert any("2025-11" in address for address in upstream.requested)
    upstream.requested.clear()
    refresh(line, "--since", "2025-11-01T00:00Z", now=NOW + timedelta(minutes=3))
    assert not any("2025-11" in address for address in upstream.requested)


def test_a_history_back_to_a_time_to_come_is_refused(fresh: Line) -> None:
    assert refresh(fresh, "--since", "2026-03-02T12:01Z") == 2
    assert "--since 2026-03-02T12:01:00Z is later than now" in fresh.err
    assert not fresh.home.root.exists()


def test_at_another_time_no_publisher_is_requested_unless_its_url_is_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {
        "GRIDTIDE_HOME": str(tmp_path / "home"),
        "GRIDTIDE_NOW": NOW.isoformat(),
        "EIA_API_KEY": "not-a-real-key",
    }
    assert main(["refresh"], environ) == 1
    printed = capsys.readouterr().err
    assert "GRIDTIDE_EIA_URL" in printed
    assert "holds nothing to publish" in printed


def test_a_second_refresh_meanwhile_exits_with_4_and_names_the_holder(line: Line) -> None:
    with writer_lock(line.home, "refresh", NOW):
        assert refresh(line) == 4
    assert "refresh (pid " in line.err
    assert "since 2026-03-02T12:00:00Z" in line.err
    assert line.out == ""


def test_simulated_and_real_rows_never_share_a_home(line: Line) -> None:
    assert line("refresh", "--simulate") == 2
    assert "another data directory" in line.err


def test_what_was_requested_can_be_traced_to_its_body(line: Line) -> None:
    with (
        writer_lock(line.home, "test", NOW),
        Store.open(line.home) as store,
    ):
        row = store.inputs("US-CAL-CISO", "eia", NOW - timedelta(days=2), NOW).row(
            0, named=True
        )
        body = json.loads(store.body(row["retrieval_id"]))
    label = row["slot_end"].strftime("%Y-%m-%dT%H")
    values = [
        float(entry["value"])
        for entry in body["response"]["data"]
        if entry["period"] == label and entry["respondent"] == "CISO"
    ]
    assert row["value"] in values


def test_the_key_is_in_no_file_of_the_home(line: Line) -> None:
    line("publish")
    for path in line.home.root.rglob("*"):
        if path.is_file():
            assert b"not-a-real-key" not in path.read_bytes(), path


def test_check_backup_and_restore_bring_the_same_answer_back(
    line: Line, fresh: Line, tmp_path: Path
) -> None:
    assert line("check") == 0, line.out
    line("best-window", "GB", "--hours", "2", "--json")
    before = line.document
    copy = tmp_path / "copy.tar"
    assert line("backup", str(copy)) == 0, line.err
    elsewhere = tmp_path / "elsewhere"
    assert line("restore", str(copy), "--home", str(elsewhere)) == 0, line.err
    assert line("best-window", "GB", "--hours", "2", "--json", "--home", str(elsewhere)) == 0
    assert line.document == before
    body = next(line.home.raw.glob("??/*.gz"))
    body.write_bytes(body.read_bytes()[:-1])
    assert line("check", "--json") == 1
    assert [finding["path"] for finding in line.document["findings"]] == [str(body)]


def test_sources_tell_what_is_on_and_why_not(line: Line) -> None:
    assert line("sources", "--json") == 0
    on = {source["source"] for source in line.document["sources"] if source["on"]}
    assert on == {"eia", "uk_carbon_intensity"}  # those that are moved to the test's publishers
    line.upstream.failing["eia"] = "403"
    refresh(line, now=NOW + timedelta(hours=1))
    line("sources", "--json")
    last = {source["source"]: source["last"] for source in line.document["sources"]}
    assert last["simulated"] is None
    assert last["eia"]["status"] == "source_refused"
    assert last["eia"]["at"] == "2026-03-02T13:00:00Z"
    assert last["eia"]["done_at"] == "2026-03-02T12:00:00Z"
    assert last["uk_carbon_intensity"]["done_at"] == "2026-03-02T13:00:00Z"


def test_old_bodies_and_runs_go_when_their_time_is_over(line: Line) -> None:
    ledger = Ledger(line.home.ledger)
    old = ledger.start_command("refresh", [], NOW - timedelta(days=500))
    ledger.finish_command(old, NOW - timedelta(days=500), Outcome.DONE, exit_code=0)
    # The same day's second forecast is neither the first of the day nor of a served slot.
    assert refresh(line, now=NOW + timedelta(hours=1)) == 0, line.err
    assert old not in [command.id for command in ledger.commands(limit=99)]
    line.keep = {"GRIDTIDE_KEEP_RAW_DAYS": "10", "GRIDTIDE_KEEP_RUN_DAYS": "10"}
    later = NOW + timedelta(days=20)
    assert refresh(line, now=later) == 0, line.err
    assert line("check", now=later) == 0, line.out
    with writer_lock(line.home, "test", NOW), Store.open(line.home) as store:
        found = store.connection.execute(
            "SELECT kind, kept_as, count(*) FROM retrieval WHERE known_at < ? GROUP BY ALL",
            [later - timedelta(days=10)],
        ).fetchall()
    kept = {(kind, why): count for kind, why, count in found}
    assert kept["forecast", ""] > 0
    assert kept["forecast", "first"] == 2  # of EIA, and of NESO
    assert kept["generation", "served"] > 0
    assert ("generation", "") not in kept or kept["generation", "first"] > 0


def test_a_source_that_refuses_is_not_requested_again_in_the_same_refresh(
    line: Line, upstream: Publishers
) -> None:
    upstream.failing["eia"] = "403"
    refresh(line, now=NOW + timedelta(hours=1))
    assert len([address for address in upstream.requested if address.startswith("/eia")]) == 1


def test_what_is_settled_for_some_zones_is_requested_for_others(
    line: Line, upstream: Publishers
) -> None:
    assert line("refresh", "--zone", "US-MIDA-PJM", "--model", "weekly") == 0, line.err
    old = [address for address in upstream.requested if "start=2026-01" in address]
    assert old
    assert all("PJM" in address for address in old)


def test_every_page_of_a_long_answer_is_read(fresh: Line) -> None:
    zones = ["US-CAL-CISO", "US-MIDA-PJM"]
    assert fresh("refresh", "--zone", ",".join(zones), "--model", "weekly") == 0, fresh.err
    start = NOW - timedelta(days=60)
    with writer_lock(fresh.home, "test", NOW), Store.open(fresh.home) as store:
        for zone in zones:
            gas = store.history(zone, "generation_gas", start, NOW, as_of=NOW)
            assert gas.height == 60 * 24, zone


def test_nothing_is_left_to_derive_after_a_refresh(line: Line) -> None:
    with writer_lock(line.home, "test", NOW), Store.open(line.home) as store:
        assert store.underived("ipcc_ar5").spans == ()


def test_a_mix_that_cannot_be_derived_is_a_failed_step_and_the_rest_is_published(
    line: Line,
) -> None:
    odd = {
        "zone": "FR",
        "signal": "generation_phlogiston",
        "source": "import",
        "slot_start": NOW - timedelta(hours=2),
        "slot_end": NOW - timedelta(hours=1),
        "value": 5.0,
        "quality": "measured",
        "known_at": NOW,
        "retrieval_id": 1,
    }
    with writer_lock(line.home, "test", NOW), Store.open(line.home) as store:
        store.append(pl.DataFrame([odd], schema=OBSERVATION))
    assert refresh(line, now=NOW + timedelta(hours=1)) == 3
    printed = line.document
    assert printed["snapshot"]
    assert printed["sources"]["import"]["status"] == "not_stored"
    assert "phlogiston" in printed["sources"]["import"]["message"]
    ledger = Ledger(line.home.ledger)
    (step,) = (s for s in ledger.stages(ledger.commands(1)[0].id) if s.source == "import")
    assert (step.kind, step.zones, step.status) == ("derive", ("FR",), "not_stored")

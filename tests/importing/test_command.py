"""``gridtide import`` from end to end: file in, rows and derived rows in the store."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gridtide.cli.script import main
from gridtide.clock import Clock
from gridtide_pipelines.importing.files import Plan, check_files, read_file, store_files
from gridtide_pipelines.importing.layouts import Label
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.records import Facts
from gridtide_store.store import Store
from tests.importing.conftest import Run

START = datetime(2021, 1, 1, tzinfo=UTC)
END = datetime(2021, 1, 2, tzinfo=UTC)
LATE = datetime(2100, 1, 1, tzinfo=UTC)

HEADER = "ts_utc,gen_nat_gas_mwh,gen_wind_mwh,temperature\n"
BODY = (
    "2021-01-01T00:00Z,100,100,3\n"
    "2021-01-01T01:00Z,300,100,3\n"
    "2021-01-01T02:00Z,0,0,3\n"
    "2021-01-01T03:00Z,100,-1,3\n"
)


def history(
    home: DataDirectory, signal: str, *, as_of: datetime = LATE
) -> list[tuple[Any, ...]]:
    """Hour of the day, value and source of what is stored of DE."""
    with Store.open(home) as store:
        rows = store.history("DE", signal, START, END, as_of=as_of)
    return rows.select(pl.col("start").dt.hour(), "value", "source").rows()


def test_generation_is_stored_and_derived_at_once(home: DataDirectory, run: Run) -> None:
    assert run(a=HEADER + BODY) == 0
    assert history(home, "generation_gas") == [
        (0, 100.0, "import"),
        (1, 300.0, "import"),
        (2, 0.0, "import"),
        (3, 100.0, "import"),
    ]
    # IPCC AR5 (2014), Annex III: gas 490, onshore wind 11 g CO2e/kWh. Hour 1 is 3 parts gas
    # and 1 part wind; hour 2 has no generation, so nothing is known; a negative fuel is none.
    derived = "derived@ipcc_ar5/import"
    assert history(home, "ci_lifecycle_produced") == [
        (0, 250.5, derived),
        (1, 370.25, derived),
        (2, None, derived),
        (3, 490.0, derived),
    ]
    assert history(home, "generation_wind")[3] == (3, -1.0, "import")


def test_json_is_one_document_and_messages_go_to_standard_error(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--json", a=HEADER + BODY) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "files": [
            {
                "file": "a.csv",
                "zone": "DE",
                "source": "import",
                "slots": 4,
                "rows_added": 8,
                "ignored_columns": ["temperature"],
                "implausible_values": 0,
                "negative_slots": 0,
                "empty_columns": [],
                "left_out": {},
                "from": "2021-01-01T00:00:00Z",
                "to": "2021-01-01T04:00:00Z",
            }
        ],
        "derived_rows": 12,
    }
    assert err == "ignored columns: temperature\n"


def rows_added(
    run: Run, capsys: pytest.CaptureFixture[str], *words: str, **files: str
) -> list[int]:
    """Import these files and return the `rows_added` of each receipt."""
    capsys.readouterr()
    assert run("--json", *words, **files) == 0
    return [each["rows_added"] for each in json.loads(capsys.readouterr().out)["files"]]


def test_a_second_import_adds_nothing(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run(a=HEADER + BODY)
    capsys.readouterr()
    assert run("--json", a=HEADER + BODY) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["files"][0]["rows_added"] == 0
    assert document["derived_rows"] == 0


def test_a_slot_is_known_when_it_ended(home: DataDirectory, run: Run) -> None:
    run(a=HEADER + BODY)
    at_two = datetime(2021, 1, 1, 2, tzinfo=UTC)
    assert [row[0] for row in history(home, "generation_gas", as_of=at_two)] == [0, 1]


def test_known_at_now_stores_a_revision_and_keeps_the_old_belief(
    home: DataDirectory, run: Run
) -> None:
    run(a=HEADER + BODY)
    revised = HEADER + BODY.replace("300", "200")
    assert run(b=revised) == 2
    assert run("--known-at", "now", "--now", "2021-02-01T00:00Z", b=revised) == 0
    before = datetime(2021, 1, 31, tzinfo=UTC)
    assert history(home, "generation_gas", as_of=before)[1] == (1, 300.0, "import")
    assert history(home, "generation_gas")[1] == (1, 200.0, "import")
    # Derived again: (200 x 490 + 100 x 11) / 300.
    assert history(home, "ci_lifecycle_produced")[1][1] == pytest.approx(330.3333, abs=1e-4)


def test_a_value_that_is_withdrawn_becomes_unknown(home: DataDirectory, run: Run) -> None:
    run(a=HEADER + BODY)
    withdrawn = HEADER + BODY.replace("300", "")
    assert run("--known-at", "now", "--now", "2021-02-01T00:00Z", b=withdrawn) == 0
    assert history(home, "generation_gas")[1] == (1, None, "import")
    assert history(home, "ci_lifecycle_produced")[1][1] is None


def test_the_file_is_kept_as_it_was_without_its_folder(home: DataDirectory, run: Run) -> None:
    run(a=HEADER + BODY)
    with Store.open(home) as store:
        assert store.body(1) == (HEADER + BODY).encode()
        rows = store.connection.execute("SELECT source, address FROM retrieval").fetchall()
    assert rows == [("import", "a.csv")]


def test_files_are_stored_together_or_not_at_all(
    home: DataDirectory, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(a=HEADER + BODY, b=HEADER + "2021-01-02T00:00,1,1,1\n") == 2
    assert (
        "b.csv, row 2, ts_utc '2021-01-02T00:00' has no UTC offset" in capsys.readouterr().err
    )
    assert not home.root.exists()


def test_watts_are_not_taken_for_megawatts(
    home: DataDirectory, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(a=HEADER + BODY.replace("300", "3e8")) == 2
    assert "is 3e+08 MW, more than any grid has; give MW" in capsys.readouterr().err
    assert not home.root.exists()


def test_one_bad_hour_is_unknown_and_counted_and_the_rest_is_stored(
    home: DataDirectory, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(a=HEADER + BODY.replace("Z,0,0,3", "Z,5,-9,3")) == 0
    assert ", 1 slots unknown (negative total generation)" in capsys.readouterr().out
    values = [row[1] for row in history(home, "ci_lifecycle_produced")]
    assert values == [250.5, 370.25, None, 490.0]
    assert history(home, "generation_gas")[2] == (2, None, "import")


def test_files_that_contradict_each_other_are_refused(
    home: DataDirectory, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(a=HEADER + BODY, b=HEADER + BODY.replace("300", "301")) == 2
    assert "a.csv and b.csv differ on gas at 2021-01-01T01:00:00Z" in capsys.readouterr().err
    with Store.open(home) as store:
        assert store.series().is_empty()
        assert store.connection.execute("SELECT count(*) FROM retrieval").fetchone() == (0,)
    assert Ledger(home.ledger).sources() == {}


def test_what_two_files_say_alike_is_stored_once(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    later = HEADER + BODY.splitlines()[3] + "\n2021-01-01T04:00Z,7,7,7\n"
    assert run("--json", a=HEADER + BODY, b=later) == 0
    added = [f["rows_added"] for f in json.loads(capsys.readouterr().out)["files"]]
    assert added == [8, 2]


def test_half_hours_do_not_come_to_lie_across_hours(
    home: DataDirectory, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run(a=HEADER + BODY)
    halves = "2021-01-01T00:30Z,5,5,5\n2021-01-01T01:00Z,150,50,5\n"
    assert run("--known-at", "now", b=HEADER + halves) == 2
    assert "overlaps a stored one of other length" in capsys.readouterr().err
    assert run("--source", "halves", b=HEADER + halves) == 0


def test_end_labels_and_another_resolution(home: DataDirectory, run: Run) -> None:
    quarters = "ts_utc,gen_wind_mwh\n2021-01-01T01:15Z,1\n2021-01-01T01:30Z,2\n"
    assert run("--label", "end", "--resolution", "PT15M", a=quarters) == 0
    assert history(home, "generation_wind") == [(1, 4.0, "import"), (1, 8.0, "import")]


def test_the_source_and_its_licence_are_noted_and_stay(home: DataDirectory, run: Run) -> None:
    run("--source", "carboncast", "--licence", "Apache-2.0", a=HEADER + BODY)
    run("--source", "carboncast", a=HEADER + BODY)
    run(a=HEADER + BODY)
    sources = Ledger(home.ledger).sources()
    assert sources["carboncast"].licence == "Apache-2.0"
    assert sources["import"].licence == "as supplied by the operator"
    assert not sources["import"].simulated


def test_a_home_with_simulated_rows_takes_no_real_ones(
    home: DataDirectory, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = Facts(name="simulated", title="", url="", licence="", simulated=True)
    Ledger(home.ledger).set_source(facts)
    assert run(a=HEADER + BODY) == 2
    assert "simulated" in capsys.readouterr().err
    with Store.open(home) as store:
        assert store.series().is_empty()


def test_a_busy_home_is_exit_code_4(
    home: DataDirectory, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with writer_lock(home, "refresh", START):
        assert run(a=HEADER + BODY) == 4
    assert "refresh (pid" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--zone", "Germanny"), "Did you mean DE (Germany)"),
        (("--zone", "aws:eu-central-1"), "name its zone: --zone DE"),
        (("--source", "eia"), "the name of a source that gridtide retrieves itself"),
        (("--source", "estimate"), "the name of a source that gridtide makes itself"),
        (("--source", "derived@ipcc_ar5/eia"), "is not a name of a-z, 0-9 and _"),
        (("--resolution", "2d"), "write PT1H"),
        (("--known-at", "now", "--now", "2021-01-01T02:30Z"), "ends 2021-01-01T03:00:00Z"),
        (("--label", "middle"), "--label: must be one of start, end"),
    ],
)
def test_bad_words_are_exit_code_2_and_store_nothing(
    home: DataDirectory,
    run: Run,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    says: str,
) -> None:
    assert run(*words, a=HEADER + BODY) == 2
    assert says in capsys.readouterr().err
    assert not home.live.exists()


def test_in_a_replay_a_file_may_reach_beyond_the_clock(home: DataDirectory, run: Run) -> None:
    assert run("--now", "2021-01-01T02:00Z", a=HEADER + BODY) == 0
    assert len(history(home, "generation_gas")) == 4


def test_a_file_that_is_not_there_is_bad_input(
    home: DataDirectory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["import", str(tmp_path / "a.csv"), "--zone", "DE", "--label", "start"]
    assert main(words, {"GRIDTIDE_HOME": str(home.root)}) == 2
    assert "a.csv cannot be read: No such file" in capsys.readouterr().err


def test_rows_stored_but_not_derived_are_derived_by_the_next_import(
    home: DataDirectory, run: Run, tmp_path: Path
) -> None:
    """As after a kill between the two."""
    path = tmp_path / "a.csv"
    path.write_text(HEADER + BODY, encoding="utf-8")
    clock = Clock(LATE)
    plan = Plan("DE", Label.START)
    with Store.open(home) as store:
        files = [read_file(path, plan, clock)]
        store_files(store, files, check_files(store, files, plan, LATE), plan, LATE)
    assert history(home, "ci_lifecycle_produced") == []
    assert run(a=HEADER + BODY) == 0
    assert len(history(home, "ci_lifecycle_produced")) == 4


LONG = (
    "zone,start,fuel,mw\n"
    "DE,2021-01-01T00:00Z,gas,100\nDE,2021-01-01T01:00Z,gas,200\n"
    "FR,2021-01-01T00:00Z,wind,30\nFR,2021-01-01T01:00Z,wind,40\n"
    "PL,2021-01-01T00:00Z,coal,7\nPL,2021-01-01T01:00Z,coal,8\n"
)


@pytest.mark.parametrize("words", [["--zone", "FR"], ["--zone", "FR,DE"], ["--zone=FR, DE"]])
def test_several_zones_are_selected_from_a_long_file(
    home: DataDirectory, run: Run, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert run("--json", *words, a=LONG) == 0
    document = json.loads(capsys.readouterr().out)
    printed = [(each["zone"], each["rows_added"]) for each in document["files"]]
    assert printed == [("DE", 2), ("FR", 2)]
    with Store.open(home) as store:
        zones = set(store.series()["zone"])
    assert zones == {"DE", "FR"}


def test_a_wide_file_is_of_one_zone_only(
    home: DataDirectory, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--zone", "FR", a=HEADER + BODY) == 2
    assert "a.csv is wide, so it is of one zone, not 2 (DE, FR)" in capsys.readouterr().err
    assert not home.live.exists()


def test_nothing_of_any_zone_is_stored_if_one_cannot_be(home: DataDirectory, run: Run) -> None:
    assert run(a=LONG) == 0
    contradicting = LONG.replace("gas,100", "gas,101")
    assert run("--zone", "FR", a=contradicting) == 2
    with Store.open(home) as store:
        assert set(store.series()["zone"]) == {"DE"}


def test_a_dry_run_says_how_a_file_is_understood_and_stores_nothing(
    home: DataDirectory, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    text = HEADER + BODY.replace("02:00Z,0,0", "02:00Z,,5").replace("03:00Z", "05:00Z")
    assert run("--dry-run", "--json", a=text) == 0
    [found] = json.loads(capsys.readouterr().out)["files"]
    assert found["columns"] == {"gen_nat_gas_mwh": "gas, MWh", "gen_wind_mwh": "wind, MWh"}
    assert (found["slots"], found["minutes"], found["missing_slots"]) == (4, [60.0], 2)
    assert (found["from"], found["to"]) == ("2021-01-01T00:00:00Z", "2021-01-01T06:00:00Z")
    assert found["unknown_values"] == {"generation_gas": 1}
    assert found["ignored_columns"] == ["temperature"]
    assert (found["separator"], found["label"]) == ("commas", "start")
    assert not home.root.exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--map", "coal"], "--map 'coal': write FUEL=COLUMN"),
        (["--separator", "ab"], "--separator 'ab': must be one sign"),
        (["--encoding", "klingon"], "--encoding 'klingon' is unknown"),
    ],
)
def test_an_option_that_cannot_be_read_is_named(
    run: Run, capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    assert run(*words, a=HEADER + BODY) == 2
    assert says in capsys.readouterr().err


def test_times_that_may_be_starts_or_ends_need_a_label(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text(HEADER + BODY)
    environ = {"GRIDTIDE_HOME": str(tmp_path / "home")}
    assert main(["import", str(tmp_path / "a.csv"), "--zone", "DE"], environ) == 2
    assert "say which: --label start or --label end" in capsys.readouterr().err

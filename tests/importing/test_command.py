"""``gridtide import`` from end to end: file in, rows and derived rows in the store."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gridtide.cli.script import main
from gridtide.clock import Clock
from gridtide_pipelines.importing.files import Plan, check_files, read_file, store_files
from gridtide_pipelines.importing.slots import Label
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.ledger import Ledger
from gridtide_store.records import Facts
from gridtide_store.store import Store

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

Run = Callable[..., int]


@pytest.fixture
def home(tmp_path: Path) -> DataDirectory:
    return DataDirectory(tmp_path / "home")


@pytest.fixture
def run(home: DataDirectory, tmp_path: Path) -> Run:
    def run(*words: str, **files: str) -> int:
        """``gridtide import`` with these files, written first, and these further words."""
        paths = []
        for name, text in files.items():
            path = tmp_path / "folder" / f"{name}.csv"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            paths.append(str(path))
        environ = {"GRIDTIDE_HOME": str(home.root), "HOME": str(tmp_path)}
        return main(["import", *paths, "--zone", "DE", "--label", "start", *words], environ)

    return run


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
                "from": "2021-01-01T00:00:00Z",
                "to": "2021-01-01T04:00:00Z",
            }
        ],
        "derived_rows": 12,
    }
    assert err == "ignored columns: temperature\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            "ts_utc,gen_nat_gas_mwh,gen_wind_mwh\n2021-01-01T00:00Z,,100\n"
            "2021-01-01T01:00Z,,100\n2021-01-01T02:00Z,-,100\n",
            "gen_nat_gas_mwh",
        ),
        (
            "zone,start,fuel,mw\nDE,2021-01-01T00:00Z,wind,100\nDE,2021-01-01T01:00Z,wind,100\n"
            "DE,2021-01-01T00:00Z,gas,\nDE,2021-01-01T01:00Z,gas,n/a\n",
            "gas",
        ),
        (
            "ts_utc;gen_gas_mwh;gen_wind_mwh\n2021-01-01T00:00Z;n/e;100\n"
            "2021-01-01T01:00Z;;100\n",
            "gen_gas_mwh",
        ),
    ],
)
def test_a_fuel_named_without_any_value_leaves_its_zone_unknown(
    text: str, name: str, home: DataDirectory, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(a=text) == 0
    says = f"a.csv: no row has a value of {name}, so what depends on it is unknown; if DE"
    assert says in capsys.readouterr().err
    assert {value for _, value, _ in history(home, "ci_lifecycle_produced")} == {None}
    assert {value for _, value, _ in history(home, "generation_gas")} == {None}


@pytest.mark.parametrize(
    "text",
    [
        "ts_utc,gen_gas_mwh,gen_wind_mwh\n2021-01-01T00:00Z,n/e,100\n2021-01-01T01:00Z,N/E,1\n",
        "zone,start,fuel,mw\nDE,2021-01-01T00:00Z,wind,100\nDE,2021-01-01T01:00Z,wind,100\n"
        "DE,2021-01-01T00:00Z,gas,n/e\nDE,2021-01-01T01:00Z,gas,n/e\n"
        "FR,2021-01-01T01:00Z,gas,5\n",
    ],
)
def test_a_fuel_that_is_not_expected_throughout_is_not_there(
    text: str, home: DataDirectory, run: Run
) -> None:
    assert run(a=text) == 0
    # Wind alone: IPCC AR5 (2014), Annex III.
    assert [row[1] for row in history(home, "ci_lifecycle_produced")] == [11.0, 11.0]


WIND = "ts_utc,gen_wind_mwh\n"
BOTH = "ts_utc,gen_gas_mwh,gen_wind_mwh\n"


def hours(*cells: str, first: int = 0) -> str:
    """Rows of consecutive hours with these cells behind their time."""
    return "".join(
        f"2021-01-01T{hour:02}:00Z,{cell}\n" for hour, cell in enumerate(cells, first)
    )


def intensities(home: DataDirectory) -> list[float | None]:
    return [value for _, value, _ in history(home, "ci_lifecycle_produced")]


# Wind alone 11, as much gas as wind 250.5: IPCC AR5 (2014), Annex III.
@pytest.mark.parametrize(
    "empty", ["", "n/a", "-", "null"], ids=["empty", "n/a", "dash", "null"]
)
def test_a_listed_fuel_that_is_given_only_later_leaves_the_first_slots_unknown(
    empty: str, home: DataDirectory, run: Run
) -> None:
    assert run(a=BOTH + hours(f"{empty},100", f"{empty},100", "100,100", f"{empty},100")) == 0
    assert intensities(home) == [None, None, 250.5, None]
    assert history(home, "generation_gas")[:2] == [(0, None, "import"), (1, None, "import")]


@pytest.mark.parametrize("separate", [False, True])
def test_a_file_in_parts_is_as_unknown_as_the_whole(
    separate: bool,  # noqa: FBT001
    home: DataDirectory,
    run: Run,
) -> None:
    parts = {
        "a": BOTH + hours(",100", ",100"),
        "b": BOTH + hours(",100", "100,100", first=2),
        "c": BOTH + hours("300,100", "0,100", first=4),
    }
    for part in [{name: text} for name, text in parts.items()] if separate else [parts]:
        assert run(**part) == 0
    assert intensities(home) == [None, None, None, 250.5, 370.25, 11.0]


def test_a_column_that_one_part_does_not_list_is_not_there_before_another_lists_it(
    home: DataDirectory, run: Run
) -> None:
    assert run(a=WIND + hours("100", "100"), b=BOTH + hours(",100", "100,100", first=2)) == 0
    assert intensities(home) == [11.0, 11.0, None, 250.5]


@pytest.mark.parametrize("separate", [False, True])
def test_a_gap_is_filled_by_another_file_of_the_same_hours(
    separate: bool,  # noqa: FBT001
    home: DataDirectory,
    run: Run,
) -> None:
    parts = {"a": BOTH + hours(",100", ",100", "100,100"), "b": BOTH + hours("100,100", "300,")}
    if separate:
        # Beside a stored value a gap is a contradiction, so the second file lists gas alone.
        assert run(a=parts["a"]) == 0
        assert run(b="ts_utc,gen_gas_mwh\n" + hours("100", "300")) == 0
    else:
        assert run(**parts) == 0
    assert intensities(home) == [250.5, 370.25, 250.5]
    at_one = datetime(2021, 1, 1, 1, tzinfo=UTC)
    gas = history(home, "generation_gas", as_of=at_one)
    assert gas == [(0, None if separate else 100.0, "import")]
    if separate:
        assert run(b="ts_utc,gen_gas_mwh\n" + hours("100", "300")) == 0
        assert intensities(home) == [250.5, 370.25, 250.5]


GAS = "ts_utc,gen_gas_mwh\n"


@pytest.mark.parametrize("together", [False, True])
def test_the_same_file_adds_nothing_after_another_file_has_filled_its_gap(
    together: bool,  # noqa: FBT001
    home: DataDirectory,
    run: Run,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = BOTH + hours("100,100", ",100", "100,100")
    filling = GAS + hours("300", "100", first=1)
    for files in [{"a": first, "b": filling}] if together else [{"a": first}, {"b": filling}]:
        assert run(**files) == 0
    assert rows_added(run, capsys, a=first) == [0]
    assert rows_added(run, capsys, b=filling) == [0]
    assert rows_added(run, capsys, renamed=first, b=filling) == [0, 0]
    assert intensities(home) == [250.5, 370.25, 250.5]


def test_the_same_file_adds_nothing_after_a_revision_of_its_values(
    home: DataDirectory, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    first, revised = GAS + hours("100", "300"), GAS + hours("100", "200")
    assert run(a=first) == 0
    assert run("--known-at", "now", "--now", "2021-02-01T00:00Z", b=revised) == 0
    assert rows_added(run, capsys, a=first) == [0]
    assert history(home, "generation_gas")[1] == (1, 200.0, "import")
    # Stored as known from now on, the first file's value is a revision once more.
    again = ("--known-at", "now", "--now", "2021-03-01T00:00Z")
    assert rows_added(run, capsys, *again, a=first) == [1]
    assert history(home, "generation_gas")[1] == (1, 300.0, "import")


def rows_added(
    run: Run, capsys: pytest.CaptureFixture[str], *words: str, **files: str
) -> list[int]:
    """Import these files and return the `rows_added` of each receipt."""
    capsys.readouterr()
    assert run("--json", *words, **files) == 0
    return [each["rows_added"] for each in json.loads(capsys.readouterr().out)["files"]]


def test_a_gap_beside_a_stored_value_is_refused_with_the_remedy(
    home: DataDirectory, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(a=BOTH + hours("100,100", "100,100")) == 0
    assert run(b=BOTH + hours(",100", "100,100")) == 2
    err = capsys.readouterr().err
    assert "no value differs from 100.0 MW" in err
    assert "--known-at now" in err
    assert intensities(home) == [250.5, 250.5]


def test_solar_that_is_listed_empty_by_day_from_the_first_row_is_unknown_and_0_by_night(
    home: DataDirectory, run: Run
) -> None:
    # Sun stands over Germany from about 07:30 to 15:30 UTC on 1 January.
    rows = ["100," if hour not in (11, 13) else "100,100" for hour in range(24)]
    assert run(a="ts_utc,gen_wind_mwh,gen_solar_mwh\n" + hours(*rows)) == 0
    found = intensities(home)
    assert found[:3] == found[-3:] == [11.0, 11.0, 11.0]
    assert found[10] is None
    assert found[12] is None
    assert found[11] == 28.0  # solar 45


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
        "b.csv, row 2, ts_utc 2021-01-02T00:00:00 has no UTC offset" in capsys.readouterr().err
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

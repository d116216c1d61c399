"""Files in the layouts of Electricity Maps and EIA, whose headers tell what they hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from gridtide.clock import Clock
from gridtide.errors import BadInput
from gridtide_pipelines.importing import tables
from gridtide_pipelines.importing.content import Content
from gridtide_pipelines.importing.files import Plan, check_files, read_file, store_files
from gridtide_pipelines.importing.layouts import Hints, Label
from gridtide_pipelines.importing.tables import Table, read_table
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.store import Store
from tests.importing.conftest import Run
from tests.importing.test_command import LATE

DAY = timedelta(days=1)

# As the files of 2022 to 2025 spell them.
HEADERS = [
    "Datetime (UTC),Country,Zone Name,Zone Id,Carbon Intensity gCO\u2082eq/kWh (direct),"
    "Carbon Intensity gCO\u2082eq/kWh (LCA),Low Carbon Percentage,Renewable Percentage,"
    "Data Source,Data Estimated,Data Estimation Method",
    "Datetime (UTC),Country,Zone name,Zone id,Carbon intensity gCO\u2082eq/kWh (direct),"
    "Carbon intensity gCO\u2082eq/kWh (Life cycle),Carbon-free energy percentage (CFE%),"
    "Renewable energy percentage (RE%),Data source,Data estimated,Data estimation method",
]
MAPS = (
    "2024-01-01 00:00:00,Germany,Germany,DE,300.5,350.25,62.5,60.0,entsoe.eu,false,\n"
    "2024-01-01 01:00:00,Germany,Germany,DE,310,,61.0,60.0,entsoe.eu,true,TIME_SLICER\n"
    "2024-01-01 01:00:00,France,France,FR,10,20,95.0,60.0,entsoe.eu,true,TIME_SLICER\n"
)


def read(text: str, zone: str) -> Table:
    return read_table(Content("a.csv", text.encode()), zone)


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("separator", [",", ";"])
def test_a_file_of_electricity_maps_is_intensity_by_consumption(
    header: str, separator: str
) -> None:
    table = read(f"{header}\n{MAPS}".replace(",", separator), "DE")
    midnight = datetime(2024, 1, 1, tzinfo=UTC)
    one = midnight + timedelta(hours=1)
    assert table.rows.rows() == [
        (midnight, "cfe_consumed", 0.625, False),
        (one, "cfe_consumed", 0.61, True),
        (midnight, "ci_direct_consumed", 300.5, False),
        (one, "ci_direct_consumed", 310.0, True),
        (midnight, "ci_lifecycle_consumed", 350.25, False),
        (one, "ci_lifecycle_consumed", None, True),
    ]
    assert table.label is Label.START
    assert table.left_out == {"rows of other zones": 1}
    assert [name.lower() for name in table.ignored][:2] == ["country", "zone name"]


def test_estimated_values_are_stored_as_estimated_and_others_as_derived(
    home: DataDirectory, run: Run
) -> None:
    assert run("--source", "electricity_maps", a=f"{HEADERS[1]}\n{MAPS}") == 0
    with Store.open(home) as store:
        rows = store.history(
            "DE",
            "ci_direct_consumed",
            datetime(2024, 1, 1, tzinfo=UTC),
            datetime(2024, 1, 2, tzinfo=UTC),
            as_of=LATE,
        )
    assert rows.select("value", "quality").rows() == [(300.5, "derived"), (310.0, "estimated")]


@pytest.mark.parametrize(
    ("true", "false"), [("WAHR", "FALSCH"), ("Vrai", "Faux"), ("VERDADERO", "FALSO"), ("1", "")]
)
def test_a_flag_is_read_as_spreadsheets_of_other_languages_write_it(
    true: str, false: str
) -> None:
    table = read(f"{HEADERS[1]}\n{MAPS.replace('true', true).replace('false', false)}", "DE")
    plain = read(f"{HEADERS[1]}\n{MAPS}", "DE")
    assert table.rows.equals(plain.rows)
    assert table.rows["estimated"].any()
    assert not table.rows["estimated"].all()


def test_a_flag_that_is_neither_true_nor_false_is_refused() -> None:
    with pytest.raises(BadInput, match="row 2, Data estimated is 'maybe', neither"):
        read(f"{HEADERS[1]}\n{MAPS}".replace("false", "maybe"), "DE")


BALANCE = Path(__file__).parents[1] / "sources" / "data" / "eia_bulk"


def rows_of(table: Table) -> dict[str, list[float | None]]:
    return {
        str(signal): rows.sort("label")["value"].to_list()
        for (signal,), rows in table.rows.group_by("signal")
    }


def test_a_file_of_eia_is_read_by_its_adjusted_columns_and_end_labels() -> None:
    table = read((BALANCE / "balance_2024.csv").read_text(), "US-TEX-ERCO")
    assert rows_of(table) == {
        "load": [70000.0, 71000.0],
        "generation_coal": [9000.0, 9000.0],
        "generation_hydro": [50.0, 50.0],
        # One column that consumes takes nothing from another.
        "generation_solar": [12000.0, 13900.0],
        "generation_battery_storage": [30.0, 420.0],
        # A fuel that is new: no value in the second hour.
        "generation_unknown": [7.0, None],
    }
    assert table.rows["label"].min() == datetime(2024, 7, 1, 18, tzinfo=UTC)
    assert table.label is Label.END
    assert table.left_out == {"rows of other zones": 1}


def test_columns_that_an_authority_never_fills_are_not_its_fuels() -> None:
    table = read((BALANCE / "balance_2024.csv").read_text(), "US-CAR-DUK")
    assert rows_of(table) == {
        "load": [15000.0],
        "generation_coal": [5000.0],
        "generation_hydro": [700.0],
        "generation_hydro_storage": [-1151.0],
        "generation_solar": [300.0],
        "generation_unknown": [1.0],
    }
    assert table.empty == ()


def test_an_authority_that_only_generates_is_merged_as_in_eias_own_data() -> None:
    head = "Balancing Authority,UTC Time at End of Hour,Net Generation (MW) from "
    text = (
        f"{head}Wind,{head.rpartition(',')[2]}Coal\n"
        'BPAT,07/01/2024 6:00:00 PM,"1,000",5\nAVRN,07/01/2024 6:00:00 PM,200,\n'
        'BPAT,07/01/2024 7:00:00 PM,"1,100",6\n'
    )
    table = read(text, "US-NW-BPAT")
    # Without the wind of AVRN the sum of the second hour would be too small.
    assert rows_of(table) == {
        "generation_wind": [1200.0, None],
        "generation_coal": [5.0, 6.0],
    }


def test_a_label_against_that_of_the_publisher_is_refused(tmp_path: Path) -> None:
    plan = Plan("US-TEX-ERCO", Label.START)
    with pytest.raises(BadInput, match="EIA balance file name the end of a slot; leave out"):
        read_file(BALANCE / "balance_2024.csv", plan, Clock())
    file = read_file(BALANCE / "balance_2024.csv", Plan("US-TEX-ERCO"), Clock())
    assert file.bounds == (
        datetime(2024, 7, 1, 17, tzinfo=UTC),
        datetime(2024, 7, 1, 19, tzinfo=UTC),
    )


def test_a_label_against_slots_written_by_both_ends_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    hours = [f"01.01.2024 0{i}:00 - 01.01.2024 0{i + 1}:00;5\n" for i in range(3)]
    path.write_text("MTU (UTC);gas MW\n" + "".join(hours), encoding="utf-8")
    hints = Hints(time_column="MTU (UTC)", mapping=(("gas", "gas MW"),))
    with pytest.raises(BadInput, match="both their ends name the start of a slot; leave out"):
        read_file(path, Plan("DE", Label.END, hints=hints), Clock())
    file = read_file(path, Plan("DE", Label.START, hints=hints), Clock())
    assert file.bounds[0] == datetime(2024, 1, 1, tzinfo=UTC)


def test_rows_ahead_without_a_value_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "ts_utc,gen_gas_mwh\n2024-01-01T00:00Z,1\n2024-01-01T01:00Z,2\n2024-01-01T02:00Z,\n"
    )
    clock: Any = FixedClock(datetime(2024, 1, 1, 2, tzinfo=UTC))
    file = read_file(path, Plan("DE", Label.START), clock)
    assert file.slots["value"].to_list() == [1.0, 2.0]
    assert file.left_out == {"rows without a value that lie ahead": 1}
    path.write_text(path.read_text().replace("02:00Z,", "02:00Z,3"))
    with pytest.raises(BadInput, match="is not over at"):
        read_file(path, Plan("DE", Label.START), clock)


class FixedClock:
    """A clock that stands still and is not a replay."""

    replay = False

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def test_no_value_of_a_file_of_parquet_is_read_for_another_zone(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    hour = datetime(2024, 1, 1, tzinfo=UTC)
    pl.DataFrame(
        {"zone": ["DE", "FR"], "start": [hour, hour], "fuel": ["gas", "gas"], "mw": [1, 2]}
    ).write_parquet(path)
    table = read_table(Content(path.name, path), "FR")
    assert rows_of(table) == {"generation_gas": [2.0]}
    assert table.left_out == {"rows of other zones": 1}


def test_more_values_than_are_imported_at_once_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tables, "MOST_VALUES", 1)
    with pytest.raises(BadInput, match=r"more than 1 values of FR.*split the file by years"):
        read(f"{HEADERS[1]}\n{MAPS}", "FR")


def test_a_file_that_changes_before_it_is_stored_is_refused(home: DataDirectory) -> None:
    path = home.root.parent / "a.csv"
    path.write_text("ts_utc,gen_gas_mwh\n2024-01-01T00:00Z,1\n2024-01-01T01:00Z,2\n")
    plan, now = Plan("DE", Label.START), datetime(2024, 1, 2, tzinfo=UTC)
    file = read_file(path, plan, Clock())
    path.write_text(path.read_text() + "2024-01-01T02:00Z,3\n")
    with writer_lock(home, "test", now), Store.open(home) as store:
        rows = check_files(store, [file], plan, now)
        with pytest.raises(BadInput, match=r"a\.csv changed while it was read"):
            store_files(store, [file], rows, plan, now)
        assert store.history("DE", "generation_gas", now - DAY, now, as_of=LATE).is_empty()

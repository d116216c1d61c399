"""What an import leaves unknown: fuels without a value, gaps, and what fills them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gridtide_store.data_directory import DataDirectory
from tests.importing.conftest import Run
from tests.importing.test_command import history, rows_added


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

"""Slots that are not over: prices are known before, and other values are refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from gridtide_store.data_directory import DataDirectory
from gridtide_store.store import Store
from tests.importing.conftest import Run
from tests.importing.test_command import rows_added

HOUR = timedelta(hours=1)
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)  # when a test begins
PRICES = ("--time-column", "t", "--unit", "EUR/MWh", "--map", "price_eur=p")


@pytest.fixture(autouse=True)
def _begins_now(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    monkeypatch.setitem(globals(), "NOW", now)


def hours(first: int, *values: str, header: str = "t;p") -> str:
    """Rows from `first` hours after now on."""
    rows = (f"{NOW + (first + i) * HOUR:%Y-%m-%dT%H:%MZ};{v}" for i, v in enumerate(values))
    return "\n".join((header, *rows, ""))


def known(home: DataDirectory, as_of: datetime) -> list[tuple[float | None, datetime]]:
    """Prices as they were known at a moment, with when they became known."""
    with Store.open(home) as store:
        found = store.history("DE", "price_eur", NOW - 9 * HOUR, NOW + 99 * HOUR, as_of=as_of)
    return found.select("value", "known_at").rows()


def test_prices_of_the_day_ahead_are_known_from_the_import_on(
    home: DataDirectory, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rows_added(run, capsys, *PRICES, a=hours(-2, "50", "60", "70", "-8", "")) == [4]
    then = datetime.now(UTC)
    assert [price for price, _ in known(home, NOW - HOUR)] == [50.0]
    found = known(home, then)
    assert [price for price, _ in found] == [50.0, 60.0, 70.0, -8.0]
    assert [at for _, at in found[:2]] == [NOW - HOUR, NOW]
    assert all(NOW < at <= then for _, at in found[2:])
    # The same again says nothing new, also when its slots are over; other prices are newer.
    assert rows_added(run, capsys, *PRICES, a=hours(-2, "50", "60", "70", "-8", "")) == [0]
    assert rows_added(run, capsys, *PRICES, b=hours(0, "70", "-9", "10")) == [2]
    assert [price for price, _ in known(home, datetime.now(UTC))][2:] == [70.0, -9.0, 10.0]
    assert run(*PRICES, c=hours(-2, "51", "60")) == 2
    assert "51.0 EUR/MWh differs from 50.0 EUR/MWh known" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "first", "values", "header", "says"),
    [
        (PRICES, 9000, ("1", "2"), "t;p", "lies more than a year after"),
        (
            (*PRICES[:2], "--unit", "MW", "--map", "wind=p"),
            *(-1, ("1", "2"), "t;p"),
            "slot of wind that ends .* is not an observation; check --label and --timezone, or",
        ),
        (
            (*PRICES, "--map", "load=L [MW]"),
            *(-1, ("1;5", "2;5"), "t;p;L [MW]"),
            "slot of load that ends .*columns of forecasts by --ignore",
        ),
    ],
)
def test_other_values_that_lie_ahead_are_refused_with_what_to_do(
    run: Run,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    first: int,
    values: tuple[str, ...],
    header: str,
    says: str,
) -> None:
    assert run(*words, a=hours(first, *values, header=header)) == 2
    assert re.search(says, capsys.readouterr().err)


def test_in_a_replay_a_price_is_known_when_its_slot_ends_unless_it_is_said(
    home: DataDirectory, run: Run
) -> None:
    early = f"{NOW - 2 * HOUR:%Y-%m-%dT%H:%MZ}"
    assert run("--now", early, *PRICES, a=hours(-1, "50", "60")) == 0
    assert known(home, NOW - HOUR) == []
    words = ("--now", early, "--known-at", "now", "--source", "auction")
    assert run(*words, *PRICES, a=hours(-1, "50", "60")) == 0
    assert [price for price, _ in known(home, NOW - HOUR)] == [50.0, 60.0]


def test_a_series_of_one_signal_is_imported_once(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--time-column", "t", "--signal", "ci_direct_consumed", "--unit", "g/kWh")
    assert rows_added(run, capsys, *words, a=hours(-3, "400", "410")) == [2]
    assert rows_added(run, capsys, *words, b=hours(-3, "400", "410", "420")) == [1]
    half = f"t;p\n{NOW - 1.5 * HOUR:%Y-%m-%dT%H:%MZ};410\n"
    assert run(*words, "--resolution", "PT30M", c=half) == 2
    assert "overlaps a stored one of other length" in capsys.readouterr().err

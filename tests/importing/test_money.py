"""Prices in files: in the currency of their signal or hundredths of it, one column each."""

from __future__ import annotations

import pytest

from gridtide.errors import BadInput
from gridtide_pipelines.importing.content import Content
from gridtide_pipelines.importing.layouts import Hints
from gridtide_pipelines.importing.tables import read_table


def value(column: str, signal: str, unit: str | None = None) -> float:
    """The value that 25 in a column becomes."""
    hints = Hints(time_column="t", mapping=((signal, column),), unit=unit)
    content = Content("a.csv", f"t;{column}\n2024-01-01T00:00Z;25\n".encode())
    found: float = read_table(content, "DE", hints).rows["value"].item()
    return found


@pytest.mark.parametrize(
    ("unit", "signal", "expected"),
    [
        ("EUR/MWh", "price_eur", 25.0),
        ("\u20ac / kWh", "price_eur", 25_000.0),
        ("/MWh", "price_eur", 25.0),
        ("$/MWh", "price_cad", 25.0),
        ("Cent/kWh", "price_eur", 250.0),
        ("ct/kWh", "price_eur", 250.0),
        ("p/kWh", "price_gbp", 250.0),
        ("\u00f6re/kWh", "price_sek", 250.0),
        ("kr/kWh", "price_sek", 25_000.0),
    ],
)
def test_a_price_is_in_its_currency_or_in_hundredths(
    unit: str, signal: str, expected: float
) -> None:
    assert value(f"Preis [{unit}]", signal) == expected
    assert value("Preis", signal, unit) == expected


@pytest.mark.parametrize("unit", ["GBP/MWh", "\u00a3/MWh", "Taler/kWh"])
def test_a_price_in_other_money_than_its_signal_is_refused(unit: str) -> None:
    with pytest.raises(BadInput, match=r"unit of column Preis \[.*is not known; name it"):
        value(f"Preis [{unit}]", "price_eur")
    with pytest.raises(BadInput, match=r"--unit '.*' is not one of /MWh, /kWh, ct/kWh"):
        value("Preis", "price_eur", unit)
    assert value(f"Preis [{unit}]", "price_eur", "EUR/MWh") == 25.0


@pytest.mark.parametrize(
    ("signal", "unit"),
    [("price_eur", "EUR/MWh"), ("ci_direct_consumed", "g/kWh"), ("cfe_produced", "%")],
)
def test_two_columns_of_what_does_not_add_up_are_refused(signal: str, unit: str) -> None:
    hints = Hints(time_column="t", mapping=((signal, "a"), (signal, "b")), unit=unit)
    content = Content("a.csv", b"t;a;b\n2024-01-01T00:00Z;25;30\n")
    with pytest.raises(BadInput, match=f"a, b are all {signal}, which does not add up"):
        read_table(content, "DE", hints)


def test_a_price_among_fuels_is_refused_for_it_has_another_unit() -> None:
    hints = Hints(
        time_column="t",
        fuel_column="what",
        value_column="v",
        unit="kWh",
        mapping=(("price_eur", "Preis"),),
    )
    content = Content("a.csv", b"t;what;v\n2024-01-01T00:00Z;Preis;85\n")
    with pytest.raises(BadInput, match="power or energy, and price_eur is neither; put its"):
        read_table(content, "DE", hints)

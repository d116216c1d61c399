"""Units of columns, from their names or from the user, to MW, g/kWh, fractions. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gridtide.errors import BadInput
from gridtide_store.vocabulary import GENERATION, LOAD, PRICE, SHARE


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of a file: `factor` of ours, and whether it is energy in the slot, not power."""

    name: str
    factor: float = 1.0
    energy: bool = False


POUND: Final = 453.59237  # g
POWER: Final = {
    name.lower(): Unit(name, factor, energy=name.endswith("h"))
    for prefix, factor in (("", 1e-6), ("k", 1e-3), ("M", 1.0), ("G", 1e3), ("T", 1e6))
    for name in (f"{prefix}W", f"{prefix}Wh")
}
INTENSITY: Final = {
    "g/kwh": Unit("g/kWh"),
    "kg/mwh": Unit("kg/MWh"),
    "kg/kwh": Unit("kg/kWh", 1e3),
    "t/mwh": Unit("t/MWh", 1e3),
    "lb/mwh": Unit("lb/MWh", POUND / 1e3),
    "lbs/mwh": Unit("lbs/MWh", POUND / 1e3),
}
FRACTION: Final = {"fraction": Unit("fraction"), "%": Unit("%", 0.01)}
COST: Final = {"/mwh": Unit("/MWh"), "/kwh": Unit("/kWh", 1e3), "ct/kwh": Unit("ct/kWh", 10.0)}
MONEY: Final = re.compile(
    r"(?:([^\W\d_]+|[$\u00a2\u00a3\u00a5\u20ac])\s*)?/\s*([mk]wh)\b", re.IGNORECASE
)
HUNDREDTHS: Final = ("c", "ct", "cent", "cents", "\u00a2", "p", "pence", "\u00f6re", "\u00f8re")
# Of others it is not known what they are, as of ``kr`` and ``$`` in a currency that has none.
SIGNS: Final = {
    "\u20ac": ("eur",),
    "\u00a3": ("gbp",),
    "\u00a5": ("jpy", "cny"),
    "$": ("usd", "aud", "cad", "nzd", "sgd", "mxn", "clp"),
    "kr": ("dkk", "nok", "sek", "isk"),
}

IN_NAME: Final = re.compile(r"(?<![a-z])(?:[kmgt]?wh?)(?![a-z/])", re.IGNORECASE)
GAS: Final = re.compile(r"\s*co(2|\u2082)(-?eq|e)?\s*", re.IGNORECASE)
PER: Final = re.compile(
    r"(?<![a-z])(g|kg|t|lbs?)\s*(?:/|per)\s*([km]wh)(?![a-z])", re.IGNORECASE
)


def read_unit(name: str, column: str, signal: str, given: str | None) -> Unit:
    """Return the unit of a column, as its name or else the user says.

    Args:
        name: of the file, for messages.
        given: the ``--unit`` of columns whose name says none.

    Raises:
        BadInput: neither says one that `signal` may have.
    """
    units = _units(signal)
    if signal.startswith(PRICE):
        found = _of_money(column, signal) or _of_money(given or "", signal)
    else:
        found = _in_name(column, units) or units.get((given or "").strip().lower())
    if found is not None:
        return found
    if given is not None:
        raise BadInput(f"{name}: --unit {given!r} is not one of {', '.join(_names(units))}")
    raise BadInput(
        f"{name}: the unit of column {column} is not known; name it: --unit, one of "
        f"{', '.join(_names(units))}"
    )


def has_power_unit(column: str) -> bool:
    """Say whether the name of a column says power or energy, and no quotient of it."""
    quotient = re.search(r"/|(?<![a-z])per(?![a-z])", column, re.IGNORECASE)
    return quotient is None and _in_name(column, POWER) is not None


def _units(signal: str) -> dict[str, Unit]:
    if signal.startswith("ci_"):
        return INTENSITY
    if signal.startswith(("cfe_", SHARE)):
        return FRACTION
    if signal.startswith(PRICE):
        return COST
    assert signal.startswith((GENERATION, LOAD))  # noqa: S101  # no other can be named
    return POWER


def _names(units: dict[str, Unit]) -> list[str]:
    return [unit.name for unit in units.values()]


def _in_name(column: str, units: dict[str, Unit]) -> Unit | None:
    words = column.replace("_", " ").strip()
    if units is POWER:
        found = {match.lower() for match in IN_NAME.findall(words)}
        # One letter is more often something else than watts.
        found.discard("w")
        return POWER[found.pop()] if len(found) == 1 else None
    if units is INTENSITY:
        match = PER.search(GAS.sub("", words))
        return INTENSITY.get(f"{match[1]}/{match[2]}".lower()) if match else None
    return FRACTION["%"] if "%" in words or "percent" in words.lower() else None


def _of_money(text: str, signal: str) -> Unit | None:
    """Return the unit of a price in the currency of `signal`; None where it says another."""
    match = MONEY.search(text.replace("_", " "))
    if match is None:
        return None
    money, energy = (match[1] or "").lower(), match[2].lower()
    currency = signal.removeprefix(PRICE)
    if money in HUNDREDTHS:
        return COST.get(f"ct/{energy}")
    known = not money or money == currency or currency in SIGNS.get(money, ())
    return COST[f"/{energy}"] if known else None

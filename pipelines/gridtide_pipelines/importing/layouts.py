"""What the columns of a file mean, and what a user may say of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final

from gridtide.errors import BadInput
from gridtide.model import Signal
from gridtide_pipelines.importing.numbers import Mark
from gridtide_pipelines.importing.units import Unit
from gridtide_pipelines.ingest.production_types import fuel_named
from gridtide_store.vocabulary import FUELS, GENERATION, LOAD, PRICE, generation

WIDE: Final = re.compile(r"gen_(\w+)_mwh", re.IGNORECASE)

# Other words for our fuels; ``other`` is what a publisher could not or would not name.
SYNONYMS: Final = {"nat_gas": "gas", "natural_gas": "gas", "other": "unknown"}


class Label(StrEnum):
    """What a file's times name: the start or the end of the slot."""

    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True)
class Hints:
    """What the user says of a file; None where nothing is said.

    Attributes:
        mapping: what a column (or, in a long file, a name in its column of fuels) is: pairs of
            a fuel or signal and the column.
        ignore: columns that are left out on purpose; ``*`` for all that are not mapped.
    """

    time_column: str | None = None
    clock_column: str | None = None
    zone_column: str | None = None
    fuel_column: str | None = None
    value_column: str | None = None
    mapping: tuple[tuple[str, str], ...] = ()
    signal: str | None = None
    unit: str | None = None
    timezone: str | None = None
    time_format: str | None = None
    decimal: Mark | None = None
    separator: str | None = None
    encoding: str | None = None
    ignore: tuple[str, ...] = ()

    @property
    def custom(self) -> bool:
        """Whether it says what columns are."""
        return bool(
            self.time_column
            or self.mapping
            or self.signal
            or self.fuel_column
            or self.value_column
        )


@dataclass(frozen=True, slots=True)
class Value:
    """A column of values: its signal ("" where a column of fuels tells) and its unit."""

    column: str
    signal: str
    unit: Unit


@dataclass(frozen=True, slots=True)
class Layout:
    """What the columns of a file mean.

    Attributes:
        title: how the layout is called.
        clock: column with the time of day, where that of times has days only.
        fuel: column with the fuel of each row, in a long file.
        label: what the times name, where the layout tells.
        timezone: of times without an offset, where the layout tells.
        sparse: whether a column is one of the zone's fuels from its first value on only.
        names: signals of names in the column of fuels, in lower case.
        joined: whether several columns of one fuel are added up.
        unmapped: columns that nothing says anything of.
        published: whether a publisher's documents say what the times name.
    """

    title: str
    time: str
    values: tuple[Value, ...]
    zone: str | None = None
    clock: str | None = None
    fuel: str | None = None
    label: Label | None = None
    timezone: str | None = None
    day_first: bool | None = None
    mark: Mark | None = None
    estimated: str | None = None
    resolution: timedelta | None = None
    sparse: bool = False
    joined: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    unmapped: tuple[str, ...] = ()
    published: bool = False

    @property
    def columns(self) -> list[str]:
        """Return the columns that are read."""
        others = [self.time, self.clock, self.zone, self.fuel, self.estimated]
        return [*filter(None, others), *(value.column for value in self.values)]

    def signal_of(self, name: str) -> str | None:
        """Return the signal of a name in the column of fuels; None where it is unknown."""
        word = name.strip().lower()
        if word in self.names:
            return self.names[word]
        word = word if fuel_named(word) else word.replace(" ", "_")
        fuel = word if word in FUELS else SYNONYMS.get(word) or fuel_named(word)
        return generation(fuel) if fuel else None


def generation_columns(name: str, columns: Sequence[str]) -> list[tuple[str, str]]:
    """Return the signal of each column ``gen_<fuel>_mwh``."""
    found = []
    for column in columns:
        if match := WIDE.fullmatch(column):
            word = match[1].lower()
            fuel = word if word in FUELS else SYNONYMS.get(word)
            if fuel is None:
                there = listed([*FUELS, *SYNONYMS])
                raise BadInput(f"{name}: no fuel {word}; there are {there}")
            found.append((generation(fuel), column))
    return found


def read_target(text: str) -> str:
    """Return the signal of a fuel or signal that a user names.

    Raises:
        BadInput: neither.
    """
    word = text.strip().lower()
    fuel = word if word in FUELS else SYNONYMS.get(word)
    if fuel:
        return generation(fuel)
    if word in {*map(str, Signal), LOAD} or re.fullmatch(PRICE + "[a-z]{3}", word):
        return word
    raise BadInput(
        f"{text!r} is neither a fuel nor a signal; there are {listed([*FUELS, LOAD, *Signal])} "
        "and price_eur and the like"
    )


def fuel_of(signal: str) -> str:
    """Return the fuel that a signal is the generation of; another signal as it is."""
    return signal.removeprefix(GENERATION)


def listed(names: Sequence[str]) -> str:
    """Return up to 20 names with commas."""
    shown = ", ".join(names[:20])
    return shown if len(names) <= 20 else f"{shown} and {len(names) - 20} more"

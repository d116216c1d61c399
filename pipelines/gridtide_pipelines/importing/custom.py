"""The layout of a file whose columns a user names. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from gridtide.errors import BadInput
from gridtide_pipelines.importing.layouts import (
    Hints,
    Label,
    Layout,
    Value,
    generation_columns,
    listed,
    read_target,
)
from gridtide_pipelines.importing.units import read_unit
from gridtide_store.vocabulary import GENERATION, LOAD

UTC_TIME: Final = re.compile(r"ts_utc|datetime \(utc\)", re.IGNORECASE)
STARTS: Final = re.compile(
    r"\b(start|begin|beginning|from|von|beginn|debut|d\u00e9but)\b", re.I
)
ENDS: Final = re.compile(r"\b(end|ending|to|until|bis|ende|fin)\b", re.IGNORECASE)
# Not ``UTC+1``, which is another time, nor ``GMT/BST``, which is another one in summer.
IN_UTC: Final = re.compile(
    r"(?<![a-z])(?<!/)(utc|gmt)(?![a-z]|\s*/|\s*[+\u2212-]\s*\d)", re.IGNORECASE
)
# What no column is called: a number or a time.
VALUE: Final = re.compile(r"(?=\D*\d)[\d\s.,:/+\-TZ]+")


def custom_layout(name: str, columns: Sequence[str], hints: Hints) -> Layout:
    """Return the layout that the user describes.

    Raises:
        BadInput: a column that the file has not, or what is missing to read it.
    """
    time = _time_column(name, columns, hints)
    zone = hints.zone_column
    for named in filter(None, (zone, hints.fuel_column, hints.clock_column)):
        _require(name, columns, named)
    if hints.clock_column and re.search("period|periode", hints.clock_column, re.IGNORECASE):
        raise BadInput(
            f"{name}: {hints.clock_column} counts the slots of a day, which is not a time of "
            "day; write the time at which each starts into one column, and name that: "
            "--time-column"
        )
    mapped = [(read_target(target), column) for target, column in hints.mapping]
    if hints.signal is not None:
        mapped += _only_column(name, columns, hints, time)
    if hints.fuel_column is None:
        taken = {column for _, column in mapped}
        mapped += [each for each in generation_columns(name, columns) if each[1] not in taken]
    fuel, names = hints.fuel_column, dict[str, str]()
    if fuel is not None:
        column = hints.value_column
        if column is None:
            raise BadInput(
                f"{name}: --fuel-column names the fuels; name the column of their values as "
                f"well: --value-column, one of {listed(columns)}"
            )
        _require(name, columns, column)
        if other := [
            signal for signal, _ in mapped if not signal.startswith((GENERATION, LOAD))
        ]:
            raise BadInput(
                f"{name}: {column} is power or energy, and {other[0]} is neither; put its "
                "values into a file of their own, and import that with --signal"
            )
        names = {word.strip().lower(): signal for signal, word in mapped}
        values = [Value(column, "", read_unit(name, column, GENERATION, hints.unit))]
    else:
        if not mapped:
            raise BadInput(
                f"{name}: no column of values is named; name each: --map FUEL=COLUMN, of "
                f"{listed(columns)}"
            )
        for _, each in mapped:
            _require(name, columns, each)
        _refuse_sums(name, mapped)
        values = [
            Value(each, signal, read_unit(name, each, signal, hints.unit))
            for signal, each in mapped
        ]
    layout = Layout(
        "as named",
        time,
        tuple(values),
        zone=zone,
        clock=hints.clock_column,
        fuel=fuel,
        label=_label(time),
        timezone="UTC" if IN_UTC.search(time.replace("_", " ")) else None,
        names=names,
        joined=True,
    )
    used = layout.columns
    if again := {each for each in used if used.count(each) > 1}:
        raise BadInput(
            f"{name}: column {listed(sorted(again))} is mapped twice; a column is one thing"
        )
    if fuel is not None or "*" in hints.ignore or hints.signal is not None:
        return layout
    left = [each for each in columns if each not in {*layout.columns, *hints.ignore}]
    return replace(layout, unmapped=tuple(left))


def _time_column(name: str, columns: Sequence[str], hints: Hints) -> str:
    if hints.time_column is not None:
        _require(name, columns, hints.time_column)
        return hints.time_column
    for column in columns:
        if UTC_TIME.fullmatch(column):
            return column
    raise BadInput(
        f"{name}: the column of times is not named; name it: --time-column, one of "
        f"{listed(columns)}"
    )


def _only_column(
    name: str, columns: Sequence[str], hints: Hints, time: str
) -> list[tuple[str, str]]:
    """Return the signal of ``--signal`` and the only column that can have it."""
    signal = read_target(str(hints.signal))
    if hints.value_column is not None:
        return [(signal, hints.value_column)]
    taken = {
        time,
        hints.clock_column,
        hints.zone_column,
        *hints.ignore,
        *(c for _, c in hints.mapping),
    }
    left = [column for column in columns if column not in taken]
    if len(left) != 1:
        raise BadInput(
            f"{name}: name the column of {hints.signal}: --value-column, one of "
            f"{listed(left or columns)}"
        )
    return [(signal, left[0])]


def _refuse_sums(name: str, mapped: Sequence[tuple[str, str]]) -> None:
    """Check that only power and energy are added up.

    Raises:
        BadInput: two columns are one price, intensity or share.
    """
    for signal in dict.fromkeys(signal for signal, _ in mapped):
        same = [column for each, column in mapped if each == signal]
        if len(same) > 1 and not signal.startswith((GENERATION, LOAD)):
            raise BadInput(
                f"{name}: {listed(same)} are all {signal}, which does not add up; map one of "
                "them"
            )


def _require(name: str, columns: Sequence[str], column: str) -> None:
    if column not in columns:
        names = sum(VALUE.fullmatch(each) is None for each in columns)
        above = "" if names else "; these are values: write a row with names above them"
        raise BadInput(f"{name} has no column {column!r}; it has {listed(columns)}{above}")


def _label(time: str) -> Label | None:
    """Return what times name, where the name of their column tells."""
    words = time.replace("_", " ")
    start, end = STARTS.search(words), ENDS.search(words)
    if bool(start) == bool(end):
        return None
    return Label.START if start else Label.END

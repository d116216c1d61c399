"""The figures of a reproduced paper: the printed value, ours, a kind and a verdict for each.

Printed figures are facts; they ship in ``reproduce/printed``, one table a paper with its
citation. Series do not ship: they are read from a folder, and without it a row says `no data`.
"""

from __future__ import annotations

import importlib
import pkgutil
import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl

from gridtide.errors import BadInput

# What decimal fractions lose in binary must not fail a figure that lies on its tolerance.
ROUNDING = 1e-9

Value = float | str | None


class Verdict(StrEnum):
    """How our value compares with the printed one."""

    PASS = "pass"  # noqa: S105  # a verdict, not a password
    FAIL = "fail"
    NO_DATA = "no data"


class Kind(StrEnum):
    """What our value is compared with, and so what a pass shows."""

    PUBLISHED = "published"  # an author's figure, computed from the series
    ARITHMETIC = "arithmetic"  # an author's figure, from inputs that the author prints
    RANKING = "ranking"  # the order of an author's figures
    CROSS_CHECK = "cross-check"  # the result of an independent method in the same run
    UNCHANGED = "unchanged"  # this project's earlier result: not a published figure


# Where no publication printed what ours is compared with.
NOT_PRINTED = (Kind.CROSS_CHECK, Kind.UNCHANGED)


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: what is expected, what we compute, and the verdict.

    `tolerance` is absolute, in the unit of the values; `note` says what a reader must know.
    `beside` is what the paper prints where that is of other inputs, not to be compared with.
    """

    label: str
    kind: Kind
    expected: Value
    ours: Value
    tolerance: float
    unit: str
    verdict: Verdict
    note: str = ""
    beside: float | None = None

    @property
    def printed(self) -> Value:
        """The value an author printed; ``None`` where ours is compared with something else."""
        return None if self.kind in NOT_PRINTED else self.expected

    @property
    def reference(self) -> Value:
        """Unpublished value that ours is compared with: another method, an earlier result."""
        return self.expected if self.kind in NOT_PRINTED else None

    @property
    def difference(self) -> float | None:
        """Ours less the expected value, ``None`` where one of them is not a number."""
        if isinstance(self.expected, float) and isinstance(self.ours, float):
            return self.ours - self.expected
        return None

    def document(self) -> dict[str, Any]:
        """Return the row as JSON."""
        return {
            "label": self.label,
            "kind": str(self.kind),
            "printed": self.printed,
            "reference": self.reference,
            "beside": self.beside,
            "ours": self.ours,
            "difference": self.difference,
            "tolerance": self.tolerance,
            "unit": self.unit,
            "verdict": str(self.verdict),
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Reproduction:
    """One paper.

    Attributes:
        name: what the command calls it.
        title: what is reproduced.
        citation: where the figures are printed.
        original: where the public original of the series is; empty where none is needed.
        run: the rows, given the folder of the series or ``None``.
    """

    name: str
    title: str
    citation: str
    original: str
    run: Callable[[Path | None], list[Row]]


def find_reproductions(package: ModuleType) -> Mapping[str, Reproduction]:
    """Return every ``REPRODUCTION`` in the modules of `package`, by name.

    There is no list to edit.
    """
    modules = (
        importlib.import_module(f"{package.__name__}.{found.name}")
        for found in pkgutil.iter_modules(package.__path__)
    )
    found = [module.REPRODUCTION for module in modules if hasattr(module, "REPRODUCTION")]
    return {each.name: each for each in sorted(found, key=lambda each: each.name)}


def read_printed(table: str) -> dict[str, Any]:
    """Read the printed figures in ``reproduce/printed/<table>.toml``."""
    folder = files("gridtide_pipelines") / "reproduce" / "printed"
    return tomllib.loads((folder / f"{table}.toml").read_text(encoding="utf-8"))


def compare(
    label: str,
    value: float | str,
    ours: float | str,
    *,
    kind: Kind,
    tolerance: float,
    unit: str,
    note: str = "",
) -> Row:
    """Return the row of a `value` and of ours, which it is compared with.

    Text must be equal.
    """
    if isinstance(value, str) or isinstance(ours, str):
        verdict = _verdict(same=value == ours)
        return Row(label, kind, value, ours, tolerance, unit, verdict, note)
    verdict = _verdict(same=abs(ours - value) <= tolerance + ROUNDING)  # a fail for NaN
    return Row(label, kind, float(value), float(ours), tolerance, unit, verdict, note)


def compare_claim(
    label: str, words: str, ours: float, *, kind: Kind, holds: bool, unit: str, note: str = ""
) -> Row:
    """Return the row of a claim in `words`, such as ``over 70``, and whether ours meets it."""
    return Row(label, kind, words, float(ours), 0.0, unit, _verdict(same=holds), note)


def row_without_data(
    label: str, value: Value, *, kind: Kind, unit: str, note: str, tolerance: float = 0.0
) -> Row:
    """Return the row of a `value` that cannot be computed without missing data.

    `note` says which.
    """
    number = float(value) if isinstance(value, int) else value
    return Row(label, kind, number, None, tolerance, unit, Verdict.NO_DATA, note)


def counts(rows: Collection[Row]) -> dict[Verdict, int]:
    """Count the rows of each verdict."""
    return {verdict: sum(row.verdict is verdict for row in rows) for verdict in Verdict}


def counts_by_kind(rows: Collection[Row]) -> dict[Kind, dict[Verdict, int]]:
    """Count the rows of each kind by verdict; every kind is there."""
    return {kind: counts([row for row in rows if row.kind is kind]) for kind in Kind}


def not_reproduced(rows: Collection[Row]) -> dict[str, int]:
    """Return why authors' figures could not be computed, and how many for each reason."""
    gaps = [r for r in rows if r.verdict is Verdict.NO_DATA and r.kind not in NOT_PRINTED]
    return dict(Counter(row.note for row in gaps))


def missing_files(data: Path | None, *paths: str) -> str:
    """Return a note of which `paths` are not in the folder `data`; empty where all are."""
    absent = [path for path in paths if data is None or not (data / path).is_file()]
    if not absent:
        return ""
    more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
    return f"needs {absent[0]}{more}" + (" (--data FOLDER)" if data is None else ", not there")


def table(path: Path, *columns: str) -> pl.DataFrame:
    """Read the named columns of a Parquet file.

    Raises:
        BadInput: it cannot be read, or lacks a column.
    """
    try:
        return pl.read_parquet(path, columns=list(columns))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadInput(
            f"{path}: cannot read the columns {', '.join(columns)}: {error}; give a Parquet "
            "file that has them"
        ) from error


def _verdict(*, same: bool) -> Verdict:
    return Verdict.PASS if same else Verdict.FAIL

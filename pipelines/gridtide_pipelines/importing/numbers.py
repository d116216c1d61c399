"""Numbers as spreadsheets write them: decimal commas, separators of thousands. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import polars as pl

from gridtide.errors import BadInput

# How spreadsheets and tools write that they have no value.
NO_VALUE: Final = (
    *("", "-", "--", "n/a", "na", "n/e", "null", "none", "nan"),
    *("#n/a", "#nv", "#n/d", "#div/0!"),
)
# Some tools and languages write another one before numbers below 0.
MINUS: Final = "[\u2212\u2013]"

# Groups of thousands are set apart by a space or an apostrophe in some countries.
SPACES: Final = "[ \u00a0\u2009\u202f'\u2019]"
SPACED: Final = rf"^[+-]?\d{{1,3}}({SPACES}\d{{3}})+([.,]\d+)?$"
# Both signs, or one of them more than once: only one reading is possible.
BOTH_POINT: Final = r"^[+-]?\d{1,3}(,\d{3})+\.\d+$|^[+-]?\d{1,3}(,\d{3}){2,}$"
BOTH_COMMA: Final = r"^[+-]?\d{1,3}(\.\d{3})+,\d+$|^[+-]?\d{1,3}(\.\d{3}){2,}$"
# One sign, and what stands around it is no group of thousands.
ONE_POINT: Final = r"^[+-]?(\d+\.(\d{1,2}|\d{4,})|\d{4,}\.\d{3}|0\d*\.\d{3})$"
ONE_COMMA: Final = r"^[+-]?(\d+,(\d{1,2}|\d{4,})|\d{4,},\d{3}|0\d*,\d{3})$"
# One sign before three digits: thousands, or three decimals.
EITHER_POINT: Final = r"^[+-]?[1-9]\d{0,2}\.\d{3}$"
EITHER_COMMA: Final = r"^[+-]?[1-9]\d{0,2},\d{3}$"
# A number in any form, also with an exponent or a unit behind it.
ANY: Final = r"(?i)^[+-]?[\d.,]*\d(e[+-]?\d+)?(%|[kmgt]?wh?)?$"
# The same with a zero at the end, which shows that zeros are not left out.
ROUND_POINT: Final = r"^[1-9]\d{0,2}\.\d\d0$"
ROUND_COMMA: Final = r"^[1-9]\d{0,2},\d\d0$"
# Thousands are not set apart in this column.
PLAIN: Final = r"^[+-]?\d{4,}$"


class Mark(StrEnum):
    """The sign before decimals."""

    POINT = "point"
    COMMA = "comma"


@dataclass(slots=True)
class NumberFormat:
    """What the numbers of a file are written like, found while they are looked at.

    Attributes:
        name: of the file, for messages.
        separator: between its cells.
        given: the sign before decimals, if the user named it.
        seen: for each of `PATTERNS` a number that is written so.
        columns: which of them each column has.
    """

    name: str
    separator: str
    given: Mark | None = None
    seen: dict[str, str] = field(default_factory=dict)
    columns: dict[str, set[str]] = field(default_factory=dict)

    def look(self, cells: pl.Series) -> None:
        """Take the cells of one column into account."""
        text = cells.drop_nulls().unique()
        text = text.str.replace_all(SPACES, "").str.replace(f"^(?:[+-]|{MINUS})", "")
        mine = self.columns.setdefault(cells.name, set())
        for name, pattern in PATTERNS.items():
            if name not in mine and (found := text.filter(text.str.contains(pattern))).len():
                mine.add(name)
                self.seen.setdefault(name, str(found.min()))

    def mark(self) -> Mark:
        """Return the sign before decimals.

        Raises:
            BadInput: numbers in two formats, or in one that may be either.
        """
        if self.given is not None:
            return self.given
        see = self.seen.get
        point = see("both_point") or see("one_point")
        comma = see("both_comma") or see("one_comma")
        if self.separator == ",":
            # A comma between digits there is a cell that somebody quoted: thousands.
            comma = see("both_comma")
            point = point or (see("either_point") if not comma else None)
        if point and comma:
            raise self._two(point, comma)
        if point or comma:
            return Mark.POINT if point else Mark.COMMA
        for either, other in (
            ("either_comma", Mark.COMMA),
            ("either_point", Mark.POINT),
        ):
            if not (found := see(either)):
                continue
            if see("either_point") and see("either_comma"):
                raise self._two(str(see("either_comma")), str(see("either_point")))
            if self.separator != "," and self._is_short(either):
                return other
            raise BadInput(
                f"{self.name}: {found!r} may be thousands or a decimal "
                f"{other}; name the sign before decimals: --decimal comma or --decimal point"
            )
        return Mark.POINT

    def _is_short(self, either: str) -> bool:
        """Say whether a column has thousands without a sign, and decimals without zeros.

        Spreadsheets set each column in its own way, so that 2345 in one says nothing of 1.234
        in another; and where 1.250 is written with its zero, so would be 2345.000.
        """
        alike = any({either, "plain"} <= names for names in self.columns.values())
        return alike and either.replace("either", "round") not in self.seen

    def _two(self, one: str, other: str) -> BadInput:
        return BadInput(
            f"{self.name} writes numbers in two formats, {one!r} and {other!r}; write all with "
            "a decimal point and no separator of thousands"
        )


PATTERNS: Final = {
    "both_point": BOTH_POINT,
    "both_comma": BOTH_COMMA,
    "one_point": ONE_POINT,
    "one_comma": ONE_COMMA,
    "either_point": EITHER_POINT,
    "either_comma": EITHER_COMMA,
    "round_point": ROUND_POINT,
    "round_comma": ROUND_COMMA,
    "plain": PLAIN,
}


def has_numbers(cells: pl.Series) -> bool:
    """Say whether any cell is a number, however it is written."""
    text = cells.str.replace_all(SPACES, "").str.replace(f"^{MINUS}", "-")
    return bool(text.str.contains(ANY).any())


def plain(column: str, mark: Mark) -> pl.Expr:
    """Return a column with numbers written with a decimal point and nothing else.

    What is not a number in that format is other text. Cells that mean "no value" are null.
    """
    cell = pl.col(column)
    cell = pl.when(~cell.str.to_lowercase().is_in(NO_VALUE)).then(cell)
    cell = cell.str.replace(rf"^{MINUS}\s*(\d)", "-$1")
    text = (
        pl.when(cell.str.contains(SPACED))
        .then(cell.str.replace_all(SPACES, ""))
        .otherwise(cell)
    )
    thousands, decimal = (",", r"\.") if mark is Mark.POINT else (r"\.", ",")
    # No group of thousands begins with 0: 0,412 is not 412.
    grouped = text.str.contains(rf"^[+-]?[1-9]\d{{0,2}}({thousands}\d{{3}})+({decimal}\d+)?$")
    text = pl.when(grouped).then(text.str.replace_all(thousands, "")).otherwise(text)
    if mark is Mark.COMMA:
        # A point that is between no thousands must not pass for the decimal one.
        odd = text.str.contains(".", literal=True)
        decimals = text.str.replace(",", ".", literal=True)
        text = pl.when(odd).then(pl.lit("?")).otherwise(decimals)
    return text.alias(column)

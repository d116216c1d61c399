"""Series-like results as rows, or as a frame of polars or pandas, whichever is installed.

Frames are built column by column, without pyarrow. A time is aware UTC, a number is a float,
and what is unknown is None (NaN in a column of numbers of pandas). A result without rows has
the same columns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from gridtide.errors import MissingExtra
from gridtide.extras import how_to_install

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Reader = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a frame.

    Attributes:
        name: unique in the frame.
        kind: ``datetime``, ``float``, ``int``, ``bool``, ``str``, or ``tuple`` for a list of
            names.
        read: the value of one row.
    """

    name: str
    kind: type[Any]
    read: Reader


class Tabular:
    """A result with rows; `schema.tables` says which of each class, and their columns."""

    __slots__ = ()

    def _table(self) -> tuple[Sequence[Column], Sequence[Any]]:
        from gridtide.schema.tables import table_of

        return table_of(self)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return one mapping for each row, column name to value."""
        columns, rows = self._table()
        return [{each.name: each.read(row) for each in columns} for row in rows]

    def to_polars(self) -> pl.DataFrame:
        """Return a frame of polars, times as ``Datetime('us', 'UTC')``.

        Raises:
            MissingExtra: polars is not installed.
        """
        try:
            import polars as pl
        except ModuleNotFoundError as error:
            raise _missing("polars", "frames") from error
        kinds: dict[type[Any], pl.DataType] = {
            datetime: pl.Datetime("us", "UTC"),
            float: pl.Float64(),
            int: pl.Int64(),
            bool: pl.Boolean(),
            str: pl.String(),
            tuple: pl.List(pl.String()),
        }
        columns, rows = self._table()
        return pl.DataFrame(
            {each.name: [each.read(row) for row in rows] for each in columns},
            schema={each.name: kinds[each.kind] for each in columns},
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return a frame of pandas, times as ``datetime64[us, UTC]``.

        Raises:
            MissingExtra: pandas is not installed.
        """
        try:
            import pandas as pd
        except ModuleNotFoundError as error:
            raise _missing("pandas", "pandas") from error
        kinds = {
            datetime: "datetime64[us, UTC]",
            float: "float64",
            int: "Int64",
            bool: "boolean",
        }
        columns, rows = self._table()
        return pd.DataFrame(
            {
                each.name: pd.Series(
                    [each.read(row) for row in rows], dtype=kinds.get(each.kind, "object")
                )
                for each in columns
            }
        )


def columns_of(kind: type[Any]) -> tuple[Column, ...]:
    """Return a column for each field of a dataclass; those of a nested one have its prefix."""
    hints = get_type_hints(kind)
    found: list[Column] = []
    for field in fields(kind):
        one = _without_none(hints[field.name])
        if is_dataclass(one) and isinstance(one, type):
            found += (
                Column(f"{field.name}_{each.name}", each.kind, _nested(field.name, each.read))
                for each in columns_of(one)
            )
        else:
            found.append(Column(field.name, _kind_of(one), _reader(field.name)))
    return tuple(found)


def _without_none(hint: Any) -> Any:  # noqa: ANN401  # a type of any form
    if isinstance(hint, UnionType):
        (hint,) = (each for each in get_args(hint) if each is not NoneType)
    return hint


def _kind_of(hint: Any) -> type[Any]:  # noqa: ANN401  # a type of any form
    if get_origin(hint) is tuple:
        return tuple
    kinds = (datetime, bool, int, float, str)
    return next(kind for kind in kinds if issubclass(hint, kind))


def _reader(name: str) -> Reader:
    # A row of another class, such as a region without a window, lacks some of the fields. And
    # of enumerations frames take the plain text.
    def read(row: object) -> object:
        value = getattr(row, name, None)
        if isinstance(value, tuple):
            return [str(each) for each in value]
        return str(value) if isinstance(value, str) else value

    return read


def _nested(name: str, inner: Reader) -> Reader:
    def read(row: object) -> object:
        value = getattr(row, name, None)
        return None if value is None else inner(value)

    return read


def _missing(library: str, extra: str) -> MissingExtra:
    return MissingExtra(f"{library} is not installed; install it with: {how_to_install(extra)}")

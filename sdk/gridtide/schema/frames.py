"""Series-like results as rows, or as a frame of polars or pandas, whichever is installed.

Frames are built column by column, without pyarrow. A time is aware UTC, a number is a float,
and what is unknown is None (NaN in a column of numbers of pandas). A result without rows has
the same columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from functools import partial, singledispatch
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from gridtide.accounting.emissions import Metered, RowFootprint
from gridtide.errors import MissingExtra
from gridtide.extras import how_to_install
from gridtide.model import Series, Slot
from gridtide.planning.batch.schedule import BatchPlan
from gridtide.planning.decide.response import Plan, PlannedSlot
from gridtide.schema.footprints import FootprintAnswer
from gridtide.schema.plans import ScheduleAnswer
from gridtide.schema.prices import Price
from gridtide.schema.quality import Anomaly, ZoneQuality
from gridtide.schema.responses import (
    BestRegion,
    BestWindow,
    Forecast,
    ForecastSlot,
    Intensity,
    IntensitySlot,
    ZoneInfo,
    Zones,
)
from gridtide.schema.sources import SourceInfo, Sources

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


Table = tuple[Sequence[Column], Sequence[Any]]


def to_dicts(result: object) -> list[dict[str, Any]]:
    """Return one mapping for each row, column name to value."""
    columns, rows = table_of(result)
    return [{each.name: each.read(row) for each in columns} for row in rows]


def to_polars(result: object) -> pl.DataFrame:
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
    columns, rows = table_of(result)
    return pl.DataFrame(
        {each.name: [each.read(row) for row in rows] for each in columns},
        schema={each.name: kinds[each.kind] for each in columns},
    )


def to_pandas(result: object) -> pd.DataFrame:
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
    columns, rows = table_of(result)
    return pd.DataFrame(
        {
            each.name: pd.Series(
                [each.read(row) for row in rows], dtype=kinds.get(each.kind, "object")
            )
            for each in columns
        }
    )


@singledispatch
def table_of(result: object) -> Table:
    """Return the columns of a result, and its rows."""
    raise TypeError(f"a {type(result).__name__} has no rows")


# Results whose rows are the entries of one field.
ROWS: Mapping[type, tuple[type, str]] = {
    Forecast: (ForecastSlot, "slots"),
    Intensity: (IntensitySlot, "slots"),
    Price: (IntensitySlot, "slots"),
    Series: (Slot, "slots"),
    Zones: (ZoneInfo, "zones"),
    Plan: (PlannedSlot, "slots"),
}


def _of_field(row: type, name: str, result: object) -> Table:
    return columns_of(row), getattr(result, name)


for _kind, _field in ROWS.items():
    table_of.register(_kind, partial(_of_field, *_field))


@table_of.register
def _zone_quality(result: ZoneQuality) -> Table:
    return columns_of(Anomaly), result.anomalies


@table_of.register
def _sources(result: Sources) -> Table:
    return columns_of(SourceInfo), result.sources


@table_of.register
def _best_region(result: BestRegion) -> Table:
    """Return the ranking; regions without a window come last, with their reason."""
    reason = Column("reason", str, lambda row: getattr(row, "reason", None))
    return (*columns_of(BestWindow), reason), (*result.ranking, *result.infeasible)


@table_of.register(ScheduleAnswer)
@table_of.register(BatchPlan)
def _schedule(result: ScheduleAnswer | BatchPlan) -> Table:
    """Return the slots of all plans, each with the number of its job in the request, from 0."""
    job = Column("job", int, lambda row: row[0])
    of_slot = (replace(each, read=_of_slot(each.read)) for each in columns_of(PlannedSlot))
    rows = [(at, slot) for at, plan in enumerate(result.plans) for slot in plan.slots]
    return (job, *of_slot), rows


def _of_slot(read: Reader) -> Reader:
    return lambda row: read(row[1])


@table_of.register(FootprintAnswer)
@table_of.register(Metered)
def _footprint(result: FootprintAnswer | Metered) -> Table:
    return columns_of(RowFootprint), result.rows


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
    if get_origin(hint) is Literal:  # of texts
        return str
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

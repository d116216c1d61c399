"""What the results have in common: JSON, a short text, a page for notebooks, rows and frames.

Each method loads what does the work when it is called, so that a result can be defined anywhere
without loading it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from gridtide.errors import GridtideError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from gridtide.schema.responses import Forecast

T = TypeVar("T")


class Record:
    """A frozen dataclass that is decoded from and encoded to one JSON object."""

    __slots__ = ("_load_forecast",)  # of results with a chart, see `attach_forecast`

    @classmethod
    def from_json(cls, wire: Mapping[str, Any]) -> Self:
        """Decode a JSON object of the service.

        Raises:
            ApiError: a field is missing or is not what it should be.
        """
        from gridtide.schema.decode import decode_response

        return decode_response(cls, wire)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object, as the service sends it."""
        import msgspec

        from gridtide.schema.encode import encode

        return cast("dict[str, Any]", msgspec.json.decode(encode(self)))


class Shown:
    """A result with a short text; a dataclass of it is declared with ``repr=False``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    def __str__(self) -> str:
        from gridtide.schema.summaries import summarize

        return summarize(self)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the text, a chart as inline SVG, and a table."""
        from gridtide.schema.html import to_html

        return to_html(self)


class Tabular:
    """A result with rows, as `schema.frames` has them for each class."""

    __slots__ = ()

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return one mapping for each row, column name to value."""
        from gridtide.schema.frames import to_dicts

        return to_dicts(self)

    def to_polars(self) -> pl.DataFrame:
        """Return a frame of polars, times as ``Datetime('us', 'UTC')``.

        Raises:
            MissingExtra: polars is not installed.
        """
        from gridtide.schema.frames import to_polars

        return to_polars(self)

    def to_pandas(self) -> pd.DataFrame:
        """Return a frame of pandas, times as ``datetime64[us, UTC]``.

        Raises:
            MissingExtra: pandas is not installed.
        """
        from gridtide.schema.frames import to_pandas

        return to_pandas(self)


def attach_forecast(result: T, load: Callable[[T], Forecast]) -> T:
    """Let `result` load the forecast it was chosen by, when a notebook draws its chart."""
    object.__setattr__(result, "_load_forecast", lambda: load(result))
    return result


def attached_forecast(result: object) -> Forecast | None:
    """Load the forecast that `result` was chosen by; None without one or without a service.

    The service is called once; the next chart is drawn from the same forecast.
    """
    load: Callable[[], Forecast] | None = getattr(result, "_load_forecast", None)
    if load is None:
        return None
    try:
        forecast = load()
    except GridtideError:
        return None  # a chart is not worth an error: the text and the table are still right
    object.__setattr__(result, "_load_forecast", lambda: forecast)
    return forecast

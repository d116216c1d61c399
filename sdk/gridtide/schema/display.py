"""How results show themselves: one line as text, a small chart and a table in a notebook."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from gridtide.errors import GridtideError

if TYPE_CHECKING:
    from gridtide.schema.responses import Forecast

T = TypeVar("T")


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


def attach_forecast(result: T, load: Callable[[T], Forecast]) -> T:
    """Let `result` load the forecast it was chosen by, when a notebook draws its chart."""
    object.__setattr__(result, "_load_forecast", lambda: load(result))
    return result


def attached_forecast(result: object) -> Forecast | None:
    """Load the forecast that `result` was chosen by; None without one or without a service.

    The service is asked once; the next chart is drawn from the same forecast.
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

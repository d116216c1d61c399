"""Results as HTML for notebooks: the text, a chart of the forecast with the window, a table.

Everything is inline and escaped; it has no script, no style sheet and no address.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import singledispatch
from html import escape
from itertools import islice

from gridtide.model import Series
from gridtide.planning.decide.response import Plan
from gridtide.schema.charts import ChartSlot, Window, draw_chart
from gridtide.schema.frames import table_of
from gridtide.schema.responses import BestRegion, BestWindow, Forecast, ForecastSlot, Intensity
from gridtide.schema.result import Tabular, attached_forecast
from gridtide.schema.text import format_minute, format_value

# A notebook shows this many rows of a result; frames have them all.
MOST_ROWS = 12


def to_html(result: object) -> str:
    """Return the HTML of a result."""
    parts = [f"<div><b>{escape(type(result).__name__)}</b> {escape(str(result))}</div>"]
    parts += [_chart(result), *(f"<div>{escape(each)}</div>" for each in _sentences(result))]
    if isinstance(result, Tabular) and not isinstance(result, Series | Forecast | Intensity):
        parts.append(_table(result))
    return f"<div>{''.join(parts)}</div>"


@singledispatch
def _chart(result: object) -> str:
    """Return the chart of a result, empty for one without a course in time."""
    return ""


@_chart.register
def _(result: Forecast) -> str:
    return draw_chart(_forecast_slots(result.slots), (), unit=result.unit)


@_chart.register(Intensity)
@_chart.register(Series)
def _(result: Intensity | Series) -> str:
    slots = [
        ChartSlot(each.start, each.end, each.value)
        for each in result.slots
        if each.value is not None
    ]
    return draw_chart(slots, (), unit=result.signal.unit)


@_chart.register
def _(result: BestWindow) -> str:
    label = f"{_span(result.start, result.end)}: {format_value(result.mean, result.signal)}"
    window = Window(result.start, result.end, label)
    slots = _attached_slots(result)
    if not slots:
        # Without the forecast: starting at once, and the window.
        slots = [ChartSlot(result.start, result.end, result.mean)]
        at_once = result.as_of + (result.end - result.start)
        if result.mean_now is not None and at_once <= result.start:
            slots.insert(0, ChartSlot(result.as_of, at_once, result.mean_now))
    return draw_chart(slots, [window], unit=result.unit)


@_chart.register
def _(result: Plan) -> str:
    windows = [
        Window(each.start, each.end, f"{_span(each.start, each.end)}: {each.power_kw:g} kW")
        for each in result.slots
    ]
    slots, unit = _attached_slots(result) or _problem_slots(result), result.unit
    if not slots:
        slots = [ChartSlot(each.start, each.end, each.power_kw) for each in result.slots]
        unit = "kW"
    return draw_chart(slots, windows, unit=unit)


def _attached_slots(result: object) -> list[ChartSlot]:
    forecast = attached_forecast(result)
    return [] if forecast is None else _forecast_slots(forecast.slots)


def _forecast_slots(slots: Iterable[ForecastSlot]) -> list[ChartSlot]:
    return [
        ChartSlot(each.start, each.end, each.p50, each.p10, each.p90)
        if each.p10 is not None and each.p90 is not None
        else ChartSlot(each.start, each.end, each.p50)
        for each in slots
    ]


def _problem_slots(plan: Plan) -> list[ChartSlot]:
    """Return the forecast of the region of a plan that was made in this process."""
    if plan.problem is None:
        return []
    return [
        ChartSlot(slot.start, slot.end, slot.value)
        for region in plan.problem.regions.regions
        if region.name == plan.region
        for slot in region.outlook.expected.slots
        if slot.value is not None
    ]


def _sentences(result: object) -> Iterable[str]:
    if isinstance(result, Plan):
        yield result.reason.sentence
        yield result.what_would_change


def _table(result: Tabular) -> str:
    columns, rows = table_of(result)
    if isinstance(result, BestRegion):
        shown = ("region", "zone", "start", "end", "mean", "saving", "reason")
        columns = [each for each in columns if each.name in shown]
    head = "".join(f"<th>{escape(each.name)}</th>" for each in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(_text(each.read(row)))}</td>' for each in columns)}</tr>"
        for row in islice(rows, MOST_ROWS)
    )
    more = len(rows) - MOST_ROWS
    rest = f"<div>{more} more rows; to_dicts() has all</div>" if more > 0 else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return format_minute(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value))
    return str(value)


def _span(start: datetime, end: datetime) -> str:
    return f"{format_minute(start)} to {format_minute(end)}"

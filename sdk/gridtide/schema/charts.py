"""Charts as inline SVG: a curve over time, its interval, and the chosen windows in colour.

Nothing is loaded and nothing runs in what is drawn: no script, no font, no address.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

from gridtide.schema.text import format_minute

WIDTH, HEIGHT = 520, 130
# Around the curve, for the labels.
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 8, 20
CURVE, INTERVAL, WINDOW = "#2a6fbb", "#2a6fbb", "#2e9e5b"
# More slots than the chart has pixels cannot be distinguished; they are averaged.
MOST_SLOTS = WIDTH - LEFT - RIGHT


@dataclass(frozen=True, slots=True)
class ChartSlot:
    """A value over ``[start, end)``, with the bounds of its interval where there are any."""

    start: datetime
    end: datetime
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """What is shaded, and what it is called when pointed at."""

    start: datetime
    end: datetime
    label: str


def draw_chart(slots: Sequence[ChartSlot], windows: Sequence[Window], *, unit: str) -> str:
    """Return the SVG of a stepped curve, with `windows` shaded; empty without a slot."""
    if not slots:
        return ""
    slots = _thin(slots)
    frame = _Frame.around(slots, windows)
    parts = [
        *(_draw_window(each, frame) for each in windows),
        *(
            f'<path d="{_outline(run, frame)}" fill="{INTERVAL}" fill-opacity="0.18"/>'
            for run in _runs([each for each in slots if each.low is not None])
        ),
        *(
            f'<path d="{_line(run, frame)}" fill="none" stroke="{CURVE}" stroke-width="1.5"/>'
            for run in _runs(slots)
        ),
        *_labels(frame, unit),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img" style="max-width:100%">'
        f"{''.join(parts)}</svg>"
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    """The times and values at the edges of the chart."""

    start: datetime
    end: datetime
    low: float
    high: float

    @classmethod
    def around(cls, slots: Sequence[ChartSlot], windows: Sequence[Window]) -> _Frame:
        spans: list[ChartSlot | Window] = [*slots, *windows]
        values = [
            each
            for slot in slots
            for each in (slot.value, slot.low, slot.high)
            if each is not None
        ]
        low, high = min(values), max(values)
        if low == high:
            low, high = low - 0.5, high + 0.5
        return cls(min(e.start for e in spans), max(e.end for e in spans), low, high)

    def x(self, moment: datetime) -> str:
        share = (moment - self.start) / (self.end - self.start)
        return f"{LEFT + share * (WIDTH - LEFT - RIGHT):.1f}"

    def y(self, value: float) -> str:
        share = (value - self.low) / (self.high - self.low)
        return f"{HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM):.1f}"


def _thin(slots: Sequence[ChartSlot]) -> Sequence[ChartSlot]:
    """Average neighbours until there are no more slots than the chart shows."""
    size = -(-len(slots) // MOST_SLOTS)
    if size <= 1:
        return slots
    return [_mean(slots[at : at + size]) for at in range(0, len(slots), size)]


def _mean(slots: Sequence[ChartSlot]) -> ChartSlot:
    lows = [each.low for each in slots if each.low is not None]
    highs = [each.high for each in slots if each.high is not None]
    return ChartSlot(
        slots[0].start,
        slots[-1].end,
        sum(each.value for each in slots) / len(slots),
        min(lows) if lows and highs else None,
        max(highs) if lows and highs else None,
    )


def _runs(slots: Sequence[ChartSlot]) -> list[list[ChartSlot]]:
    """Split where something between two slots is unknown."""
    found: list[list[ChartSlot]] = []
    for each in slots:
        if not found or found[-1][-1].end < each.start - timedelta(seconds=1):
            found.append([])
        found[-1].append(each)
    return found


def _line(run: Sequence[ChartSlot], frame: _Frame) -> str:
    return f"M{frame.x(run[0].start)} {frame.y(run[0].value)}" + "".join(
        f"V{frame.y(each.value)}H{frame.x(each.end)}" for each in run
    )


def _outline(run: Sequence[ChartSlot], frame: _Frame) -> str:
    highs = [each.value if each.high is None else each.high for each in run]
    lows = [each.value if each.low is None else each.low for each in run]
    above = "".join(
        f"V{frame.y(high)}H{frame.x(each.end)}" for each, high in zip(run, highs, strict=True)
    )
    below = "".join(
        f"V{frame.y(low)}H{frame.x(each.start)}"
        for each, low in zip(reversed(run), reversed(lows), strict=True)
    )
    return f"M{frame.x(run[0].start)} {frame.y(highs[0])}{above}{below}Z"


def _draw_window(window: Window, frame: _Frame) -> str:
    left = float(frame.x(window.start))
    # At least a pixel: a short run in a long forecast is to be seen.
    width = max(float(frame.x(window.end)) - left, 1.0)
    return (
        f'<rect x="{left:.1f}" y="{TOP}" width="{width:.1f}" '
        f'height="{HEIGHT - TOP - BOTTOM}" fill="{WINDOW}" fill-opacity="0.3">'
        f"<title>{escape(window.label)}</title></rect>"
    )


def _labels(frame: _Frame, unit: str) -> list[str]:
    bottom = HEIGHT - 5
    text = 'font-size="10" font-family="sans-serif" fill="currentColor"'
    return [
        f'<text x="{LEFT - 4}" y="{TOP + 8}" text-anchor="end" {text}>{frame.high:.4g}</text>',
        f'<text x="{LEFT - 4}" y="{HEIGHT - BOTTOM}" text-anchor="end" {text}>'
        f"{frame.low:.4g}</text>",
        f'<text x="{LEFT}" y="{bottom}" {text}>{escape(format_minute(frame.start))}</text>',
        f'<text x="{(LEFT + WIDTH) / 2:.0f}" y="{bottom}" text-anchor="middle" {text}>'
        f"{escape(unit)}</text>",
        f'<text x="{WIDTH - RIGHT}" y="{bottom}" text-anchor="end" {text}>'
        f"{escape(format_minute(frame.end))}</text>",
    ]

"""Bar and line charts as inline SVG: no script, no external resource, colours from the page.

Classes ``ours``, ``other`` and ``paper`` say whose a figure is, ``line-0`` and so on tell lines
apart; the page's style colours them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH = 640
ROW, THICK = 24, 15  # height of a bar's row and of the bar
LABEL, VALUE = 130, 60  # room left and right of the bars
TALL, MARGIN = 260, 34  # plot area of lines, and around it
NAME = 14  # height of a line's name
HUES = 6  # classes line-0 to line-5


@dataclass(frozen=True, slots=True)
class Bar:
    """A value, 0 or more, with its name; `kind` says whose it is."""

    label: str
    value: float
    kind: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across all bars, such as a printed claim."""

    value: float
    label: str


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars, drawn from the least to the most; `full` is a value as wide as the picture."""

    title: str
    unit: str
    bars: Sequence[Bar]
    mark: Mark | None = None
    full: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """Values along the axis, with their name."""

    label: str
    values: Sequence[float]
    kind: str


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines over a shared axis, which shows zero."""

    title: str
    unit: str
    positions: Sequence[int]
    lines: Sequence[Line]


Picture = Bars | Lines


def svg(picture: Picture) -> str:
    """Draw the chart as one ``<svg>`` element."""
    if isinstance(picture, Bars):
        height, drawn = _bars(picture)
    else:
        height, drawn = _lines(picture)
    words = escape(f"{picture.title}, {picture.unit}")
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{words}">'
        f"<title>{words}</title>{drawn}</svg>"
    )


def _bars(picture: Bars) -> tuple[int, str]:
    ordered = sorted(picture.bars, key=lambda bar: bar.value)
    marked = picture.mark.value if picture.mark else 0.0
    most = max(picture.full, marked, *(bar.value for bar in ordered))
    scale = (WIDTH - LABEL - VALUE) / (most or 1.0)
    top = ROW if picture.mark else 0
    parts = [
        f'<text x="{LABEL - 8}" y="{top + i * ROW + 14}" text-anchor="end">'
        f"{escape(bar.label)}</text>"
        f'<rect class="{bar.kind}" x="{LABEL}" y="{top + i * ROW + 2}" '
        f'width="{bar.value * scale:.1f}" height="{THICK}" rx="2"/>'
        f'<text class="value" x="{LABEL + bar.value * scale + 6:.1f}" y="{top + i * ROW + 14}">'
        f"{_short(bar.value)}</text>"
        for i, bar in enumerate(ordered)
    ]
    height = top + len(ordered) * ROW + 4
    if picture.mark:
        x = LABEL + picture.mark.value * scale
        parts.append(
            f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{ROW - 4}" y2="{height}"/>'
            f'<text class="mark" x="{x:.1f}" y="14" text-anchor="middle">'
            f"{escape(picture.mark.label)}</text>"
        )
    return height, "".join(parts)


def _lines(picture: Lines) -> tuple[int, str]:
    values = [value for line in picture.lines for value in line.values]
    ticks = _ticks(min(*values, 0.0), max(*values, 0.0))
    low, high = ticks[0], ticks[-1]
    wide = WIDTH - 2 * MARGIN - LABEL
    last = len(picture.positions) - 1

    def x(i: int) -> float:
        return MARGIN + wide * i / last

    def y(value: float) -> float:
        return 10 + TALL * (high - value) / (high - low)

    parts = [
        f'<line class="{"zero" if tick == 0 else "grid"}" x1="{MARGIN}" x2="{MARGIN + wide}" '
        f'y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
        f'<text x="{MARGIN - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>'
        for tick in ticks
    ]
    parts += [
        f'<text x="{x(i):.1f}" y="{TALL + 30}" text-anchor="middle">{position:02d}</text>'
        for i, position in enumerate(picture.positions)
    ]
    ends = _apart(picture.lines, y)
    for number, (line, end) in enumerate(zip(picture.lines, ends, strict=True)):
        kind = f"{line.kind} line-{number % HUES}"
        points = " ".join(f"{x(i):.1f},{y(value):.1f}" for i, value in enumerate(line.values))
        parts.append(
            f'<polyline class="{kind}" points="{points}"/>'
            f'<text class="{kind}" x="{x(last) + 8:.1f}" y="{end + 4:.1f}">'
            f"{escape(line.label)}</text>"
        )
    return TALL + MARGIN, "".join(parts)


def _apart(lines: Sequence[Line], y: Callable[[float], float]) -> list[float]:
    """Return where the name of each line goes: at its end, without overlaps."""
    found: dict[int, float] = {}
    floor_of_last = float("-inf")
    for i in sorted(range(len(lines)), key=lambda i: y(lines[i].values[-1])):
        floor_of_last = max(y(lines[i].values[-1]), floor_of_last + NAME)
        found[i] = floor_of_last
    return [found[i] for i in range(len(lines))]


def _ticks(low: float, high: float) -> list[float]:
    """Return about five round numbers from at most `low` to at least `high`."""
    rough = (high - low or 1.0) / 5
    size = 10 ** floor(log10(rough))
    step = next(size * each for each in (1, 2, 5, 10) if size * each >= rough)
    return [step * i for i in range(floor(low / step), ceil(high / step) + 1)]


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"

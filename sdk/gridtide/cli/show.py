"""Answers as text for a person; scripts take ``--json``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridtide.cli.origin import provenance, region_title
from gridtide.cli.show_price import window_price
from gridtide.cli.terminal import Table
from gridtide.schema.estimates import mark_estimate
from gridtide.schema.responses import (
    BestRegion,
    BestWindow,
    Forecast,
    ForecastSlot,
    Intensity,
    ZoneInfo,
    Zones,
)
from gridtide.schema.text import (
    SIMULATED,
    format_age,
    format_minute,
    format_percent,
    format_price,
    format_value,
)

if TYPE_CHECKING:
    pass


def best_window(answer: BestWindow) -> str:
    """Return when to start, how clean that is, and where that is known from."""
    return "\n".join(
        [
            f"{region_title(answer)}: start {format_minute(answer.start)}, "
            f"end {format_minute(answer.end)} ({answer.hours:g} h)",
            f"  mean     {format_value(answer.mean, answer.signal)}, {_saving(answer)}",
            *window_price(answer),
            *provenance(answer, _origin(answer)),
        ]
    )


def best_region(answer: BestRegion) -> list[str | Table]:
    """Return the best region as `best_window`, and the ranking of all."""
    rows = [
        (
            str(rank),
            one.region,
            one.zone,
            format_minute(one.start),
            f"{format_value(one.mean, one.signal)}{mark_estimate(one.estimates)}",
            *([] if one.price is None else [format_price(one.price.mean, one.price.unit)]),
        )
        for rank, one in enumerate(answer.ranking, start=1)
    ]
    without = [f"  {one.region}: no window; {one.reason}" for one in answer.infeasible]
    header = ("", "region", "zone", "start", "mean", *(["price"] if answer.price else []))
    return [best_window(answer), "", Table(header, rows), *without]


def now(answer: Intensity) -> str:
    """Return the latest slot of a region."""
    if not answer.slots:
        return "\n".join(
            [f"{region_title(answer)}: no slot is known", *provenance(answer, "none")]
        )
    slot = answer.slots[-1]
    said = "unknown" if slot.value is None else format_value(slot.value, answer.signal)
    old = (
        ""
        if answer.data_age_seconds is None
        else f" ({format_age(answer.data_age_seconds)} old)"
    )
    stale = [f"  STALE: older than is answered by default{old}"] if answer.stale else []
    return "\n".join(
        [
            f"{region_title(answer)}: {said} "
            f"from {format_minute(slot.start)} to {format_minute(slot.end)}",
            *stale,
            *provenance(answer, str(slot.quality)),
            *_members(answer),
        ]
    )


def _members(answer: Intensity) -> list[str]:
    """Return what an aggregate is made of, and how much of its load is known; a line."""
    found = answer.aggregate
    if found is None:
        return []
    shares = found.known_share
    known = (
        f"{min(shares):.0%} to {max(shares):.0%}" if len({*shares}) > 1 else f"{shares[0]:.0%}"
    )
    without = [each.zone for each in found.zones if not each.known_slots]
    said = f"aggregate of {len(found.zones)} zones, weighted by load; {known} of it is known"
    return [f"  zones    {said}", *([f"  unknown  {', '.join(without)}"] if without else [])]


def history(answer: Intensity) -> list[str | Table]:
    """Return the known slots of a region, one row each."""
    if not answer.slots:
        return [f"{region_title(answer)}: no slot is known", *provenance(answer, "none")]
    rows = [
        (
            format_minute(slot.start),
            format_minute(slot.end),
            "unknown" if slot.value is None else format_value(slot.value, answer.signal),
            str(slot.quality or "-"),
        )
        for slot in answer.slots
    ]
    qualities = sorted({str(slot.quality) for slot in answer.slots if slot.quality})
    return [
        region_title(answer),
        *provenance(answer, ", ".join(qualities) or "none"),
        *_members(answer),
        "",
        Table(("from", "to", "value", "quality"), rows),
    ]


def forecast(answer: Forecast) -> list[str | Table]:
    """Return the slots of a forecast with their quantiles, one row each."""
    rows = [
        (
            format_minute(slot.start),
            format_minute(slot.end),
            *(
                "-" if each is None else format_value(each, answer.signal)
                for each in _quantiles(slot)
            ),
        )
        for slot in answer.slots
    ]
    origin = f"{answer.quality} by {answer.model}, issued {format_minute(answer.issued_at)}"
    return [
        region_title(answer),
        *provenance(answer, origin),
        "",
        Table(("from", "to", "p10", "p50", "p90"), rows),
    ]


def zones(answer: Zones) -> list[str | Table]:
    """Return one row for each zone."""
    header = ("zone", "name", "signal", "data age", "forecast until", "model", "source")
    lines: list[str | Table] = [Table(header, [_zone(zone) for zone in answer])]
    if not answer.zones:
        lines = ["no zone has data yet; bring some in with 'gridtide refresh' or 'import'"]
    if any(zone.simulated for zone in answer):
        lines.append(f"* {SIMULATED}")
    if answer.replay:
        lines.append(f"replay: the clock stands at {format_minute(answer.as_of)}")
    return lines


def _quantiles(slot: ForecastSlot) -> tuple[float | None, ...]:
    return slot.p10, slot.p50, slot.p90


def _saving(answer: BestWindow) -> str:
    if answer.mean_now is None:
        return "at once: unknown"
    at_once = format_value(answer.mean_now, answer.signal)
    if answer.saving is None or answer.price is not None:
        return f"at once: {at_once}"
    if answer.saving == 0:
        return "no cleaner than at once"
    if answer.signal.lower_is_cleaner:
        way = "less" if answer.saving >= 0 else "more"
        return f"{format_percent(abs(answer.saving))} {way} than at once ({at_once})"
    way = "more" if answer.saving >= 0 else "fewer"
    points = f"{100 * abs(answer.saving):.1f} points"
    return f"{points} {way} than at once ({at_once})"


def _origin(answer: BestWindow) -> str:
    return f"{answer.quality} by {answer.model}, issued {format_minute(answer.issued_at)}"


def _zone(zone: ZoneInfo) -> tuple[str, ...]:
    return (
        zone.zone,
        zone.name,
        zone.default_signal or "-",
        "-" if zone.data_age_seconds is None else format_age(zone.data_age_seconds),
        format_minute(zone.forecast.end) if zone.forecast else "-",
        zone.forecast.model if zone.forecast else "-",
        f"{zone.source or '-'}{' *' if zone.simulated else ''}",
    )

"""Times, values and masses as text for a person."""

from __future__ import annotations

from datetime import datetime

from gridtide.model import Signal, format_time

SIMULATED = "SIMULATED: numbers of the built-in simulated grid, not of a real one"


def format_minute(time: datetime) -> str:
    """Return a UTC time to the minute; to the second where it has some."""
    text = format_time(time.replace(microsecond=0))
    return text.replace(":00Z", "Z") if time.second == 0 else text


def format_value(mean: float, signal: Signal) -> str:
    """Return a value with its unit; a CFE fraction in percent."""
    return f"{mean:.1f} {signal.unit}" if signal.lower_is_cleaner else format_percent(mean)


def format_price(price: float, unit: str) -> str:
    """Return a price with its unit."""
    return f"{price:.2f} {unit}"


def format_percent(fraction: float) -> str:
    """Return a fraction in percent."""
    return f"{100 * fraction:.1f} %"


def format_age(seconds: float) -> str:
    """Return a duration in its largest fitting unit."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def format_grams(grams: float) -> str:
    """Return a mass of CO2e in its largest fitting unit."""
    for unit, size in (("t", 1e6), ("kg", 1e3)):
        if grams >= size:
            return f"{grams / size:.4g} {unit} CO2e"
    return f"{grams:.4g} g CO2e"


def format_resolution(
    resolved_by: str | None, certainty: str | None, meaning: str | None
) -> str:
    """Return how a zone was found, and what the region is where it is not the zone itself."""
    if certainty in (None, "exact"):
        return f"by {resolved_by}"
    words = {"inside": "lies inside it", "mostly": "lies mostly in it"}
    return (
        f"by {resolved_by}; {meaning or 'the region'} {words.get(certainty or '', certainty)}"
    )


def format_region_of_zone(region: str, zone: str, zone_name: str) -> str:
    """Return the zone with its name, and the region of the request where it differs."""
    return f"{zone if region == zone else f'{region} = {zone}'} ({zone_name})"

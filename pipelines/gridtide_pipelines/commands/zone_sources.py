"""``gridtide sources --zone``: what zones need, and which sources they have."""

from __future__ import annotations

from collections.abc import Sequence

from gridtide.cli.terminal import Terminal
from gridtide_pipelines.ingest.needs import (
    about_zone,
    format_needs,
    format_zone_needs,
    needs_of,
    signals_of,
    sources_of,
)
from gridtide_store.regions import resolve, split_regions


def show_zones(terminal: Terminal, given: Sequence[str]) -> int:
    """Print what zones need for intensities, and their sources, most trusted first."""
    zones = [resolve(name).zone for name in split_regions(given)]
    if terminal.json:
        terminal.document({"zones": [about_zone(zone) for zone in zones]})
        return 0
    for zone in zones:
        signals = ", ".join(signals_of(zone)) or "no signal"
        terminal.result(f"{zone}: needs {format_zone_needs(zone)}; {signals}")
        for each in sources_of(zone):
            kinds = ", ".join(sorted(each.kinds))
            terminal.result(f"    {each.name}: needs {format_needs(needs_of(each))}; {kinds}")
    return 0

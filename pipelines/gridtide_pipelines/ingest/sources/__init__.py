"""The sources: one publisher a module, each with its ``SOURCE``."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache

from gridtide_pipelines.ingest.discovery import find_sources
from gridtide_pipelines.ingest.flow import facts_of
from gridtide_pipelines.ingest.source import Source
from gridtide_store.estimates import ESTIMATE, estimated_zones, with_neighbours
from gridtide_store.records import Facts, SourceReport
from gridtide_store.vocabulary import input_of

# The line of a module's docstring that says so: "Last seen:  2025-11 (recorded bodies)."
LAST_SEEN = re.compile(r"^Last seen: +(\d{4}-\d{2}) \((recorded|written)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class LastSeen:
    """When the shape of a publisher's responses was last seen.

    Attributes:
        month: as ``2025-11``.
        recorded: whether bodies were recorded then; else the shape is that of a description.
    """

    month: str
    recorded: bool


@cache
def sources() -> Mapping[str, Source]:
    """Return every source, by name."""
    return find_sources(sys.modules[__name__])


def last_seen(source: Source) -> LastSeen | None:
    """Return when the shape of a publisher's responses was last seen; None if not stated."""
    module = sys.modules.get(f"{__name__}.{source.name}")
    found = LAST_SEEN.search((module and module.__doc__) or "")
    return LastSeen(found[1], found[2] == "recorded") if found else None


def facts_of_estimates(
    series: Iterable[tuple[str, str]], recorded: Mapping[str, Facts], *, simulated: bool
) -> Facts:
    """Return the facts of what gridtide estimates: the terms are those of what it reads.

    Args:
        series: zone (of flows the two zones) and source of what the store has.
        recorded: facts of sources, by name, those of imported files too.
        simulated: whether estimates are.
    """
    zones = set(with_neighbours(sorted(estimated_zones())))
    near = {input_of(source) for zone, source in series if zones & set(zone.split("->"))}
    facts = {each.name: facts_of(each, simulated=simulated) for each in sources().values()}
    facts |= recorded
    read = [facts[name] for name in sorted(near - {ESTIMATE}) if name in facts]
    return Facts(
        name=ESTIMATE,
        title="Estimates from the mix of a year and hourly flows",
        url="",
        licence=", ".join(sorted({each.licence for each in read})),
        attribution="gridtide, from "
        + ", ".join(dict.fromkeys(each.attribution or each.title for each in read)),
        simulated=simulated,
        restricted=any(each.restricted for each in read),
    )


def report_of(source: Source) -> SourceReport:
    """Return what every snapshot reports of a source, before anything was retrieved."""
    seen = last_seen(source)
    return SourceReport(
        **asdict(facts_of(source, simulated=source.simulated)),
        kinds=tuple(sorted(source.kinds)),
        zones=tuple(sorted(source.zones)),
        needs_key=source.credentials is not None and not source.credentials.optional,
        last_seen=seen.month if seen else "",
        recorded=seen is not None and seen.recorded,
    )

"""Statistics Canada's HFED simulated: the hours of the variables that a key names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import unquote

from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.statcan_hfed import (
    COLUMNS,
    DAY,
    HOUR,
    SOURCE,
    VARIABLES,
    ZONES,
)
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, zone_publisher
from gridtide_pipelines.replay.values import by_codes, demand, mix
from gridtide_store.vocabulary import GENERATION, generation

KEY: Final = re.compile(r"DF_HFED_([A-Z]+),1\.0/([A-Z])\.\.\.([A-Z_+]+)$")
HEADER: Final = ",".join(("FREQ", "REF_AREA", *COLUMNS))


def zones_of(request: Request) -> Sequence[str]:
    """Return the province that is requested."""
    found = KEY.search(unquote(request.path))
    return [ZONES[found[1]]] if found and found[1] in ZONES else []


def render(zones: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return load and generation of the days that are requested; flows are not simulated."""
    found = KEY.search(unquote(request.path))
    params = dict(request.params)
    if found is None:
        return PUBLISHER.refusal
    start, last = (
        datetime.fromisoformat(params[name]).replace(tzinfo=UTC)
        for name in ("startPeriod", "endPeriod")
    )
    end = min(last + DAY, now)
    signals = VARIABLES[found[1]]
    fuels = {each.removeprefix(GENERATION): each for each in signals.values() if each != "load"}
    rest = next((each for each in fuels.values() if each != generation("wind")), "")
    starts, values = by_codes(zones[0], start, end, HOUR, fuels, rest) if fuels else ([], {})
    slots = mix(zones[0], start, end, HOUR)
    columns = {**values, "load": demand(slots).round(1).tolist()}
    lines = [HEADER]
    for variable in found[3].split("+"):
        for moment, value in zip(
            starts or slots["start"].to_list(),
            columns.get(signals.get(variable, ""), []),
            strict=False,  # a flow has no values
        ):
            lines.append(
                f"{found[2]},CA_{found[1]},_Z,{variable},{moment:%Y-%m-%dT%H:%M:%S},{value}"
            )
    return _table(lines)


def _table(lines: Sequence[str]) -> Reply:
    return Reply("\n".join((*lines, "")).encode(), content_type="text/csv")


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, _table([HEADER]), zones_of)

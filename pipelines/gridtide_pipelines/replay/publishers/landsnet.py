"""Landsnet simulated: the generation of the five minutes that are over; see the source."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.landsnet import FIVE, FUELS, SOURCE
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, json_reply, zone_publisher
from gridtide_pipelines.replay.values import by_codes, newest


def render(zones: Sequence[str], _: Request, now: datetime) -> Reply:
    """Return the power of each fuel at the start of the newest slot."""
    span = newest(now, FIVE)
    starts, values = by_codes(zones[0], *span, FIVE, FUELS, "hydro")
    power = {code: column[0] for code, column in values.items()}
    return json_reply(power | {"timestamp": f"{starts[0]:%Y-%m-%dT%H:%M:%S}.0"})


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, json_reply({}))

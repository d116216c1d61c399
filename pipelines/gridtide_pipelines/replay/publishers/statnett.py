"""Statnett simulated: the table of what the countries generate and consume now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.statnett import FIVE, SOURCE
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, json_reply, zone_publisher
from gridtide_pipelines.replay.values import by_codes, load, newest

FUELS: Final = {"hydro": "Hydro", "nuclear": "Nuclear", "wind": "Wind"}


def render(zones: Sequence[str], _: Request, now: datetime) -> Reply:
    """Return the rows of the table for the newest slot."""
    span = newest(now, FIVE)
    table: dict[str, dict[str, float]] = {}
    for zone in zones:
        _starts, fuels = by_codes(zone, *span, FIVE, FUELS, "Thermal")
        (total,) = load(zone, *span, FIVE)[1]
        known = {code: column[0] for code, column in fuels.items()}
        for name, value in {"Production": total, "Consumption": total, **known}.items():
            table.setdefault(name, {})[zone] = value
    return _table(span[0], table)


def _table(at: datetime, table: Mapping[str, Mapping[str, float]]) -> Reply:
    rows = {
        f"{name}Data": [
            {"titleTranslationId": None, "value": name},
            *(
                {
                    "titleTranslationId": f"ProductionConsumption.{name}{country}Desc",
                    "value": f"{value:,.0f}".replace(",", " "),
                }
                for country, value in values.items()
            ),
        ]
        for name, values in table.items()
    }
    return json_reply({"MeasuredAt": int(at.timestamp()) * 1000, **rows})


PUBLISHER: Final[Publisher] = zone_publisher(
    SOURCE, render, json_reply({"MeasuredAt": 0, "ProductionData": []})
)

"""PJM simulated: pages of generation and of the forecast of solar power; see the source."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from gridtide_pipelines.ingest.source import Kind, Request
from gridtide_pipelines.ingest.sources.pjm import FEEDS, HOUR, SOURCE, STAMP, START, ZONE
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, json_reply, zone_publisher
from gridtide_pipelines.replay.values import ahead, by_codes, labels

KINDS: Final = {f"/api/v1/{feed}": kind for kind, (feed, _) in FEEDS.items()}
FUELS: Final = {
    "coal": "Coal",
    "gas": "Gas",
    "hydro": "Hydro",
    "nuclear": "Nuclear",
    "oil": "Oil",
    "biomass": "Other Renewables",
    "solar": "Solar",
    "battery_storage": "Storage",
    "wind": "Wind",
    "hydro_storage": "Other",
}
KNOWN: Final = timedelta(hours=60)  # that a run of the forecast is ahead


def kind_of(request: Request) -> Kind | None:
    """Return the kind of a feed."""
    return KINDS.get(request.path)


def render(_: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return one page of the rows of a feed."""
    params = dict(request.params)
    start, end = (
        datetime.strptime(text, STAMP).replace(tzinfo=UTC)
        for text in params[START].split(" to ")
    )
    rows: list[dict[str, object]] = []
    if request.kind is Kind.GENERATION:
        starts, values = by_codes(ZONE, start, min(end, now), HOUR, FUELS, "Other")
        rows += [
            {START: label, "fuel_type": code, "mw": column[row]}
            for row, label in enumerate(labels(starts, STAMP))
            for code, column in values.items()
        ]
    else:
        made = now.replace(minute=0, second=0, microsecond=0)
        starts, foreseen = ahead(ZONE, "solar", max(start, made), min(end, made + KNOWN), HOUR)
        rows += [
            {"evaluated_at_utc": f"{made:{STAMP}}", START: label, "solar_forecast_mwh": value}
            for label, value in zip(labels(starts, STAMP), foreseen, strict=True)
        ]
    first, count = int(params["startRow"]) - 1, int(params["rowCount"])
    return json_reply({"items": rows[first : first + count], "totalRows": len(rows)})


PUBLISHER: Final[Publisher] = zone_publisher(
    SOURCE, render, json_reply({"items": [], "totalRows": 0}), kind_of=kind_of
)

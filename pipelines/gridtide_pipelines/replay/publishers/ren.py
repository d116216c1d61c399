"""REN's data hub simulated: a local day of Portugal; see the source's module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

from gridtide_pipelines.ingest.local_time import midnight
from gridtide_pipelines.ingest.source import Request
from gridtide_pipelines.ingest.sources.ren import DAY, QUARTER, SOURCE, TIMEZONE
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, json_reply, zone_publisher
from gridtide_pipelines.replay.values import both_directions, by_codes, flow, labels

FUELS: Final = {
    "battery_storage": "Battery Injection",
    "biomass": "Biomass",
    "coal": "Coal",
    "gas": "Natural Gas",
    "hydro": "Hydro",
    "hydro_storage": "Hydro Pumping",
    "solar": "Solar",
    "wind": "Wind",
}


def render(zones: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the chart of a day, as far as it is over.

    Hydro power is what pumped storage generates, too.
    """
    day = date.fromisoformat(dict(request.params)["date"])
    end = min(midnight(day + DAY, TIMEZONE), now)
    span = midnight(day, TIMEZONE), end
    starts, values = by_codes(zones[0], *span, QUARTER, FUELS, "Other Thermal")
    turbined, pumped = both_directions(values["Hydro Pumping"])
    imports, exports = both_directions(flow("ES", zones[0], starts).round(1).tolist())
    series = {
        **values,
        "Hydro": [sum(each) for each in zip(values["Hydro"], turbined, strict=True)],
        "Hydro Pumping": [-each for each in pumped],
        "Imports": imports,
        "Exports": [-each for each in exports],
    }
    return _chart(labels(starts, "%H:%M", TIMEZONE), series)


def _chart(categories: Sequence[str], series: Mapping[str, Sequence[float]]) -> Reply:
    columns = [{"name": name, "data": values} for name, values in series.items()]
    return json_reply({"xAxis": {"categories": categories}, "series": columns})


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, _chart([], {}))

"""NESO's data portal simulated: the mix, its forecast of wind, and what is embedded in GB."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import numpy as np

from gridtide_pipelines.ingest.local_time import midnight
from gridtide_pipelines.ingest.neso_portal import DEMAND, HALF, TIMEZONE, ZONE, settlement_date
from gridtide_pipelines.ingest.source import Kind, Request
from gridtide_pipelines.ingest.sources.elexon import LINKS
from gridtide_pipelines.ingest.sources.neso import MIX, SOURCE, WIND
from gridtide_pipelines.ingest.statements import instant
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, json_reply, zone_publisher
from gridtide_pipelines.replay.values import (
    ahead,
    by_codes,
    by_slot,
    end_of_tomorrow,
    flow,
    load,
    newest,
)

FUELS: Final = {
    "biomass": "BIOMASS",
    "coal": "COAL",
    "gas": "GAS",
    "hydro": "HYDRO",
    "nuclear": "NUCLEAR",
    "solar": "SOLAR",
    "hydro_storage": "STORAGE",
    "wind": ("WIND", "WIND_EMB"),
}
METERED: Final = 0.5  # of the wind power: the other part is embedded
KINDS: Final = {MIX: Kind.GENERATION, WIND: Kind.FORECAST}
SELECTED: Final = re.compile(r"""FROM "([\w-]+)" WHERE "\w+" >= '(.+?)' AND "\w+" < '(.+?)'""")


def kind_of(request: Request) -> Kind | None:
    """Return the kind by the resource from which rows are selected."""
    found = SELECTED.search(dict(request.params).get("sql", ""))
    return KINDS.get(found[1]) if found else None


def render(_: Sequence[str], request: Request, now: datetime) -> Reply:
    """Return the rows that are selected."""
    ((resource, first, after),) = SELECTED.findall(dict(request.params)["sql"])
    if resource == DEMAND:
        return _records(_embedded(date.fromisoformat(first), date.fromisoformat(after), now))
    start, end = instant(first), instant(after)
    if resource == WIND:
        return _records(_wind(start, end, now))
    starts, values = by_codes(ZONE, start, min(end, now), HALF, FUELS, "OTHER")
    imports = [flow(each, ZONE, starts) for each in sorted({*LINKS.values()})]
    values["IMPORTS"] = np.sum(imports, axis=0).round(1).tolist()
    return _records(
        [{"DATETIME": f"{each:%FT%T}"} | row for each, row in by_slot(starts, values)]
    )


def _wind(start: datetime, end: datetime, now: datetime) -> list[dict[str, Any]]:
    issued, _end = newest(now, HALF)
    until = min(end, end_of_tomorrow(now))
    return [
        {
            **{"Datetime_GMT": f"{each:%FT%T}", "Date": f"{each:%F}"},
            **{"Settlement_period": period(each), "Capacity": 16000},
            "Incentive_forecast": round(value * METERED, 1),
            "Forecast_Timestamp": f"{issued:%FT%T}",
        }
        for each, value in zip(*ahead(ZONE, "wind", start, until, HALF), strict=True)
    ]


def _embedded(first: date, after: date, now: datetime) -> list[dict[str, Any]]:
    """Return what is embedded in the half hours of settlement dates, and the demand."""
    start, end = midnight(first, TIMEZONE), min(midnight(after, TIMEZONE), now)
    found = by_codes(ZONE, start, end, HALF, FUELS, "OTHER")
    _, demand = load(ZONE, start, end, HALF)
    return [
        {
            "SETTLEMENT_DATE": f"{settlement_date(each)}",
            "SETTLEMENT_PERIOD": period(each),
            "FORECAST_ACTUAL_INDICATOR": "A",
            "ND": round(total - values["WIND_EMB"] - values["SOLAR"]),
            "EMBEDDED_WIND_GENERATION": values["WIND_EMB"],
            "EMBEDDED_SOLAR_GENERATION": values["SOLAR"],
        }
        for (each, values), total in zip(by_slot(*found), demand, strict=True)
    ]


def period(start: datetime) -> int:
    """Return the number of the settlement period that begins at a time."""
    return (start - midnight(settlement_date(start), TIMEZONE)) // HALF + 1


def _records(rows: Sequence[Mapping[str, Any]]) -> Reply:
    return json_reply({"help": "simulated", "success": True, "result": {"records": rows}})


PUBLISHER: Final[Publisher] = zone_publisher(SOURCE, render, _records([]), kind_of=kind_of)

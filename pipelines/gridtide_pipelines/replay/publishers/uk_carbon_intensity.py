"""The GB service simulated: intensity, its forecast and the mix; see the source's module."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import unquote

from gridtide_pipelines.ingest.source import Kind, Request
from gridtide_pipelines.ingest.sources.uk_carbon_intensity import MAX_SPAN, STAMP, ZONE
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher, json_reply
from gridtide_pipelines.replay.values import demand, expected, mix

HALF_HOUR: Final = timedelta(minutes=30)
AHEAD: Final = timedelta(hours=48)
TIME: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\dZ"
ADDRESS: Final = re.compile(rf"/(intensity|generation)/({TIME})/({TIME}|fw48h)")
IMPORTS: Final = 0.1  # of what is consumed
NAMES: Final = (
    "biomass",
    "coal",
    "imports",
    "gas",
    "nuclear",
    "other",
    "hydro",
    "solar",
    "wind",
)
# gCO2/kWh of each part: https://api.carbonintensity.org.uk/intensity/factors (gas: combined
# cycle; imports: about the mean of those from France and the Netherlands).
FACTORS: Final[Mapping[str, float]] = {"gas": 394, "biomass": 120, "imports": 250, "coal": 937}
# Upper ends of the service's bands of intensity.
BANDS: Final = ((40, "very low"), (115, "low"), (195, "moderate"), (285, "high"))


def describe(request: Request) -> tuple[Kind | None, Sequence[str]]:
    """Return the kind of a request; it is always for Great Britain."""
    found = ADDRESS.fullmatch(unquote(request.path))
    if not found:
        return None, [ZONE]
    if found[3] == "fw48h":
        return Kind.FORECAST, [ZONE]
    return Kind(found[1]), [ZONE]


def simulate(request: Request, without: Collection[str], now: datetime) -> Reply | None:
    """Return the slots that end in the requested time, both ends included."""
    found = ADDRESS.fullmatch(unquote(request.path))
    if not found:
        return None
    if ZONE in without:
        return PUBLISHER.no_data
    start = _moment(found[2])
    ahead = found[3] == "fw48h"
    end = start + AHEAD if ahead else _moment(found[3])
    if not timedelta(0) <= end - start <= MAX_SPAN:
        return PUBLISHER.refusal
    if found[1] == "generation":
        end = min(end, now)
    slots = mix(ZONE, start - HALF_HOUR, end, HALF_HOUR)
    total = demand(slots) / (1 - IMPORTS)
    parts = {
        name: slots[name].to_numpy() / total if name in slots.columns else total * 0
        for name in NAMES
    }
    parts["imports"] = total * 0 + IMPORTS
    parts["other"] = 1 - sum(parts.values(), total * 0)  # storage, as the service has it
    actual = sum((parts[name] * factor for name, factor in FACTORS.items()), total * 0)
    starts = slots["start"].to_list()
    foreseen = expected(ZONE, "intensity", actual, starts)
    entries: list[dict[str, Any]] = []
    for row, begin in enumerate(starts):
        entry: dict[str, Any] = {
            "from": f"{begin:{STAMP}}",
            "to": f"{begin + HALF_HOUR:{STAMP}}",
        }
        if found[1] == "generation":
            entry["generationmix"] = [
                {"fuel": name, "perc": round(100 * max(float(parts[name][row]), 0.0), 1)}
                for name in NAMES
            ]
        else:
            value = round(float(actual[row]))
            known = begin + HALF_HOUR <= now
            entry["intensity"] = {
                "forecast": round(float(foreseen[row])),
                "actual": value if known else None,
                "index": next((name for most, name in BANDS if value < most), "very high"),
            }
        entries.append(entry)
    return json_reply({"data": entries})


def _moment(text: str) -> datetime:
    return datetime.strptime(text, STAMP).replace(tzinfo=UTC)


PUBLISHER: Final = Publisher(
    describe=describe,
    no_data=json_reply({"data": []}),
    refusal=json_reply(
        {
            "error": {
                "code": "400 Bad Request",
                "message": "Please enter a valid date in ISO8601 format YYYY-MM-DDThh:mmZ "
                "i.e. /intensity/2017-08-25T15:30Z/2017-09-10T17:30Z",
            }
        },
        400,
    ),
    simulate=simulate,
)

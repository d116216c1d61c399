"""GB carbon intensity, its forecast and the generation mix, from the system operator NESO.

Docs:       https://carbon-intensity.github.io/api-definitions/
Licence:    CC BY 4.0.
Unit:       gCO2/kWh, direct (stack) emissions of what is consumed, imports included; mix in
            percent of it, imports among its parts. Kept as ``share_<fuel>`` 0 to 1;
            ``share_imports`` is not a fuel, derive.py leaves it out.
Slots:      30 min, labelled by UTC start (``from``). A range answers with the slots that END
            in it, both ends included: requested from 00:00 it begins with the slot of 23:30 the
            day before. That slot is true, so it is kept; the last one requested ends at
            `to`, so none is missing.
Limits:     14 days per request; 500s in bursts.
Revisions:  ``actual`` is itself an estimate and changes for some days; null until known. A part
            of the mix that is listed with null is not known, and kept so.
Issues:     A forecast does not say when it was made: when we received it stands in. Beside
            ``actual`` the last forecast before the slot is repeated, so only what was requested
            for as a forecast is a run (see normalize.py).
Regions:    Bodies of /regional are read as zones GB:1 to GB:17 (GB:18 is the whole again);
            all they hold is forecast. They are not requested: no zone of ours is a region.
Last seen:  2021-04 (recorded bodies of all routes).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from gridtide.model import Quality, Signal
from gridtide_pipelines.ingest.newest import newest
from gridtide_pipelines.ingest.parsing import (
    check_shape,
    holds_nothing,
    number,
    read_json,
    readings,
    with_values,
)
from gridtide_pipelines.ingest.source import (
    READING,
    Body,
    Group,
    Kind,
    Query,
    Request,
    Source,
    Span,
    Tier,
)
from gridtide_pipelines.ingest.summing import total
from gridtide_store.vocabulary import share

NAME = "uk_carbon_intensity"
ZONE = "GB"
STAMP = "%Y-%m-%dT%H:%MZ"
MAX_SPAN = timedelta(days=14)

FUELS = {
    "biomass": "biomass",
    "coal": "coal",
    "gas": "gas",
    "hydro": "hydro",
    "imports": "imports",
    "nuclear": "nuclear",
    "oil": "oil",
    "other": "unknown",
    "solar": "solar",
    "wind": "wind",
}


def requests(query: Query) -> Sequence[Group]:
    """Build one request per 14 days; a forecast reaches from its start 48 h ahead."""
    kind, zones, start, end = query.kind, query.zones, query.start, query.end
    if kind is Kind.FORECAST:
        return [[_request(f"/intensity/{_stamp(start)}/fw48h", kind, zones)]]
    route = {Kind.INTENSITY: "intensity", Kind.GENERATION: "generation"}[kind]
    groups = []
    while start < end:
        until = min(start + MAX_SPAN, end)
        path = f"/{route}/{_stamp(start)}/{_stamp(until)}"
        groups.append([_request(path, kind, zones, Span(start, until))])
        start = until
    return groups


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse intensity, forecast and mix of every slot in the bodies, national or regional."""
    with check_shape(NAME):
        rows = [row for i, body in enumerate(bodies) for row in _rows(i, body)]
        frame = readings(
            zone=[row.zone for row in rows],
            signal=[row.signal for row in rows],
            start=[row.slot["from"] for row in rows],
            end=[row.slot["to"] for row in rows],
            value=[row.value for row in rows],
            quality=[row.quality for row in rows],
            issued_at=[row.issued_at for row in rows],
            flag=[row.flag for row in rows],
            body=[row.body for row in rows],
            stamp=STAMP,
        )
        code = pl.Series("code", [row.code for row in rows], dtype=pl.String)
        frame = _summed(frame.with_columns(code))
    return with_values(NAME, [frame])


@dataclass(frozen=True, slots=True)
class _Row:
    zone: str
    signal: str
    slot: dict[str, Any]
    value: float | None
    quality: str
    body: int
    issued_at: datetime | None = None
    flag: str | None = None
    code: str = ""


def _rows(index: int, body: Body) -> Iterator[_Row]:
    document = read_json(body.content)
    if holds_nothing(document):
        return
    if "error" in document:
        raise ValueError(f"the publisher says {document['error']}")
    data = document["data"]
    for entry in data if isinstance(data, list) else [data]:
        for zone, slot in _slots(entry):
            yield from _values(zone, slot, index, body.known_at)


def _slots(entry: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield slots of one entry: a national slot, a slot of all regions, or a region's slots."""
    if "regions" in entry:
        span = {"from": entry["from"], "to": entry["to"]}
        for region in entry["regions"]:
            yield f"{ZONE}:{int(region['regionid'])}", region | span
    elif "regionid" in entry:
        inner = entry["data"]
        for slot in inner if isinstance(inner, list) else [inner]:
            yield f"{ZONE}:{int(entry['regionid'])}", slot
    else:
        yield ZONE, entry


def _values(zone: str, slot: dict[str, Any], body: int, known_at: datetime) -> Iterator[_Row]:
    if "intensity" not in slot and "generationmix" not in slot:
        raise ValueError(f"neither intensity nor mix in {sorted(slot)}")
    regional = zone != ZONE
    if "intensity" in slot:
        said = slot["intensity"]
        ci = str(Signal.CI_DIRECT_CONSUMED)
        if not regional and (actual := number(said["actual"])) is not None:
            yield _Row(zone, ci, slot, actual, Quality.ESTIMATED, body)
        if (forecast := number(said["forecast"])) is not None:
            yield _Row(zone, ci, slot, forecast, Quality.FORECAST, body, known_at)
    for part in slot.get("generationmix", ()):
        percent = number(part["perc"])
        fuel = FUELS.get(part["fuel"])
        yield _Row(
            zone,
            share(fuel or "unknown"),
            slot,
            None if percent is None else percent / 100,
            Quality.FORECAST if regional else Quality.ESTIMATED,
            body,
            known_at if regional else None,
            None if fuel else f"unmapped_code:{part['fuel']}",
            part["fuel"],
        )


def _summed(rows: pl.DataFrame) -> pl.DataFrame:
    """Return READING of `rows` by code: new codes are added to the unknown generation."""
    slot = ["zone", "signal", "start", "end", "issued_at"]
    rows = newest(rows, [*slot, "code"])
    unknown = pl.col("signal") == share("unknown")
    summed = (
        rows.filter(unknown)
        .group_by(slot, maintain_order=True)
        .agg(
            total(pl.col("value")).alias("value"),
            pl.col("quality").first(),
            pl.col("flag").drop_nulls().unique().str.join(";").replace("", None),
            pl.col("body").max(),
        )
    )
    return pl.concat([each.select(READING.names()) for each in (rows.filter(~unknown), summed)])


def _request(
    path: str, kind: Kind, zones: tuple[str, ...], span: Span | None = None
) -> Request:
    return Request("GET", path, kind=kind, zones=zones, span=span)


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):{STAMP}}"


SOURCE = Source(
    name=NAME,
    title="Carbon Intensity API (NESO)",
    base_url="https://api.carbonintensity.org.uk",
    kinds=frozenset({Kind.INTENSITY, Kind.GENERATION, Kind.FORECAST}),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    step=timedelta(minutes=30),
    max_span=MAX_SPAN,
    ahead=timedelta(days=3),
    refetch=(Tier(timedelta(days=7)),),
    lag=timedelta(hours=1),
    licence="CC-BY-4.0",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    attribution="National Energy System Operator, Carbon Intensity API",
    largest_body=4 * 2**20,
)

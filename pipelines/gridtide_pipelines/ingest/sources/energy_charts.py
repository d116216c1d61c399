"""Generation, load, flows, prices and forecasts of European countries, from Energy-Charts.

Docs:       https://api.energy-charts.info (definition 1.5)
Licence:    CC BY 4.0 for generation, load and flows. That of prices differs by zone, so they
            are read but not requested. Commercial use and large volumes: ask the publisher.
Unit:       MW; flows in GW; prices as the answer says (EUR / MWh).
Slots:      15, 30 or 60 min by country and year, labelled by the start in seconds since 1970;
            one answer may change its resolution.
Limits:     slow for years; bursts end in 429. A country at a time, no zones inside one. A date
            without a time as ``end`` means that local day, so times are given.
Revisions:  as ENTSO-E.
Fuels:      ENTSO-E's production types by name, whose capitals vary. Pumped storage and its
            consumption (negative) are one net value. Load, residual load, shares and trade
            are not generation. Load comes with generation.
Bodies:     they do not say of which country: that is the zone requested, else ``country`` or
            ``bzn`` of the address, else Germany, as in the API. Arrays that are empty are
            "nothing yet"; arrays of different length are refused.
Forecasts:  day-ahead, a request for each production type; 404 is that this one is not
            published. Wind is the sum of both types where turbines stand at sea.
Links:      cbpf by neighbour, positive into the country.
Last seen:  2026-08 (written, from the definition and an empty answer).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import polars as pl

from gridtide_pipelines.ingest.parsing import check_shape, number
from gridtide_pipelines.ingest.production_types import fuel_named
from gridtide_pipelines.ingest.schedule import split_span
from gridtide_pipelines.ingest.source import (
    PARTIAL,
    Body,
    Group,
    Kind,
    Query,
    Request,
    Source,
    Span,
    Tier,
)
from gridtide_pipelines.ingest.statements import (
    Statement,
    add_codes,
    read_answer,
    rows_of,
    text,
)
from gridtide_store import catalogue
from gridtide_store.vocabulary import generation

NAME = "energy_charts"
QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
CODES: Final = {"GB-NIR": "nie"}  # of the others it is the country in lower case
STORAGE: Final = "hydro pumped storage consumption"
FORECASTS: Final = {
    "load": "load",
    "solar": generation("solar"),
    "wind_offshore": generation("wind"),
    "wind_onshore": generation("wind"),
}
WINDS: Final = ("wind_offshore", "wind_onshore")
# A group for each signal: what is not published of one says nothing of the others.
TYPES: Final = (("load",), ("solar",), WINDS)
AT_SEA: Final = frozenset({"BE", "DE", "DK", "FR", "GB", "NL"})
MISSING: Final = 404
NO_FUEL: Final = re.compile(r"load|residual load|cross border.*|renewable share.*|.*share of.*")
NAMES: Final = {
    **{zone.name.lower(): zone.key for zone in catalogue.load().zones.values()},
    "czech republic": "CZ",
    "northern ireland": "GB-NIR",
    "slovak republic": "SK",
    "united kingdom": "GB",
}


def requests(query: Query) -> Sequence[Group]:
    """Return a request for each country and month, and of forecasts for each type."""
    groups: list[Group] = []
    for zone in query.zones:
        for span in split_span(Span(query.start, query.end), SOURCE.max_span):
            times = [
                ("start", f"{span.start:%Y-%m-%dT%H:%MZ}"),
                ("end", f"{span.end:%Y-%m-%dT%H:%MZ}"),
            ]
            country = ("country", SOURCE.codes[zone])
            if query.kind is Kind.FORECAST:
                ahead = ("forecast_type", "day-ahead")
                groups += [
                    [
                        Request(
                            *("GET", "/public_power_forecast"),
                            (country, ("production_type", each), ahead, *times),
                            *(query.kind, (zone,)),
                            span=span,
                        )
                        for each in types
                    ]
                    for types in TYPES
                ]
                continue
            path = "/cbpf" if query.kind is Kind.FLOW else "/public_power"
            request = Request("GET", path, (country, *times), query.kind, (zone,), span=span)
            groups.append([request])
    return groups


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Return what the arrays of the bodies state, at the resolution they have."""
    with check_shape(NAME):
        found: list[Statement] = []
        for index, body in enumerate(bodies):
            document = None if body.status == MISSING else read_answer(body.content)
            if document is not None:
                found += _statements(document, _zone(body), index, body.known_at)
        return add_codes(_flag_lacking(found, bodies), NAME)


def _flag_lacking(found: Sequence[Statement], bodies: Sequence[Body]) -> Iterator[Statement]:
    """Yield what was found, with a flag where one of the two forecasts of wind is missing.

    A country without turbines at sea has no forecast of them, and lacks none.
    """
    given = {(each.zone, each.code, each.start) for each in found if each.code in WINDS}
    wanted = {(zone, code) for zone, code, _ in given}
    for body in bodies:
        code = dict(body.request.params).get("production_type", "")
        wanted |= {(zone, code) for zone in AT_SEA.intersection(body.request.zones)}
    for each in found:
        of = (code for code in WINDS if (each.zone, code) in wanted)
        lacks = any((each.zone, code, each.start) not in given for code in of)
        yield replace(each, flag=PARTIAL) if each.code in WINDS and lacks else each


def _zone(body: Body) -> str:
    if len(body.request.zones) == 1:
        return body.request.zones[0]
    named = re.search(r"(?:country|bzn)=([\w-]+)", body.request.address)
    code = named[1] if named else "de"
    keys = {code: key for key, code in SOURCE.codes.items()}
    return {"DE-LU": "DE"}.get(code) or keys.get(code.lower(), code)


def _statements(
    document: Mapping[str, Any], zone: str, body: int, known_at: datetime
) -> Iterator[Statement]:
    starts = [datetime.fromtimestamp(each, UTC) for each in document["unix_seconds"] or ()]
    slots = list(zip(starts, _ends(starts), strict=True))

    def state(
        of: str,
        signal: str,
        code: str,
        data: object,
        flag: str | None = None,
        issued_at: datetime | None = None,
    ) -> Iterator[Statement]:
        scale = 1000.0 if signal == "flow" else 1.0
        for (start, end), each in zip(slots, rows_of(data), strict=True):
            value = number(each)
            value = None if value is None else value * scale
            yield Statement(of, signal, code, start, end, value, body, flag, issued_at)

    if "production_types" in document:
        for series in document["production_types"] or ():
            name = text(series["name"])
            plain = " ".join(name.lower().replace("-", " ").split())
            fuel = "hydro_storage" if plain == STORAGE else fuel_named(name)
            if plain == "load":
                yield from state(zone, "load", name, series["data"])
            elif not NO_FUEL.fullmatch(plain):
                flag = None if fuel else f"unmapped_code:{name}"
                yield from state(
                    zone, generation(fuel or "unknown"), name, series["data"], flag=flag
                )
    elif "countries" in document:
        for series in document["countries"] or ():
            name = text(series["name"]).lower()
            if name != "sum":
                pair = f"{NAMES.get(name, name)}->{zone}"
                yield from state(pair, "flow", name, series["data"])
    elif "price" in document:
        currency = text(document["unit"])[:3].lower()
        yield from state(zone, f"price_{currency}", "price", document["price"] or [])
    elif "forecast_values" in document:
        code = text(document["production_type"])
        signal = FORECASTS.get(code)
        if signal:
            values = document["forecast_values"]
            yield from state(zone, signal, code, values, issued_at=known_at)
    elif "ren_share" not in document:
        raise ValueError(f"no series among {sorted(document)}")


def _ends(starts: Sequence[datetime]) -> Iterator[datetime]:
    """Yield the end of each slot: where the next one begins, or as long as the one before.

    A longer distance that comes once is that of a gap, over which no value is stretched.
    """
    length = HOUR if all(each.minute == 0 for each in starts) else QUARTER
    distances = [after - start for start, after in pairwise(starts)]
    for index, start in enumerate(starts):
        before, here, after = (
            distances[i] if 0 <= i < len(distances) else None
            for i in (index - 1, index, index + 1)
        )
        gap = before is not None and here is not None and before < here != after
        if here is not None and here <= HOUR and not gap:
            length = here
        yield start + length


SOURCE = Source(
    name=NAME,
    title="Energy-Charts",
    base_url="https://api.energy-charts.info",
    kinds=frozenset({Kind.GENERATION, Kind.FLOW, Kind.FORECAST}),
    zones=frozenset(
        zone.key for zone in catalogue.load().zones.values() if NAME in zone.sources
    ),
    codes={
        zone.key: CODES.get(zone.key, zone.country.lower())
        for zone in catalogue.load().zones.values()
        if NAME in zone.sources
    },
    requests=requests,
    parse=parse,
    step=QUARTER,
    max_span=31 * DAY,
    ahead=3 * DAY,
    refetch=(Tier(3 * DAY), Tier(14 * DAY, DAY)),
    lag=timedelta(hours=4),
    day_ahead=True,
    licence="CC-BY-4.0",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    attribution="Energy-Charts, Fraunhofer ISE, from ENTSO-E",
    readable=frozenset({MISSING}),
    per_zone=True,
    min_interval=timedelta(seconds=2),
    largest_body=3 * 2**19,
)

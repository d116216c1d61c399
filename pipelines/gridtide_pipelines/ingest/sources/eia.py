"""Hourly generation, demand, its forecast and interchange of US balancing authorities.

Docs:       https://www.eia.gov/opendata/documentation.php (v2, electricity/rto; Form EIA-930)
Licence:    public domain (https://www.eia.gov/about/copyrights_reuse.php); to be named.
Unit:       MWh in the hour, which is the mean MW.
Slots:      1 h, labelled by UTC END (``period``): one hour is taken off. The first and the
            last label of a request both count.
Limits:     5,000 rows an answer, further ones by ``offset``; about 5 requests a second.
            The key must be in the query, and the answer repeats it (fetch.py blots it out).
Revisions:  authorities resend for days, and some for weeks: see `SOURCE.refetch`.
Codes:      Several codes may be one fuel of ours (SUN and SNB are solar): they are summed by
            `summing.total`, so that one that charges takes nothing from one that generates. The
            fuel is null where one of them is null: a fuel that is listed without a value is
            not known, which is not the same as a fuel that is not listed. An unknown code is
            summed into unknown and flagged. Respondents without a zone of ours (US48, regions
            such as CAL) keep their own code; normalize.py counts them. Storage is positive when
            it discharges; before PS and BAT were split out, pumping shows as negative WAT.
Demand:     Type ``D`` is load and ``DF`` its day-ahead forecast; net generation (NG) and total
            interchange (TI) are not read, as the fuels and flows say more. A forecast does not
            say when it was made: when we received it stands in, and only hours that are not
            over then are stored as a run.
Merged:     Authorities that only generate (AVRN, DEAA, GWA, ...) are requested with the zones
            they belong to, and merged into them by normalize.py (see merges.py).
Conflicts:  rows of a later page replace the same rows of an earlier one. A value given twice,
            and differently, in one body is unknown and flagged.
Last seen:  2024-04 (recorded bodies of all three routes).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import polars as pl

from gridtide.model import Quality
from gridtide_pipelines.errors import NothingYet
from gridtide_pipelines.ingest.merges import with_parts
from gridtide_pipelines.ingest.newest import newest
from gridtide_pipelines.ingest.parsing import (
    check_shape,
    holds_nothing,
    number,
    read_json,
    readings,
    with_sorted_flags,
)
from gridtide_pipelines.ingest.source import (
    READING,
    Body,
    Credentials,
    Group,
    Kind,
    Parameter,
    Query,
    Request,
    Source,
    Span,
    Tier,
)
from gridtide_pipelines.ingest.summing import add_up, total
from gridtide_store import catalogue
from gridtide_store.vocabulary import generation

NAME = "eia"
HOUR = timedelta(hours=1)
STAMP = "%Y-%m-%dT%H"
PAGE = 5000  # rows of one JSON answer, the publisher's limit
MAX_SPAN = timedelta(days=31)

FUELS: Final[Mapping[str, str]] = {
    "COL": "coal",
    "NG": "gas",
    "OIL": "oil",
    "NUC": "nuclear",
    "WAT": "hydro",
    "WND": "wind",
    "WNB": "wind",  # with a battery behind the same meter
    "SUN": "solar",
    "SNB": "solar",  # with a battery behind the same meter
    "GEO": "geothermal",
    "PS": "hydro_storage",
    "BAT": "battery_storage",
    "OES": "battery_storage",  # "other energy storage": no pumped hydro
    "UES": "unknown",  # "unknown energy storage"
    "OTH": "unknown",
    "UNK": "unknown",
}


ROUTES: Final[Mapping[Kind, tuple[str, str, tuple[str, ...]]]] = {
    # kind: route, facet of the authority, columns that order the pages
    Kind.GENERATION: ("fuel-type-data", "respondent", ("period", "respondent", "fueltype")),
    Kind.LOAD: ("region-data", "respondent", ("period", "respondent")),
    Kind.FORECAST: ("region-data", "respondent", ("period", "respondent")),
    Kind.FLOW: ("interchange-data", "fromba", ("period", "fromba", "toba")),
}
TYPES: Final = {Kind.LOAD: "D", Kind.FORECAST: "DF"}
NOTHING: Final[Mapping[str, Any]] = {"data": [], "total": 0}  # an answer without a row
# About as many rows has an authority in an hour: fuels, demand, neighbours.
ROWS: Final[Mapping[Kind, int]] = {Kind.GENERATION: 8, Kind.FLOW: 6}


def requests(query: Query) -> Sequence[Group]:
    """Build one request of all zones per span: as long as two pages hold, a day at least."""
    kind, zones = query.kind, query.zones
    route, facet, order = ROUTES[kind]
    fixed = [("frequency", "hourly"), ("data[]", "value")]
    fixed += [(f"facets[{facet}][]", CODES[zone]) for zone in with_parts(zones, NAME)]
    fixed += [("facets[type][]", TYPES[kind])] if kind in TYPES else []
    for i, column in enumerate(order):  # pages of an unsorted answer may overlap
        fixed += [(f"sort[{i}][column]", column), (f"sort[{i}][direction]", "asc")]
    hours = max(24, 2 * PAGE // (ROWS.get(kind, 1) * max(1, len(zones))))
    groups: list[Group] = []
    slot, after = _whole(query.start), _whole(query.end)
    while slot < after:
        until = min(slot + min(hours * HOUR, MAX_SPAN), after)
        span = [("start", f"{slot + HOUR:{STAMP}}"), ("end", f"{until:{STAMP}}")]
        params = (*fixed, *span, ("offset", "0"), ("length", str(PAGE)))
        path = f"/v2/electricity/rto/{route}/data/"
        groups.append(
            [Request("GET", path, params, kind=kind, zones=zones, span=Span(slot, until))]
        )
        slot = until
    return groups


def following(bodies: Sequence[Body]) -> Sequence[Request]:
    """Return the next page, or none when all rows the publisher counts have been sent."""
    body = bodies[-1]
    with check_shape(NAME):
        response = _response(body)
        sent = len(response["data"])
        offset = sent + next((int(v) for k, v in body.request.params if k == "offset"), 0)
        total = int(response["total"] if sent else _response(bodies[0])["total"])
        if offset >= total:
            return ()
        if not sent:
            raise ValueError(f"{offset} rows of {total}, and then an empty page")
        params = [p for p in body.request.params if p[0] != "offset"]
        return (replace(body.request, params=(*params, ("offset", str(offset)))),)


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse generation, load or flow of every authority and hour in the pages."""
    with check_shape(NAME):
        rows = [row for i, body in enumerate(bodies) for row in _rows(i, body)]
        columns = zip(*rows, strict=True) if rows else ((),) * 7
        zones, signals, codes, labels, values, ahead, places = map(list, columns)
        issued_at = max(body.known_at for body in bodies)  # a run is known with its last page
        reported = readings(
            zone=zones,
            signal=signals,
            start=HOUR,
            end=labels,
            value=values,
            quality=[Quality.FORECAST if each else Quality.MEASURED for each in ahead],
            issued_at=[issued_at if each else None for each in ahead],
            body=places,
            stamp=STAMP + ":%M",
        )
        code = pl.Series("code", codes, dtype=pl.String)
        frame = _by_fuel(reported.with_columns(code))
    if frame.filter(
        pl.col("value").is_not_null() | pl.col("flag").str.contains("conflict")
    ).is_empty():
        raise NothingYet(NAME, "the answer holds no value yet; normal at the live edge")
    return frame


def _response(body: Body) -> Mapping[str, Any]:
    document = read_json(body.content)
    if holds_nothing(document):
        return NOTHING
    if "response" not in document:
        # Not what it says: the key was sent, and may be repeated in many spellings.
        raise ValueError("no response but an error" if "error" in document else "no response")
    response: dict[str, Any] = document["response"]
    return response


def _rows(index: int, body: Body) -> Iterator[tuple[object, ...]]:
    """Yield zone, signal, code, label, value, whether it is ahead, and body of every row."""
    for row in _response(body)["data"]:
        if "fueltype" in row:
            zone, code = _zone(row["respondent"]), _text(row["fueltype"])
            signal = generation(FUELS.get(code, "unknown"))
        elif "fromba" in row:
            zone, code = f"{_zone(row['fromba'])}->{_zone(row['toba'])}", None
            signal = "flow"
        elif row["type"] in TYPES.values():
            zone, code = _zone(row["respondent"]), None
            signal = "load"
        else:
            continue
        ahead = row.get("type") == TYPES[Kind.FORECAST]
        label, value = row["period"] + ":00", number(row["value"])
        yield zone, signal, code, label, value, ahead, index


def _by_fuel(reported: pl.DataFrame) -> pl.DataFrame:
    """Turn rows by code into READING by fuel: the newest page wins, codes are summed."""
    key = ["zone", "signal", "start", "end", "quality", "issued_at"]
    new = ~pl.col("code").is_in(list(FUELS))
    reported = reported.with_columns(flag=pl.when(new).then("unmapped_code:" + pl.col("code")))
    by_code = newest(reported, [*key, "code"])
    # A demand or a flow that is null is merely not there yet.
    gap = pl.col("value").is_null() & pl.col("code").is_null() & pl.col("flag").is_null()
    codes = by_code.filter(~gap)
    sums = add_up(codes, key, total(pl.col("value")).alias("total"))
    return with_sorted_flags(sums.with_columns(value="total").select(READING.names()))


def _whole(moment: datetime) -> datetime:
    """Return the first full hour, UTC, at `moment` or after it."""
    hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return hour if hour == moment else hour + HOUR


def _zone(code: object) -> str:
    return ZONES.get(_text(code), _text(code))


def _text(code: object) -> str:
    if not isinstance(code, str):
        raise TypeError(f"{code!r} is not a code")
    return code


ZONES: Final[Mapping[str, str]] = {
    zone.eia: zone.key for zone in catalogue.load().zones.values() if zone.eia
}
CODES: Final[Mapping[str, str]] = {key: code for code, key in ZONES.items()}

SOURCE = Source(
    name=NAME,
    title="EIA hourly electric grid monitor",
    base_url="https://api.eia.gov",
    kinds=frozenset(ROUTES),
    zones=frozenset(
        zone.key
        for zone in catalogue.load().zones.values()
        if zone.eia and NAME in zone.sources
    ),
    requests=requests,
    parse=parse,
    following=following,
    codes=CODES,
    credentials=Credentials(
        ("EIA_API_KEY",), "https://www.eia.gov/opendata/register.php", Parameter("api_key")
    ),
    step=HOUR,
    max_span=MAX_SPAN,
    ahead=timedelta(days=3),  # none is published for later hours
    refetch=(
        Tier(timedelta(days=3)),
        Tier(timedelta(days=14), timedelta(days=1)),
        Tier(timedelta(days=60), timedelta(days=30)),
    ),
    lag=timedelta(days=1),
    licence="public domain",
    licence_url="https://www.eia.gov/about/copyrights_reuse.php",
    attribution="U.S. Energy Information Administration",
    min_interval=timedelta(milliseconds=250),
    largest_body=16 * 2**20,
)

"""GB generation by fuel, load, prices, forecasts and flows, from Elexon's Insights service.

Docs:       https://developer.data.elexon.co.uk (FUELHH, FUELINST, AGPT,
            AGWS, ATL, MID, NDF, DGWS)
Licence:    BMRS data licence: free use with attribution.
Unit:       MW, the mean of the half hour (FUELHH, AGPT) or of 5 minutes (FUELINST); GBP/MWh.
Slots:      30 min or 5 min, labelled by the start in UTC; settlement dates are local.
Limits:     7 days a request, none published for the pace.
Revisions:  the same start again with a later time of publication, or another revision of a
            document: the latest one counts.
Fuels:      FUELHH and FUELINST are what the transmission system meters: most solar and some
            wind power is connected below it. What is stored adds NESO's estimate of that (see
            neso_portal.py; a host of its own here); where it lacks a half hour, solar and wind
            are unknown. ``PS`` is pumped storage, OTHER holds batteries. AGPT is complete by
            itself, and hours late; of a fuel that both state it counts, and of FUELHH and
            FUELINST the former. Total load (ATL) counts before the outturn of demand (INDO).
Links:      INTFR and the like are net imports over a cable, and beside that the flow between
            both ends: they come with generation. A cable that is new is kept as an import.
Prices:     market index (MID) of APX, of trades shortly before delivery: not day-ahead.
Forecasts:  day-ahead: national demand (NDF), wind and solar (DGWS), issued when published.
Last seen:  2024-02 (recorded bodies of AGPT and FUELINST; the others from the definition).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl

from gridtide_pipelines.ingest.neso_portal import (
    BASE_URL,
    DEMAND,
    EMBEDDED,
    HALF,
    INTERVAL,
    ZONE,
    read_embedded,
    records_of,
    select,
    settlement_date,
)
from gridtide_pipelines.ingest.parsing import check_shape, number
from gridtide_pipelines.ingest.production_types import fuel_named
from gridtide_pipelines.ingest.schedule import split_span
from gridtide_pipelines.ingest.source import (
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
    instant,
    read_answer,
    rows_of,
    text,
)
from gridtide_store.vocabulary import IMPORT, generation

NAME = "elexon"
API: Final = "/bmrs/api/v1"
DAY = timedelta(days=1)
LENGTHS: Final = {"FUELINST": timedelta(minutes=5), "WINDFOR": timedelta(hours=1)}
# Demand with what power stations use, which is another quantity than the nation's.
NOT_READ: Final = ("ITSDO", "TSDF")
NAMED: Final = ("fuelType", "interconnectorName", "psrType")
PERIOD: Final = ("settlementPeriod", *NAMED)
# Data sets that state one quantity are not added: of a half hour the first of them counts.
TRUST: Final = ("AGPT", "ATL", "FUELHH", "INDO", "FUELINST")
LINK: Final = re.compile(r"INT[A-Z0-9]+")
FUELS: Final = {
    "BIOMASS": "biomass",
    "CCGT": "gas",
    "COAL": "coal",
    "NPSHYD": "hydro",
    "NUCLEAR": "nuclear",
    "OCGT": "gas",
    "OIL": "oil",
    "OTHER": "unknown",
    "PS": "hydro_storage",
    "WIND": "wind",
}
LINKS: Final = {
    "INTELEC": "FR",
    "INTEW": "IE",
    "INTFR": "FR",
    "INTGRNL": "IE",
    "INTIFA2": "FR",
    "INTIRL": "GB-NIR",
    "INTNED": "NL",
    "INTNEM": "BE",
    "INTNSL": "NO-NO2",
    "INTVKL": "DK-DK1",
}


def requests(query: Query) -> Sequence[Group]:
    """Return a group for each week; of generation with the estimate of embedded generation."""
    groups: list[Group] = []
    for span in split_span(Span(query.start, query.end), SOURCE.max_span):
        first, last = (
            settlement_date(span.start),
            settlement_date(span.end - timedelta.resolution),
        )
        days = (("settlementDateFrom", f"{first}"), ("settlementDateTo", f"{last}"))
        periods = (("settlementPeriodFrom", "1"), ("settlementPeriodTo", "50"))
        dates = (("from", f"{first}"), ("to", f"{last}"))
        ahead = (("from", f"{span.start:%FT%TZ}"), ("to", f"{span.end:%FT%TZ}"))
        routes: dict[Kind, list[tuple[str, tuple[tuple[str, str], ...]]]] = {
            Kind.GENERATION: [("/datasets/FUELHH/stream", days)],
            Kind.LOAD: [("/demand/actual/total", (*dates, *periods))],
            Kind.PRICE: [
                ("/balancing/pricing/market-index", (*ahead, ("dataProviders", "APXMIDP")))
            ],
            Kind.FORECAST: [
                ("/forecast/demand/day-ahead", ()),
                ("/forecast/generation/wind-and-solar/day-ahead", dates),
            ],
        }
        group = [
            Request("GET", API + path, params, query.kind, query.zones, span=span)
            for path, params in routes[query.kind]
        ]
        if query.kind is Kind.GENERATION:
            after = f"{last + DAY}"
            group.append(
                select(query, DEMAND, "SETTLEMENT_DATE", f"{first}", after, span, "neso")
            )
        groups.append(group)
    return groups


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Return what the bodies state of GB and its cables, with embedded generation if given."""
    with check_shape(NAME):
        found: list[tuple[str, Statement]] = []
        embedded = False
        for index, body in enumerate(bodies):
            document = read_answer(body.content)
            # Without its values wind and solar lack a part, so they are unknown.
            embedded |= body.request.host == "neso"
            if isinstance(document, dict) and "result" in document:
                embedded = True
                for row in records_of(document):
                    found += [("FUELHH", each) for each in read_embedded(row, index)]
            elif document is not None:
                for row in _rows(document):
                    found += _statements(row, index, body.known_at)
        first = list(_most_trusted(found))
        return add_codes(_whole(first) if embedded else first, NAME)


def _rows(document: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401  # any JSON
    """Yield the rows of an answer; in some they are in a list for each half hour."""
    for entry in rows_of(document if isinstance(document, list) else document["data"]):
        if "data" in entry:
            for inner in rows_of(entry["data"]):
                yield {**entry, **inner}
        else:
            yield entry


def _statements(
    row: dict[str, Any], body: int, known_at: datetime
) -> Iterator[tuple[str, Statement]]:
    """Yield what a row states, each with the data set that it is of."""
    dataset = row.get("dataset", "")
    if dataset in NOT_READ:
        return
    # The forecast of wind is of hours, and so has no settlement periods; it names no fuel.
    bare = not dataset and row.keys().isdisjoint(PERIOD)
    if bare and ("generation" in row or "quantity" in row):
        dataset = "WINDFOR"
    start = instant(row["startTime"])
    end = start + LENGTHS.get(dataset, HALF)
    published = str(row.get("publishTime") or "")
    order = f"{published}{int(row.get('documentRevisionNumber') or 0):09}"
    issued_at = instant(published) if published else known_at

    def state(
        signal: str, code: str, value: object, *, ahead: bool = False, flag: str | None = None
    ) -> Statement:
        return Statement(
            *(ZONE, signal, code, start, end, number(value), body, flag),
            issued_at=issued_at if ahead else None,
            order=order,
        )

    if "psrType" in row:
        fuel = fuel_named(text(row["psrType"]))
        flag = None if fuel else f"unmapped_code:{row['psrType']}"
        ahead = "processType" in row
        if not ahead or "day ahead" in text(row["processType"]).lower():
            signal = generation(fuel or "unknown")
            yield "AGPT", state(signal, row["psrType"], row["quantity"], ahead=ahead, flag=flag)
    elif "fuelType" in row or "interconnectorName" in row:
        metered = "FUELINST" if dataset == "FUELINST" else "FUELHH"
        code = text(row.get("fuelType") or row["interconnectorName"])
        if "interconnectorName" in row and (named := LINK.search(code)):
            code = named[0]  # "ElecLink (INTELEC)"
        if code in LINKS or code.startswith("INT") or "interconnectorName" in row:
            yield metered, state(f"{IMPORT}_{code}", code, row["generation"])
            if code in LINKS:
                flow = state("flow", code, row["generation"])
                value = None if flow.value is None else -flow.value
                yield metered, replace(flow, zone=f"{ZONE}->{LINKS[code]}", value=value)
        else:
            known = FUELS.get(code)
            flag = None if known else f"unmapped_code:{code}"
            signal = generation(known or "unknown")
            yield metered, state(signal, code, row["generation"], flag=flag)
    elif "price" in row:
        if row.get("dataProvider", "APXMIDP") == "APXMIDP":
            yield "MID", state("price_gbp", "APXMIDP", row["price"])
    elif "nationalDemand" in row or "boundary" in row:
        if row.get("boundary", "N") == "N":
            demand = row["nationalDemand"] if "nationalDemand" in row else row["demand"]
            yield "NDF", state("load", "N", demand, ahead=True)
    elif dataset == "INDO" or "initialDemandOutturn" in row:
        demand = row["demand"] if "demand" in row else row["initialDemandOutturn"]
        yield "INDO", state("load", "INDO", demand)
    elif dataset == "WINDFOR":
        value = row["generation"] if "generation" in row else row["quantity"]
        yield dataset, state(generation("wind"), "WIND", value, ahead=True)
    else:
        yield "ATL", state("load", "ATL", row["quantity"])


def _most_trusted(found: Sequence[tuple[str, Statement]]) -> Iterator[Statement]:
    """Yield forecasts, and of each signal and half hour what the first of TRUST states."""

    def half_hour(each: Statement) -> tuple[str, str, datetime]:
        late = timedelta(minutes=each.start.minute % 30, seconds=each.start.second)
        return each.zone, each.signal, each.start - late

    if len({dataset for dataset, _ in found}) < 2:  # one of them, so all of it
        yield from (each for _, each in found)
        return
    ranked = [
        (TRUST.index(dataset) if dataset in TRUST and each.issued_at is None else -1, each)
        for dataset, each in found
    ]
    best: dict[tuple[str, str, datetime], int] = {}
    for rank, each in ranked:
        if rank >= 0 and each.value is not None:
            best[half_hour(each)] = min(best.get(half_hour(each), rank), rank)
    for rank, each in ranked:
        if rank <= best.get(half_hour(each), rank):
            yield each


def _whole(found: Sequence[Statement]) -> Iterator[Statement]:
    """Yield metered generation and, for each of its half hours, what is embedded or a gap."""
    metered = {
        each.start: each for each in found if each.code == "WIND" and each.issued_at is None
    }
    given = set()
    for each in found:
        if each.code not in EMBEDDED:
            yield each
        elif each.start in metered:
            given.add((each.start, each.code))
            yield each
    for start, wind in metered.items():
        for code, fuel in EMBEDDED.items():
            if (start, code) not in given:
                yield replace(wind, signal=generation(fuel), code=code, value=None)


SOURCE = Source(
    name=NAME,
    title="Insights (BMRS)",
    base_url="https://data.elexon.co.uk",
    hosts={"neso": BASE_URL},
    host_intervals={"neso": INTERVAL},
    kinds=frozenset({Kind.GENERATION, Kind.LOAD, Kind.PRICE, Kind.FORECAST}),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    step=HALF,
    max_span=7 * DAY,
    ahead=3 * DAY,
    refetch=(Tier(3 * DAY), Tier(14 * DAY, DAY)),
    lag=timedelta(hours=1),
    licence="BMRS data licence",
    licence_url="https://www.elexon.co.uk/data/balancing-mechanism-reporting-agent/copyright-licence-bmrs-data/",
    attribution="Contains BMRS data (c) Elexon Limited copyright and database right",
    whole_files=True,
    largest_body=4 * 2**20,
)

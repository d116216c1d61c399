"""Generation, demand, price, interconnectors and the demand forecast of the Australian NEM.

Docs:       https://nemweb.com.au and AEMO's MMS data model report
Licence:    AEMO copyright permissions: any use, AEMO is to be named.
Unit:       MW; AUD/MWh.
Slots:      5 min, rooftop solar and forecasts 30 min, labelled by END in UTC+10 all year, in
            every state. Trading intervals were 30 min until 2021-10-01.
Limits:     no key; a directory listing, then its ZIPs. Of the day under way the files of the
            last two hours are fetched one by one, of earlier days the one file of the archive,
            which is there on the next day.
Revisions:  rooftop solar for days; the best of its types counts: MEASUREMENT, then SATELLITE,
            then DAILY. They are never added, nor are parts of a region (QLDN) to the region.
Units:      SCADA values by DUID are added by region and fuel with the table aemo_units.csv
            (infra/make_aemo_units.py). Loads (pumps, batteries of the older kind) count
            negative. A DUID that is not in the table is unknown, under its own name. Where
            one is left out of a slot, and is there within two hours of it, the sum is partial.
Solar:      SCADA has no rooftops. Their half hour is added to each of its 5 min; solar power
            without them is printed, and stored as unknown. Tasmania has rooftops only.
Runs:       where AEMO intervened there are two runs of an interval: the flows and demand are
            those of the intervention, the price that of the run without it.
Demand:     TOTALDEMAND, which rooftop solar has lowered. The forecast is OPERATIONAL_DEMAND,
            the 50 % value, issued at LOAD_DATE. Requests for demand bring flows and prices.
Last seen:  2026-05 (recorded bodies of all tables; archives of days written).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import polars as pl

from gridtide.model import Quality
from gridtide_pipelines.ingest.local_time import local_days, midnight
from gridtide_pipelines.ingest.parsing import check_shape, readings, with_values
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
from gridtide_pipelines.ingest.sources.aemo_reports import (
    OFFSET,
    is_listing,
    listed,
    read_reports,
)
from gridtide_pipelines.ingest.sources.aemo_values import (
    DAY,
    FIVE,
    HALF,
    REGIONS,
    Found,
    read_report,
    rows_of,
)

NAME: Final = "aemo"
CURRENT, ARCHIVE = "Current", "Archive"
LIVE: Final = timedelta(hours=2)
LATE: Final = timedelta(hours=9)  # after its end the file of a day is in the archive
WEEKLY: Final = timedelta(days=10)  # that of a week of rooftop solar


ROOFTOPS: Final = "ROOFTOP_PV/ACTUAL"
DIRECTORIES: Final[Mapping[Kind, Sequence[str]]] = {
    Kind.GENERATION: ("Dispatch_SCADA", ROOFTOPS),
    Kind.LOAD: ("DispatchIS_Reports",),
    Kind.FORECAST: ("Operational_Demand/FORECAST_HH",),
}


def requests(query: Query) -> Sequence[Group]:
    """Return the listings of each market day: of the archive, or of what is current."""
    kind, now = query.kind, query.now
    if kind is Kind.FORECAST:
        return [[_listing(DIRECTORIES[kind][0], CURRENT, query, None)]]
    groups = []
    for day, span in local_days(Span(query.start, query.end), OFFSET):
        whole = Span(midnight(day, OFFSET), midnight(day + DAY, OFFSET))
        archived = now - whole.end >= LATE
        group = []
        for name in DIRECTORIES[kind]:
            late = WEEKLY if name == ROOFTOPS else LATE
            folder = CURRENT if now - whole.end < late else ARCHIVE
            # The archive has the units of a whole day, which need the rooftops of all of it.
            part = whole if archived and name == ROOFTOPS else span
            group.append(_listing(name, folder, query, part))
        groups.append(group)
    return groups


def _listing(name: str, folder: str, query: Query, span: Span | None) -> Request:
    path = f"/Reports/{folder}/{name}/"
    return Request("GET", path, kind=query.kind, zones=query.zones, span=span)


def following(bodies: Sequence[Body]) -> Sequence[Request]:
    """Return the files that the listings name, once all of those are there."""
    if not all(is_listing(body.content) for body in bodies):
        return ()
    found: list[Request] = []
    with check_shape(NAME):
        for body in bodies:
            request, now = body.request, body.known_at
            span = request.span or Span(now - DAY, now + HALF)
            if f"/{CURRENT}/" in request.path and now - span.end < LATE:
                # Of a day that is over, none of the day after it.
                last = span.end - timedelta.resolution
                over = (last + OFFSET).date() < (now + OFFSET).date()
                end = span.end if over else now + HALF
                span = Span(max(span.start, now - LIVE), end)
            paths = [
                path
                for path in listed(body.content, span)
                if ROOFTOPS not in request.path or "SATELLITE" not in path.upper()
            ]
            newest = paths[-1:] if request.kind is Kind.FORECAST else paths
            found += [replace(request, path=path) for path in newest]
    return found


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse every table of the reports that is read here."""
    with check_shape(NAME):
        found = Found()
        for index, body in enumerate(bodies):
            if is_listing(body.content):
                continue
            for report in read_reports(body.content, SOURCE.largest_unpacked):
                read_report(report, index, body.known_at, found)
        rows = list(rows_of(found))
        columns = zip(*rows, strict=True) if rows else ((),) * 7
        zones, signals, slots, values, flags, places, issued = map(list, columns)
        frame = readings(
            zone=zones,
            signal=signals,
            start=[start for start, _ in slots],
            end=[end for _, end in slots],
            value=values,
            quality=[Quality.FORECAST if each else Quality.MEASURED for each in issued]
            if any(issued)
            else Quality.MEASURED,
            flag=flags,
            body=places,
            issued_at=issued if any(issued) else None,
        )
    return with_values(NAME, [frame])


SOURCE = Source(
    name=NAME,
    title="NEMWEB",
    base_url="https://nemweb.com.au",
    kinds=frozenset(DIRECTORIES),
    zones=frozenset(REGIONS),
    codes=REGIONS,
    requests=requests,
    following=following,
    parse=parse,
    step=FIVE,
    max_span=timedelta(days=7),
    reach=timedelta(days=365),
    refetch=(Tier(DAY), Tier(7 * DAY, DAY)),
    lag=DAY,
    licence="AEMO copyright permissions",
    licence_url="https://aemo.com.au/privacy-and-legal-notices/copyright-permissions",
    attribution="Australian Energy Market Operator (AEMO)",
    not_published=frozenset({404}),
    whole_files=True,
    min_interval=timedelta(milliseconds=250),
    concurrency=2,
    largest_unpacked=64 * 2**20,
)

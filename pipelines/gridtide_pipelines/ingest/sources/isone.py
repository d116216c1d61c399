"""Generation, load, forecasts and flows of ISO New England.

Docs:       https://www.iso-ne.com/isoexpress/web/reports; the web service of the keyed API,
            https://webservices.iso-ne.com/docs/v1.1/ (see isone_api.py)
Licence:    terms of use, https://www.iso-ne.com/participate/support/legal-privacy; to be named.
Unit:       MW.
Slots:      Generation: irregular instants, minutes apart; each holds until the next, at most
            an hour, and the newest for 5 min. Load and flows 5 min, forecasts 1 h. JSON has
            offsets. The CSV has Eastern time without: in the double hour the rows of a fuel
            follow one another, so that those after a step back are the later ones; without a
            step they are unknown. Forecasts are labelled by the hour ENDING, 02X the second.
Files:      The CSV is sent to those who have the cookie of the page before it, so that both
            are requested. Its rows begin with C, H, D and T; without a T it was cut.
Fuels:      Wood, refuse and landfill gas are biomass. ``Renewables`` is a sum and passed over.
Load:       ``Mw``, without pumping and solar power behind the meter.
Flows:      Positive away from New England, added up by neighbour, unknown where a tie is
            absent. The tie of a new location keeps its number and is flagged.
Forecasts:  Load says when it was made, wind and solar when their report was.
Revisions:  none known.
Last seen:  2025-03 (recorded bodies; those of generation are written).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

import polars as pl

from gridtide.model import Quality
from gridtide_pipelines.ingest.columns import frame_of
from gridtide_pipelines.ingest.local_time import local_days, read_instant
from gridtide_pipelines.ingest.parsing import (
    check_shape,
    holds_nothing,
    number,
    read_json,
    readings,
    with_values,
)
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
from gridtide_pipelines.ingest.sources.isone_reports import HOUR, TIMEZONE, ZONE, read_report
from gridtide_pipelines.ingest.summing import by_fuel
from gridtide_store.vocabulary import INSTANT

NAME: Final = "isone"
SLOT, DAY = timedelta(minutes=5), timedelta(days=1)
WEEK: Final = 7 * DAY  # days in one file of generation
REPORTS: Final = "/isoexpress/web/reports/operations/-/tree/"
FORM: Final = "/ws/wsclient"
DAY_STAMP: Final = "%m/%d/%Y"
FUELS: Final = {
    "natural gas": "gas",
    "wood": "biomass",
    "refuse": "biomass",
    "landfill gas": "biomass",
    "oil": "oil",
    "coal": "coal",
    "nuclear": "nuclear",
    "hydro": "hydro",
    "wind": "wind",
    "solar": "solar",
    "batteries": "battery_storage",
    "other": "unknown",
}
# The chart writes two of them otherwise.
SPELLINGS: Final = {"NaturalGas": "Natural Gas", "LandfillGas": "Landfill Gas"}
SUM: Final = "renewables"
# Places of the external interfaces by neighbour.
TIES: Final = {
    "CA-NB": ("4010",),
    "CA-QC": ("4012", "4013"),
    "US-NY-NYIS": ("4011", "4014", "4017"),
}
NEIGHBOURS: Final = {place: zone for zone, places in TIES.items() for place in places}


PART: Final = pl.Schema([("start", INSTANT), ("code", pl.String()), ("value", pl.Float64())])
TIE: Final = pl.Schema([("start", INSTANT), ("other", pl.String()), ("value", pl.Float64())])
Rows: TypeAlias = Sequence[tuple[object, ...]]


def requests(query: Query) -> Sequence[Group]:
    """Build the requests of each week of generation, of each local day of load and flows."""
    whole = Span(query.start, query.end)
    if query.kind is Kind.FORECAST:
        now = query.now.astimezone(ZoneInfo(TIMEZONE))
        load = _form(query, "systemload", (now, now + DAY), whole, {"forecast": "true"})
        issued = now - timedelta(hours=11)  # those of wind and solar come at 10 every day
        return [
            [load],
            *(
                _file(query, f"seven-day-{name}-power-forecast", file, (issued,), whole)
                for name, file in (("wind", "wphf"), ("solar", "sphf"))
            ),
        ]
    if query.kind is Kind.GENERATION:
        return [
            _file(query, "gen-fuel-mix", "genfuelmix", (days[0][0], days[-1][0]), part)
            for part in split_span(whole, WEEK)
            for days in [local_days(part, TIMEZONE)]
        ]
    if query.kind is Kind.LOAD:
        name, more = "systemload", {"actual": "true"}
    else:
        name = "externalflow"
        more = {f"zone{n}": place for n, place in enumerate(sorted(NEIGHBOURS))}
    return [
        [_form(query, name, (day, day), part, more)]
        for day, part in local_days(whole, TIMEZONE)
    ]


def _file(query: Query, page: str, name: str, days: Sequence[date], span: Span) -> Group:
    """Return the requests of the page that sets the cookie, and of the file behind it."""
    bounds = zip(("start", "end"), days, strict=False)
    params = tuple((bound, f"{day:%Y%m%d}") for bound, day in bounds)
    return [
        Request("GET", path, given, query.kind, query.zones, span=span)
        for path, given in ((REPORTS + page, ()), (f"/transform/csv/{name}", params))
    ]


def _form(
    query: Query, name: str, days: tuple[date, date], span: Span, more: Mapping[str, str]
) -> Request:
    start, end = (f"{day:{DAY_STAMP}}" for day in days)
    fields = {"startDate": start, "endDate": end, "twodays": "false", "requestType": name}
    form = tuple(
        (f"_nstmp_{field}", value) for field, value in [*fields.items(), *more.items()]
    )
    return Request("POST", FORM, (), query.kind, query.zones, form=form, span=span)


def parser(name: str) -> Callable[[Sequence[Body]], pl.DataFrame]:
    """Return the parser of the publisher's bodies for the source of this name."""

    def parse(bodies: Sequence[Body]) -> pl.DataFrame:
        """Parse the values of every slot in the bodies."""
        with check_shape(name):
            parts = [part for index, body in enumerate(bodies) for part in _parts(index, body)]
            mixes = [part for part in parts if "code" in part.columns]
            found = [part for part in parts if "code" not in part.columns]
            found += [_mix(pl.concat(mixes, how="diagonal"))] if mixes else []
        return with_values(name, found)

    return parse


def _parts(index: int, body: Body) -> Iterator[pl.DataFrame]:
    """Yield readings, or rows of generation to be joined with those of other bodies."""
    if body.request.path.startswith(REPORTS):
        return
    if body.content.startswith(b'"C"'):
        yield read_report(index, body)
        return
    document = read_json(body.content)
    if holds_nothing(document):
        return
    for each in document if isinstance(document, list) else [{"data": document}]:
        if not holds_nothing(each["data"]):
            yield from _document(index, body, each["data"])


def _document(index: int, body: Body, data: Any) -> Iterator[pl.DataFrame]:  # noqa: ANN401  # JSON
    if isinstance(data, list):  # a row for each instant, with fuels as names
        rows = [
            (read_instant(row["BeginDate"]), code, number(value))
            for row in data
            for code, value in row.items()
            if not code.startswith("BeginDate")
        ]
        yield _generation(rows, index)
    elif "GenFuelMixes" in data:
        mix = data["GenFuelMixes"]["GenFuelMix"]
        mix = [mix] if isinstance(mix, dict) else mix
        rows = [
            (read_instant(row["BeginDate"]), row["FuelCategory"], number(row["GenMw"]))
            for row in mix
        ]
        yield _generation(rows, index)
    elif data.keys() & {"actual", "forecast"}:
        yield _readings(_load(data.get("actual", ())), SLOT, "load", index)
        ahead = data.get("forecast", ())
        issued = [
            read_instant(row["CreationDate"]) if "CreationDate" in row else body.known_at
            for row in ahead
        ]
        yield _readings(_load(ahead), HOUR, "load", index, issued)
    else:
        rows = [
            (
                read_instant(row["BeginDate"]),
                NEIGHBOURS.get(place, place),
                number(row["Actual"]),
            )
            for place, ties in data.items()
            if int(place) >= 0
            for row in ties
        ]
        yield from _flows(rows, index)


def _load(rows: Sequence[Mapping[str, Any]]) -> Rows:
    return [(read_instant(row["BeginDate"]), number(row["Mw"])) for row in rows]


def _readings(
    rows: Rows,
    length: timedelta,
    signal: str,
    index: int,
    issued_at: list[datetime] | None = None,
) -> pl.DataFrame:
    return readings(
        zone=ZONE,
        signal=signal,
        start=[row[0] for row in rows],
        end=length,
        value=[row[1] for row in rows],
        quality=Quality.FORECAST if issued_at is not None else Quality.MEASURED,
        issued_at=issued_at,
        body=index,
    ).drop_nulls("value")


def _flows(rows: Rows, index: int) -> Iterator[pl.DataFrame]:
    ties = frame_of(rows, TIE)
    for (neighbour,), mine in sorted(ties.partition_by("other", as_dict=True).items()):
        needed = len(TIES.get(neighbour, ("",)))
        whole = (pl.len() == needed) & pl.col("value").is_not_null().all()
        sums = mine.group_by("start").agg(pl.when(whole).then(pl.col("value").sum()))
        sums = sums.sort("start").drop_nulls()
        new = None if neighbour in TIES else [f"unmapped_code:{neighbour}"] * sums.height
        yield readings(
            zone=f"{ZONE}->{neighbour}",
            signal="flow",
            start=sums["start"],
            end=SLOT,
            value=sums["value"],
            flag=new,
            body=index,
        )


def _generation(rows: Rows, index: int) -> pl.DataFrame:
    frame = frame_of(rows, PART)
    return frame.with_columns(body=pl.lit(index, pl.UInt32))


def _mix(rows: pl.DataFrame) -> pl.DataFrame:
    """Return generation by fuel in slots that last until the next instant."""
    rows = rows.with_columns(pl.col("code").replace(SPELLINGS))
    rows = rows.filter(pl.col("code").str.to_lowercase() != SUM)
    starts = rows.select(pl.col("start").unique().sort())
    until = pl.coalesce(pl.col("start").shift(-1), pl.col("start") + SLOT)
    slots = starts.with_columns(end=pl.min_horizontal(until, pl.col("start") + HOUR))
    rows = rows.join(slots, on="start", maintain_order="left")
    return by_fuel(rows, FUELS, zone=ZONE)


parse = parser(NAME)

SOURCE = Source(
    name=NAME,
    title="ISO Express",
    base_url="https://www.iso-ne.com",
    kinds=frozenset({Kind.GENERATION, Kind.LOAD, Kind.FLOW, Kind.FORECAST}),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    step=SLOT,
    max_span=timedelta(days=31),
    refetch=(Tier(DAY),),
    lag=timedelta(minutes=15),
    licence="ISO New England terms of use",
    licence_url="https://www.iso-ne.com/participate/support/legal-privacy",
    attribution="ISO New England",
    whole_files=True,
    cookies=True,
    not_published=frozenset({404}),
    min_interval=timedelta(seconds=1),
    largest_body=8 * 2**20,
)

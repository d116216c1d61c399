"""Generation, demand, forecasts and prices of the California ISO.

Docs:       https://www.caiso.com/todays-outlook (CSV of each chart); OASIS Interface
            Specification, https://www.caiso.com/documents/oasis-interfacespecification.pdf
Licence:    free use with attribution, https://www.caiso.com/legal-privacy
Unit:       MW; prices in USD/MWh.
Slots:      5 min, labelled HH:MM Pacific time without a date, which is in the address. Files of
            today are at another address, and may be yesterday's after midnight. OASIS: 1 h, UTC
            start and end.
Days:       In spring the rows of 02:00 are there without values. In autumn those of 01:00 are
            there once, for two hours: which of them they are is not guessed, so both are
            unknown. A last row 00:00 is of the next day.
Fuels:      Small and large hydro are one fuel, with large hydro negative while it pumps.
            ``Imports`` are net imports: no fuel.
Forecasts:  Wind and solar are the sum of the hubs, and unknown where one is absent. The demand
            of the ISO is that of ``CA ISO-TAC``. OASIS does not say when a forecast was made:
            when we received it stands in. The files of a day repeat past forecasts of demand.
Price:      Day ahead, of one node for the zone: the hub SP15.
Limits:     OASIS answers 429 to requests less than 5 s apart, and 31 days at most. Both hosts
            send HTML with 200 where there is nothing.
Revisions:  none known; the newest slots are empty until they are over.
Last seen:  2025-02 (recorded bodies; those of OASIS demand and prices are written).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from gridtide.model import Quality
from gridtide_pipelines.ingest.delimited import first_column, number_of, read_csv
from gridtide_pipelines.ingest.local_time import local_days, placed
from gridtide_pipelines.ingest.newest import newest
from gridtide_pipelines.ingest.packed import ZIP, read_zip
from gridtide_pipelines.ingest.parsing import (
    check_shape,
    readings,
    says_nothing_yet,
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
from gridtide_pipelines.ingest.summing import by_fuel
from gridtide_store.vocabulary import GENERATION, generation

NAME: Final = "caiso"
ZONE: Final = "US-CAL-CISO"
TIMEZONE: Final = "America/Los_Angeles"
SLOT: Final = timedelta(minutes=5)
DAY: Final = timedelta(days=1)
MAX_SPAN: Final = timedelta(days=31)
FILES: Final = {Kind.GENERATION: "fuelsource", Kind.LOAD: "netdemand"}
DATE: Final = re.compile(r"/(20\d{6})/")
FUELS: Final = {
    "solar": "solar",
    "wind": "wind",
    "geothermal": "geothermal",
    "biomass": "biomass",
    "biogas": "biomass",
    "small hydro": "hydro",
    "large hydro": "hydro",
    "coal": "coal",
    "nuclear": "nuclear",
    "natural gas": "gas",
    "batteries": "battery_storage",
    "imports": "imports",
    "other": "unknown",
}
DEMAND: Final = "current demand"
DEMAND_AHEAD: Final = ("day ahead forecast", "hour ahead forecast")
MOST_BYTES: Final = 16 * 2**20  # of a ZIP, unpacked
AREA: Final = "CA ISO-TAC"
HUB: Final = "TH_SP15_GEN-APND"
# Hubs without which a forecast would be too small.
HUBS: Final = {
    generation("solar"): ("NP15", "SP15", "ZP26"),
    generation("wind"): ("NP15", "SP15"),
}
LABEL: Final = "%Y-%m-%d %H:%M"
GMT: Final = "%Y-%m-%dT%H:%M:%S%:z"
START: Final = ("INTERVALSTARTTIME_GMT", "INTERVAL_START_GMT")
END: Final = ("INTERVALENDTIME_GMT", "INTERVAL_END_GMT")


def requests(query: Query) -> Sequence[Group]:
    """Build a request for the file of each local day, or one of OASIS for up to 31 days."""
    span = Span(query.start, query.end)
    if query.kind is Kind.FORECAST:
        _, rest_of_today = local_days(span, TIMEZONE)[0]
        ahead = Span(query.start, rest_of_today.end + 2 * DAY)
        names = ("SLD_REN_FCST", "SLD_FCST")
        return [[_oasis(query, name, ahead) for name in names]]
    if query.kind is Kind.PRICE:
        parts = split_span(span, MAX_SPAN)
        return [[_oasis(query, "PRC_LMP", part, node=HUB)] for part in parts]
    today = query.now.astimezone(ZoneInfo(TIMEZONE)).date()
    groups: list[Group] = []
    for day, part in local_days(span, TIMEZONE):
        folder = "current" if day == today else f"history/{day:%Y%m%d}"
        path = f"/outlook/{folder}/{FILES[query.kind]}.csv"
        groups.append([Request("GET", path, (), query.kind, query.zones, span=part)])
    return groups


def _oasis(query: Query, name: str, span: Span, *, node: str = "") -> Request:
    params = [
        ("queryname", name),
        ("market_run_id", "DAM"),
        *([("node", node)] if node else []),
        ("resultformat", "6"),
        ("version", "12" if node else "1"),
        *(
            (name, f"{moment.astimezone(UTC):%Y%m%dT%H:%M}-0000")
            for name, moment in (("startdatetime", span.start), ("enddatetime", span.end))
        ),
    ]
    path = "/oasisapi/SingleZip"
    return Request("GET", path, tuple(params), query.kind, query.zones, "oasis", span=span)


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse the values of every slot in the files."""
    with check_shape(NAME):
        frames = [frame for n, body in enumerate(bodies) for frame in _frames(n, body)]
    return with_values(NAME, frames)


def _frames(index: int, body: Body) -> list[pl.DataFrame]:
    """Return the readings of one body."""
    if not body.content.startswith(ZIP):
        return _outlook(index, body)
    runs: dict[tuple[str, ...], list[pl.DataFrame]] = {}
    for name, content in read_zip(body.content, most_bytes=MOST_BYTES):
        if name.lower().endswith(".xml"):
            if not says_nothing_yet(content.decode(errors="replace")):
                raise ValueError(f"a message in place of data: {name}")
            continue
        table = read_csv(content, ("MW", "MARKET_RUN_ID"))
        for run in table.partition_by("MARKET_RUN_ID", maintain_order=True):
            # Hubs of one run may be in several files.
            runs.setdefault((run["MARKET_RUN_ID"][0], *run.columns), []).append(run)
    return [_of_oasis(index, body, pl.concat(parts)) for parts in runs.values()]


def _outlook(index: int, body: Body) -> list[pl.DataFrame]:
    """Return the readings of a file of one local day, which may end with 00:00 of the next."""
    table = read_csv(body.content, ("Time",), line_ends=True).rename(str.lower)
    columns = [name for name in table.columns if name != "time"]
    values = [name for name in columns if name not in DEMAND_AHEAD]
    after = (pl.col("time") == "00:00") & (pl.int_range(pl.len()) > 0)
    table = table.select("time", *map(number_of, columns), after=after).drop_nulls("time")
    known = pl.any_horizontal(pl.col(name).is_not_null() for name in values)
    day = _day(body, table.filter(known, ~pl.col("after"))["time"])
    date_of = pl.when("after").then(pl.lit(day + DAY)).otherwise(pl.lit(day))
    label = pl.concat_str(date_of.cast(pl.String), "time", separator=" ")
    rows = table.with_columns(label.alias("label"))
    if DEMAND in columns:
        ahead = next((name for name in DEMAND_AHEAD if name in columns), None)
        frames = [_load(rows, DEMAND, index)]
        return [*frames, _load(rows, ahead, index, body.known_at)] if ahead else frames
    if not FUELS.keys() & set(columns):
        raise ValueError(f"neither fuels nor demand among {', '.join(columns)}")
    long = rows.filter(known).unpivot(columns, index="label", variable_name="code")
    long = placed(long, TIMEZONE, LABEL, series="code")
    long = long.with_columns(end=pl.col("start") + SLOT, body=pl.lit(index))
    return [by_fuel(long, FUELS, zone=ZONE)]


def _day(body: Body, times: pl.Series) -> date:
    """Return the local day of a file, by its address or by when it came and what it holds."""
    if found := DATE.search(body.request.path):
        return datetime.strptime(found[1], "%Y%m%d").date()  # noqa: DTZ007  # a day, local
    local = body.known_at.astimezone(ZoneInfo(TIMEZONE))
    last = times[-1] if len(times) else ""
    return local.date() - DAY if last > f"{local:%H:%M}" else local.date()


def _load(
    rows: pl.DataFrame, column: str, index: int, issued_at: datetime | None = None
) -> pl.DataFrame:
    mine = rows.select("label", pl.col(column).alias("value")).drop_nulls()
    mine = placed(mine, TIMEZONE, LABEL)
    return readings(
        zone=ZONE,
        signal="load",
        start=mine["start"],
        end=SLOT,
        value=mine["value"],
        quality=Quality.FORECAST if issued_at else Quality.MEASURED,
        issued_at=issued_at,
        flag=mine["flag"],
        body=index,
    )


def _of_oasis(index: int, body: Body, table: pl.DataFrame) -> pl.DataFrame:
    """Return the readings of one file of OASIS: forecasts, what they were of, or prices."""
    start, end = (first_column(table, names) for names in (START, END))
    table = table.select(
        pl.col(start).str.to_datetime(GMT, time_unit="us").alias("start"),
        pl.col(end).str.to_datetime(GMT, time_unit="us").alias("end"),
        number_of("MW").alias("value"),
        pl.exclude(start, end, "MW"),
    )
    actual = (table["MARKET_RUN_ID"] == "ACTUAL").all()
    if "RENEWABLE_TYPE" in table.columns:
        table = _over_hubs(table)
    elif "TAC_AREA_NAME" in table.columns:
        table = table.filter(pl.col("TAC_AREA_NAME") == AREA).with_columns(
            signal=pl.lit("load")
        )
    elif "LMP_TYPE" in table.columns:
        table = table.filter(pl.col("NODE") == HUB, pl.col("LMP_TYPE") == "LMP")
        table, actual = table.with_columns(signal=pl.lit("price_usd")), True
    else:
        raise ValueError(f"columns of no known kind: {', '.join(table.columns)}")
    return readings(
        zone=ZONE,
        signal=table["signal"],
        start=table["start"],
        end=table["end"],
        value=table["value"],
        quality=Quality.MEASURED if actual else Quality.FORECAST,
        issued_at=None if actual else body.known_at,
        body=index,
    ).drop_nulls("value")


def _over_hubs(table: pl.DataFrame) -> pl.DataFrame:
    """Return wind and solar summed over the hubs; null where one of them is absent."""
    fuel = pl.col("RENEWABLE_TYPE").str.to_lowercase()
    table = table.with_columns(signal=GENERATION + fuel)
    key = ["signal", "start", "end", "TRADING_HUB"]
    table = newest(table.with_columns(body=0, flag=pl.lit(None, pl.String)), key)
    hubs = pl.col("TRADING_HUB").n_unique().over("signal")
    whole = (pl.col("hubs").first() == pl.len()) & pl.col("value").is_not_null().all()
    for signal, names in HUBS.items():
        there = pl.col("TRADING_HUB").is_in(names).sum() == len(names)
        whole &= there | (pl.col("signal").first() != signal)
    return (
        table.with_columns(hubs=hubs)
        .group_by("signal", "start", "end", maintain_order=True)
        .agg(pl.when(whole).then(pl.col("value").sum()))
        .sort("start", "signal")
    )


SOURCE = Source(
    name=NAME,
    title="Today's Outlook and OASIS",
    base_url="https://www.caiso.com",
    hosts={"oasis": "https://oasis.caiso.com"},
    kinds=frozenset({Kind.GENERATION, Kind.LOAD, Kind.FORECAST, Kind.PRICE}),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    step=SLOT,
    max_span=MAX_SPAN,
    refetch=(Tier(DAY),),
    lag=timedelta(minutes=15),
    licence="CAISO terms of use",
    licence_url="https://www.caiso.com/legal-privacy",
    attribution="California ISO",
    day_ahead=True,
    whole_files=True,
    not_published=frozenset({404}),
    host_intervals={"oasis": timedelta(seconds=5)},
    min_interval=timedelta(milliseconds=200),
    largest_body=2 * 2**20,
    largest_unpacked=MOST_BYTES,
)

"""Generation, load, forecasts and day-ahead prices of ERCOT. It answers US addresses only.

Docs:       https://www.ercot.com/gridmktinfo/dashboards; reports 13028 (wind), 13483 (solar),
            12312 (load), 12331 (prices) of https://www.ercot.com/mp/data-products
Licence:    terms of use, https://www.ercot.com/help/terms; to be named.
Unit:       MW; prices in USD/MWh.
Slots:      Dashboards: 5 min, labels with offset; those of generation drift by seconds and are
            cut to 5 min, two of one slot count half each. 00:04:56 has the discharge that the
            storage dashboard has at 00:05:00, so that storage beside a mix is of the slot
            before its label. Reports: 1 h, Central time of the hour ENDING, with ``DSTFlag`` Y
            in the second of the double hour.
Fuels:      ``Power Storage`` shows discharge alone, so that the net output of the storage
            dashboard stands in its place where that is there. That alone is at its label,
            and partial.
Forecasts:  STWPF and STPPF, wind and solar power most likely, and the whole system's load, of
            the newest file in a report's listing; its name says when it was made.
Price:      Day ahead, the average of the hubs, HB_HUBAVG.
Limits:     dashboards have today and yesterday, listings some weeks.
Revisions:  none known.
Last seen:  2025-10 (recorded bodies; load, its forecast, prices and listings are written).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from gridtide.model import Quality
from gridtide_pipelines.ingest.columns import collected, frame_of
from gridtide_pipelines.ingest.delimited import first_column, number_of, read_csv
from gridtide_pipelines.ingest.local_time import placed, read_instant
from gridtide_pipelines.ingest.newest import newest
from gridtide_pipelines.ingest.packed import ZIP, read_zip
from gridtide_pipelines.ingest.parsing import (
    check_shape,
    holds_nothing,
    number,
    read_json,
    readings,
    with_values,
)
from gridtide_pipelines.ingest.source import (
    PARTIAL,
    Body,
    Group,
    Kind,
    Query,
    Request,
    Source,
    Tier,
)
from gridtide_pipelines.ingest.summing import by_fuel
from gridtide_store.vocabulary import INSTANT, generation

NAME: Final = "ercot"
ZONE: Final = "US-TEX-ERCO"
TIMEZONE: Final = "America/Chicago"
SLOT, HOUR, DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)
DASHBOARDS: Final = "/api/1/services/read/dashboards/"
LISTING: Final = "/misapp/servlets/IceDocListJsonWS"
FILE: Final = "/misdownload/servlets/mirDownload"
FEEDS: Final = {
    Kind.GENERATION: ("fuel-mix", "energy-storage-resources"),
    Kind.LOAD: ("supply-demand",),
}
REPORTS: Final = {Kind.FORECAST: ("13028", "13483", "12312"), Kind.PRICE: ("12331",)}
STORAGE: Final = "power storage"
NET: Final = "net storage output"
MOST_FILES: Final = 3  # of prices: one a day, for the days of a request
FUELS: Final = {
    "coal and lignite": "coal",
    "natural gas": "gas",
    "nuclear": "nuclear",
    "hydro": "hydro",
    "solar": "solar",
    "wind": "wind",
    "other": "unknown",
    STORAGE: "battery_storage",
    NET: "battery_storage",
}
# Column of a report, and its signal.
COLUMNS: Final = {
    "STWPF_SYSTEM_WIDE": generation("wind"),
    "STPPF_SYSTEM_WIDE": generation("solar"),
    "SystemTotal": "load",
    "SettlementPointPrice": "price_usd",
}
MOST_BYTES: Final = 8 * 2**20  # of a ZIP, unpacked
HUB: Final = "HB_HUBAVG"
LABEL: Final = "%m/%d/%Y %H:%M"
MADE: Final = re.compile(r"\.(20\d{6})\.(\d{6})\d*\.")
NO_FLAG: Final = pl.lit(None, pl.String).alias("flag")
MEAN: Final = pl.when(pl.col("value").is_not_null().all()).then(pl.col("value").mean())
ROW: Final = pl.Schema(
    {"start": INSTANT, "code": pl.String(), "value": pl.Float64(), "body": pl.UInt32()}
)


def requests(query: Query) -> Sequence[Group]:
    """Build the requests of dashboards, or of the listings whose files are requested next."""
    if query.kind in FEEDS:
        paths = [f"{DASHBOARDS}{name}.json" for name in FEEDS[query.kind]]
        return [[Request("GET", path, (), query.kind, query.zones) for path in paths]]
    return [
        [Request("GET", LISTING, (("reportTypeId", report),), query.kind, query.zones)]
        for report in REPORTS[query.kind]
    ]


def following(bodies: Sequence[Body]) -> Sequence[Request]:
    """Return the requests of the files in a listing: the newest forecast, or all prices."""
    first = bodies[0]
    if len(bodies) > 1 or first.request.path != LISTING:
        return ()
    with check_shape(NAME):
        document = read_json(first.content)
        if holds_nothing(document):
            return ()
        listed = document["ListDocsByRptTypeRes"]["DocumentList"]
        files = [each["Document"] for each in listed]
        files = [each for each in files if "csv" in each["FriendlyName"].lower()]
        files.sort(key=lambda each: str(each["PublishDate"]), reverse=True)
        if first.request.kind is Kind.FORECAST:
            files = files[:1]
        return [
            Request(
                "GET",
                FILE,
                (("doclookupId", str(each["DocID"])),),
                first.request.kind,
                first.request.zones,
            )
            for each in files[:MOST_FILES]
        ]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse the values of every slot in the bodies."""
    with check_shape(NAME):
        found: list[pl.DataFrame] = []
        mixes: list[pl.DataFrame] = []
        for index, body in enumerate(bodies):
            if body.content.startswith(ZIP):
                found += _report(index, body)
                continue
            document = read_json(body.content)
            if holds_nothing(document) or "ListDocsByRptTypeRes" in document:
                continue
            if "previousDay" in document:
                mixes.append(frame_of(_stored(document, index), ROW))
            elif isinstance(document["data"], list):
                found.append(_load(index, document["data"]))
            else:
                mixes.append(frame_of(_mix(document["data"], index), ROW))
        if mixes:
            found.append(_generation(pl.concat(mixes)))
    return with_values(NAME, found)


def _mix(
    days: Mapping[str, Any], index: int
) -> Iterator[tuple[datetime, str, float | None, int]]:
    for day in days.values():
        for label, fuels in day.items():
            start = read_instant(label)
            for code, value in fuels.items():
                yield start, code, number(value["gen"]), index


def _stored(
    document: Mapping[str, Any], index: int
) -> Iterator[tuple[datetime, str, float | None, int]]:
    for name in ("previousDay", "currentDay"):
        for row in document[name]["data"]:
            yield read_instant(row["timestamp"]), NET, number(row["netOutput"]), index


def _generation(rows: pl.DataFrame) -> pl.DataFrame:
    """Return generation by fuel in slots of 5 min, with the net output of storage."""
    code, named = pl.col("code"), pl.col("named")
    rows = newest(
        rows.with_columns(code.str.to_lowercase().alias("named"), NO_FLAG), ["start", "named"]
    )
    alone = bool((rows["named"] == NET).all())
    start = pl.col("start").dt.truncate(SLOT)
    if not alone:
        start -= pl.when(named == NET).then(SLOT).otherwise(timedelta(0))
    plan = rows.lazy().with_columns(start)
    if rows["body"].n_unique() > 1:
        plan = plan.filter(pl.col("body") == pl.col("body").max().over("start", "named"))
    plan = (
        plan.group_by("start", "named", maintain_order=True)
        .agg(code.first(), MEAN, pl.col("body").max(), pl.col("flag").max())
        .with_columns(end=pl.col("start") + SLOT)
    )
    if alone:  # which is not a mix
        # And which slot a label is of, the mix beside it tells: it is not stored.
        plan = plan.drop_nulls("value").with_columns(flag=pl.lit(PARTIAL))
        return by_fuel(collected(plan), FUELS, zone=ZONE)
    rows = collected(plan)
    net, mix = rows.filter(named == NET), rows.filter(named != NET)
    if net.height:
        net = net.join(mix, on="start", how="semi", maintain_order="left")
        gross = mix.filter(pl.col("named") == STORAGE).join(net, on="start", how="semi")
        mix = mix.join(gross, on=["start", "named"], how="anti", maintain_order="left")
    return by_fuel(pl.concat([mix, net]), FUELS, zone=ZONE)


def _load(index: int, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    over = [row for row in rows if not row.get("forecast") and row["demand"] is not None]
    return readings(
        zone=ZONE,
        signal="load",
        start=[read_instant(row["timestamp"]) for row in over],
        end=SLOT,
        value=[number(row["demand"]) for row in over],
        body=index,
    )


def _report(index: int, body: Body) -> Iterator[pl.DataFrame]:
    """Yield what the files of a report say."""
    for name, content in read_zip(body.content, most_bytes=MOST_BYTES):
        table = read_csv(content, ("DSTFlag",))
        column = first_column(table, COLUMNS)
        if column == "SettlementPointPrice":
            table = table.filter(pl.col("SettlementPoint") == HUB)
        day = first_column(table, ("DELIVERY_DATE", "DeliveryDate"))
        hour = first_column(table, ("HOUR_ENDING", "HourEnding"))
        ending = pl.col(hour).str.extract(r"^(\d+)").cast(pl.Int32)
        clock = (ending - 1).cast(pl.String).str.zfill(2) + ":00"
        rows = table.select(
            pl.concat_str(day, clock, separator=" ").alias("label"),
            number_of(column).alias("value"),
            later=pl.col("DSTFlag") == "Y",
        ).drop_nulls("value")
        rows = placed(rows, TIMEZONE, LABEL, later=rows["later"])
        ahead = COLUMNS[column] != "price_usd"
        yield readings(
            zone=ZONE,
            signal=COLUMNS[column],
            start=rows["start"],
            end=HOUR,
            value=rows["value"],
            quality=Quality.FORECAST if ahead else Quality.MEASURED,
            issued_at=_made(name, body) if ahead else None,
            flag=rows["flag"],
            body=index,
        )


def _made(name: str, body: Body) -> datetime:
    """Return when a file was made, by its name; when we received it if that does not say."""
    said = MADE.search(name)
    if said is None:
        return body.known_at
    local = datetime.strptime(said[1] + said[2], "%Y%m%d%H%M%S")  # noqa: DTZ007  # local
    return local.replace(tzinfo=ZoneInfo(TIMEZONE)).astimezone(UTC)


SOURCE = Source(
    name=NAME,
    title="ERCOT dashboards and reports",
    base_url="https://www.ercot.com",
    kinds=frozenset({*FEEDS, *REPORTS}),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    following=following,
    step=SLOT,
    max_span=2 * DAY,
    refetch=(Tier(DAY),),
    lag=timedelta(minutes=15),
    reach=2 * DAY,
    licence="ERCOT terms of use",
    licence_url="https://www.ercot.com/help/terms",
    attribution="Electric Reliability Council of Texas",
    day_ahead=True,
    whole_files=True,
    min_interval=timedelta(seconds=1),
    largest_body=16 * 2**20,
    largest_unpacked=MOST_BYTES,
)

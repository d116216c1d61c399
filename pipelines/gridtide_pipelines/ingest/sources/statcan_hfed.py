"""Load, interchange and part of the mixes of Canada's provinces, from Statistics Canada.

Docs:       https://energy-information.canada.ca (high-frequency electricity data, HFED; SDMX)
Licence:    to be named; whether commercial use is allowed is not certain, so it is restricted.
Unit:       MW, the mean of the interval, whatever the column of units says.
Slots:      as the province sends: 15 min, 1 h, and days for Saskatchewan, which are means of
            days and are not spread. Labelled by UTC START (TIME_PERIOD, with or without
            ".000Z"). A body does not say how long a slot is: a day where the series is one of
            means of days (Saskatchewan's), else an hour; where labels of the series are closer
            on that day, as long as they are apart. One that is alone on its day, as the first
            after midnight is, goes by the labels before and behind it.
Limits:     a request for each province and frequency; no key. Rows are in no order.
Revisions:  not known.
Variables:  those of VARIABLES; one that is not among them is unknown and flagged. A mix is read
            where a province has a whole one: not Nova Scotia's wind alone, nor Ontario's
            outputs, which are filed an hour late in summer (see `ieso`). Yukon's THERMAL is
            LNG and diesel: unknown. Totals, contracts, percents and loads of another kind
            (PASSED_OVER) are not generation.
Flows:      NSI by counterpart, positive when it leaves the province; counterparts of one zone
            are added. Scheduled, so an estimate. IMPORT_CABLES comes into Prince Edward Island.
Last seen:  2026-09 (written, from descriptions and columns that public clients read).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import polars as pl

from gridtide.model import Quality
from gridtide_pipelines.ingest.delimited import number_of, read_csv
from gridtide_pipelines.ingest.parsing import check_shape, readings
from gridtide_pipelines.ingest.source import Body, Group, Kind, Query, Request, Source, Tier
from gridtide_pipelines.ingest.summing import sum_codes
from gridtide_store.vocabulary import generation

NAME: Final = "statcan_hfed"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
STAMP: Final = "%Y-%m-%dT%H:%M:%S"
COLUMNS: Final = ("COUNTERPART_AREA", "ENERGY_FLOWS", "TIME_PERIOD", "OBS_VALUE")
AREAS: Final = ("REF_AREA", "REFERENCE_AREA")
NSI, CABLES = "NSI", "IMPORT_CABLES"

# Signal of each variable of a province, without those of flows.
VARIABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "AB": {"INTERNAL_LOAD": "load"},
    "BC": {"LOAD": "load"},
    "NB": {"LOAD": "load"},
    "NL": {"DEMAND": "load"},
    "NS": {"LOAD": "load"},
    "ON": {"ONTARIO_DEMAND": "load"},
    "PE": {
        "ON_ISL_LOAD": "load",
        "ON_ISL_WIND": generation("wind"),
        "ON_ISL_FOSSIL": generation("oil"),
    },
    "QC": {
        "DEMAND": "load",
        "HYDRO": generation("hydro"),
        "WIND": generation("wind"),
        "SOLAR": generation("solar"),
        "THERMAL": generation("gas"),
        "OTHER": generation("biomass"),
    },
    "SK": {
        "SYSTEM_DEMAND": "load",
        "COAL": generation("coal"),
        "NATURAL_GAS": generation("gas"),
        "HYDRO": generation("hydro"),
        "WIND": generation("wind"),
        "SOLAR": generation("solar"),
        "OTHER": generation("unknown"),
    },
    "YK": {
        "HYDRO": generation("hydro"),
        "WIND": generation("wind"),
        "SOLAR": generation("solar"),
        "THERMAL": generation("unknown"),
    },
}
FLOWS: Final = {"AB": NSI, "BC": NSI, "NB": NSI, "NS": NSI, "PE": CABLES}
DAILY: Final = ("SK",)  # means of days
HOURLY: Final = ("HYDRO", "WIND", "SOLAR", "THERMAL", "OTHER")  # of Québec
NEIGHBOURS: Final[Mapping[tuple[str, str], str]] = {
    ("AB", "CA_BC"): "CA-BC",
    ("AB", "CA_SK"): "CA-SK",
    ("AB", "US_MT"): "US-NW-NWMT",
    ("BC", "CA_AB"): "CA-AB",
    ("BC", "US"): "US-NW-BPAT",
    ("NB", "CA_NS"): "CA-NS",
    ("NB", "CA_PEI"): "CA-PE",
    ("NB", "CA_QC"): "CA-QC",
    ("NB", "US_EMEC"): "US-NE-ISNE",
    ("NB", "US_MPS"): "US-NE-ISNE",
    ("NB", "US_NE"): "US-NE-ISNE",
    ("NS", "CA_NB"): "CA-NB",
    ("NS", "CA_NL"): "CA-NL",
}
PASSED_OVER: Final = re.compile(
    r"^(TOTAL(_\w+)?|DEMAND|FLOW|(IMPORT|EXPORT)_\w+|WIND_(EXPORT|LOCAL|PERCENT)|\w+_OUTPUT)$"
)
# Of a series: zone, signal, quality and flag.
ABOUT: Final = pl.Schema(
    {"zone": pl.String(), "signal": pl.String(), "quality": pl.String(), "flag": pl.String()}
)
ZONES: Final = {"YK": "CA-YT"} | {code: f"CA-{code}" for code in VARIABLES if code != "YK"}
CODES: Final = {zone: code for code, zone in ZONES.items()}


def requests(query: Query) -> Sequence[Group]:
    """Return a group for each province, with a request for each of its frequencies."""
    groups = []
    for zone in query.zones:
        code = CODES[zone]
        wanted = [*VARIABLES[code], *([FLOWS[code]] if code in FLOWS else [])]
        hourly = [each for each in wanted if code == "QC" and each in HOURLY]
        often = [each for each in wanted if each not in hourly]
        groups.append(
            [
                _request(code, frequency, variables, query, zone)
                for frequency, variables in (("N", often), ("H", hourly))
                if variables
            ]
        )
    return groups


def _request(
    code: str, frequency: str, variables: Sequence[str], query: Query, zone: str
) -> Request:
    key = f"{frequency}...{'+'.join(variables)}"
    return Request(
        "GET",
        f"/hfed-dehf/sdmx/rest/data/CCEI,DF_HFED_{code},1.0/{key}",
        (
            ("startPeriod", f"{query.start:%Y-%m-%d}"),
            ("endPeriod", f"{query.end:%Y-%m-%d}"),
            ("dimensionAtObservation", "AllDimensions"),
            ("format", "csv"),
        ),
        kind=query.kind,
        zones=(zone,),
    )


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Parse every variable of the provinces in the bodies."""
    with check_shape(NAME):
        return sum_codes(
            pl.concat([_frame(n, body) for n, body in enumerate(bodies)]), NAME, partial=False
        )


def _frame(index: int, body: Body) -> pl.DataFrame:
    table = read_csv(body.content, COLUMNS, line_ends=True)
    area = next((each for each in AREAS if each in table.columns), None)
    if area is None:
        raise ValueError(f"columns missing: {AREAS[0]}")
    named = table.select(
        pl.col(area).str.strip_prefix("CA_").alias("code"),
        pl.col("COUNTERPART_AREA").alias("other"),
        pl.col("ENERGY_FLOWS").alias("variable"),
        pl.col("TIME_PERIOD")
        .str.slice(0, 19)
        .str.to_datetime(STAMP, time_unit="us", time_zone="UTC")
        .alias("start"),
        number_of("OBS_VALUE").alias("value"),
    ).unique(maintain_order=True)
    named = _with_lengths(named)
    kinds = named.select("code", "other", "variable").unique(maintain_order=True)
    kinds = kinds.filter(
        [_is_read(*row) for row in kinds.select("code", "variable").iter_rows()]
    )
    about = kinds.hstack(
        pl.DataFrame([_about(*row) for row in kinds.iter_rows()], ABOUT, orient="row")
    )
    rows = named.join(
        about, on=["code", "other", "variable"], maintain_order="left", nulls_equal=True
    )
    found = readings(
        zone=rows["zone"],
        signal=rows["signal"],
        start=rows["start"],
        end=rows["start"] + rows["length"],
        value=rows["value"],
        quality=rows["quality"],
        flag=rows["flag"],
        body=index,
    )
    said = pl.concat_str("variable", "other", separator=" ", ignore_nulls=True)
    return found.hstack(rows.select(said.alias("code"), order=pl.lit("")))


def _with_lengths(named: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with the lengths of their slots; see Slots above."""
    series = ["code", "variable", "other"]
    start = pl.col("start")
    slots = named.select(*series, "start").unique().sort(*series, "start")
    slots = slots.with_columns(
        inside=start.diff().min().over(*series, start.dt.date()),
        before=start.diff().over(series),
        behind=(start.shift(-1) - start).over(series),
    )
    most = pl.when(pl.col("code").is_in(DAILY)).then(DAY).otherwise(HOUR)
    beside = pl.min_horizontal("before", "behind")
    length = pl.min_horizontal(pl.col("inside").fill_null(beside), most)
    return named.join(
        slots.select(*series, "start", length=length),
        on=[*series, "start"],
        maintain_order="left",
        nulls_equal=True,
    )


def _is_read(code: str, variable: str) -> bool:
    if (code, variable) == ("NS", "WIND"):  # a part of a mix that is not there
        return False
    read = {*VARIABLES.get(code, ()), NSI, CABLES}
    return variable in read or not PASSED_OVER.match(variable)


def _about(code: str, other: str, variable: str) -> tuple[str, str, str, str | None]:
    """Return zone, signal, quality and flag of a series."""
    zone = ZONES.get(code, f"CA-{code}")
    if variable == CABLES:
        return f"CA-NB->{zone}", "flow", Quality.ESTIMATED, None
    if variable == NSI:
        end = NEIGHBOURS.get((code, other))
        flag = None if end else f"unmapped_code:{other}"
        return f"{zone}->{end or other}", "flow", Quality.ESTIMATED, flag
    signal = VARIABLES.get(code, {}).get(variable)
    if signal is None:
        return zone, generation("unknown"), Quality.MEASURED, f"unmapped_code:{variable}"
    return zone, signal, Quality.MEASURED, None


SOURCE = Source(
    name=NAME,
    title="High-frequency electricity data (HFED)",
    base_url="https://api.statcan.gc.ca",
    kinds=frozenset({Kind.GENERATION}),
    zones=frozenset(CODES),
    codes=CODES,
    requests=requests,
    parse=parse,
    step=HOUR,
    max_span=timedelta(days=31),
    refetch=(Tier(2 * DAY), Tier(14 * DAY, DAY)),
    lag=DAY,
    licence="Statistics Canada, terms not certain",
    licence_url="https://www.statcan.gc.ca/en/reference/licence",
    attribution="Statistics Canada, Canadian Centre for Energy Information",
    restricted=True,
    per_zone=True,
    not_published=frozenset({404}),
    whole_files=True,
    min_interval=timedelta(seconds=1),
    largest_body=16 * 2**20,
)

"""Read the CSV reports of ISO New England (see isone.py for what they are)."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from gridtide.model import Quality
from gridtide_pipelines.ingest.local_time import placed
from gridtide_pipelines.ingest.paging import check_count
from gridtide_pipelines.ingest.parsing import readings
from gridtide_pipelines.ingest.source import Body
from gridtide_store.vocabulary import generation

ZONE: Final = "US-NE-ISNE"
TIMEZONE: Final = "America/New_York"
LABEL: Final = "%m/%d/%Y %H:%M:%S"
GENERATED: Final = re.compile(r"Report generated (\d\d/\d\d/\d{4} \d\d:\d\d:\d\d) (E[SD]T)")
LINES: Final = re.compile(r"(\d+) lines")
OFFSETS: Final = {"EST": timedelta(hours=5), "EDT": timedelta(hours=4)}
HOUR: Final = timedelta(hours=1)


def read_report(index: int, body: Body) -> pl.DataFrame:
    """Return what a CSV report says: generation, or the forecast of wind or solar power."""
    text = body.content.decode()
    lines = list(csv.reader(text.splitlines()))
    if lines[-1][0] != "T":
        raise ValueError("a report without its last line: the body is cut short")
    rows = [line for line in lines if line[0] == "D"]
    if said := LINES.fullmatch(lines[-1][1]):
        check_count(len(rows), [said[1]])
    header = [line for line in lines if line[0] == "H"][0]  # noqa: RUF015  # IndexError is caught
    if "Fuel Category" in header:
        return _mix(rows, header, index)
    days, hours = rows[1][3:], rows[2:]
    cells = [
        (f"{day} {int(hour[2][:2]) - 1:02}:00:00", float(value), hour[2].endswith("X"))
        for hour in hours
        for day, value in zip(days, hour[3:], strict=True)
        if value
    ]
    schema = {"label": pl.String, "value": pl.Float64, "later": pl.Boolean}
    table = pl.DataFrame(cells, schema=schema, orient="row")
    later = table["later"] if table["later"].any() else None
    table = placed(table, TIMEZONE, LABEL, later=later)
    fuel = "wind" if "wind power forecast" in text.lower() else "solar"
    said = GENERATED.search(text)
    issued = body.known_at
    if said:
        local = datetime.strptime(said[1], LABEL).replace(tzinfo=UTC)
        issued = local + OFFSETS[said[2]]
    return readings(
        zone=ZONE,
        signal=generation(fuel),
        start=table["start"],
        end=HOUR,
        value=table["value"],
        quality=Quality.FORECAST,
        issued_at=issued,
        flag=table["flag"],
        body=index,
    )


def _mix(rows: list[list[str]], header: list[str], index: int) -> pl.DataFrame:
    """Return the rows of generation with their instants; a step back is the double hour."""
    place = [header.index(name) for name in ("Date", "Time", "Fuel Category", "Gen Mw")]
    cells = [
        (f"{row[place[0]]} {row[place[1]]}", row[place[2]], float(row[place[3]] or "nan"))
        for row in rows
    ]
    schema = {"label": pl.String, "code": pl.String, "value": pl.Float64}
    table = pl.DataFrame(cells, schema=schema, orient="row").fill_nan(None)
    back = pl.col("label").str.to_datetime(LABEL).diff().over("code") < timedelta(0)
    steps = back.fill_null(value=False).cum_sum().over("code")
    later = table.select(pl.when(steps.max().over("code") == 1).then(steps == 1)).to_series()
    table = placed(table, TIMEZONE, LABEL, later=later)
    return table.select("start", "code", "value", "flag", body=pl.lit(index, pl.UInt32))

"""NESO's data portal: requests by SQL, and its estimate of what is embedded in GB. Pure.

Docs: https://www.neso.energy/data-portal
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from gridtide.model import Quality
from gridtide_pipelines.ingest.local_time import read_number
from gridtide_pipelines.ingest.parsing import number
from gridtide_pipelines.ingest.source import Query, Request, Span
from gridtide_pipelines.ingest.statements import Statement, rows_of, text
from gridtide_store.vocabulary import generation

BASE_URL: Final = "https://api.neso.energy"
# One request a second for the whole portal, two a minute for the datastore.
INTERVAL: Final = timedelta(seconds=30)
ZONE: Final = "GB"
TIMEZONE: Final = "Europe/London"
HALF: Final = timedelta(minutes=30)
SQL: Final = "/api/3/action/datastore_search_sql"
DEMAND: Final = "177f6fa4-ae49-4182-81ea-0c6b35f26ca6"
DATE: Final = "SETTLEMENT_DATE"
EMBEDDED: Final = {
    "EMBEDDED_SOLAR_GENERATION": "solar",
    "EMBEDDED_WIND_GENERATION": "wind",
}


def select(
    query: Query, resource: str, column: str, first: str, last: str, span: Span, host: str = ""
) -> Request:
    """Return a request for the rows of a resource from `first` to before `last`."""
    named = f'"{column}"'
    # Read by the publisher's API; the store has no part in it.
    parts = (
        "SELECT *",
        f'FROM "{resource}"',
        f"WHERE {named} >= '{first}' AND {named} < '{last}'",
        f"ORDER BY {named}",
    )
    sql = " ".join(parts)
    return Request("GET", SQL, (("sql", sql),), query.kind, query.zones, host=host, span=span)


def records_of(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of an answer."""
    return rows_of(document["result"]["records"])


def read_embedded(row: Mapping[str, Any], body: int) -> Iterator[Statement]:
    """Yield the embedded solar and wind generation of a row of the resource `DEMAND`."""
    day = date.fromisoformat(text(row[DATE])[:10])
    start = read_number(day, int(row["SETTLEMENT_PERIOD"]), HALF, TIMEZONE)
    for code, fuel in EMBEDDED.items():
        value = number(row[code])
        yield Statement(
            *(ZONE, generation(fuel), code, start, start + HALF, value, body),
            quality=Quality.ESTIMATED,
        )


def settlement_date(moment: datetime) -> date:
    """Return the settlement date of a moment."""
    return moment.astimezone(ZoneInfo(TIMEZONE)).date()

"""Prices of the coming day: requested, parsed and kept, since they are known before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gridtide_pipelines.ingest.normalize import normalize
from gridtide_pipelines.ingest.schedule import span_ahead
from gridtide_pipelines.ingest.source import Body, Kind, Query
from gridtide_pipelines.ingest.sources import sources
from gridtide_pipelines.ingest.spans import span_of

DATA = Path(__file__).with_name("data")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# A written body of each, and the signal of its prices.
BODIES = {
    "caiso": ("price.zip", "price_usd"),
    "ercot": ("price.zip", "price_usd"),
    "ieso": ("price.xml", "price_cad"),
    "nyiso": ("damlbmp_zone.csv", "price_usd"),
}


@pytest.mark.parametrize("name", sorted(BODIES))
def test_the_price_of_the_coming_day_is_stored_with_its_currency(name: str) -> None:
    source, (file, signal) = sources()[name], BODIES[name]
    (zone,) = source.zones
    content = (DATA / name / file).read_bytes()
    (first,) = source.requests(Query(Kind.PRICE, (zone,), NOON, NOON + DAY, NOON))[0][:1]
    parsed = source.parse([Body(first, content, NOON, 1)])
    day = parsed["start"].min()
    assert isinstance(day, datetime)
    now = day - 12 * HOUR
    span = span_ahead(source, Kind.PRICE, now)
    assert span is not None
    assert span.start <= now
    assert span.end >= day + 12 * HOUR
    query = Query(Kind.PRICE, (zone,), span.start, span.end, now)
    body = Body(replace(first, zones=(zone,)), content, now, 1)
    rows = normalize(parsed, source, [body], span=span_of(source, query))
    assert rows.refused == ()
    stored = rows.observations.drop_nulls("value")
    assert set(stored["signal"]) == {signal}
    assert stored["slot_start"].min() == day

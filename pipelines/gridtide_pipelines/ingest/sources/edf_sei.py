"""Generation by fuel of Corsica, from EDF SEI's open data.

Docs:       https://opendata-corse.edf.fr/explore/dataset/
            production-delectricite-par-filiere-en-temps-reel/
Licence:    Licence Ouverte 2.0, as the portal names it for each data set.
Unit:       MW.
Slots:      15 min, labelled by the start with offset (``date``).
Limits:     quotas without a key: an error code in the body.
Revisions:  values are estimates (``statut``) until they are replaced.
Fuels:      engines and turbines (tac) burn oil; ``liaisons`` is the net import over the cables
            with Italy and Sardinia; ``solde_stockage`` is positive when it discharges.
Last seen:  2024-12 (recorded body).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import polars as pl

from gridtide.model import Quality
from gridtide_pipelines.ingest.opendatasoft import export, read_pages
from gridtide_pipelines.ingest.parsing import check_shape, number
from gridtide_pipelines.ingest.schedule import split_span
from gridtide_pipelines.ingest.source import Body, Group, Kind, Query, Source, Span, Tier
from gridtide_pipelines.ingest.statements import Statement, add_codes, fuel_signal, instant

NAME = "edf_sei"
ZONE: Final = "FR-COR"
QUARTER, DAY = timedelta(minutes=15), timedelta(days=1)
FUELS: Final = {
    "bioenergies": "biomass",
    "eolien": "wind",
    "hydraulique": "hydro",
    "micro_hydro": "hydro",
    "moteur_diesel": "oil",
    "photovoltaique": "solar",
    "solde_stockage": "battery_storage",
    "tac": "oil",
}
NO_FUEL: Final = ("date", "statut", "total")
LINKS: Final = "liaisons"


def requests(query: Query) -> Sequence[Group]:
    """Return a request for each week."""
    name = "production-delectricite-par-filiere-en-temps-reel"
    return [
        [export(query, name, "date", span)]
        for span in split_span(Span(query.start, query.end), SOURCE.max_span)
    ]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Return generation and net imports of each quarter of an hour in the records."""
    with check_shape(NAME):
        found: list[Statement] = []
        for index, page in enumerate(read_pages(bodies)):
            for row in page.records:
                found += _statements(row, index)
        return add_codes(found, NAME)


def _statements(row: Mapping[str, Any], body: int) -> Iterator[Statement]:
    start = instant(row["date"])
    estimated = str(row.get("statut", "")).startswith("Estim")
    for code, given in row.items():
        if code in NO_FUEL:
            continue
        signal, flag = ("imports", None) if code == LINKS else fuel_signal(code, FUELS)
        yield Statement(
            *(ZONE, signal, code, start, start + QUARTER, number(given), body, flag),
            quality=Quality.ESTIMATED if estimated else Quality.MEASURED,
        )


SOURCE = Source(
    name=NAME,
    title="Open data of EDF in Corsica",
    base_url="https://opendata-corse.edf.fr",
    kinds=frozenset({Kind.GENERATION}),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    step=QUARTER,
    max_span=7 * DAY,
    refetch=(Tier(2 * DAY), Tier(14 * DAY, DAY)),
    lag=timedelta(hours=1),
    licence="Licence Ouverte 2.0",
    licence_url="https://www.etalab.gouv.fr/licence-ouverte-open-licence/",
    attribution="EDF SEI",
    min_interval=timedelta(seconds=1),
    largest_body=4 * 2**20,
)

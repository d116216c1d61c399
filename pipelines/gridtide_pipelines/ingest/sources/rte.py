"""Generation, load, its forecast and direct CO2 intensity of France: RTE's eco2mix, from ODRE.

Docs:       https://odre.opendatasoft.com/explore/dataset/eco2mix-national-tr/
            (eco2mix-national-cons-def: consolidated and definitive values)
Licence:    Licence Ouverte 2.0 (Etalab).
Unit:       MW; ``taux_co2`` in g/kWh, direct, of generation alone.
Slots:      15 min, labelled by the start with offset (``date_heure``). On days when only whole
            and half hours have values they are of 30 min.
Limits:     quotas without a key; a record has 40 fields.
Revisions:  real-time values (tr) are replaced by consolidated ones (cons-def) after weeks, and
            those once more; of spans older than a month both are requested, cons-def counts.
Fuels:      ``hydraulique`` is the sum of its parts, and counts only without them. ``pompage``
            and ``stockage_batterie`` are negative. Numbers may be text, "ND" is a gap. Wind is
            ``eolien``, on land and at sea. Load and intensity come with generation.
Regions:    records of eco2mix-regional-tr are read as zones FR:11 to FR:93, ``thermique`` as
            unknown. They are not requested: no zone of ours is a region.
Forecast:   ``prevision_j`` of the day, else ``prevision_j1`` of the day before; when it was
            issued is not said, so it counts as issued when it was received.
Prices:     bodies of eco2mix.rte-france.com are read (EUR/MWh by local day and number of the
            interval), for France and its neighbours, DL is DE-LU. They are not requested: under
            which licence is not known.
Last seen:  2024-04 (recorded bodies of the records of version 1, and of prices).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

import polars as pl

from gridtide.model import Signal
from gridtide_pipelines.ingest.local_time import read_number
from gridtide_pipelines.ingest.opendatasoft import export, read_pages
from gridtide_pipelines.ingest.parsing import check_shape, number
from gridtide_pipelines.ingest.schedule import split_span
from gridtide_pipelines.ingest.source import (
    Body,
    Group,
    Kind,
    Query,
    Source,
    Span,
    Tier,
)
from gridtide_pipelines.ingest.statements import Statement, add_codes, instant
from gridtide_pipelines.ingest.xml import read_xml
from gridtide_store.vocabulary import generation

NAME = "rte"
ZONE: Final = "FR"
TIMEZONE: Final = "Europe/Paris"
QUARTER, HALF, DAY = timedelta(minutes=15), timedelta(minutes=30), timedelta(days=1)
RECENT: Final = 31 * DAY
NOT_GIVEN: Final = ("ND", "-", "")
FUELS: Final = {
    "bioenergies": "biomass",
    "charbon": "coal",
    "destockage_batterie": "battery_storage",
    "eolien": "wind",
    "eolien_offshore": "wind",
    "eolien_terrestre": "wind",
    "fioul": "oil",
    "gaz": "gas",
    "hydraulique_fil_eau_eclusee": "hydro",
    "hydraulique_lacs": "hydro",
    "hydraulique_step_turbinage": "hydro_storage",
    "nucleaire": "nuclear",
    "pompage": "hydro_storage",
    "solaire": "solar",
    "stockage_batterie": "battery_storage",
    "thermique": "unknown",
}
WINDS: Final = ("eolien_offshore", "eolien_terrestre")
BATTERY: Final = ("destockage_batterie", "stockage_batterie")
PARTS: Final = tuple(code for code in FUELS if code.startswith("hydraulique_"))
DIRECT: Final = str(Signal.CI_DIRECT_PRODUCED)
# Zone, signal and local day.
_Day: TypeAlias = tuple[str, str, date]
PRICED: Final = {"DE": "DE-AT-LU", "DL": "DE"}
PER_HOUR: Final = {23: 1, 24: 1, 25: 1, 46: 2, 48: 2, 50: 2, 92: 4, 96: 4, 100: 4}


def requests(query: Query) -> Sequence[Group]:
    """Return a group for each fortnight, of older days with consolidated records."""
    groups: list[Group] = []
    for span in split_span(Span(query.start, query.end), SOURCE.max_span):
        older = span.start < query.now - RECENT
        sets = ["eco2mix-national-tr", *(["eco2mix-national-cons-def"] if older else [])]
        groups.append([export(query, each, "date_heure", span) for each in sets])
    return groups


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Return mix, load, forecast and intensity of each record, or the prices of an XML body."""
    with check_shape(NAME):
        found: list[Statement] = []
        natures: dict[tuple[str, date], object] = {}
        for index, body in enumerate(bodies):
            if body.content.lstrip()[:1] == b"<":
                found += _prices(body.content, index)
                continue
            (page,) = read_pages([body])
            new = list(_records(page.records, index, body.known_at))
            before = natures.copy()
            natures |= {
                (_zone(each), _day(instant(each["date_heure"]))): each.get("nature")
                for each in page.records
            }
            pages = {key for key, nature in before.items() if nature and nature == natures[key]}
            found = _replace_days(found, new, pages)
        return add_codes(found, NAME)


def _replace_days(
    before: list[Statement], new: list[Statement], pages: Collection[tuple[str, date]]
) -> list[Statement]:
    """Return both, without the days of `before` for which `new` has values.

    The slots of consolidated records are longer than those of the real-time ones, so a day of a
    signal and zone is of the one or of the other. A day without any value replaces nothing.

    Args:
        pages: zones and days whose records are of one nature in both: they go on in `new`.
    """

    def days(statements: list[Statement], *, valued: bool) -> set[_Day]:
        return {
            (each.zone, each.signal, _day(each.start))
            for each in statements
            if each.issued_at is None
            and (each.value is not None or not valued)
            and (each.zone, _day(each.start)) not in pages
        }

    replaced = days(new, valued=True)
    kept = days(before, valued=False) - replaced
    return [
        each
        for statements, dropped in ((before, replaced), (new, kept))
        for each in statements
        if each.issued_at is not None
        or (each.zone, each.signal, _day(each.start)) not in dropped
    ]


def _records(
    records: Sequence[Mapping[str, Any]], body: int, known_at: datetime
) -> Iterator[Statement]:
    rows = [(_zone(each), instant(each["date_heure"]), _signals(each)) for each in records]
    lengths = _lengths(
        (zone, signal, start)
        for zone, start, values in rows
        for (signal, _, ahead), value in values.items()
        if value is not None and not ahead
    )
    for zone, start, values in rows:
        for (signal, code, ahead), value in values.items():
            length = QUARTER if ahead else lengths.get((zone, signal, _day(start)), QUARTER)
            if length == HALF and start.minute not in (0, 30):
                continue  # it lies within the slot before, and has no value
            yield Statement(
                *(zone, signal, code, start, start + length, value, body),
                issued_at=known_at if ahead else None,
            )


def _zone(record: Mapping[str, Any]) -> str:
    region = record.get("code_insee_region")
    return f"{ZONE}:{region}" if region else ZONE


def _signals(record: Mapping[str, Any]) -> dict[tuple[str, str, bool], float | None]:
    """Return the values of a record by signal, code and whether they are ahead of time."""
    given = {
        each: None if value in NOT_GIVEN else number(value)
        for each, value in record.items()
        if each in (*FUELS, "hydraulique", "consommation", "taux_co2") or "prevision" in each
    }
    if not given.keys().isdisjoint(BATTERY):
        given = dict.fromkeys(BATTERY) | given
    # A whole stands in place of all its parts, whatever another record says of them.
    if "eolien" in given:
        wind = given.pop("eolien")
        if wind is not None or not any(given.get(each) is not None for each in WINDS):
            given |= {WINDS[0]: wind and 0.0, WINDS[1]: wind}
    if "hydraulique" in given and not any(given.get(each) is not None for each in PARTS):
        hydro = given["hydraulique"]
        given |= dict.fromkeys(PARTS, hydro and 0.0) | {PARTS[0]: hydro}
    found = {
        (generation(FUELS[code]), code, False): value
        for code, value in given.items()
        if code in FUELS
    }
    for signal, code in (("load", "consommation"), (DIRECT, "taux_co2")):
        if code in given:
            found[signal, code, False] = given[code]
    ahead = [given.get(each) for each in ("prevision_j", "prevision_j1")]
    forecast = next((value for value in ahead if value is not None), None)
    return {**found, ("load", "prevision", True): forecast}


def _lengths(given: Iterator[tuple[str, str, datetime]]) -> dict[_Day, timedelta]:
    """Return half an hour for each day without a value at a quarter past or to."""
    starts: dict[_Day, set[datetime]] = defaultdict(set)
    for zone, signal, start in given:
        starts[zone, signal, _day(start)].add(start)
    return {
        each: HALF if len(found) > 1 and {at.minute for at in found} <= {0, 30} else QUARTER
        for each, found in starts.items()
    }


def _day(moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(TIMEZONE)).date()


def _prices(content: bytes, body: int) -> Iterator[Statement]:
    root = read_xml(content)
    if root.tag != "liste":
        raise ValueError(f"a {root.tag[:60]}, not a list of prices")
    for prices in root.iter("donneesMarche"):
        day = date.fromisoformat(prices.attrib["date"])
        for area in prices.iter("type"):
            code = area.attrib["perimetre"]
            values = list(area.iter("valeur"))
            length = timedelta(hours=1) / PER_HOUR[len(values)]
            for each in values:
                if each.text in NOT_GIVEN:
                    continue
                start = read_number(day, int(each.attrib["periode"]) + 1, length, TIMEZONE)
                yield Statement(
                    *(PRICED.get(code, code), "price_eur", code, start, start + length),
                    *(float(each.text or ""), body),
                )


SOURCE = Source(
    name=NAME,
    title="eco2mix, Open Data Reseaux Energies",
    base_url="https://odre.opendatasoft.com",
    kinds=frozenset({Kind.GENERATION, Kind.FORECAST}),
    zones=frozenset({ZONE}),
    requests=requests,
    parse=parse,
    step=QUARTER,
    max_span=14 * DAY,
    ahead=3 * DAY,
    refetch=(Tier(2 * DAY), Tier(14 * DAY, DAY), Tier(365 * DAY, 30 * DAY)),
    lag=timedelta(hours=1),
    licence="Licence Ouverte 2.0",
    licence_url="https://www.etalab.gouv.fr/licence-ouverte-open-licence/",
    attribution="RTE, eco2mix, by Open Data Reseaux Energies",
    min_interval=timedelta(seconds=1),
    largest_body=4 * 2**20,
)

"""Generation by technology, load and flows of Spain: mainland, islands, Ceuta and Melilla.

Docs:       https://demanda.ree.es (the requests of its own pages; no document)
Licence:    reuse with attribution, by the legal notice of REE (Ley 37/2007).
Unit:       MW, instantaneous.
Slots:      5 min (once 10), labelled by the start in local time without an offset: of the
            Canaries on the islands there, else of Madrid. On the day when clocks go back the
            hour before it is 2A, the one after it 2B (1A and 1B on the Canaries).
Limits:     one day a request, which brings 3 h of the day before and 2 h of the next.
Revisions:  for some days.
Body:       JSON within ``null(...)``, in older ones with another name. It does not say of
            which system it is: that is the zone requested, or ``curva`` of the address.
Fuels:      ``hid`` is gnhd + turb + conb and counts only without them; ``solFot`` and
            ``solTer`` only without their sum ``sol``. No gas reaches the Canaries, Menorca or
            Formentera: turbines there burn oil; the engines of Ibiza burn gas. gnhd of El
            Hierro is its storage.
Links:      ``exp`` and ``imp`` of the four neighbours; of the islands positive where power
            arrives. ``efl`` (between two of the Canaries) and sums are not read.
            Load and flows come with generation.
Islands:    Lanzarote and Fuerteventura are published as one system. Both have its mix, as an
            estimate, and no load.
Last seen:  2026-04 (recorded bodies of the mainland, Tenerife and Ceuta).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any, Final

import polars as pl

from gridtide.model import Quality
from gridtide_pipelines.ingest.local_time import (
    local_days,
    read_local,
    refuse_values_without_time,
)
from gridtide_pipelines.ingest.parsing import check_shape, number
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
from gridtide_pipelines.ingest.statements import (
    Statement,
    add_codes,
    fuel_signal,
    read_answer,
    rows_of,
    text,
)
from gridtide_store.vocabulary import GENERATION

NAME = "ree"
DAY: Final = timedelta(days=1)
CODES: Final = {
    "ES": "DEMANDAQH",
    "ES-CE": "CEUTA5M",
    "ES-CN-FV": "LZ_FV5M",
    "ES-CN-GC": "GCANARIA5M",
    "ES-CN-HI": "EL_HIERRO5M",
    "ES-CN-IG": "LA_GOMERA5M",
    "ES-CN-LP": "LA_PALMA5M",
    "ES-CN-LZ": "LZ_FV5M",
    "ES-CN-TE": "TENERIFE5M",
    "ES-IB-FO": "FORMENTERA5M",
    "ES-IB-IZ": "IBIZA5M",
    "ES-IB-MA": "MALLORCA5M",
    "ES-IB-ME": "MENORCA5M",
    "ES-ML": "MELILLA5M",
}
JOINED: Final = ("ES-CN-FV", "ES-CN-LZ")
FUELS: Final = {
    "aut": "unknown",
    "bat": "battery_storage",
    "car": "coal",
    "cc": "gas",
    "cogen": "unknown",
    "cogenResto": "unknown",
    "conb": "hydro_storage",
    "consBat": "battery_storage",
    "die": "oil",
    "eol": "wind",
    "fot": "solar",
    "gas": "gas",
    "genAux": "oil",
    "gf": "gas",
    "gnhd": "hydro",
    "hid": "hydro",
    "nuc": "nuclear",
    "otrRen": "unknown",
    "resid": "biomass",
    "sol": "solar",
    "solFot": "solar",
    "solTer": "solar",
    "termRenov": "unknown",
    "tnr": "unknown",
    "trn": "unknown",
    "turb": "hydro_storage",
    "turbVap": "oil",
    "vap": "oil",
}
OTHER_FUELS: Final[Mapping[str, Mapping[str, str]]] = {
    "ES-CN": {"cc": "oil", "gas": "oil"},
    "ES-CN-HI": {"gnhd": "hydro_storage"},
    "ES-IB-FO": {"gas": "oil"},
    "ES-IB-IZ": {"die": "gas"},
    "ES-IB-ME": {"gas": "oil"},
}
# Columns that do not count where one of the others is there.
INSTEAD: Final = {"hid": ("gnhd", "turb", "conb"), "solFot": ("sol",), "solTer": ("sol",)}
NEIGHBOURS: Final = {"And": "AD", "Fra": "FR", "Mar": "MA", "Por": "PT"}
LINKS: Final[Mapping[tuple[str, str], str]] = {
    ("ES", "icb"): "ES-IB-MA",
    ("ES-IB-MA", "cb"): "ES",
    ("ES-IB-MA", "icb"): "ES",
    ("ES-IB-MA", "emm"): "ES-IB-ME",
    ("ES-IB-MA", "emi"): "ES-IB-IZ",
    ("ES-IB-FO", "eif"): "ES-IB-IZ",
}
NOT_READ: Final = re.compile(r"ts|dem|inter|dif|efl|i?cb|em[im]|eif|(exp|imp)\w+")
WRAPPED: Final = re.compile(rb"\s*[\w.]+\((.*)\)\s*;?\s*", re.DOTALL)
LETTER: Final = re.compile(r" (\d)([AB]):")


def requests(query: Query) -> Sequence[Group]:
    """Return a request for each zone and local day."""
    return [
        [_request(query, zone, f"{day:%Y-%m-%d}", span)]
        for zone in query.zones
        for day, span in local_days(Span(query.start, query.end), timezone_of(zone))
    ]


def parse(bodies: Sequence[Body]) -> pl.DataFrame:
    """Return generation, load and flows of every time in the bodies."""
    with check_shape(NAME):
        found: list[Statement] = []
        for index, body in enumerate(bodies):
            wrapped = WRAPPED.fullmatch(body.content)
            document = read_answer(wrapped[1] if wrapped else body.content)
            if document is not None:
                rows = rows_of(document["valoresHorariosGeneracion"])
                found += _statements(rows, _zone(body, rows), index)
        return add_codes(found, NAME)


def timezone_of(zone: str) -> str:
    """Return the time zone of the labels of a zone."""
    return "Atlantic/Canary" if zone.startswith("ES-CN") else "Europe/Madrid"


def _zone(body: Body, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the zone that a body is of.

    Raises:
        ValueError: neither the request nor the body says so.
    """
    known = [zone for zone in body.request.zones if zone in CODES]
    address = body.request.address
    named = [zone for zone, code in CODES.items() if f"curva={code}" in address]
    mainland = ["ES"] if all("nuc" in row for row in rows) else []
    for zones in (known if len(known) == 1 else [], named, mainland):
        if zones:
            return zones[0]
    raise ValueError("a body of an island without its name; request one zone, or name its URL")


def _statements(rows: Sequence[Mapping[str, Any]], zone: str, body: int) -> Iterator[Statement]:
    labels = [text(row["ts"]) for row in rows]
    letters = [LETTER.search(label) for label in labels]
    later = [None if each is None else each[2] == "B" for each in letters]
    plain = [LETTER.sub(r" 0\1:", label) for label in labels]
    starts = read_local(
        *(plain, timezone_of(zone), "%Y-%m-%d %H:%M"),
        later=pl.Series(later, dtype=pl.Boolean) if any(letters) else None,
    )
    refuse_values_without_time(starts, pl.Series([1.0] * len(rows)))
    fuels = {**FUELS, **OTHER_FUELS.get(zone[:5], {}), **OTHER_FUELS.get(zone, {})}
    quality = Quality.ESTIMATED if zone in JOINED else Quality.MEASURED
    ordered = starts.unique().sort().to_list()
    length = min([b - a for a, b in pairwise(ordered)], default=timedelta(minutes=5))
    for row, start in zip(rows, starts, strict=True):
        for code, value in row.items():
            found = _named(zone, code, row, fuels)
            if found is not None:
                of, signal, flag = found
                yield Statement(
                    *(of, signal, code, start, start + length, number(value), body, flag),
                    quality=quality if signal.startswith(GENERATION) else Quality.MEASURED,
                )


def _named(
    zone: str, code: str, row: Mapping[str, Any], fuels: Mapping[str, str]
) -> tuple[str, str, str | None] | None:
    """Return zone, signal and flag of a column; None of one that is not read."""
    if code == "dem" and zone not in JOINED:
        return zone, "load", None
    if other := LINKS.get((zone, code)):
        return f"{other}->{zone}", "flow", None
    if zone == "ES" and code[:3] in ("exp", "imp") and code[3:] in NEIGHBOURS:
        return f"{NEIGHBOURS[code[3:]]}->{zone}", "flow", None
    if NOT_READ.fullmatch(code) or any(each in row for each in INSTEAD.get(code, ())):
        return None
    return zone, *fuel_signal(code, fuels)


def _request(query: Query, zone: str, day: str, span: Span) -> Request:
    system = {"ES-CN": "Canarias", "ES-IB": "Baleares"}.get(zone[:5], "Peninsula")
    path = f"/WSvisionaMoviles{system}Rest/resources/demandaGeneracion{system}"
    params = (("curva", CODES[zone]), ("fecha", day))
    return Request("GET", path, params, query.kind, (zone,), span=span)


SOURCE = Source(
    name=NAME,
    title="Demand and generation in real time",
    base_url="https://demanda.ree.es",
    kinds=frozenset({Kind.GENERATION}),
    zones=frozenset(CODES),
    codes={zone: code for zone, code in CODES.items() if zone != "ES-CN-FV"},
    requests=requests,
    parse=parse,
    step=timedelta(minutes=5),
    max_span=7 * DAY,
    refetch=(Tier(DAY), Tier(7 * DAY, DAY)),
    lag=timedelta(minutes=30),
    licence="reuse with attribution (Ley 37/2007)",
    licence_url="https://www.ree.es/es/aviso-legal",
    attribution="Red Electrica de Espana",
    per_zone=True,
    whole_files=True,
    min_interval=timedelta(milliseconds=500),
    largest_body=2 * 2**20,
)

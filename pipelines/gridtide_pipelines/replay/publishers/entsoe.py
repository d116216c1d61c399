"""ENTSO-E simulated: documents A75, A65, A69, A71, A11, A09 and A44 in curve A03."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final
from xml.sax.saxutils import escape

import numpy as np

from gridtide_pipelines.forecast.forecaster import Floats
from gridtide_pipelines.ingest.source import Kind, Request
from gridtide_pipelines.ingest.sources.entsoe import STAMP
from gridtide_pipelines.ingest.sources.entsoe_areas import Area, areas, borders
from gridtide_pipelines.replay.faults import Reply
from gridtide_pipelines.replay.publisher import Publisher
from gridtide_pipelines.replay.values import demand, expected, flow, mix, price

HOUR: Final = timedelta(hours=1)
QUARTER: Final = timedelta(minutes=15)
# The zones whose values are of quarter hours.
IN_QUARTERS: Final = frozenset({"AT", "BE", "DE", "LU", "NL"})
MOST_TIME: Final = timedelta(days=366)  # of one request
AHEAD: Final = timedelta(days=2)  # how far forecasts reach from the start of a request
MINUTE: Final = "%Y-%m-%dT%H:%MZ"

FUELS: Final[Mapping[str, str]] = {
    "biomass": "B01",
    "gas": "B04",
    "coal": "B05",
    "oil": "B06",
    "geothermal": "B09",
    "hydro_storage": "B10",
    "hydro": "B12",
    "nuclear": "B14",
    "solar": "B16",
    "wind": "B19",
    "battery_storage": "B25",
}
# Item of `areas` of each document of one area.
ITEMS: Final = dict.fromkeys(("A75", "A69", "A71"), "generation") | {
    "A65": "load",
    "A44": "price",
}
MEGAWATT: Final = ("quantity_Measure_Unit.name", "MAW")
GENERATION, LOAD = "inBiddingZone_Domain.mRID", "outBiddingZone_Domain.mRID"
EXCHANGES: Final = ("A11", "A09")
KINDS: Final = {
    ("A75", "A16"): Kind.GENERATION,
    ("A65", "A16"): Kind.LOAD,
    ("A44", ""): Kind.PRICE,
}
LOAD_DOCUMENT: Final = (
    "GL_MarketDocument",
    "urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0",
    "time_Period.timeInterval",
)
PUBLICATION: Final = (
    "Publication_MarketDocument",
    "urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3",
    "period.timeInterval",
)


@dataclass(frozen=True, slots=True)
class Block:
    """One TimeSeries: its elements before and behind the curve type, and its values."""

    head: Sequence[tuple[str, str]]
    values: Floats
    psr: str = ""


def describe(request: Request) -> tuple[Kind | None, Sequence[str]]:
    """Return the kind and zones of a request, by document type and EIC codes."""
    params = dict(request.params)
    document = params.get("documentType", "")
    if document in EXCHANGES:
        codes = params.get("out_Domain", ""), params.get("in_Domain", "")
        kind = Kind.FLOW if document == "A11" else Kind.FORECAST
        return kind, _pairs().get(codes, ())
    if document not in ITEMS:
        return None, ()
    kind = KINDS.get((document, params.get("processType", "")), Kind.FORECAST)
    return kind, [area.zone for area in _areas_of(document, params)]


def simulate(request: Request, without: Collection[str], now: datetime) -> Reply | None:
    """Return the document that was requested, or an acknowledgement that says why not."""
    params = dict(request.params)
    document, process = params.get("documentType", ""), params.get("processType", "")
    try:
        start, end = (
            datetime.strptime(params[name], STAMP).replace(tzinfo=UTC)
            for name in ("periodStart", "periodEnd")
        )
    except (KeyError, ValueError):
        return acknowledge("Mandatory parameters periodStart and periodEnd are invalid.", 400)
    if not timedelta(0) < end - start <= MOST_TIME:
        return acknowledge("The requested period is empty or longer than one year.", 400)
    if request.kind is Kind.FORECAST:
        end = min(end, start + AHEAD)
    elif request.kind is not Kind.PRICE:
        end = min(end, now)
    zones = [zone for zone in request.zones if zone not in without]
    if document not in ITEMS:
        if document not in EXCHANGES or len(zones) < 2:
            return PUBLISHER.no_data
        return _exchange(document, params, zones, start, end)
    area = next((each for each in _areas_of(document, params) if each.zone in zones), None)
    if area is None:
        return PUBLISHER.no_data
    length = QUARTER if area.zone in IN_QUARTERS else HOUR
    slots = mix(area.zone, start, end, length)
    if slots.is_empty():
        return PUBLISHER.no_data
    starts = slots["start"].to_list()
    part = 1.0 / _beside(area, start)
    eic, blocks = area.eic, list[Block]()
    if document == "A75":
        for fuel in (each for each in FUELS if each in slots.columns):
            values = slots[fuel].to_numpy() * part
            blocks.append(_generation(eic, fuel, np.maximum(values, 0.0)))
            if fuel.endswith("_storage"):
                blocks.append(_generation(eic, fuel, np.maximum(-values, 0.0), charges=True))
    elif document == "A69":
        for fuel in ("solar", "wind"):
            if fuel in slots.columns:
                values = slots[fuel].to_numpy() * part
                foreseen = np.maximum(expected(area.zone, fuel, values, starts), 0.0)
                blocks.append(_generation(eic, fuel, foreseen))
    elif document == "A44":
        blocks.append(Block(_price_head(eic), price(slots)))
    else:
        total = demand(slots) * part
        if request.kind is Kind.FORECAST:
            total = expected(area.zone, "load", total, starts)
        kind, domain = ("A04", LOAD) if document == "A65" else ("A01", GENERATION)
        head = (("businessType", kind), ("objectAggregation", "A01"), (domain, eic), MEGAWATT)
        blocks.append(Block(head, total))
    form = PUBLICATION if document == "A44" else LOAD_DOCUMENT
    return _document(form, document, process, blocks, starts, length)


def _generation(eic: str, fuel: str, values: Floats, *, charges: bool = False) -> Block:
    """Return a series of generation, or of what a store takes."""
    domain = LOAD if charges else GENERATION
    head = (("businessType", "A01"), ("objectAggregation", "A08"), (domain, eic), MEGAWATT)
    return Block(head, values, FUELS[fuel])


def _price_head(eic: str) -> Sequence[tuple[str, str]]:
    return (
        ("auction.type", "A01"),
        ("businessType", "A62"),
        ("in_Domain.mRID", eic),
        ("out_Domain.mRID", eic),
        ("contract_MarketAgreement.type", "A01"),
        ("currency_Unit.name", "EUR"),
        ("price_Measure_Unit.name", "MWH"),
    )


def _exchange(
    document: str,
    params: Mapping[str, str],
    zones: Sequence[str],
    start: datetime,
    end: datetime,
) -> Reply:
    """Return the document of one direction of a border, where power never flows back."""
    first = start if start.minute == 0 else start.replace(minute=0) + HOUR
    starts = [first + n * HOUR for n in range((end - first) // HOUR)]
    if not starts:
        return PUBLISHER.no_data
    head = (
        ("businessType", "A66" if document == "A11" else "A06"),
        ("in_Domain.mRID", params["in_Domain"]),
        ("out_Domain.mRID", params["out_Domain"]),
        MEGAWATT,
    )
    values = np.maximum(flow(zones[0], zones[1], starts), 0.0)
    return _document(PUBLICATION, document, "", [Block(head, values)], starts, HOUR)


def _document(
    form: tuple[str, str, str],
    document: str,
    process: str,
    blocks: Iterable[Block],
    starts: Sequence[datetime],
    length: timedelta,
) -> Reply:
    """Return a market document of one period in each series."""
    root, namespace, interval_name = form
    interval = f"<start>{starts[0]:{MINUTE}}</start><end>{starts[-1] + length:{MINUTE}}</end>"
    series = [
        f"<TimeSeries><mRID>{number}</mRID>{_elements(block.head)}<curveType>A03</curveType>"
        + (f"<MktPSRType><psrType>{block.psr}</psrType></MktPSRType>" if block.psr else "")
        + f"<Period><timeInterval>{interval}</timeInterval>"
        + f"<resolution>PT{length // timedelta(minutes=1)}M</resolution>"
        + _curve(block.values, "price.amount" if document == "A44" else "quantity")
        + "</Period></TimeSeries>"
        for number, block in enumerate(blocks, 1)
    ]
    body = "".join(series)
    number = hashlib.sha256(body.encode()).hexdigest()[:32]
    head = [("mRID", number), ("revisionNumber", "1"), ("type", document)]
    head += [("process.processType", process)] if process else []
    created = f"{starts[-1] + length:%Y-%m-%dT%H:%M:%SZ}"
    return Reply(
        f'<?xml version="1.0" encoding="utf-8"?>\n<{root} xmlns="{namespace}">'
        f"{_elements(head)}{PARTIES}<createdDateTime>{created}</createdDateTime>"
        f"<{interval_name}>{interval}</{interval_name}>{body}</{root}>".encode(),
        content_type="text/xml",
    )


def _elements(pairs: Iterable[tuple[str, str]]) -> str:
    """Return one element for each pair; codes of areas name their coding scheme."""
    coded = {True: ' codingScheme="A01"', False: ""}
    return "".join(
        f"<{name}{coded[name.endswith('.mRID')]}>{escape(text)}</{name}>"
        for name, text in pairs
    )


def _curve(values: Floats, name: str) -> str:
    """Return the points of a period without those that repeat the value before them."""
    texts = [f"{value:.2f}".removesuffix("0").removesuffix(".0") for value in values.tolist()]
    return "".join(
        f"<Point><position>{position}</position><{name}>{text}</{name}></Point>"
        for position, (before, text) in enumerate(zip(["", *texts], texts, strict=False), 1)
        if text != before
    )


def acknowledge(reason: str, status: int = 200) -> Reply:
    """Return the document with which ENTSO-E says that it sends no other."""
    return Reply(
        '<?xml version="1.0" encoding="UTF-8"?>\n<Acknowledgement_MarketDocument '
        'xmlns="urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0">'
        f"<mRID>316dc7ae-843b-4</mRID>{PARTIES}"
        f"<Reason><code>999</code><text>{escape(reason)}</text></Reason>"
        "</Acknowledgement_MarketDocument>".encode(),
        status,
        "text/xml",
    )


def _areas_of(document: str, params: Mapping[str, str]) -> Sequence[Area]:
    """Return the areas whose item a document is requested for: zones may share a code."""
    code = params.get("in_Domain") or params.get("outBiddingZone_Domain") or ""
    return _by_code().get((ITEMS[document], code), ())


@cache
def _by_code() -> Mapping[tuple[str, str], Sequence[Area]]:
    found: dict[tuple[str, str], list[Area]] = {}
    for area in areas():
        found.setdefault((area.item, area.eic), []).append(area)
    return found


@cache
def _pairs() -> Mapping[tuple[str, str], tuple[str, str]]:
    """Return both ends of each border by their codes, from and to."""
    against = {(end, start): (target, source) for (source, target), (start, end) in borders()}
    return against | {codes: pair for pair, codes in borders()}


def _beside(area: Area, at: datetime) -> int:
    """Return the number of codes whose values are added at a time, with `area`'s own."""
    return sum(
        (each.zone, each.item) == (area.zone, area.item)
        and (each.since is None or each.since <= at)
        and (each.until is None or at < each.until)
        for each in areas()
    )


PARTIES: Final = _elements(
    [
        ("sender_MarketParticipant.mRID", "10X1001A1001A450"),
        ("sender_MarketParticipant.marketRole.type", "A32"),
        ("receiver_MarketParticipant.mRID", "10X1001A1001A450"),
        ("receiver_MarketParticipant.marketRole.type", "A33"),
    ]
)
PUBLISHER: Final = Publisher(
    describe=describe,
    no_data=acknowledge("No matching data found for the requested item and interval."),
    refusal=acknowledge("The combination of parameters is not valid.", 400),
    simulate=simulate,
)

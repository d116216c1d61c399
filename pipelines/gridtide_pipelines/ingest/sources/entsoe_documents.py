"""Documents of ENTSO-E: XML, or a ZIP of several, to series of slots. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element

from gridtide_pipelines.ingest.packed import ZIP, read_zip
from gridtide_pipelines.ingest.xml import MOST_BYTES, read_xml

RESOLUTIONS: Final = {
    "PT1M": timedelta(minutes=1),
    "PT5M": timedelta(minutes=5),
    "PT10M": timedelta(minutes=10),
    "PT15M": timedelta(minutes=15),
    "PT30M": timedelta(minutes=30),
    "PT60M": timedelta(hours=1),
    "PT1H": timedelta(hours=1),
}
MOST_POINTS: Final = 60 * 24 * 366  # of one period: a year of minutes
NO_DATA: Final = ("no matching data found", "requested data is not available")


class Slot(NamedTuple):
    """One value of one series of a document."""

    start: datetime
    length: timedelta
    value: float | None


@dataclass(frozen=True, slots=True)
class Series:
    """One TimeSeries: what it is about, and its slots.

    Attributes:
        area: EIC code of the area, or ``from->to`` of an exchange.
        code: psrType, or "".
        consumes: whether it counts negative.
        contract: contract type of an exchange or price, or "".
        sequence: of an auction, 0 where none is named.
        currency: of a price, in lower case.
    """

    area: str
    code: str
    consumes: bool
    contract: str
    sequence: int
    currency: str
    slots: Sequence[Slot]


def read_documents(content: bytes) -> Iterator[Element]:
    """Return the documents of a body, which is one or a ZIP of several.

    Raises:
        ValueError: it is neither, or too large.
    """
    if not content.startswith(ZIP):
        yield read_xml(content)
        return
    for _, document in read_zip(content, most_bytes=MOST_BYTES):
        yield read_xml(document)


def read_acknowledgement(document: Element) -> None:
    """Return where an acknowledgement says that there is no data.

    Raises:
        ValueError: it refuses the request.
    """
    reason = " ".join(
        " ".join((each.text or "").split()) for each in document.iter() if each.tag == "text"
    )
    if not reason.lower().startswith(NO_DATA):
        raise ValueError(f"the publisher refuses the request: {reason[:160] or 'no reason'}")


def read_series(element: Element) -> Series:
    given = {each.tag: (each.text or "").strip() for each in element if len(each) == 0}
    curve = given.get("curveType", "A01")
    if curve not in ("A01", "A03"):
        raise ValueError(f"curve type {curve[:20]!r} is not one of A01, A03")
    slots: list[Slot] = []
    for period in element.iter("Period"):
        slots += _slots(period, repeat=curve == "A03")
    into, out = given.get("in_Domain.mRID"), given.get("out_Domain.mRID")
    bidding = given.get("inBiddingZone_Domain.mRID")
    consumer = given.get("outBiddingZone_Domain.mRID")
    if into is not None and out is not None:
        area = into if into == out else f"{out}->{into}"
    else:
        area = bidding or consumer or ""
    if not area:
        raise ValueError("a series without an area")
    psr = element.find("MktPSRType")
    sequence = given.get("classificationSequence_AttributeInstanceComponent.position", "0")
    return Series(
        area,
        "" if psr is None else text_of(psr, "psrType"),
        bidding is None and consumer is not None,
        given.get("contract_MarketAgreement.type", ""),
        int(sequence),
        given.get("currency_Unit.name", "").lower(),
        slots,
    )


def _slots(period: Element, *, repeat: bool) -> list[Slot]:
    """The slots of a period; with `repeat` a position that is left out is as the one before."""
    interval = period.find("timeInterval")
    if interval is None:
        raise ValueError("a period without a time interval")
    start, end = _time(text_of(interval, "start")), _time(text_of(interval, "end"))
    resolution = text_of(period, "resolution")
    length = RESOLUTIONS.get(resolution)
    if length is None:
        raise ValueError(
            f"resolution {resolution[:20]!r} is not one of {', '.join(RESOLUTIONS)}"
        )
    count, rest = divmod(end - start, length)
    if rest or not 0 < count <= MOST_POINTS:
        raise ValueError(f"a period of {end - start} in slots of {length}")
    values: dict[int, float | None] = {}
    for point in period.iter("Point"):
        position, value = 0, None
        for each in point:
            if each.tag == "position":
                position = int(each.text or "")
            elif each.tag in ("quantity", "price.amount"):
                value = float(each.text) if each.text and each.text.strip() else None
        if not 0 < position <= count:
            raise ValueError(f"position {position} of a period of {count}")
        values[position] = value
    slots, last, known = [], None, False
    for position in range(1, count + 1):
        if position in values:
            last, known = values[position], True
        elif not (repeat and known):
            continue
        slots.append(Slot(start + (position - 1) * length, length, last))
    return slots


def text_of(element: Element, name: str) -> str:
    found = element.findtext(name)
    if found is None or not found.strip():
        raise ValueError(f"a {element.tag} without {name}")
    return found.strip()


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time {text[:40]!r} without a time zone")
    return moment.astimezone(UTC)

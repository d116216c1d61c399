"""Documents of ENTSO-E: XML, or a ZIP of several, to series of slots. Pure.

Nine tenths of a document are its points, all of one form. They are taken out by a pattern
before the rest is parsed as XML, and read as whole columns; points of another form stay in the
document and are read one by one. Both give the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias, TypeVar
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from gridtide_pipelines.ingest.packed import ZIP, read_zip
from gridtide_pipelines.ingest.xml import MOST_BYTES, read_xml

Slots: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Number = TypeVar("Number", np.int64, np.float64)

RESOLUTIONS: Final = {
    "PT1M": 1,
    "PT5M": 5,
    "PT10M": 10,
    "PT15M": 15,
    "PT30M": 30,
    "PT60M": 60,
    "PT1H": 60,
}
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# A slot is one integer, its start in seconds since the epoch times LENGTHS, plus its length in
# minutes: equal for equal slots, and in order of start.
LENGTHS: Final = 64
MOST_POINTS: Final = 60 * 24 * 366  # of one period: a year of minutes
NO_DATA: Final = ("no matching data found", "requested data is not available")

# Blanks are taken whole or not at all: a body of blanks must not be tried from each of them.
ONE_POINT: Final = (
    rb"<Point>\s*+<position>(\d{1,6})</position>"
    rb"\s*+<(?:quantity|price\.amount)>([-+.0-9eE]{1,40})</(?:quantity|price\.amount)>"
    rb"\s*+</Point>"
)
POINT: Final = re.compile(ONE_POINT)
POINTS: Final = re.compile(rb"(?:%b\s*+)+" % re.sub(rb"\((?!\?)", b"(?:", ONE_POINT))
STANDS_FOR_POINTS: Final = "Points"


def slots_of(starts: Slots, minutes: int) -> Slots:
    """Return slots from their starts, seconds since the epoch, and their length."""
    return starts * LENGTHS + minutes


def starts_of(slots: Slots) -> Slots:
    """Return the starts of slots, seconds since the epoch."""
    return slots // LENGTHS


def seconds_of(slots: Slots) -> Slots:
    """Return the lengths of slots in seconds."""
    return slots % LENGTHS * 60


def is_rising(numbers: Slots) -> bool:
    """Say whether each number is larger than the one before it."""
    return bool((numbers[1:] > numbers[:-1]).all())


@dataclass(frozen=True, slots=True)
class Document:
    """One document, without the points that were taken out of it.

    Attributes:
        taken: the points of each period, as text; ``<Points n="0"/>`` stands where they were.
    """

    root: Element
    taken: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One TimeSeries: what it is about, and its values.

    Attributes:
        area: EIC code of the area, or ``from->to`` of an exchange.
        code: psrType, or "".
        consumes: whether it counts negative.
        contract: contract type of an exchange or price, or "".
        sequence: of an auction, 0 where none is named.
        currency: of a price, in lower case.
        slots: in no certain order, perhaps several times the same.
        values: of the slots; NaN is known to be unknown.
    """

    area: str
    code: str
    consumes: bool
    contract: str
    sequence: int
    currency: str
    slots: Slots
    values: Floats


def read_documents(content: bytes, most_bytes: int) -> Iterator[Document]:
    """Yield the documents of a body, which is one or a ZIP of several.

    Args:
        most_bytes: of all documents of a ZIP together, unpacked.

    Raises:
        ValueError: it is neither, or too large.
    """
    if not content.startswith(ZIP):
        yield _read_document(content)
        return
    for _, document in read_zip(content, most_bytes=most_bytes):
        yield _read_document(document)


def _read_document(content: bytes) -> Document:
    taken: list[bytes] = []

    def take(found: re.Match[bytes]) -> bytes:
        taken.append(found[0])
        return f'<{STANDS_FOR_POINTS} n="{len(taken) - 1}"/>'.encode()

    # In a comment or a CDATA section it stands for points as little as they are points there.
    if len(content) <= MOST_BYTES and f"<{STANDS_FOR_POINTS}".encode() not in content:
        content = POINTS.sub(take, content)
    return Document(read_xml(content), tuple(taken))


def read_acknowledgement(document: Element) -> None:
    """Return if an acknowledgement says that the publisher has no data.

    Raises:
        ValueError: it refuses the request.
    """
    reason = " ".join(
        " ".join((each.text or "").split()) for each in document.iter() if each.tag == "text"
    )
    if not reason.lower().startswith(NO_DATA):
        raise ValueError(f"the publisher refuses the request: {reason[:160] or 'no reason'}")


def read_series(element: Element, document: Document) -> Series:
    """Return what a TimeSeries is about, and its values.

    Raises:
        ValueError: an unknown curve or resolution, a position outside its period, or no area.
    """
    given = {each.tag: (each.text or "").strip() for each in element if len(each) == 0}
    curve = given.get("curveType", "A01")
    if curve not in ("A01", "A03"):
        raise ValueError(f"curve type {curve[:20]!r} is not one of A01, A03")
    periods = [
        _read_period(period, document, repeat=curve == "A03")
        for period in element.iter("Period")
    ]
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
        _join([slots for slots, _ in periods], np.int64),
        _join([values for _, values in periods], np.float64),
    )


def _read_period(period: Element, document: Document, *, repeat: bool) -> tuple[Slots, Floats]:
    """Return the slots of a period and their values.

    With `repeat` a position that is left out is as the one before.
    """
    interval = period.find("timeInterval")
    if interval is None:
        raise ValueError("a period without a time interval")
    start, end = _time(text_of(interval, "start")), _time(text_of(interval, "end"))
    resolution = text_of(period, "resolution")
    minutes = RESOLUTIONS.get(resolution)
    if minutes is None:
        raise ValueError(
            f"resolution {resolution[:20]!r} is not one of {', '.join(RESOLUTIONS)}"
        )
    length = timedelta(minutes=minutes)
    count, rest = divmod(end - start, length)
    if rest or not 0 < count <= MOST_POINTS:
        raise ValueError(f"a period of {end - start} in slots of {length}")
    positions, values = _read_points(period, document)
    if not is_rising(positions):  # of a position that is there twice the last counts
        last = dict(zip(positions.tolist(), values.tolist(), strict=True))
        positions = np.array(sorted(last), np.int64)
        values = np.array([last[each] for each in positions.tolist()])
    if len(positions) and not (positions[0] > 0 and positions[-1] <= count):
        odd = positions[-1] if positions[0] > 0 else positions[0]
        raise ValueError(f"position {odd} of a period of {count}")
    if repeat and len(positions):
        ends = np.append(positions[1:], count + 1)
        values = np.repeat(values, ends - positions)
        positions = np.arange(positions[0], count + 1)
    first = (start - EPOCH) // timedelta(seconds=1)
    return slots_of(first + (positions - 1) * (minutes * 60), minutes), values


def _read_points(period: Element, document: Document) -> tuple[Slots, Floats]:
    """Return positions and values of the points in a period, NaN where a value is missing.

    Raises:
        ValueError: a position or a value is not a number.
    """
    positions: list[Slots] = []
    values: list[Floats] = []
    for each in period:
        if each.tag == STANDS_FOR_POINTS:
            found = POINT.findall(document.taken[int(each.get("n", ""))])
            positions.append(np.array([int(position) for position, _ in found], np.int64))
            values.append(np.array([float(value) for _, value in found]))
        elif each.tag == "Point":
            text = next((part.text for part in each if part.tag in VALUES), None)
            blank = not text or not text.strip()
            value = float("nan") if blank else float(text or "")
            if not blank and value != value:
                raise ValueError("a value that is not a number")
            positions.append(np.array([int(text_of(each, "position"))], np.int64))
            values.append(np.array([value]))
    joined = _join(values, np.float64)
    if np.isinf(joined).any():
        raise ValueError("a value that is not finite")
    return _join(positions, np.int64), joined


def _join(parts: Sequence[NDArray[Number]], kind: type[Number]) -> NDArray[Number]:
    """Return arrays one after the other."""
    return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, kind), *parts])


VALUES: Final = ("quantity", "price.amount")


def text_of(element: Element, name: str) -> str:
    """Return the text of a child element.

    Raises:
        ValueError: the child is missing or empty.
    """
    found = element.findtext(name)
    if found is None or not found.strip():
        raise ValueError(f"a {element.tag} without {name}")
    return found.strip()


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time {text[:40]!r} without a time zone")
    if moment.microsecond:
        raise ValueError(f"time {text[:40]!r} is not a whole second")
    return moment.astimezone(UTC)

"""What the replay server must know of a publisher to play it, and how to find zones by code."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gridtide_pipelines.ingest.source import Kind, Request, Source
from gridtide_pipelines.replay.faults import Reply

DATE: Final = re.compile(r"date'([^']+)'")


def simulate_nothing(_request: Request, _without: Collection[str], _now: datetime) -> None:
    """Return None: this publisher is not simulated."""


@dataclass(frozen=True, slots=True)
class Publisher:
    """A publisher as the replay server plays it.

    Attributes:
        describe: returns what a request is for, None where that is unknown, and the zones that
            it names.
        no_data: its way to say that it has no data for a request.
        refusal: its way to refuse a request that it does not understand.
        simulate: returns the simulated response to a described request, without the values of
            some zones and with observations up to a time; None where there is none.
    """

    describe: Callable[[Request], tuple[Kind | None, Sequence[str]]]
    no_data: Reply
    refusal: Reply
    simulate: Callable[[Request, Collection[str], datetime], Reply | None] = simulate_nothing


def json_reply(document: object, status: int = 200) -> Reply:
    """Return a response with a JSON body as publishers write it, without spaces."""
    return Reply(json.dumps(document, separators=(",", ":")).encode(), status)


def table_reply(
    header: Sequence[str], rows: Iterable[Sequence[object]] = (), *, quoted: bool = False
) -> Reply:
    """Return a response with a CSV body.

    Args:
        quoted: whether all fields stand in quotes.
    """
    return Reply(table(header, rows, quoted=quoted), content_type="text/csv")


def table(
    header: Sequence[str], rows: Iterable[Sequence[object]] = (), *, quoted: bool = False
) -> bytes:
    """Return the CSV of a header and rows; None is an empty field."""
    text = io.StringIO()
    if quoted:
        writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    else:
        writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def zip_reply(files: Mapping[str, bytes]) -> Reply:
    """Return a response with a ZIP of files, which have no time of their own."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return Reply(packed.getvalue(), content_type="application/zip")


def page_reply(inner: str) -> Reply:
    """Return a response with an HTML page."""
    page = f"<html><body>{inner}</body></html>"
    return Reply(page.encode(), content_type="text/html")


def zone_publisher(
    source: Source,
    render: Callable[[Sequence[str], Request, datetime], Reply],
    no_data: Reply,
    zones_of: Callable[[Request], Sequence[str]] | None = None,
    kind_of: Callable[[Request], Kind | None] | None = None,
) -> Publisher:
    """Return a simulated publisher with the same no-data response and refusal for all kinds.

    Args:
        render: returns the response about some zones to a request at a time.
        zones_of: returns the zones that a request names; None: all, always.
        kind_of: returns the kind of a request, None where it is of none; it may be left out
            where the source has one kind.
    """
    refusal = json_reply({"error": "invalid request"}, 400)

    def describe(request: Request) -> tuple[Kind | None, Sequence[str]]:
        kind = kind_of(request) if kind_of else next(iter(source.kinds))
        return kind, sorted(source.zones) if zones_of is None else zones_of(request)

    def simulate(request: Request, without: Collection[str], now: datetime) -> Reply:
        if kind_of and kind_of(request) is None:
            return refusal
        zones = [zone for zone in request.zones if zone not in without]
        try:
            return render(zones, request, now) if zones else no_data
        except (LookupError, ValueError):  # a parameter is missing, or not what it should be
            return refusal

    return Publisher(describe, no_data, refusal, simulate)


def exported_span(request: Request) -> tuple[datetime, datetime]:
    """Return start and end of an export that `opendatasoft.export` requests.

    Raises:
        ValueError, KeyError: the request names none.
    """
    start, end = DATE.findall(dict(request.params)["where"])
    return datetime.fromisoformat(start), datetime.fromisoformat(end)


def plain_publisher(source: Source) -> Publisher:
    """Return a publisher of which nothing more is known than its codes: it is not simulated.

    Zones are found where a part of the path or a value of the query is their code; a source of
    one zone is always requested for that one.
    """
    zones = {source.codes.get(zone, zone): zone for zone in source.zones}

    def describe(request: Request) -> tuple[None, Sequence[str]]:
        texts = [*request.path.split("/"), *(value for _, value in request.params)]
        if len(zones) == 1:
            return None, list(zones.values())
        return None, [zones[text] for text in texts if text in zones]

    return Publisher(
        describe, json_reply({"data": []}), json_reply({"error": "invalid request"}, 400)
    )

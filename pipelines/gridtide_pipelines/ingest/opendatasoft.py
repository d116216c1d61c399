"""Requests to, and answers of, portals that run Opendatasoft: several publishers do. Pure.

Docs: https://help.opendatasoft.com/apis/ods-explore-v2/
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gridtide_pipelines.ingest.source import Body, Query, Request, Span
from gridtide_pipelines.ingest.statements import read_answer, rows_of


def export(query: Query, dataset: str, column: str, span: Span, *, host: str = "") -> Request:
    """Return a request for all records of a data set whose `column` lies in `span`.

    The route `exports` has no pages, unlike `records`.
    """
    first, after = (f"date'{each:%FT%TZ}'" for each in (span.start, span.end))
    params = (
        ("where", f"{column} >= {first} AND {column} < {after}"),
        ("order_by", column),
        ("timezone", "UTC"),
    )
    path = f"/api/explore/v2.1/catalog/datasets/{dataset}/exports/json"
    return Request("GET", path, params, query.kind, query.zones, host=host, span=span)


@dataclass(frozen=True, slots=True)
class Page:
    """The records of one body.

    Attributes:
        cut: of the column that names a slot, the values of slots that may lack records.
    """

    records: Sequence[dict[str, Any]]
    cut: frozenset[object] = frozenset()


def read_pages(bodies: Sequence[Body], slot: str = "") -> list[Page]:
    """Return the records of answers of version 1, of 2.1 or of exports, body by body.

    One that lacks records that it says it has is a page of a longer answer. It is read, for
    what it says holds; only its first and its last slot may go on in another page.

    Args:
        slot: column that names the slot, where a slot has several records.

    Raises:
        ValueError, LookupError, TypeError: one has another shape.
    """
    pages: list[Page] = []
    answers: dict[int, list[int]] = {}
    for number, body in enumerate(bodies):
        records, stated = _read_records(body.content)
        pages.append(Page(records))
        if stated is not None:
            answers.setdefault(int(str(stated)), []).append(number)
    for stated, numbers in answers.items():
        there = {json.dumps(each, sort_keys=True) for n in numbers for each in pages[n].records}
        for number in numbers if slot and len(there) < stated else ():
            mine = pages[number].records
            edges = frozenset(each[slot] for each in (*mine[:1], *mine[-1:]))
            pages[number] = Page(mine, edges)
    return pages


def _read_records(content: bytes) -> tuple[list[dict[str, Any]], object]:
    """Return the records of an answer, and how many it says there are in all, if it does."""
    document = read_answer(content)
    if document is None:
        return [], None
    if isinstance(document, list):
        return document, None
    if "results" in document:
        return rows_of(document["results"]), document.get("total_count")
    records = rows_of(document["records"])
    return [record["fields"] for record in records], document.get("nhits")

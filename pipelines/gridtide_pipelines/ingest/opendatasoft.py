"""Requests to, and answers of, portals that run Opendatasoft: several publishers do. Pure.

Docs: https://help.opendatasoft.com/apis/ods-explore-v2/
"""

from __future__ import annotations

from typing import Any

from gridtide_pipelines.ingest.paging import check_count
from gridtide_pipelines.ingest.source import Query, Request, Span
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


def read_records(content: bytes) -> list[dict[str, Any]]:
    """Return the records of an answer of version 1, of 2.1 or of an export; none if empty.

    Raises:
        ValueError, LookupError, TypeError: it has another shape, or fewer records than it says.
    """
    document = read_answer(content)
    if document is None:
        return []
    if isinstance(document, list):
        return document
    version_2 = "results" in document
    records = rows_of(document["results" if version_2 else "records"])
    check_count(len(records), [document.get("total_count" if version_2 else "nhits")])
    return records if version_2 else [record["fields"] for record in records]

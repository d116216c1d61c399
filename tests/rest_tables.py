"""The tables of docs/rest.md, made from the definitions of requests and responses.

A comment in the document says which table follows it:

    <!-- response fields of Plan except those of BestWindow -->

`python -m tests.documents tables` writes the tables; `tests/test_docs.py` holds them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from gridtide.schema import requests
from gridtide.schema.definition import (
    is_record,
    json_fields,
    schema_name,
)
from gridtide.schema.openapi import describe
from gridtide.schema.prices import PriceRequest
from gridtide.schema.quality import QualityRequest
from gridtide_server.openapi import REQUESTS, RESPONSES

PATH = Path(__file__).resolve().parents[1] / "docs/rest.md"
TABLE = re.compile(
    r"<!-- (?P<head>parameter|request field|response field)s of (?P<kind>\w+)"
    r"(?: except those of (?P<known>\w+))? -->\n(?:\|[^\n]*\n)*"
)
QUERIES = (
    requests.BestWindowRequest,
    requests.BestRegionRequest,
    requests.IntensityRequest,
    requests.ForecastRequest,
    PriceRequest,
    QualityRequest,
    requests.ZonesRequest,
    requests.ReadinessRequest,
)


def definitions() -> dict[str, type[Any]]:
    """Return every definition of the API by its name in the OpenAPI."""
    found: dict[str, type[Any]] = {}
    todo: list[Any] = [*QUERIES, *REQUESTS, *RESPONSES]
    while todo:
        kind = todo.pop()
        if hasattr(kind, "ENCODED"):
            kind = kind.ENCODED
        if not is_record(kind):
            todo += get_args(kind)
        elif found.setdefault(schema_name(kind), kind) is kind:
            new = [each.encoded for each in json_fields(kind).values()]
            todo += [each for each in new if schema_name_of(each) not in found]
    return found


def schema_name_of(hint: Any) -> str:  # noqa: ANN401  # any type
    """Return the name of a definition; of another type, nothing."""
    return schema_name(hint) if is_record(hint) and not hasattr(hint, "ENCODED") else ""


def table(head: str, kind: type[Any], known: Iterable[str] = ()) -> str:
    """Return the table of the fields of a definition but those that are known already."""
    names = {key: each.about.parameter or key for key, each in json_fields(kind).items()}
    lines = [f"| {head.split()[-1]} | type | meaning |", "| --- | --- | --- |"]
    for row in describe(kind):
        if row.name in known:
            continue
        kinds = ", ".join(filter(None, (row.type, row.unit, row.bounds)))
        default = f"; default: `{row.default}`" if row.default else ""
        required = "required; " if row.required and head != "response field" else ""
        meaning = f"{required}{row.description}{default}"
        lines.append(f"| `{names[row.name]}` | {kinds} | {meaning} |")
    return "".join(f"{line}\n" for line in lines)


def write_tables(text: str) -> str:
    """Return the document with its tables as the definitions have them."""
    kinds = definitions()

    def one(found: re.Match[str]) -> str:
        known = kinds[found["known"]] if found["known"] else None
        names = () if known is None else json_fields(known)
        comment = found[0].partition("\n")[0]
        return f"{comment}\n{table(found['head'], kinds[found['kind']], names)}"

    return TABLE.sub(one, text)

"""Answers that say that there is more: they are paged, or refused, and never taken for all."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gridtide_pipelines.errors import SourceChanged
from gridtide_pipelines.ingest.source import Body, Query, Request, Source
from gridtide_pipelines.ingest.sources import (
    eia,
    eia_web,
    elia,
    energinet,
    isone,
    pjm,
    pse,
    rte,
)

DATA = Path(__file__).with_name("data")
KEY = ("signal", "start", "issued_at")
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def first_request(source: Source) -> Request:
    zone = sorted(source.zones)[0]
    kind = sorted(source.kinds, key=lambda kind: kind != "generation")[0]
    query = Query(kind, (zone,), NOW - timedelta(hours=12), NOW, NOW)
    return source.requests(query)[0][0]


def page(source: Source, document: object) -> Body:
    return Body(first_request(source), json.dumps(document).encode(), NOW, 1)


def written(name: str) -> Any:  # noqa: ANN401  # any JSON
    return json.loads((DATA / name).read_bytes())


@pytest.mark.parametrize("source", [pjm.SOURCE, eia_web.SOURCE], ids=["pjm", "eia_web"])
def test_an_answer_with_fewer_rows_than_it_counts_is_followed_by_its_next_page(
    source: Source,
) -> None:
    assert source.following
    if source is pjm.SOURCE:
        whole = written("pjm/gen_by_fuel.json")
        rows, count, offset = len(whole["items"]), "totalRows", ("startRow", 1)
        second, empty = whole, {"items": [], count: 2 * rows}
        whole[count] = 2 * rows
    else:
        (whole,) = written("eia_web/generation.json")
        rows, count, offset = 6, "totalCount", ("offset", 0)
        second, empty = whole, {"data": [{"FUEL_TYPE_NAME": "Coal", "VALUES": NO_VALUES}]}
        whole[count] = str(2 * rows)
        empty[count] = whole[count]
    first = page(source, whole)
    with pytest.raises(SourceChanged, match=f"{rows} rows of the {2 * rows}"):
        source.parse([first])
    (request,) = source.following([first])
    name, start = offset
    assert dict(request.params)[name] == str(start + rows)
    both = [first, replace(page(source, second), request=request)]
    assert source.following(both) == ()
    assert source.parse(both).height
    with pytest.raises(SourceChanged, match="rows of the"):
        source.following([first, page(source, empty)])


NO_VALUES = {"DATES": [], "DATA": []}


def test_rows_of_eia_that_no_page_has_are_not_given_up_silently() -> None:
    first = page(eia.SOURCE, written("eia/generation_page_of_more.json"))
    (second,) = eia.following([first])
    nothing = {"response": {"data": [], "total": 0}}
    empty = Body(second, json.dumps(nothing).encode(), NOW, 1)
    with pytest.raises(SourceChanged, match="empty page"):
        eia.following([first, empty])


def test_a_page_of_pse_that_links_to_another_is_not_all() -> None:
    document = written("pse/autumn.json")
    last = page(pse.SOURCE, document)
    link = "https://api.raporty.pse.pl/api/his-gen-pal-sire?$first=10000&$after=abc%3D"
    first = page(pse.SOURCE, document | {"nextLink": link})
    (request,) = pse.following([first])
    assert request.path == "/api/his-gen-pal-sire"
    assert request.params == (("$first", "10000"), ("$after", "abc="))
    assert pse.following([first, last]) == ()
    assert pse.SOURCE.parse([first, last]).height == pse.SOURCE.parse([last]).height
    with pytest.raises(SourceChanged, match="another follows"):
        pse.SOURCE.parse([first])


def test_a_page_of_records_is_read_and_its_first_and_last_slot_are_partial() -> None:
    def records(*rows: tuple[int, str], total: int) -> Body:
        found = [
            {
                "datetime": f"2026-03-01T0{hour}:00:00+00:00",
                "resolutioncode": "PT60M",
                "fueltypeentsoe": fuel,
                "generatedpower": 10,
            }
            for hour, fuel in rows
        ]
        return page(elia.SOURCE, {"total_count": total, "results": found})

    on, off = "Wind Onshore", "Wind Offshore"
    first = records((0, on), (0, off), (1, on), (1, off), (2, on), total=8)
    rest = records((2, off), (3, on), (3, off), total=8)
    said = [(20.0, "partial"), (20.0, None), (10.0, "partial")]
    assert elia.SOURCE.parse([first]).sort("start")["value", "flag"].rows() == said
    assert elia.SOURCE.parse([first, first]).sort("start")["value", "flag"].rows() == said
    whole = elia.SOURCE.parse([first, rest]).sort("start")["value", "flag"].rows()
    assert whole == [(20.0, None), (20.0, None), (20.0, None), (20.0, None)]


def test_pages_of_one_day_of_eco2mix_are_read_together() -> None:
    document = written("rte/quarters.json")
    parts = [
        page(rte.SOURCE, {"total_count": 4, "results": part})
        for part in (document[:2], document[2:])
    ]
    found, whole = rte.SOURCE.parse(parts), rte.SOURCE.parse([page(rte.SOURCE, document)])
    assert found.drop("body").sort(*KEY).equals(whole.drop("body").sort(*KEY))


def test_all_rows_of_energinet_are_requested_and_must_be_there() -> None:
    document = written("energinet/generation.json")
    assert energinet.SOURCE.parse([page(energinet.SOURCE, document)]).height
    short = page(energinet.SOURCE, document | {"total": document["total"] + 1})
    with pytest.raises(SourceChanged, match="rows of the"):
        energinet.SOURCE.parse([short])


def test_a_report_of_new_england_with_fewer_lines_than_it_counts_is_refused() -> None:
    content = (DATA / "isone/genfuelmix.csv").read_bytes()
    lines = content.splitlines(keepends=True)
    place = next(n for n, line in enumerate(lines) if line.startswith(b'"D"'))
    short = b"".join([*lines[:place], *lines[place + 1 :]])
    assert isone.parse([Body(Request("GET", "/"), content, NOW, 1)]).height
    with pytest.raises(SourceChanged, match="29 rows of the 30"):
        isone.parse([Body(Request("GET", "/"), short, NOW, 1)])

"""What every source keeps to, over written bodies of its real shape and over hostile ones."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridtide.model import Signal
from gridtide_pipelines.errors import NothingYet, SourceChanged
from gridtide_pipelines.ingest.access import setting_of
from gridtide_pipelines.ingest.checks import check_readings
from gridtide_pipelines.ingest.source import (
    READING,
    Body,
    Kind,
    Parameter,
    Query,
    Request,
    Source,
    Span,
)
from gridtide_pipelines.ingest.sources import last_seen, sources
from gridtide_pipelines.ingest.tasks import plan
from gridtide_store.ledger import Ledger
from gridtide_store.vocabulary import FUELS, IMPORT, generation, share
from gridtide_store.weather import SCALES

DATA = Path(__file__).with_name("data")
KNOWN_AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
START = datetime(2026, 3, 1, tzinfo=UTC)
NETWORK = [source for source in sources().values() if source.answer is None]
CASES = [
    (source, path) for source in NETWORK for path in sorted((DATA / source.name).glob("*.*"))
]
# Those that answer in JSON, whose trees the tests below take apart.
JSON_CASES = [(source, path) for source, path in CASES if path.suffix == ".json"]
JSON = [source for source in NETWORK if source in [each for each, _ in JSON_CASES]]
# A fuel is the sum of rows in any order, so a sum may lack those behind a cut. Nothing in the
# body tells; the length in the headers of the response does (see `fetch`).
ROWS_ARE_ADDED = {"statcan_hfed"}
SIGNALS = {
    *map(str, Signal),
    *map(generation, FUELS),
    *map(share, (*FUELS, "imports")),
    "load",
    "flow",
    "generation_total",
    "imports",
    *(f"price_{currency}" for currency in ("aud", "cad", "dkk", "eur", "gbp", "pln", "usd")),
    *(f"weather_{quantity}" for quantity in SCALES),
}


def body(content: bytes) -> Body:
    return Body(Request("GET", "/written"), content, KNOWN_AT, 7)


def parsed(source: Source, content: bytes) -> pl.DataFrame | None:
    """What the source reads, None where it refuses; anything else it raises fails the test."""
    try:
        return source.parse([body(content)])
    except (SourceChanged, NothingYet):
        return None


def nodes(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    """The path of every node of a JSON tree."""
    yield path
    if isinstance(tree, dict | list):
        inner = tree.items() if isinstance(tree, dict) else enumerate(tree)
        for key, value in inner:
            yield from nodes(value, (*path, key))


def swapped(tree: Any, path: tuple[Any, ...], value: Any) -> Any:  # noqa: ANN401
    """A copy of a JSON tree with the node at `path` replaced."""
    if not path:
        return value
    changed = copy.deepcopy(tree)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return changed


def ids(case: tuple[Source, Path]) -> str:
    return f"{case[0].name}-{case[1].stem}"


@pytest.mark.parametrize("source", NETWORK, ids=lambda source: source.name)
def test_each_source_brings_written_bodies_of_at_most_5_kb(source: Source) -> None:
    sizes = [path.stat().st_size for path in sorted((DATA / source.name).glob("*.*"))]
    assert sizes, f"write a body of the real shape into {DATA / source.name}"
    assert max(sizes) <= 5000


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_a_written_body_gives_readings_or_is_refused_by_name(case: tuple[Source, Path]) -> None:
    source, path = case
    frame = parsed(source, path.read_bytes())
    refused = any(word in path.stem for word in ("error", "refused", "only_nulls", "nothing"))
    assert (frame is None) == refused
    if frame is not None:
        assert frame.schema == READING
        assert not frame.is_empty()
        named = frame.filter(~pl.col("signal").str.starts_with(f"{IMPORT}_"))
        assert set(named["signal"]) <= SIGNALS
        assert (frame["start"] < frame["end"]).all()
        assert (frame["body"] == 0).all()
        for flags in (each.split(";") for each in frame["flag"].drop_nulls()):
            assert flags == sorted(set(flags))
        assert check_readings(frame).equals(frame)


@pytest.mark.parametrize("source", NETWORK, ids=lambda source: source.name)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><body>Service unavailable</body></html>",
        b"\xff\xfe\x00\xd8",
        b"42",
        b"0",
        b"false",
        b'"text"',
        b'{"error": {"code": "400 Bad Request", "message": "invalid date"}}',
        b'{"error": "no data: the API key is not valid"}',
        b'{"message": "welcome"}',
        b'{"data": "none", "response": {"data": 0}}',
        b'{"data": NaN}',
        b"[" * 100_000,
        b'{"data":' * 20_000,
    ],
    ids=range(14),
)
def test_a_body_that_is_no_answer_is_source_changed(source: Source, content: bytes) -> None:
    with pytest.raises(SourceChanged, match=source.name):
        source.parse([body(content)])


@pytest.mark.parametrize("source", JSON, ids=lambda source: source.name)
@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b"null",
        b"[]",
        b" [ ]\n",
        b'{"data": null, "response": null}',
        b'{"data": [], "response": {"total": "0", "data": []}}',
        b'{"data": {}, "response": {}}',
        b'{"data": [], "response": {"data": null}}',
        b'{"error": {"code": "404 Not Found", "message": "No data found"}}',
        b'{"error": "No matching data found"}',
        b'{"error": "Data is not yet available for this period"}',
        b'{"message": "no results"}',
    ],
    ids=range(12),
)
def test_a_way_to_say_nothing_yet_is_nothing_yet(source: Source, content: bytes) -> None:
    requested = body(content)
    with pytest.raises(NothingYet, match=source.name):
        source.parse([requested])
    assert source.following is None or not source.following([requested])


@settings(deadline=None)
@given(case=st.sampled_from(CASES), data=st.data())
def test_a_truncated_body_raises_source_changed_and_nothing_else(
    case: tuple[Source, Path], data: st.DataObject
) -> None:
    source, path = case
    whole = path.read_bytes().rstrip()
    cut = data.draw(st.integers(0, len(whole) - 1))
    if path.suffix == ".csv" and (frame := parsed(source, whole[:cut])) is not None:
        # A table that ends with a row is a shorter table; it says nothing that was not said.
        expected = parsed(source, whole)
        assert expected is not None
        key = ["zone", "signal", "start", "issued_at"]
        both = frame.join(expected, on=key, nulls_equal=True)
        assert both.height == frame.height
        if source.name in ROWS_ARE_ADDED:
            return
        assert both.filter(pl.col("value") != pl.col("value_right")).is_empty()
        return
    with pytest.raises((SourceChanged, NothingYet) if path.suffix == ".csv" else SourceChanged):
        source.parse([body(whole[:cut])])


@settings(deadline=None)
@given(
    case=st.sampled_from(JSON_CASES),
    data=st.data(),
    value=st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.text(max_size=6),
        st.sampled_from(["2026-02-30T00:00Z", "9999-12-31T23", "0000-01-01T00", "1e999"]),
        st.just([]),
        st.just({}),
        st.just([[], {}]),
    ),
)
def test_a_value_of_another_type_is_read_or_source_changed(
    case: tuple[Source, Path],
    data: st.DataObject,
    value: Any,  # noqa: ANN401  # any JSON value
) -> None:
    source, path = case
    tree = json.loads(path.read_bytes())
    spot = data.draw(st.sampled_from(list(nodes(tree))))
    content = json.dumps(swapped(tree, spot, value)).encode()
    frame = parsed(source, content)
    if frame is not None:
        check_readings(frame)
    if source.following:
        with contextlib.suppress(SourceChanged):
            source.following([body(content)])


@settings(deadline=None)
@given(case=st.sampled_from(CASES), content=st.binary(max_size=60))
def test_bytes_that_mean_nothing_are_source_changed(
    case: tuple[Source, Path], content: bytes
) -> None:
    with pytest.raises((SourceChanged, NothingYet)):
        case[0].parse([body(content)])


@pytest.mark.parametrize("source", NETWORK, ids=lambda source: source.name)
@settings(deadline=None)
@given(
    minutes=st.integers(0, 60 * 24 * 400), length=st.integers(1, 60 * 24 * 60), data=st.data()
)
def test_requests_split_a_span_without_a_hole_and_hold_no_key(
    source: Source, minutes: int, length: int, data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(sorted(source.kinds)))
    zones = data.draw(st.lists(st.sampled_from(sorted(source.zones)), min_size=1, unique=True))
    start = START + timedelta(minutes=minutes)
    end = start + timedelta(minutes=length)
    query = Query(kind, tuple(zones), start, end, end)
    groups = source.requests(query)
    assert groups == source.requests(query)
    for request in (request for group in groups for request in group):
        assert request.path.startswith("/")
        assert request.kind is kind
        assert not set(request.zones).isdisjoint(zones)
        assert not request.host or request.host in source.hosts
        if source.credentials and isinstance(source.credentials.send, Parameter):
            assert source.credentials.send.name not in dict(request.params)


@pytest.mark.parametrize("source", sources().values(), ids=lambda source: source.name)
@settings(deadline=None)
@given(day=st.integers(0, 400), length=st.integers(1, 60), data=st.data())
def test_the_spans_of_the_groups_of_a_zone_cover_the_days_of_the_query(
    source: Source, day: int, length: int, data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(sorted(source.kinds - {Kind.FORECAST})))
    zone = data.draw(st.sampled_from(sorted(source.zones)))
    start = START + timedelta(days=day)
    query = Query(kind, (zone,), start, start + timedelta(days=length), KNOWN_AT)
    spans = [
        request.span or Span(query.start, query.end)
        for group in source.requests(query)
        for request in group
        if zone in request.zones
    ]
    at = query.start
    for span in sorted(spans, key=lambda span: span.start):
        assert span.start <= at
        at = max(at, span.end)
    assert at == query.end or not spans  # not every zone has every kind


def test_no_setting_moves_two_hosts() -> None:
    names = [setting_of(s, host) for s in sources().values() for host in ("", *s.hosts)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("source", sources().values(), ids=lambda source: source.name)
def test_a_source_says_who_it_is_and_under_which_terms(source: Source) -> None:
    assert source.name == source.name.lower().replace("-", "_")
    assert source.kinds
    assert source.zones
    assert source.licence
    assert source.attribution
    assert source.step > timedelta(0)
    assert source.max_span >= source.step
    ages = [tier.age for tier in source.refetch]
    assert ages == sorted(set(ages))
    assert [tier.every for tier in source.refetch] == sorted(t.every for t in source.refetch)
    assert source.reach is None or source.reach >= source.max_span
    assert all(isinstance(kind, Kind) for kind in source.kinds)
    assert source.answer or source.base_url.startswith("https://")


@pytest.mark.parametrize("hour", [0, 12, 23])
def test_a_forecast_takes_no_request_for_days_without_one(tmp_path: Path, hour: int) -> None:
    now = KNOWN_AT.replace(hour=hour)
    wanted = [source for source in NETWORK if Kind.FORECAST in source.kinds]
    tasks = plan(wanted, (), ledger=Ledger(tmp_path / "ledger"), now=now, since=now)
    ahead = [task for task in tasks if task.kind is Kind.FORECAST]
    assert {task.source.name for task in ahead} == {source.name for source in wanted}
    for task in ahead:
        one, all_of_it = (
            task.source.requests(Query(task.kind, task.zones[:2], now, end, now))
            for end in (now + timedelta(hours=1), task.span.end)
        )
        assert len(one) == len(all_of_it), task.source.name
        assert task.span.end - now >= timedelta(days=2), task.source.name


@pytest.mark.parametrize("source", NETWORK, ids=[source.name for source in NETWORK])
def test_a_source_says_when_its_shape_was_last_seen_and_how(source: Source) -> None:
    seen = last_seen(source)
    assert seen is not None, (
        "its docstring lacks 'Last seen:  2025-11 (recorded or written ...)'"
    )
    assert "2015-01" <= seen.month <= f"{datetime.now(UTC):%Y-%m}"


def test_the_template_in_the_docs_is_a_source() -> None:
    text = (Path(__file__).parents[2] / "docs/code.md").read_text(encoding="utf-8")
    code = text.partition("### Add a source")[2].partition("```python\n")[2].partition("```")[0]
    module: dict[str, Any] = {}
    exec(compile(code, "template", "exec"), module)  # noqa: S102  # ours, from the docs
    source: Source = module["SOURCE"]
    end = START + timedelta(days=2, hours=5)
    groups = source.requests(Query(Kind.LOAD, ("FR",), START, end, end))
    assert [group[0].path[-14:] for group in groups] == [
        "2026-03-01.csv",
        "2026-03-02.csv",
        "2026-03-03.csv",
    ]
    known = body(b"2026-03-01T00:00Z,50000\n2026-03-01T01:00Z,49000\n")
    assert source.parse([known])["value"].to_list() == [50000.0, 49000.0]
    for content in (b"<html>down</html>", b"2026-03-01T00:00Z,x", b"\xff\xfe"):
        with pytest.raises(SourceChanged):
            source.parse([body(content)])
    with pytest.raises(NothingYet):
        source.parse([body(b"")])

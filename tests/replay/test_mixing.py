"""Simulated responses make simulated rows, which never meet real ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gridtide.errors import BadInput
from gridtide_pipelines.errors import SimulatedAndReal
from gridtide_pipelines.ingest.fetch import Fetch
from gridtide_pipelines.ingest.groups import Intake
from gridtide_pipelines.ingest.mixing import RowKind, row_kind, rows_for
from gridtide_pipelines.ingest.source import Kind, Query, Request, Response, Source
from gridtide_pipelines.ingest.sources import sources
from gridtide_pipelines.replay.publishers import publishers
from gridtide_store.data_directory import DataDirectory
from gridtide_store.ledger import Ledger
from gridtide_store.raw_responses import retrievals
from gridtide_store.settings import Settings
from gridtide_store.store import Store
from tests.flow.written import ingest_query

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
START = NOW - timedelta(hours=6)
SOURCES = sources()
UK, ENTSOE = SOURCES["uk_carbon_intensity"], SOURCES["entsoe"]
PLAYED = publishers({"uk_carbon_intensity": UK, "entsoe": ENTSOE})
MARK = {"gridtide-simulated": "1"}


def answering(*, simulated: bool) -> Fetch:
    """Responses that are simulated, or pass for real."""

    def fetch(source: Source, request: Request) -> Response:
        reply = PLAYED[source.name].simulate(request, (), NOW)
        assert reply
        return Response(reply.content, headers=MARK if simulated else {})

    return fetch


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(DataDirectory(tmp_path)) as opened:
        yield opened


def load(
    store: Store,
    source: Source = UK,
    kind: Kind = Kind.INTENSITY,
    *,
    simulated: bool,
    rows: RowKind | None = None,
) -> Intake:
    query = Query(kind, ("GB" if source is UK else "FR",), START, NOW, NOW)
    work = ingest_query(
        source, query, fetch=answering(simulated=simulated), store=store, rows=rows
    )
    return work.finish()


def test_rows_of_a_simulated_response_are_simulated(store: Store) -> None:
    assert load(store, simulated=True).simulated
    load(store, kind=Kind.FORECAST, simulated=True)
    assert store.publishers() == {UK.name: True}
    runs = store.forecasts("GB", "ci_direct_consumed", NOW, NOW + timedelta(days=1), as_of=NOW)
    assert runs["simulated"].to_list() == [True] * runs.height
    assert runs.height


def test_rows_of_a_real_response_are_not(store: Store) -> None:
    assert not load(store, simulated=False).simulated
    assert store.publishers() == {UK.name: False}


@pytest.mark.parametrize("first", [True, False])
def test_the_first_rows_decide_what_a_data_directory_takes(
    first: bool,  # noqa: FBT001  # a case
    store: Store,
) -> None:
    rows = RowKind()
    load(store, simulated=first, rows=rows)
    with pytest.raises(SimulatedAndReal, match="name another data directory"):
        load(store, ENTSOE, Kind.GENERATION, simulated=not first, rows=rows)
    assert store.publishers() == {UK.name: first}
    # So it is in the next run, by what is stored.
    rows = row_kind(Ledger(store.home.ledger), store)
    with pytest.raises(SimulatedAndReal):
        load(store, simulated=not first, rows=rows)
    load(store, ENTSOE, Kind.GENERATION, simulated=first, rows=rows)
    assert store.publishers() == {UK.name: first, ENTSOE.name: first}


def test_a_refused_response_is_not_archived(store: Store) -> None:
    load(store, simulated=False)
    archived = retrievals(store.connection).height
    with pytest.raises(SimulatedAndReal):
        load(store, simulated=True, rows=RowKind(store.publishers()))
    assert retrievals(store.connection).height == archived


def test_a_source_that_was_replayed_may_be_replayed_again(store: Store) -> None:
    ledger = Ledger(store.home.ledger)
    load(store, simulated=True)
    moved = Settings(store.home.root, base_urls={UK.name: "http://127.0.0.1:9/uk"})
    assert rows_for([UK, ENTSOE], moved, ledger, store).holds_simulated([UK.name])
    other = Settings(store.home.root, base_urls={ENTSOE.name: "http://127.0.0.1:9/entsoe"})
    for settings in (other, Settings(store.home.root)):
        with pytest.raises(BadInput, match=r"holds simulated rows \(from uk_carbon"):
            rows_for([UK, ENTSOE], settings, ledger, store)


def test_a_command_that_brings_other_rows_is_refused_before_it_begins() -> None:
    rows = RowKind({"eia": False})
    rows.refuse(simulated=False)
    with pytest.raises(BadInput, match=r"holds real rows \(from eia\) and cannot take simul"):
        rows.refuse(simulated=True)
    with pytest.raises(BadInput, match="holds simulated rows"):
        RowKind({"eia": True}).refuse(simulated=False)
    RowKind().refuse(simulated=True)

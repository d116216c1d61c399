"""A day of ENTSO-E recorded twice, years apart: both revisions are kept and answered as of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide_pipelines.derive.factors import factor_set
from gridtide_pipelines.ingest.flow import derive_pending
from gridtide_pipelines.ingest.normalize import normalize
from gridtide_pipelines.ingest.source import Body, Request
from gridtide_pipelines.ingest.sources.entsoe import SOURCE
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.store import Store

pytestmark = pytest.mark.recorded

DAY = datetime(2021, 1, 1, tzinfo=UTC)
NEXT = DAY + timedelta(days=1)
# When each body was received, by its file.
FIRST = datetime(2021, 11, 23, 12, 0, tzinfo=UTC)
SECOND = datetime(2025, 11, 29, 18, 0, tzinfo=UTC)
BODIES = {
    FIRST: "DE_A75_20210101_recorded20211123",
    SECOND: "DE_A75_20210101_recorded20251129",
}
GAS = "generation_gas"


def take_in(store: Store, recorded: Path, known_at: datetime) -> int:
    """Take in a body as a refresh at that time did, and derive; return the rows added."""
    content = (recorded / "fixtures/entsoe" / f"{BODIES[known_at]}.xml").read_bytes()
    request = Request("GET", "/api", zones=("DE",))
    kept = store.keep(SOURCE.name, request.address, content, known_at)
    bodies = [Body(request, content, known_at, kept)]
    found = normalize(SOURCE.parse(bodies), SOURCE, bodies)
    assert found.flags == {}
    added = store.append(found.observations, received=True)
    derive_pending(store, factor_set())
    return added


def gas(store: Store, as_of: datetime) -> list[float]:
    return store.history("DE", GAS, DAY, NEXT, as_of=as_of)["value"].to_list()


def test_both_revisions_are_kept_and_each_is_what_was_known(
    recorded: Path, tmp_path: Path
) -> None:
    home = DataDirectory(tmp_path)
    ci = "ci_lifecycle_produced"
    source = f"derived@{factor_set().name}/entsoe"
    with writer_lock(home, "test", SECOND), Store.open(home) as store:
        added = [take_in(store, recorded, known_at) for known_at in BODIES]
        revisions = store.revisions("DE", "entsoe", DAY, NEXT)
        assert revisions.height == sum(added)
        by_time = dict(revisions.group_by("known_at").len().iter_rows())
        assert by_time == {FIRST: added[0], SECOND: added[1]}
        assert added[0] >= 96 * 11
        assert 1000 < added[1] <= added[0]  # nearly every value was revised

        # The first quarter hour, as the two bodies say.
        first, second = gas(store, SECOND - timedelta(hours=1)), gas(store, SECOND)
        assert (first[0], round(second[0])) == (5451.0, 6732)
        assert len(first) == len(second) == 96
        assert gas(store, FIRST) == first
        assert gas(store, FIRST - timedelta(seconds=1)) == []
        # The same body again, known later, is not a third revision.
        assert take_in(store, recorded, SECOND) == 0

        intensity = {
            as_of: store.history("DE", ci, DAY, NEXT, as_of=as_of, sources=[source])
            for as_of in (FIRST, SECOND)
        }
        for frame in intensity.values():
            assert frame.height == 96
            assert frame["value"].null_count() == 0
        then, now = (frame["value"].mean() for frame in intensity.values())
        assert isinstance(then, float)
        assert isinstance(now, float)
        assert abs(then - now) > 1
        assert set(intensity[FIRST]["known_at"]) == {FIRST}
        assert set(intensity[SECOND]["known_at"]) == {SECOND}


def test_each_body_says_what_its_expected_file_says_of_the_revision(recorded: Path) -> None:
    values = []
    for name in BODIES.values():
        path = recorded / "fixtures/entsoe/expected" / f"{name}.csv"
        values.append(pl.read_csv(path).sort("timestamp_utc", "fuel")["mw"])
    changed = (values[0] - values[1]).abs() > 0
    assert changed.sum() / len(changed) > 0.9

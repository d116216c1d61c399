"""What needs a look: the answers of ``/v1/zones/{zone}/quality``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import duckdb
import polars as pl
import pytest

from gridtide.schema.quality import ZoneQuality
from gridtide_store.accepting import accept
from gridtide_store.anomalies import ANOMALY, Filter
from gridtide_store.pointer import current_snapshot
from gridtide_store.receiving import receive
from gridtide_store.snapshot import Snapshot
from gridtide_store.snapshot_anomalies import MOST_OF_A_ZONE, PUBLISHED_FOR, read_anomalies
from gridtide_store.vocabulary import OBSERVATION
from tests.server.published import HOUR, NOW, Asker, FixedClock, Publisher, observed

URL = "/v1/zones/DE/quality"
START = NOW - 6 * HOUR
NONE = pl.DataFrame(schema=OBSERVATION)


def anomalies(
    *values: float, flag: str = "implausible", zone: str = "DE", hours: float = 0
) -> pl.DataFrame:
    """Anomalous loads of slots from START on, received `hours` before NOW."""
    rows = observed(
        zone, values, start=START, signal="load", source="alpha", known_at=NOW - hours * HOUR
    )
    return rows.with_columns(
        flag=pl.lit(flag), issued_at=pl.lit(None, ANOMALY["issued_at"])
    ).select(ANOMALY.names())


@pytest.fixture
def served(publisher: Publisher) -> Iterator[tuple[Publisher, Asker]]:
    """A home with a few values, and a server over it."""
    publisher.add(observed("DE", [1.0] * 6, start=START), observed("FR", [1.0], start=START))
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        yield publisher, ask


def receive_all(publisher: Publisher, *frames: pl.DataFrame) -> None:
    for frame in frames:
        receive(publisher.store, NONE, frame, lag=HOUR)


def test_the_newest_anomalies_are_listed_and_all_are_counted(
    served: tuple[Publisher, Asker],
) -> None:
    publisher, ask = served
    receive_all(
        publisher,
        anomalies(9e9, 8e9, hours=3),
        anomalies(500.0, flag="unmapped_code:WIN", hours=2),
        anomalies(501.0, flag="unmapped_code:XYZ", hours=2),
        anomalies(7e9, zone="FR"),
    )
    receive_all(publisher, anomalies(300.0, zone="DE->FR", flag="frozen", hours=1))
    accept(publisher.store, Filter(ids=[1]), NOW - HOUR, note="not for everybody")
    publisher.publish()
    answer = ask.json(f"{URL}?limit=2")
    assert answer["zone"] == "DE"
    assert answer["since"] is None
    assert answer["counts"] == [
        {"source": "alpha", "flag": "frozen", "count": 1, "accepted": 0},
        {"source": "alpha", "flag": "implausible", "count": 2, "accepted": 1},
        {"source": "alpha", "flag": "unmapped_code", "count": 2, "accepted": 0},
    ]
    first, second = answer["anomalies"]
    assert first == {
        "id": 6,
        "zone": "DE->FR",
        "signal": "load",
        "source": "alpha",
        "start": "2026-03-02T06:00:00Z",
        "end": "2026-03-02T07:00:00Z",
        "value": 300.0,
        "quality": "measured",
        "flag": "frozen",
        "in_series": False,
        "known_at": "2026-03-02T11:00:00Z",
        "accepted_at": None,
    }
    assert (second["flag"], second["in_series"]) == ("unmapped_code:XYZ", True)
    all_of_them = ask.json(URL)["anomalies"]
    assert [each["id"] for each in all_of_them] == [6, 4, 3, 2, 1]
    (accepted,) = (each for each in all_of_them if each["accepted_at"])
    assert (accepted["id"], accepted["in_series"]) == (1, True)
    assert "not for everybody" not in str(all_of_them)
    in_france = ask.json("/v1/zones/FR/quality")["anomalies"]
    assert [each["id"] for each in in_france] == [5, 6]


def test_the_past_knows_only_what_had_been_received_and_accepted(
    served: tuple[Publisher, Asker],
) -> None:
    publisher, ask = served
    receive_all(publisher, anomalies(9e9, hours=3), anomalies(8e9, hours=1))
    accept(publisher.store, Filter(ids=[1]), NOW - HOUR, note="x")
    publisher.publish()
    answer = ask.json(f"{URL}?as_of=2026-03-02T10:00:00Z")
    (only,) = answer["anomalies"]
    assert (only["value"], only["accepted_at"], only["in_series"]) == (9e9, None, False)
    assert [each["accepted"] for each in answer["counts"]] == [0]


def test_a_zone_without_anomalies_has_none(served: tuple[Publisher, Asker]) -> None:
    publisher, ask = served
    publisher.publish()
    answer = ask.json(URL)
    assert (answer["since"], answer["counts"], answer["anomalies"]) == (None, [], [])
    assert ask("/v1/zones/Atlantis/quality").status_code == 404
    for query in ("limit=0", "limit=1001", "limit=many", "flag=frozen"):
        assert ask(f"{URL}?{query}").status_code == 422


def test_what_came_in_between_is_in_the_next_snapshot(served: tuple[Publisher, Asker]) -> None:
    publisher, ask = served
    publisher.publish()
    assert ask.json(URL)["anomalies"] == []
    receive_all(publisher, anomalies(9e9))
    publisher.publish(NOW)
    assert len(ask.json(URL)["anomalies"]) == 1


def test_a_snapshot_holds_so_many_of_a_zone_and_says_since_when(
    served: tuple[Publisher, Asker],
) -> None:
    publisher, _ = served
    connection = publisher.store.connection
    connection.execute(
        "INSERT INTO anomaly SELECT n, 'DE', 'load', 'alpha', $1, $1, n, 'measured', NULL, "
        "'implausible', $1 + to_minutes(n), 1, 1, NULL, '' FROM range($2) t(n)",
        [START - PUBLISHED_FOR / 2, MOST_OF_A_ZONE + 5],
    )
    connection.execute(
        "INSERT INTO anomaly SELECT 9999, 'FR', 'load', 'alpha', $1, $1, 1, 'measured', NULL, "
        "'implausible', $1, 1, 1, NULL, ''",
        [START - 2 * PUBLISHED_FOR],
    )
    publisher.publish()
    folder = current_snapshot(publisher.home)
    assert folder is not None
    with Snapshot.open(folder) as snapshot:
        found = snapshot.anomalies("DE", as_of=NOW, limit=3)
        assert found.counts == (("alpha", "implausible", MOST_OF_A_ZONE, 0),)
        assert found.newest["id"].to_list() == [MOST_OF_A_ZONE + n for n in (4, 3, 2)]
        assert found.since == START - PUBLISHED_FOR / 2 + timedelta(minutes=5)
        old = snapshot.anomalies("FR", as_of=NOW, limit=3)
        assert (old.counts, old.since) == ((), START - 2 * PUBLISHED_FOR)


def test_a_snapshot_of_an_older_gridtide_has_none() -> None:
    connection = duckdb.connect()
    connection.execute("ATTACH ':memory:' AS delta")
    found = read_anomalies(connection, "DE", as_of=None, limit=5)
    assert (found.newest.height, found.counts, found.since) == (0, (), None)


def test_the_sdk_reads_it(served: tuple[Publisher, Asker]) -> None:
    publisher, ask = served
    receive_all(publisher, anomalies(9e9, 8e9))
    publisher.publish()
    result = ZoneQuality.from_json(ask.json(URL))
    assert str(result) == "DE (Germany): implausible 2"
    assert [row["value"] for row in result.to_dicts()] == [8e9, 9e9]
    assert result.to_polars()["known_at"].to_list() == [NOW, NOW]

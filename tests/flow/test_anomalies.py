"""`gridtide anomalies`: what was left out is listed, and taken in by hand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from gridtide.cli.script import main
from gridtide.model import Quality
from gridtide_pipelines.ingest.groups import Intake
from gridtide_pipelines.ingest.parsing import readings
from gridtide_pipelines.ingest.source import Body, Kind, Query, Request, Response
from gridtide_pipelines.ingest.sources import uk_carbon_intensity
from gridtide_store.accepting import accept
from gridtide_store.anomalies import ANOMALY, Filter, read_anomalies, record_anomalies
from gridtide_store.data_directory import DataDirectory, writer_lock
from gridtide_store.receiving import receive
from gridtide_store.store import Store
from tests.flow.test_flow import HOUR, START, mix
from tests.flow.written import ingest_query

NOW = START + timedelta(days=1)
NOTE = ("--note", "operations: confirmed by telephone")


def as_anomalies(rows: pl.DataFrame, flag: str) -> pl.DataFrame:
    return rows.with_columns(
        flag=pl.lit(flag), issued_at=pl.lit(None, ANOMALY["issued_at"])
    ).select(ANOMALY.names())


@pytest.fixture
def home(tmp_path: Path) -> DataDirectory:
    """Two hours of DE; in the second one, gas is implausible and wind has an unmapped code."""
    home = DataDirectory(tmp_path / "home")
    with writer_lock(home, "test", NOW), Store.open(home) as store:
        receive(store, mix(0, gas=50.0, wind=50.0), pl.DataFrame(schema=ANOMALY), lag=HOUR)
        unknown = mix(1, gas=50.0, wind=50.0).with_columns(
            value=pl.when(pl.col("signal") == "generation_wind").then("value")
        )
        receive(
            store,
            unknown,
            pl.concat(
                [
                    as_anomalies(mix(1, gas=3e6), "implausible"),
                    as_anomalies(mix(1, wind=50.0), "unmapped_code:WIN"),
                ]
            ),
            lag=HOUR,
        )
    return home


@pytest.fixture
def run(
    home: DataDirectory, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    def call(*words: str, now: datetime = NOW) -> tuple[int, str, str]:
        environ = {"GRIDTIDE_HOME": str(home.root), "GRIDTIDE_NOW": now.isoformat()}
        code = main(list(words), environ)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_the_anomalies_are_listed_with_their_counts(
    run: Callable[..., tuple[int, str, str]],
) -> None:
    code, out, _ = run("anomalies")
    assert code == 0
    assert out.splitlines() == [
        "2  import [DE] generation_wind 2026-03-01T01:00:00Z: 50, unmapped_code:WIN, received "
        "2026-03-01T02:00:00Z (retrieval 1); in its series",
        "1  import [DE] generation_gas 2026-03-01T01:00:00Z: 3e+06, implausible, received "
        "2026-03-01T02:00:00Z (retrieval 1)",
        "import: implausible x 1",
        "import: unmapped_code:WIN x 1",
    ]
    code, out, _ = run("anomalies", "--flag", "unmapped_code", "--json")
    document = json.loads(out)
    assert document["counts"] == [
        {"source": "import", "flag": "unmapped_code:WIN", "count": 1, "accepted": 0}
    ]
    (found,) = document["anomalies"]
    assert (found["id"], found["value"], found["in_series"]) == (2, 50.0, True)
    assert run("anomalies", "--zone", "FR")[1] == "no anomaly\n"
    assert run("anomalies", "--from", "2026-03-02")[1] == "no anomaly\n"


def test_anomalies_beyond_the_limit_of_a_day_are_named_as_counted(
    run: Callable[..., tuple[int, str, str]], home: DataDirectory
) -> None:
    with writer_lock(home, "test", NOW), Store.open(home) as store:
        odd = as_anomalies(mix(2, gas=3e6, wind=4e6, coal=5e6), "implausible")
        for batch in (90, 91):  # they come twice, and count twice
            record_anomalies(store.connection, odd, batch=batch, scratch=home.root, most=1)
    assert run("anomalies", "--zone", "FR")[1].splitlines() == [
        "import: 6 more on 2026-03-01 only counted, once each time they came",
        "no anomaly",
    ]
    (dropped,) = json.loads(run("anomalies", "--json")[1])["left_out"]
    assert dropped == {"source": "import", "day": "2026-03-01", "count": 6}


def test_an_accepted_value_is_in_its_series_and_what_is_derived_from_it(
    run: Callable[..., tuple[int, str, str]], home: DataDirectory
) -> None:
    code, out, err = run("anomalies", "accept", "1", *NOTE)
    assert (code, out) == (
        0,
        "1 accepted, 1 rows added, 6 rows of intensity and carbon-free share derived\n",
    )
    assert "gridtide publish" in err
    with writer_lock(home, "test", NOW), Store.open(home) as store:
        found = store.history("DE", "generation_gas", START, NOW, as_of=NOW)
        assert found["value"].to_list() == [50.0, 3e6]
        assert found["known_at"].to_list()[1] == NOW
    assert "accepted 2026-03-02T00:00:00Z: operations: confirmed" in run("anomalies")[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("accept", "1"), "--note: required, who accepts"),
        (("accept", "1", "--note", " "), "--note: required"),
        (("accept", *NOTE), "name the anomalies to accept"),
        (("accept", "2", *NOTE), "a value flagged unmapped_code:WIN is in its series already"),
        (("accept", "3", *NOTE), "unknown anomaly 3"),
        (("accept", "--zone", "DE", *NOTE), "is missing: 2 match"),
        (
            ("accept", "--flag", "implausible", "--count", "2", *NOTE),
            "2 is not the number: 1 match",
        ),
        (("list", *NOTE), "--count and --note go with accept"),
        (("--from", "yesterday"), "--from"),
        (("--zone", "Atlantis"), "Atlantis"),
    ],
)
def test_what_is_not_meant_changes_nothing(
    run: Callable[..., tuple[int, str, str]], words: tuple[str, ...], said: str
) -> None:
    before = run("anomalies")[1]
    code, _, err = run("anomalies", *words)
    assert code == 2, err
    assert said in err
    assert run("anomalies")[1] == before


def test_without_a_store_there_is_nothing_to_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["anomalies"], {"GRIDTIDE_HOME": str(tmp_path / "none")}) == 2
    assert "holds no store" in capsys.readouterr().err


def test_garbage_of_a_publisher_is_in_the_table_once_and_in_no_series(tmp_path: Path) -> None:
    # Load repeats itself from hour 10 to hour 49; hour 5 is implausible, hour 60 still to come.
    said = {hour: 400.0 + hour for hour in range(61)} | dict.fromkeys(range(10, 50), 500.0)
    said[5] = 9e9

    def parse(bodies: Sequence[Body]) -> pl.DataFrame:
        return readings(
            zone="DE",
            signal="load",
            start=[START + hour * HOUR for hour in said],
            end=HOUR,
            value=list(said.values()),
            quality=Quality.MEASURED,
            body=0,
        )

    def requests(query: Query) -> list[list[Request]]:
        return [[Request("GET", "/load", kind=query.kind, zones=query.zones)]]

    source = replace(
        uk_carbon_intensity.SOURCE, name="a", requests=requests, parse=parse, following=None
    )
    end = START + 60 * HOUR

    def ingested(store: Store, now: datetime) -> Intake:
        query = Query(Kind.LOAD, ("DE",), START, end, now)
        answer = Response(b"{}")
        return ingest_query(source, query, fetch=lambda *_: answer, store=store).finish()

    home = DataDirectory(tmp_path / "home")
    with writer_lock(home, "test", end), Store.open(home) as store:
        first = ingested(store, end)
        assert first.flags == {"implausible:load": 1, "frozen": 16, "future:load": 1}
        found = read_anomalies(store.connection, Filter(), limit=99)
        assert Counter(found["flag"]) == {"frozen": 16, "future": 1, "implausible": 1}
        assert first.rows == 60 - 1 - 16
        again = ingested(store, end + HOUR / 2)
        assert again.rows == 0
        assert read_anomalies(store.connection, Filter(), limit=99).height == found.height

        def loads() -> dict[int, float]:
            history = store.history("DE", "load", START, end + HOUR, as_of=end + 9 * HOUR)
            starts = [(each - START) // HOUR for each in history["start"]]
            return dict(zip(starts, history["value"].to_list(), strict=True))

        assert set(range(60)) - set(loads()) == {5, *range(34, 50)}
        accept(
            store,
            Filter(flags=["implausible", "frozen"]),
            end + HOUR,
            note="the meter was read",
            count=17,
        )
        assert loads() == {hour: value for hour, value in said.items() if hour < 60}
        ingested(store, end + 2 * HOUR)
        assert loads()[5] == 9e9
        assert loads()[60] == 460.0  # it is over by now

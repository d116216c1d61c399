"""Every bad question gets a problem that names what is wrong and what to do."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from urllib.parse import quote

import httpx
import pytest

from gridtide.clock import Clock
from gridtide.model import Signal
from gridtide_store.data_directory import DataDirectory
from tests.server.published import NOW, Asker, FixedClock, Publisher, observed, run

DE = "/v1/best-window?region=DE"
ZONE = "/v1/zones/DE"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (f"{DE}&hours=2&earliest=2026-03-02T14:00", "earliest"),
        (f"{DE}&hours=2&deadline=2026-03-02", "deadline"),
        (f"{DE}&hours=2&as_of=2026-03-02T11:00:00.5", "as_of"),
        ("/v1/best-region?region=DE,FR&hours=2&earliest=2026-03-02 14:00", "earliest"),
        (f"{ZONE}/intensity?start=2026-03-02T00:00", "start"),
        (f"{ZONE}/intensity?start=2026-03-02T00:00Z&end=2026-03-02T04:00", "end"),
        (f"{ZONE}/forecast?as_of=2026-03-02T00:00", "as_of"),
        ("/v1/zones?as_of=2026-03-02T00:00", "as_of"),
    ],
)
def test_a_naive_time_is_refused_by_name_with_the_remedy(
    ask: Asker, url: str, name: str
) -> None:
    problem = ask.problem(url, 422, "bad_input")
    assert problem["errors"][0]["parameter"] == name
    assert "has no UTC offset" in problem["detail"]
    assert "Z for UTC" in problem["detail"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (f"{DE}&hours=2&earliest=tomorrow", ("earliest", "'tomorrow'", "2026-11-20T17:00Z")),
        (f"{DE}&hours=2&earliest=", ("earliest", "ISO 8601")),
        (f"{DE}&hours=2&earliest=1772452800", ("earliest", "ISO 8601")),
        (f"{DE}&hours=2&deadline=9999-12-31T23:59-02:00", ("deadline", "outside")),
        (f"{DE}&hours=2&deadline=0001-01-01T00:00%2B02:00", ("deadline", "outside")),
        (f"{DE}&hours=2&deadline=2200-01-01T00:00Z", ("deadline", "1970 to 2199")),
        (f"{DE}&hours=0", ("hours is 0; give a number above 0",)),
        (f"{DE}&hours=-4", ("hours is -4; give a number above 0",)),
        (f"{DE}&hours=nan", ("hours", "finite")),
        (f"{DE}&hours=inf", ("hours", "finite")),
        (f"{DE}&hours=1e999", ("hours", "finite")),
        (f"{DE}&hours=1e300", ("hours", "finite number such as 4")),
        (f"{DE}&hours=1e-12", ("hours", "above 0")),
        (f"{DE}&hours=four", ("hours", "number", "'four'")),
        (f"{DE}&hours=4&hours=5", ("hours", "2 times")),
        (DE, ("hours: missing; give how long",)),
        ("/v1/best-window?hours=2", ("no region is given",)),
        ("/v1/best-region?hours=2", ("no region is given",)),
        ("/v1/best-window?region=&hours=2", ("empty region",)),
        ("/v1/best-region?region=DE,,FR&hours=2", ("'DE,,FR'", "empty region")),
        ("/v1/best-window?region=DE,FR&hours=2", ("not 2 (DE, FR)", "/v1/best-region")),
        (f"{DE}&region=FR&hours=2", ("region", "2 times")),
        ("/v1/best-window?region=95,10&hours=2", ("latitude",)),
        (f"{DE}&hour=2", ("hour: unknown parameter", "did you mean hours?")),
        (f"{DE}&hours=2&colour=red", ("colour", "this route takes: ", "deadline")),
        (f"{ZONE}/forecast?hours=2", ("hours", "unknown parameter", "model")),
        ("/v1/zones?al=true", ("al", "did you mean all?")),
        ("/v1/zones?all=perhaps", ("all", "'perhaps'")),
        ("/healthz?verbose=1", ("verbose", "this route takes: none")),
        (f"{DE}&hours=2&as_of=2026-03-02T12:01Z", ("as_of", "later than now", "leave it out")),
        (f"{ZONE}/intensity?end=2026-03-02T00:00Z", ("end is given without start",)),
        (
            f"{ZONE}/intensity?start=2026-03-02T04:00Z&end=2026-03-02T04:00Z",
            ("end 2026-03-02T04:00:00Z", "start 2026-03-02T04:00:00Z"),
        ),
        (f"{ZONE}/intensity?start=2026-03-05T00:00Z", ("end", "start", "lies ahead of as_of")),
    ],
)
def test_what_cannot_be_read_is_named_with_the_remedy(
    ask: Asker, url: str, words: tuple[str, ...]
) -> None:
    problem = ask.problem(url, 422, "bad_input")
    for word in words:
        assert word in problem["detail"]


def test_all_faults_of_a_request_are_reported_at_once(ask: Asker) -> None:
    url = f"{DE}&hours=-1&earliest=2026-03-02T14:00&signal=co2"
    problem = ask.problem(url, 422, "bad_input")
    assert {each["parameter"] for each in problem["errors"]} == {"hours", "earliest", "signal"}


@pytest.mark.parametrize(
    ("bounds", "first", "second"),
    [
        (
            "earliest=2026-03-02T18:00Z&deadline=2026-03-02T15:00Z",
            "deadline 2026-03-02T15:00:00Z",
            "earliest 2026-03-02T18:00:00Z",
        ),
        (
            "earliest=2026-03-02T18:00Z&deadline=2026-03-02T18:00Z",
            "deadline 2026-03-02T18:00:00Z",
            "earliest 2026-03-02T18:00:00Z",
        ),
        (
            "deadline=2026-03-02T11:00Z",
            "deadline 2026-03-02T11:00:00Z",
            "now 2026-03-02T12:00:00Z",
        ),
    ],
)
@pytest.mark.parametrize("route", ["best-window", "best-region"])
def test_a_deadline_before_the_start_names_both(
    ask: Asker, route: str, bounds: str, first: str, second: str
) -> None:
    problem = ask.problem(f"/v1/{route}?region=DE&hours=2&{bounds}", 422, "bad_input")
    assert first in problem["detail"]
    assert second in problem["detail"]


def test_hours_beyond_the_forecast_name_its_end_and_the_longest_run(ask: Asker) -> None:
    problem = ask.problem(f"{DE}&hours=73", 422, "no_feasible_window")
    assert problem["forecast_end"] == "2026-03-05T12:00:00Z"
    assert "2026-03-05T12:00:00Z" in problem["detail"]
    assert "longest possible run is 72 h" in problem["detail"]


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ("hours=3&deadline=2026-03-02T14:00Z", "only 2 h"),
        ("hours=2&earliest=2026-03-06T00:00Z", "move earliest or deadline"),
        ("hours=1000000", "72 h"),
    ],
)
def test_a_job_that_does_not_fit_gets_the_reason(ask: Asker, bounds: str, words: str) -> None:
    problem = ask.problem(f"{DE}&{bounds}", 422, "no_feasible_window")
    assert words in problem["detail"]


def test_an_unknown_zone_is_an_error_with_the_nearest_names(ask: Asker) -> None:
    for url in (
        "/v1/best-window?region=Germny&hours=2",
        "/v1/zones/Germny/intensity",
        "/v1/zones/Germny/forecast",
    ):
        problem = ask.problem(url, 404, "unknown_region")
        assert "'Germny'" in problem["detail"]
        assert problem["nearest"][0]["region"] == "DE"


def test_coordinates_at_sea_list_the_nearest_zones_with_distances(ask: Asker) -> None:
    problem = ask.problem("/v1/best-window?region=55.0,3.0&hours=2", 404, "unknown_region")
    assert all(each["distance_km"] > 0 for each in problem["nearest"])
    assert len(problem["nearest"]) == 5


@pytest.mark.parametrize("path", ["/v1/best-window?region=DE&hours=1&", f"{ZONE}/forecast?"])
def test_an_unknown_signal_lists_the_six(ask: Asker, path: str) -> None:
    problem = ask.problem(f"{path}signal=co2", 422, "bad_input")
    for signal in Signal:
        assert signal.value in problem["detail"]


def test_a_signal_the_zone_does_not_have_lists_those_it_has(ask: Asker) -> None:
    problem = ask.problem(f"{DE}&hours=1&signal=cfe_consumed", 404, "no_data")
    assert problem["signals"] == ["cfe_produced", "ci_lifecycle_produced"]
    assert "cfe_produced, ci_lifecycle_produced" in problem["detail"]
    problem = ask.problem(f"{ZONE}/intensity?signal=cfe_consumed", 404, "no_data")
    assert problem["signals"] == ["cfe_produced", "ci_direct_produced", "ci_lifecycle_produced"]


def test_a_zone_without_lifecycle_intensity_names_what_it_has(ask: Asker) -> None:
    for url in ("/v1/best-window?region=GB&hours=1", "/v1/zones/GB/intensity"):
        problem = ask.problem(url, 404, "no_data")
        assert "ci_direct_consumed" in problem["detail"]


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("ES", ("ended 2026-03-02T11:00:00Z", "gridtide refresh")),
        ("PL", ("no forecast", "gridtide issue --zone PL", "gridtide publish")),
        ("AT", ("no data", "gridtide refresh", "gridtide import", "BE, DE, ES")),
    ],
)
def test_a_zone_without_a_current_forecast_says_what_to_run(
    ask: Asker, zone: str, words: tuple[str, ...]
) -> None:
    problem = ask.problem(f"/v1/best-window?region={zone}&hours=1", 404, "no_data")
    for word in words:
        assert word in problem["detail"]
    assert "--now" not in problem["detail"]


def test_a_forecast_that_ends_this_very_moment_has_ended(home: DataDirectory) -> None:
    with Asker(home, FixedClock(NOW - timedelta(hours=1))) as ask:
        problem = ask.problem("/v1/best-window?region=ES&hours=1", 404, "no_data")
    assert problem["forecast_end"] == "2026-03-02T11:00:00Z"


def test_before_any_forecast_was_known_there_is_none(ask: Asker) -> None:
    problem = ask.problem(f"{DE}&hours=1&as_of=2026-03-01T00:00Z", 404, "no_data")
    assert "no data here as of 2026-03-01T00:00:00Z" in problem["detail"]


def test_data_of_another_time_names_the_time_to_request(publisher: Publisher) -> None:
    then = datetime.fromisoformat("2021-10-01T00:00Z")
    publisher.add(
        observed("DE", [300.0], start=then - timedelta(hours=1)),
        run("DE", [300.0] * 72, issued_at=then),
    )
    publisher.publish(then, replay=True)
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        problem = ask.problem(f"{DE}&hours=2", 404, "no_data")
    assert "--now 2021-10-01T00:00:00Z" in problem["detail"]
    with Asker(publisher.home, Clock(then)) as ask:
        assert ask.json(f"{DE}&hours=2")["mean"] == 300.0


def test_a_time_at_which_nothing_is_known_either_is_not_advised(publisher: Publisher) -> None:
    then = datetime.fromisoformat("2021-10-01T00:00Z")
    publisher.add(observed("DE", [300.0], start=then - timedelta(hours=1)))
    publisher.publish(then, replay=True)
    with Asker(publisher.home, Clock(then)) as ask:
        problem = ask.problem(f"{DE}&hours=2", 404, "no_data")
    assert "gridtide issue --zone DE" in problem["detail"]
    assert "--now" not in problem["detail"]


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/zones/", "/v1/zones/DE", "/v1/zones/a/b/c"])
def test_an_unknown_path_is_a_problem_too(ask: Asker, path: str) -> None:
    problem = ask.problem(path, 404, "not_found")
    assert path in problem["detail"]
    assert "/openapi.json" in problem["detail"]


def test_another_method_is_a_problem_that_names_the_right_one(ask: Asker) -> None:
    answer = ask("/v1/zones", "POST")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "text",
    ["%00", "%ff%fe", "🦆", "'; DROP TABLE belief; --", "x" * 5000, "../../etc/passwd", "%0a"],
)
def test_hostile_text_is_an_unknown_region_and_nothing_worse(ask: Asker, text: str) -> None:
    wanted = text if text.startswith("%") else quote(text)
    for url in (f"/v1/best-window?region={wanted}&hours=1", f"{DE}&hours={wanted}"):
        answer = ask(url)
        assert answer.status_code in (404, 422)
        assert answer.headers["content-type"] == "application/problem+json"
        # What was sent is repeated, but not at any length.
        assert len(answer.json()["detail"]) < 1000


class BrokenClock(Clock):
    """Fails as nobody foresaw."""

    def __call__(self) -> datetime:
        raise RuntimeError("the secret path is /srv/secret")


def test_a_failure_of_the_server_shows_no_internals(home: DataDirectory) -> None:
    asker = Asker(home, BrokenClock())

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(asker.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(f"{DE}&hours=1")

    answer = asyncio.run(ask())
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text

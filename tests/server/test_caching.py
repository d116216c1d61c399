"""What a cache, a browser and a log see of an answer."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from gridtide.clock import Clock
from gridtide_store.data_directory import DataDirectory
from tests.server.published import NOW, Asker, FixedClock, Publisher, observed, run

URL = "/v1/best-window?region=DE&hours=2"
ANSWERS = (URL, "/v1/zones", "/v1/zones/DE/forecast", "/v1/zones/DE/intensity")


@pytest.mark.parametrize("url", ANSWERS)
def test_an_answer_the_client_has_is_not_sent_again(ask: Asker, url: str) -> None:
    first = ask(url)
    tag = first.headers["etag"]
    for given in (tag, f'"other", W/{tag}', "*"):
        again = ask(url, headers={"If-None-Match": given})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        assert again.headers["cache-control"] == first.headers["cache-control"]
    assert ask(url, headers={"If-None-Match": '"other"'}).status_code == 200


def test_another_snapshot_is_another_answer(publisher: Publisher) -> None:
    publisher.add(observed("DE", [1.0], start=NOW - timedelta(hours=1)), run("DE", [9.0] * 9))
    publisher.publish()
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        tag = ask(URL).headers["etag"]
        publisher.add(run("DE", [8.0] * 9, known_at=NOW, model="naive@1"))
        publisher.publish(NOW)
        again = ask(URL, headers={"If-None-Match": tag})
    assert again.status_code == 200


def test_an_answer_holds_until_the_next_minute(home: DataDirectory) -> None:
    for second, left in ((0, 60), (1, 59), (59, 1)):
        with Asker(home, FixedClock(NOW + timedelta(seconds=second))) as ask:
            assert ask(URL).headers["cache-control"] == f"public, max-age={left}"


def test_a_clock_that_stands_still_has_no_next_minute(home: DataDirectory) -> None:
    with Asker(home, Clock(NOW)) as ask:
        assert ask(URL).headers["cache-control"] == "no-cache"
        tag = ask(URL).headers["etag"]
        assert ask(URL, headers={"If-None-Match": tag}).status_code == 304


def test_health_is_never_cached(ask: Asker) -> None:
    for url in ("/healthz", "/readyz", "/metrics"):
        assert ask(url).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("url", [*ANSWERS, "/healthz"])
def test_head_is_answered_where_get_is(ask: Asker, url: str) -> None:
    head, get = ask(url, "HEAD"), ask(url)
    assert head.status_code == 200
    assert head.headers == get.headers


def test_pages_of_any_site_are_served_unless_switched_off(home: DataDirectory) -> None:
    origin = {"Origin": "https://dashboard.example"}
    with Asker(home, FixedClock(NOW)) as ask:
        answer = ask(URL, headers=origin)
        assert answer.headers["access-control-allow-origin"] == "*"
        refused = ask("/v1/nowhere", headers=origin)
        assert refused.headers["access-control-allow-origin"] == "*"
        preflight = ask(
            URL, "OPTIONS", headers={**origin, "Access-Control-Request-Method": "GET"}
        )
        assert preflight.status_code == 200
        assert "GET" in preflight.headers["access-control-allow-methods"]
    with Asker(home, FixedClock(NOW), cors=False) as ask:
        assert "access-control-allow-origin" not in ask(URL, headers=origin).headers


def test_each_request_is_one_log_line_with_fields(
    ask: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "gridtide_server.access"):
        ask(URL)
        ask("/v1/zones/PL/forecast")
    first, second = [vars(r) for r in caplog.records if r.name == "gridtide_server.access"]
    assert (first["method"], first["path"], first["status"]) == ("GET", "/v1/best-window", 200)
    assert first["query"] == "region=DE&hours=2"
    assert first["ms"] > 0
    assert (second["route"], second["status"]) == ("/v1/zones/{zone}/forecast", 404)

"""Entity tags follow from snapshot, question and minute; a live server keeps to them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import httpx
import pytest

from gridtide_store.data_directory import DataDirectory
from tests.server.published import HOUR, NOW, Asker, FixedClock, Publisher, observed, run

SECOND = timedelta(seconds=1)
# Values of required parameters.
GIVEN = {"region": "DE", "hours": "2"}
# The samples of the one route without tags count each request.
COUNTS = "/metrics"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A server process on the real clock, over data up to this hour."""
    now = datetime.now(UTC)
    hour = now.replace(minute=0, second=0, microsecond=0)
    publisher = Publisher(tmp_path_factory.mktemp("live"))
    publisher.add(
        observed("DE", [100.0 + k for k in range(48)], start=hour - 48 * HOUR),
        observed("DE", [9.0] * 96, start=hour - 48 * HOUR, signal="price_eur"),
        run("DE", [50.0 + k for k in range(72)], issued_at=hour),
    )
    publisher.publish(now)
    publisher.close()
    own = {name: value for name, value in os.environ.items() if "GRIDTIDE" not in name}
    command = [sys.executable, "-m", "gridtide", "serve", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--home", str(publisher.home.root)],
        stderr=subprocess.PIPE,
        text=True,
        env=own,
    )
    try:
        assert process.stderr is not None
        found = re.fullmatch(r"gridtide serves (http://\S+)\n", process.stderr.readline())
        assert found is not None
        with httpx.Client(base_url=found[1], timeout=60) as client:
            yield client
    finally:
        process.kill()
        process.communicate()


def routes(client: httpx.Client) -> list[str]:
    """An address of each GET route, from what the server says of itself."""
    found = []
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        sent = [
            (one["name"], GIVEN[one["name"]])
            for one in methods.get("get", {}).get("parameters", [])
            if one["in"] == "query" and one["required"]
        ]
        if "get" in methods:
            found.append(f"{path.replace('{zone}', 'DE')}?{urlencode(sent)}".rstrip("?"))
    return found


def within_a_minute(client: httpx.Client, first: str, then: str) -> tuple[str, httpx.Response]:
    """The tag of one address, and what the other answers to it before the minute ends."""
    while True:
        minute = datetime.now(UTC).minute
        tag = client.get(first).raise_for_status().headers["etag"]
        again = client.get(then, headers={"If-None-Match": tag})
        if datetime.now(UTC).minute == minute:
            return tag, again


@pytest.mark.slow
def test_every_get_route_of_a_live_server_is_304_within_the_minute(live: httpx.Client) -> None:
    found = [url for url in routes(live) if url != COUNTS]
    assert len(found) > 6
    for url in found:
        tag, again = within_a_minute(live, url, url)
        assert (again.status_code, again.content) == (304, b""), url
        assert again.headers["etag"] == tag
        weak = live.get(
            url, headers={"If-None-Match": f'"x", W/{live.get(url).headers["etag"]}'}
        )
        assert weak.status_code in (200, 304)
        assert live.get(url, headers={"If-None-Match": '"x"'}).status_code == 200


def test_within_the_minute_a_tag_holds_and_after_it_no_more(home: DataDirectory) -> None:
    urls = [
        "/v1/best-window?region=DE&hours=2",
        "/v1/best-region?region=DE,FR&hours=2",
        "/v1/zones",
        "/v1/zones?all=true",
        "/v1/zones/DE/intensity",
        "/v1/zones/DE/intensity?start=2026-03-02T05:00Z",
        "/v1/zones/DE/forecast",
    ]
    first = NOW + 7 * SECOND + timedelta(microseconds=123456)
    tags, bodies = {}, {}
    with Asker(home, FixedClock(first)) as ask:
        for url in urls:
            answer = ask(url)
            tags[url], bodies[url] = answer.headers["etag"], answer.content
    assert len(set(tags.values())) == len(urls)
    with Asker(home, FixedClock(NOW + 59 * SECOND)) as ask:
        for url, tag in tags.items():
            assert ask(url, headers={"If-None-Match": tag}).status_code == 304, url
            assert ask(url).content == bodies[url]
    with Asker(home, FixedClock(NOW + 60 * SECOND)) as ask:
        for url, tag in tags.items():
            assert ask(url, headers={"If-None-Match": tag}).status_code == 200, url


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/v1/best-window?region=DE&hours=2", "/v1/best-window?hours=2.0&region=DE"),
        ("/v1/best-window?region=DE&hours=2", "/v1/best-window?region=%44E&hours=2e0"),
        ("/v1/best-region?region=DE,FR&hours=2", "/v1/best-region?region=DE&hours=2&region=FR"),
        ("/v1/best-region?region=DE,FR&hours=2", "/v1/best-region?hours=2&region=DE, FR,DE"),
        (
            "/v1/best-window?region=DE&hours=2&deadline=2026-03-03T12:00Z",
            "/v1/best-window?region=DE&hours=2&deadline=2026-03-03T13:00:00%2B01:00",
        ),
        ("/v1/zones", "/v1/zones?all=false"),
        ("/v1/zones?all=true", "/v1/zones?all=1"),
        ("/v1/zones/DE/intensity", "/v1/zones/%44E/intensity"),
        ("/v1/zones/DE/intensity?max_age=7", "/v1/zones/DE/intensity?max_age=7.0"),
    ],
)
def test_the_same_question_in_another_spelling_has_the_same_tag(
    ask: Asker, one: str, other: str
) -> None:
    first, second = ask(one), ask(other)
    assert first.headers["etag"] == second.headers["etag"]
    assert first.content == second.content


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/v1/best-window?region=DE&hours=2", "/v1/best-window?region=DE&hours=3"),
        ("/v1/best-window?region=DE&hours=2", "/v1/best-region?region=DE&hours=2"),
        # Ties stay in the order of the request, and regions keep the names they have there.
        ("/v1/best-region?region=DE,FR&hours=2", "/v1/best-region?region=FR,DE&hours=2"),
        (
            "/v1/best-window?region=DE&hours=2",
            "/v1/best-window?region=gcp:europe-west3&hours=2",
        ),
        ("/v1/zones/DE/intensity", "/v1/zones/DE/intensity?max_age=7"),
        ("/v1/zones/DE/intensity", "/v1/zones/DE/intensity?as_of=2026-03-02T11:00Z"),
    ],
)
def test_another_question_has_another_tag(ask: Asker, one: str, other: str) -> None:
    assert ask(one).headers["etag"] != ask(other).headers["etag"]


def test_a_past_range_holds_for_as_long_as_the_snapshot(publisher: Publisher) -> None:
    publisher.add(observed("DE", [1.0, 2.0, 3.0], start=NOW - 4 * HOUR), run("DE", [9.0] * 9))
    publisher.publish(NOW)
    ranges = [
        "/v1/zones/DE/intensity?start=2026-03-02T08:00Z&end=2026-03-02T12:00Z",
        "/v1/zones/DE/intensity?start=2026-03-02T08:00Z&end=2026-03-02T11:30Z",
        "/v1/best-window?region=DE&hours=2&as_of=2026-03-02T12:00Z",
    ]
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        first = {url: ask(url) for url in ranges}
    for late in (HOUR / 2, 5 * HOUR, timedelta(days=400)):
        with Asker(publisher.home, FixedClock(NOW + late)) as ask:
            for url, answer in first.items():
                tag = answer.headers["etag"]
                assert ask(url, headers={"If-None-Match": tag}).status_code == 304
                again = ask(url).json()
                same = {
                    name: again[name] for name in again if name in ("slots", "start", "mean")
                }
                assert same.items() <= answer.json().items()
    publisher.add(observed("DE", [5.0], start=NOW - HOUR, known_at=NOW + HOUR))
    publisher.publish(NOW + HOUR)
    with Asker(publisher.home, FixedClock(NOW + 2 * HOUR)) as ask:
        for url, answer in first.items():
            tag = answer.headers["etag"]
            assert ask(url, headers={"If-None-Match": tag}).status_code == 200


def test_what_was_published_within_the_minute_is_answered_at_once(publisher: Publisher) -> None:
    published = NOW + 20 * SECOND
    publisher.add(
        observed("DE", [1.0], start=NOW - HOUR, known_at=NOW + 10 * SECOND),
        run("DE", [9.0] * 9, known_at=NOW + 15 * SECOND),
    )
    publisher.publish(published)
    with Asker(publisher.home, FixedClock(NOW + 40 * SECOND)) as ask:
        answer = ask.json("/v1/zones/DE/intensity")
        assert answer["slots"][0]["value"] == 1.0
        assert answer["as_of"] == "2026-03-02T12:00:20Z"
        assert ask.json("/v1/best-window?region=DE&hours=2")["mean"] == 9.0
        plan = ask.post("/v1/plan", {"job": {"hours": 1}, "region": "DE"})
        assert plan["start"] == "2026-03-02T12:00:20Z"


def test_a_tag_is_compared_before_the_answer_is_computed(publisher: Publisher) -> None:
    publisher.add(observed("DE", [1.0], start=NOW - HOUR), run("DE", [9.0] * 9))
    publisher.publish()
    url = "/v1/zones/DE/intensity"
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        tag = ask(url).headers["etag"]
        with ask.reader.read() as view:
            # Whoever reads the files now cannot.
            view.snapshot.close()
            assert ask(url, headers={"If-None-Match": tag}).status_code == 304


def test_star_is_304_only_where_there_is_an_answer(ask: Asker) -> None:
    star = {"If-None-Match": "*"}
    assert ask("/v1/zones/DE/intensity", headers=star).status_code == 304
    assert ask("/v1/zones/AT/intensity", headers=star).status_code == 404


def test_a_past_range_moves_on_while_some_of_it_is_known_later(publisher: Publisher) -> None:
    # As where the refresh runs on a machine whose clock is an hour ahead of the server's.
    publisher.add(
        observed("DE", [1.0, 2.0], start=NOW - 4 * HOUR),
        observed("DE", [9.0], start=NOW - 3 * HOUR, known_at=NOW + HOUR),
    )
    publisher.publish(NOW + HOUR)
    url = "/v1/zones/DE/intensity?start=2026-03-02T08:00Z&end=2026-03-02T10:00Z"
    with Asker(publisher.home, FixedClock(NOW)) as ask:
        before = ask(url)
    assert [slot["value"] for slot in before.json()["slots"]] == [1.0, 2.0]
    given = {"If-None-Match": before.headers["etag"]}
    with Asker(publisher.home, FixedClock(NOW + 2 * HOUR)) as ask:
        after = ask(url, headers=given)
    assert after.status_code == 200
    assert [slot["value"] for slot in after.json()["slots"]] == [1.0, 9.0]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_openapi_has_a_tag_and_is_revalidated(ask: Asker, method: str) -> None:
    first = ask("/openapi.json", method)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "no-cache"
    assert ask("/openapi.json").json()["info"]["title"] == "gridtide"
    for given in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = ask("/openapi.json", method, headers={"If-None-Match": given})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    assert ask("/openapi.json", method, headers={"If-None-Match": '"x"'}).status_code == 200

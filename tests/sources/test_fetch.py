"""Asking publishers: what is tried again, what is an error of which kind, where keys are."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from gridtide.errors import BadInput
from gridtide_pipelines.errors import (
    ClockAhead,
    SourceChanged,
    SourceRefused,
    SourceUnavailable,
)
from gridtide_pipelines.ingest.access import reason_to_skip
from gridtide_pipelines.ingest.fetch import Fetcher
from gridtide_pipelines.ingest.limits import DEFAULT, Limits
from gridtide_pipelines.ingest.source import Body, Credentials, Header, Kind, Request, Source
from gridtide_pipelines.ingest.sources import eia, uk_carbon_intensity
from gridtide_store.settings import Settings

KEY = "s3cret-0123456789abcdef"
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
GB = uk_carbon_intensity.SOURCE
ASK = Request("GET", "/intensity/x", (("a[]", "1"), ("a[]", "2")), Kind.INTENSITY, ("GB",))
Handler = Callable[[httpx.Request], httpx.Response]


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


@pytest.fixture
def time() -> Time:
    return Time()


def settings(**given: object) -> Settings:
    return Settings(home=Path("/nowhere"), **given)  # type: ignore[arg-type]  # the test passes what the type refuses


KEYED = settings(secrets={"EIA_API_KEY": KEY})


def fetcher(
    handler: Handler,
    time: Time,
    given: Settings | None = None,
    *,
    limits: Limits = DEFAULT,
) -> Fetcher:
    return Fetcher(
        given or settings(),
        limits=limits,
        transport=httpx.MockTransport(handler),
        sleep=time.sleep,
        monotonic=time.monotonic,
        now=lambda: NOW,
        jitter=lambda: 0.0,
    )


def in_turn(*answers: httpx.Response | Exception) -> Handler:
    """Gives the answers one after the other, the last one for ever."""
    left = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handle


def test_what_comes_back_is_the_body_and_the_query_keeps_its_repeated_names(
    time: Time,
) -> None:
    seen = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=b"body")

    with fetcher(handle, time) as fetch:
        assert fetch(GB, ASK).content == b"body"
    assert str(seen[0].url).startswith("https://api.carbonintensity.org.uk/intensity/x?")
    assert seen[0].url.params.get_list("a[]") == ["1", "2"]
    assert seen[0].headers["user-agent"].startswith("gridtide/0.")


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_a_passing_error_is_tried_again(status: int, time: Time) -> None:
    answers = in_turn(httpx.Response(status), httpx.Response(200, content=b"body"))
    assert fetcher(answers, time)(GB, ASK).content == b"body"
    assert time.slept == [1.0]


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.ReadError("cut")]
)
def test_no_answer_is_tried_again(error: Exception, time: Time) -> None:
    answers = in_turn(error, httpx.Response(200, content=b"body"))
    assert fetcher(answers, time)(GB, ASK).content == b"body"


def test_an_error_that_stays_is_unavailable_after_five_tries_with_growing_waits(
    time: Time,
) -> None:
    answers = in_turn(httpx.Response(503, text="down for maintenance"))
    with pytest.raises(SourceUnavailable, match=r"\[GB\].*503.*maintenance.*5 tries") as found:
        fetcher(answers, time)(GB, ASK)
    assert time.slept == [1.0, 2.0, 4.0, 8.0]
    assert (found.value.source, found.value.zone) == ("uk_carbon_intensity", "GB")


def test_no_answer_at_all_is_unavailable_and_says_how(time: Time) -> None:
    with pytest.raises(SourceUnavailable, match="ConnectTimeout"):
        fetcher(in_turn(httpx.ConnectTimeout("t")), time)(GB, ASK)


@pytest.mark.parametrize("requested", ["7", "Mon, 02 Mar 2026 12:00:07 GMT"])
def test_the_publisher_s_own_wait_is_kept(requested: str, time: Time) -> None:
    limited = httpx.Response(429, headers={"Retry-After": requested})
    answers = in_turn(limited, httpx.Response(200, content=b"body"))
    assert fetcher(answers, time)(GB, ASK).content == b"body"
    assert time.slept == [7.0]


def test_a_wait_that_is_no_time_is_the_usual_one(time: Time) -> None:
    limited = httpx.Response(429, headers={"Retry-After": "soon"})
    fetcher(in_turn(limited, httpx.Response(200)), time)(GB, ASK)
    assert time.slept == [1.0]


def test_a_wait_beyond_the_deadline_gives_up_at_once(time: Time) -> None:
    limited = httpx.Response(429, headers={"Retry-After": "3600"})
    with pytest.raises(SourceUnavailable, match="requests to wait 3600 s"):
        fetcher(in_turn(limited), time)(GB, ASK)
    assert time.slept == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_not_tried_again_and_names_the_key_to_check(
    status: int, time: Time
) -> None:
    answers = in_turn(httpx.Response(status, json={"error": {"code": "API_KEY_INVALID"}}))
    with pytest.raises(SourceRefused, match=rf"HTTP {status} .*check EIA_API_KEY") as found:
        fetcher(answers, time, KEYED)(eia.SOURCE, ASK)
    # Nobody knows all the ways in which an error might repeat the key that was sent.
    assert "INVALID" not in str(found.value)
    assert time.slept == []


@pytest.mark.parametrize("status", [301, 400, 404, 410])
def test_another_status_means_the_source_changed(status: int, time: Time) -> None:
    with pytest.raises(SourceChanged, match=f"HTTP {status} at /intensity/x"):
        fetcher(in_turn(httpx.Response(status)), time)(GB, ASK)
    assert time.slept == []


def test_html_sent_as_success_is_found_by_parse(time: Time) -> None:
    page = httpx.Response(200, html="<html><body>Sorry</body></html>")
    content = fetcher(in_turn(page), time)(GB, ASK).content
    with pytest.raises(SourceChanged, match="unexpected body"):
        GB.parse([Body(ASK, content, NOW, 1)])


def test_a_body_far_too_large_is_refused(time: Time) -> None:
    answers = in_turn(httpx.Response(200, content=b"x" * 1001))
    with pytest.raises(SourceChanged, match="more than 1000 bytes"):
        fetcher(answers, time, limits=Limits(body=1000))(GB, ASK)


def test_a_body_that_drips_is_given_up_at_the_deadline(time: Time) -> None:
    def drip() -> Iterator[bytes]:
        for _ in range(1000):
            time.at += 50
            yield b"x"

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=drip())

    with pytest.raises(SourceUnavailable, match=r"only 3 bytes in 120 s.*1 tries"):
        fetcher(handle, time)(GB, ASK)


def test_two_requests_to_one_source_keep_its_interval(time: Time) -> None:
    polite = replace(GB, min_interval=timedelta(seconds=2))
    fetch = fetcher(in_turn(httpx.Response(200)), time)
    fetch(polite, ASK)
    time.at += 0.5
    fetch(polite, ASK)
    assert time.slept == [1.5]
    fetch(replace(polite, name="another", base_url="https://other.example.org"), ASK)
    assert time.slept == [1.5]


@pytest.mark.parametrize("base", ["http://127.0.0.1:9/replay", "http://127.0.0.1:9/replay/"])
def test_the_base_url_of_a_source_can_be_moved(base: str, time: Time) -> None:
    seen = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(200)

    moved = settings(base_urls={GB.name: base})
    fetcher(handle, time, moved)(GB, Request("GET", "/intensity/x"))
    assert seen == ["http://127.0.0.1:9/replay/intensity/x"]


def test_a_base_url_that_is_no_address_is_bad_input(time: Time) -> None:
    moved = settings(base_urls={"eia": "replay:8080"})
    with pytest.raises(BadInput, match="GRIDTIDE_EIA_URL='replay:8080'"):
        fetcher(in_turn(httpx.Response(200)), time, moved)


def test_a_built_in_source_answers_without_the_network(time: Time) -> None:
    built_in = replace(GB, answer=lambda request: request.path.encode())
    never = in_turn(AssertionError("requested the network"))
    assert fetcher(never, time)(built_in, ASK).content == b"/intensity/x"


def test_the_key_is_sent_as_the_publisher_wants_it(time: Time) -> None:
    seen = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    fetch = fetcher(handle, time, KEYED)
    fetch(eia.SOURCE, ASK)
    by_header = Credentials(("EIA_API_KEY",), "https://example.org", Header("X-Key"))
    fetch(replace(eia.SOURCE, credentials=by_header), ASK)
    assert seen[0].url.params["api_key"] == KEY
    assert seen[0].url.params.get_list("a[]") == ["1", "2"]
    assert seen[1].headers["X-Key"] == KEY
    assert KEY not in str(seen[1].url)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text=f'{{"request":{{"api_key":"{KEY}"}}, "url":"?k={KEY}"}}'),
        httpx.Response(403, text=f"no such key {KEY}"),
        httpx.Response(404, text=f"/v2?api_key={KEY}"),
        httpx.Response(503, text=f"/v2?api_key={KEY}"),
        httpx.ConnectError("no route"),
    ],
    ids=["success", "refused", "changed", "unavailable", "no answer"],
)
def test_no_log_line_message_or_body_holds_the_key(
    answer: httpx.Response | Exception, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    printed = ""
    try:
        printed = fetcher(in_turn(answer), time, KEYED)(eia.SOURCE, ASK).content.decode()
    except (SourceUnavailable, SourceRefused, SourceChanged) as error:
        printed = str(error)
    assert printed
    assert KEY not in printed
    assert "https://api.eia.gov/intensity/x" in caplog.text or "no route" in printed
    assert KEY not in caplog.text
    assert all(KEY not in str(vars(record)) for record in caplog.records)


def test_a_short_key_does_not_eat_the_body(time: Time) -> None:
    answer = httpx.Response(200, text='{"api_key":"abc", "fuel":"abcd", "x":"abc"}')
    short = settings(secrets={"EIA_API_KEY": "abc"})
    printed = fetcher(in_turn(answer), time, short)(eia.SOURCE, ASK).content
    assert printed == b'{"api_key":"<EIA_API_KEY>", "fuel":"abcd", "x":"<EIA_API_KEY>"}'


class Server(BaseHTTPRequestHandler):
    """Cuts its first answer short, then gives a whole one."""

    requested: list[str]

    def do_GET(self) -> None:
        self.requested.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"bo" if len(self.requested) == 1 else b"body")

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def test_over_a_real_connection_a_cut_body_is_requested_again_and_the_key_stays_unseen(
    time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    requested: list[str] = []
    server = HTTPServer(("127.0.0.1", 0), type("Counting", (Server,), {"requested": requested}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    moved = settings(
        base_urls={"eia": f"http://127.0.0.1:{server.server_port}"},
        secrets={"EIA_API_KEY": KEY},
    )
    try:
        with Fetcher(moved, sleep=time.sleep, monotonic=time.monotonic) as fetch:
            assert fetch(eia.SOURCE, ASK).content == b"body"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert [KEY in path for path in requested] == [True, True]
    assert "httpcore" in {record.name.partition(".")[0] for record in caplog.records}
    assert KEY not in caplog.text


REPLAY = datetime(2021, 10, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("source", "given", "why"),
    [
        (GB, {}, None),
        (eia.SOURCE, {}, "EIA_API_KEY is not set: get a free key at https://www.eia.gov/"),
        (eia.SOURCE, {"secrets": {"EIA_API_KEY": KEY}}, None),
        (GB, {"now": REPLAY}, "now is 2021-10-01T00:00Z: .*GRIDTIDE_UK_CARBON_INTENSITY_URL"),
        (GB, {"now": REPLAY, "base_urls": {"uk_carbon_intensity": "http://r"}}, None),
        (GB, {"now": REPLAY, "base_urls": {"eia": "http://r"}}, "now is 2021-10-01"),
        (replace(GB, restricted=True), {}, "licence restricts use: set GRIDTIDE_ALLOW_RESTR"),
        (replace(GB, restricted=True), {"allow_restricted": True}, None),
        (replace(GB, answer=lambda _: b""), {"now": REPLAY}, None),
    ],
    ids=range(9),
)
def test_a_source_is_skipped_with_a_reason_that_says_what_to_do(
    source: Source, given: dict[str, object], why: str | None
) -> None:
    reason = reason_to_skip(source, settings(**given))
    assert (reason is None) == (why is None)
    assert re.search(why or "", reason or "")


@pytest.mark.parametrize(("age", "refused"), [("", True), ("7200", False), ("60", True)])
def test_the_date_of_an_answer_from_a_cache_counts_with_its_age(
    age: str,
    refused: bool,  # noqa: FBT001
    time: Time,
) -> None:
    headers = {"Date": "Mon, 02 Mar 2026 10:00:00 GMT", "Age": age}
    ask = fetcher(in_turn(httpx.Response(200, headers=headers, content=b"{}")), time)
    if refused:
        with pytest.raises(ClockAhead):
            ask(GB, ASK)
    else:
        assert ask(GB, ASK).content == b"{}"

"""How a request reaches its host: forms, headers, credentials; what its status means."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from gridtide.errors import BadInput
from gridtide_pipelines.errors import (
    NothingYet,
    SourceChanged,
    SourceRefused,
    SourceUnavailable,
)
from gridtide_pipelines.ingest.access import reason_to_skip, unknown_urls
from gridtide_pipelines.ingest.fetch import Fetcher
from gridtide_pipelines.ingest.source import (
    Basic,
    Credentials,
    Header,
    Login,
    Parameter,
    Request,
    Source,
)
from gridtide_pipelines.ingest.sources import uk_carbon_intensity
from gridtide_store.settings import Settings

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
GB = uk_carbon_intensity.SOURCE
FILES = replace(GB, hosts={"files": "https://files.example.org/pub"})
LIST = Request("GET", "/list", (("day", "1"),), host="files")
FORM = Request(
    "POST", "/ws", headers=(("X-Requested-With", "gridtide"),), form=(("a", "1"), ("b", "2 3"))
)
OBTAIN = "https://example.org/key"
SECRETS = {"X_USERNAME": "jane.doe@example.org", "X_PASSWORD": "s3cret-0123456789abcdef"}
USER = tuple(SECRETS)


class Publisher:
    """Gives one answer, and remembers what it was sent."""

    def __init__(self, answer: httpx.Response | None = None) -> None:
        self.answer = answer or httpx.Response(200, content=b"body")
        self.seen: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return self.answer


@pytest.fixture
def fetch() -> Callable[..., Fetcher]:
    def made(publisher: Publisher, **given: object) -> Fetcher:
        return Fetcher(
            Settings(home=Path("/nowhere"), **given),  # type: ignore[arg-type]  # any setting
            transport=httpx.MockTransport(publisher),
            sleep=lambda _: None,
            now=lambda: NOW,
        )

    return made


def test_a_request_goes_to_its_host(fetch: Callable[..., Fetcher]) -> None:
    publisher = Publisher()
    fetch(publisher)(FILES, LIST)
    fetch(publisher)(FILES, replace(LIST, host=""))
    assert [str(request.url) for request in publisher.seen] == [
        "https://files.example.org/pub/list?day=1",
        "https://api.carbonintensity.org.uk/list?day=1",
    ]


def test_each_host_has_a_setting_that_moves_it(fetch: Callable[..., Fetcher]) -> None:
    publisher = Publisher()
    moved = Settings.from_env(
        {
            "GRIDTIDE_UK_CARBON_INTENSITY_URL": "http://a",
            "GRIDTIDE_UK_CARBON_INTENSITY_FILES_URL": "http://b/",
        }
    )
    assert moved.unknown == ()
    asked = fetch(publisher, base_urls=moved.base_urls)
    asked(FILES, LIST)
    asked(FILES, replace(LIST, host=""))
    assert [str(request.url) for request in publisher.seen] == [
        "http://b/list?day=1",
        "http://a/list?day=1",
    ]
    with pytest.raises(BadInput, match="GRIDTIDE_X_FILES_URL='b'"):
        fetch(publisher, base_urls={"x_files": "b"})


def test_a_setting_of_a_host_that_no_source_has_is_named_with_the_nearest() -> None:
    moved = {
        "uk_carbon_intensity": "http://a",
        "uk_carbon_intensity_file": "http://b",
        "x": "h",
    }
    assert unknown_urls(Settings(home=Path("/x"), base_urls=moved), [FILES]) == [
        "unknown setting GRIDTIDE_UK_CARBON_INTENSITY_FILE_URL; did you mean "
        "GRIDTIDE_UK_CARBON_INTENSITY_FILES_URL?",
        "unknown setting GRIDTIDE_X_URL",
    ]


@pytest.mark.parametrize(
    ("moved", "why"),
    [
        ({}, "GRIDTIDE_UK_CARBON_INTENSITY_URL and GRIDTIDE_UK_CARBON_INTENSITY_FILES_URL po"),
        ({"uk_carbon_intensity": "http://r"}, "unless GRIDTIDE_UK_CARBON_INTENSITY_FILES_URL "),
        ({"uk_carbon_intensity": "http://r", "uk_carbon_intensity_files": "http://r"}, None),
    ],
)
def test_at_another_time_every_host_must_be_a_replay(
    moved: dict[str, str], why: str | None
) -> None:
    reason = reason_to_skip(FILES, Settings(home=Path("/x"), now=NOW, base_urls=moved))
    assert (reason is None) == (why is None)
    assert re.search(why or "", reason or "")


def test_a_form_and_headers_are_sent(fetch: Callable[..., Fetcher]) -> None:
    publisher = Publisher()
    fetch(publisher)(GB, FORM)
    (request,) = publisher.seen
    assert request.method == "POST"
    assert request.content == b"a=1&b=2+3"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["x-requested-with"] == "gridtide"


def test_an_address_names_host_method_and_form() -> None:
    assert LIST.address == "//files/list?day=1"
    assert FORM.address == "POST /ws a=1&b=2+3"
    assert replace(FORM, host="files", params=(("c", "4"),)).address == (
        "POST //files/ws?c=4 a=1&b=2+3"
    )


def test_the_parser_sees_status_and_headers(fetch: Callable[..., Fetcher]) -> None:
    answer = httpx.Response(400, content=b"x" * 9000, headers={"X-Page": "2"})
    response = fetch(Publisher(answer))(replace(GB, readable=frozenset({400})), LIST_AT_HOME)
    assert (response.status, len(response.content)) == (400, 9000)
    assert response.headers["x-page"] == "2"
    with pytest.raises(SourceChanged, match="HTTP 400"):
        fetch(Publisher(answer))(GB, LIST_AT_HOME)


LIST_AT_HOME = replace(LIST, host="")


def test_a_status_may_mean_that_nothing_is_published_yet(
    fetch: Callable[..., Fetcher],
) -> None:
    missing = httpx.Response(404, text="<html>Not Found</html>")
    with pytest.raises(NothingYet, match="HTTP 404 at /list"):
        fetch(Publisher(missing))(replace(GB, not_published=frozenset({404})), LIST_AT_HOME)
    with pytest.raises(SourceChanged, match="HTTP 404"):
        fetch(Publisher(missing))(GB, LIST_AT_HOME)


def with_credentials(send: Parameter | Header | Basic | Login, **more: object) -> Source:
    names = USER if isinstance(send, Basic | Login) else USER[1:]
    given = Credentials(names, OBTAIN, send, **more)  # type: ignore[arg-type]  # its fields
    return replace(FILES, credentials=given)


SENDS = [Parameter("key"), Header("Authorization", "Bearer "), Basic()]


def sent(request: httpx.Request) -> bool:
    """Say whether a request holds the password in any form."""
    password = SECRETS["X_PASSWORD"]
    pair = base64.b64encode(":".join(SECRETS.values()).encode()).decode()
    known = {
        request.url.params.get("key"): password,
        request.headers.get("authorization"): f"Bearer {password}",
    }
    return any(name == value for name, value in known.items()) or (
        request.headers.get("authorization") == f"Basic {pair}"
    )


@pytest.mark.parametrize("send", SENDS, ids=lambda send: type(send).__name__)
def test_credentials_are_sent_to_their_hosts_alone(
    send: Parameter | Header | Basic, fetch: Callable[..., Fetcher]
) -> None:
    publisher = Publisher()
    asked = fetch(publisher, secrets=SECRETS)
    for hosts in (("",), ("files",)):
        source = with_credentials(send, hosts=hosts)
        asked(source, LIST)
        asked(source, LIST_AT_HOME)
    assert [sent(request) for request in publisher.seen] == [False, True, True, False]


@pytest.mark.parametrize("send", SENDS, ids=lambda send: type(send).__name__)
def test_credentials_are_in_no_body_header_message_or_log_line(
    send: Parameter | Header | Basic,
    fetch: Callable[..., Fetcher],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    pair = ":".join(SECRETS.values())
    echo = f"{pair} {base64.b64encode(pair.encode()).decode()}"
    source = with_credentials(send)
    answer = httpx.Response(200, text=echo, headers={"X-Echo": echo})
    response = fetch(Publisher(answer), secrets=SECRETS)(source, LIST_AT_HOME)
    printed = f"{response.content!r} {response.headers} {caplog.text}"
    refused = httpx.Response(401, text=echo)
    with pytest.raises(SourceRefused, match=" and ".join(source.credentials.variables)) as said:  # type: ignore[union-attr]  # it has some
        fetch(Publisher(refused), secrets=SECRETS)(source, LIST_AT_HOME)
    printed += str(said.value)
    assert SECRETS["X_PASSWORD"] not in printed
    assert base64.b64encode(pair.encode()).decode() not in printed


def test_the_wait_that_a_publisher_wants_holds_for_all_requests_to_the_host() -> None:
    at, slept = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)  # as if in another thread: the clock stands

    answers = iter([httpx.Response(429, headers={"Retry-After": "7"}), httpx.Response(200)])
    with Fetcher(
        Settings(home=Path("/nowhere")),
        transport=httpx.MockTransport(lambda _: next(answers)),
        sleep=sleep,
        monotonic=lambda: at[0],
        now=lambda: NOW,
    ) as asked:
        asked(GB, LIST_AT_HOME)
    assert slept == [7.0, 7.0]  # for its own next try, and of what is sent to the host by then


def test_a_wait_beyond_the_limit_holds_for_the_host_until_it_is_over() -> None:
    clock, slept, seen = [0.0], list[float](), list[str]()

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(429 if len(seen) == 1 else 200, headers={"Retry-After": "7200"})

    asked = Fetcher(
        Settings(home=Path("/nowhere")),
        transport=httpx.MockTransport(answer),
        sleep=slept.append,
        monotonic=lambda: clock[0],
        now=lambda: NOW,
    )
    with pytest.raises(SourceUnavailable, match="requests to wait 7200 s; gave up after 1 tr"):
        asked(FILES, LIST)
    clock[0] = 1000.0
    with pytest.raises(SourceUnavailable, match="requests to wait 6200 s more"):
        asked(FILES, LIST)  # as another thread would: it is not sent
    asked(FILES, LIST_AT_HOME)  # another host
    clock[0] = 7200.0
    asked(FILES, LIST)
    assert seen == ["files.example.org", "api.carbonintensity.org.uk", "files.example.org"]
    assert slept == []


def test_a_server_error_with_a_long_wait_leaves_the_other_requests_to_the_host(
    fetch: Callable[..., Fetcher],
) -> None:
    publisher = Publisher(httpx.Response(503, headers={"Retry-After": "7200"}))
    asked = fetch(publisher)
    with pytest.raises(SourceUnavailable, match="requests to wait 7200 s"):
        asked(FILES, LIST)
    publisher.answer = httpx.Response(200, content=b"body")
    assert asked(FILES, replace(LIST, path="/other")).content == b"body"


def test_a_part_that_is_missing_skips_the_source_unless_it_answers_without() -> None:
    given = Settings(home=Path("/x"), secrets={"X_USERNAME": "jane"})
    source = with_credentials(Basic())
    assert reason_to_skip(source, given) == (
        f"X_PASSWORD is not set: get a free key at {OBTAIN}"
    )
    assert "X_USERNAME and X_PASSWORD are not set" in (
        reason_to_skip(source, Settings(home=Path("/x"))) or ""
    )
    assert reason_to_skip(with_credentials(Basic(), optional=True), given) is None


@pytest.mark.parametrize("path", ["@evil.example.com/x", ".evil.example.com/x", ":8080/x"])
def test_a_path_cannot_lead_to_another_host(fetch: Callable[..., Fetcher], path: str) -> None:
    publisher = Publisher()
    with pytest.raises(SourceChanged, match="no slash first"):
        fetch(publisher)(FILES, replace(LIST, path=path))
    assert publisher.seen == []


def test_the_wait_a_publisher_wants_holds_for_other_threads_too() -> None:
    """One of two threads gets the Retry-After; the other one waits as well."""
    clock, waits = [0.0], list[float]()
    answers = [httpx.Response(429, headers={"Retry-After": "30"}), httpx.Response(200)]

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 1:  # meanwhile, in another thread
            fetcher(FILES, LIST)
        clock[0] += seconds

    fetcher = Fetcher(
        Settings(home=Path("/nowhere")),
        transport=httpx.MockTransport(
            lambda _: answers.pop(0) if answers else httpx.Response(200)
        ),
        sleep=sleep,
        monotonic=lambda: clock[0],
        now=lambda: NOW,
    )
    fetcher(FILES, LIST)
    assert waits[:2] == [30.0, 30.0]

"""Headers by which publishers steer a client: cookies, redirects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from gridtide_pipelines.errors import SourceChanged
from gridtide_pipelines.ingest.fetch import Fetcher
from gridtide_pipelines.ingest.source import Request, Source
from gridtide_pipelines.ingest.sources import uk_carbon_intensity
from gridtide_store.settings import Settings

SOURCE = replace(
    uk_carbon_intensity.SOURCE,
    base_url="https://example.org",
    hosts={"files": "https://files.example.org", "plain": "http://example.org"},
)
PAGE, FILE = Request("GET", "/page"), Request("GET", "/file")


class Publisher:
    """Sets cookies at its page, and remembers those it was sent."""

    def __init__(self, *cookies: str) -> None:
        self.cookies, self.seen = cookies, list[tuple[str, str | None]]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append((request.url.host, request.headers.get("Cookie")))
        set_here = self.cookies if request.url.path == "/page" else ()
        return httpx.Response(
            200, headers=[(b"Set-Cookie", each.encode()) for each in set_here], content=b"body"
        )


def requested(source: Source, publisher: Publisher, *requests: Request) -> Fetcher:
    fetcher = Fetcher(
        Settings(home=Path("/nowhere")),
        transport=httpx.MockTransport(publisher),
        sleep=lambda _: None,
    )
    for request in requests:
        response = fetcher(source, request)
        assert "set-cookie" not in response.headers
    return fetcher


def test_a_cookie_is_not_sent_back_unless_the_source_needs_it() -> None:
    publisher = Publisher("a=b")
    requested(SOURCE, publisher, PAGE, FILE)
    assert [cookie for _, cookie in publisher.seen] == [None, None]


def test_a_cookie_goes_back_to_the_host_that_set_it_alone() -> None:
    publisher = Publisher("a=b; Path=/; Secure", "c=d; Domain=example.org")
    source = replace(SOURCE, cookies=True)
    others = [replace(FILE, host=name) for name in SOURCE.hosts]
    fetcher = requested(source, publisher, PAGE, FILE, *others)
    assert publisher.seen == [
        ("example.org", None),
        ("example.org", "a=b; c=d"),
        ("files.example.org", None),  # nor where the cookie says that it may
        ("example.org", None),  # without encryption
    ]
    # Nor for another source at the same host.
    fetcher(replace(source, name="other"), FILE)
    assert publisher.seen[-1] == ("example.org", None)
    # A run of its own has none.
    requested(source, publisher, FILE)
    assert publisher.seen[-1] == ("example.org", None)


@pytest.mark.parametrize(
    "cookies",
    [
        [f"c{n}={'x' * 200}" for n in range(200)],
        ["a=\u00e9"],
        ["a=b\x01"],
        ["=; =;;;", "\x00", "a=b; Expires=never; Max-Age=x", "a=b; Domain=elsewhere.org"],
    ],
    ids=["too many", "not ASCII", "a control", "malformed"],
)
def test_no_cookie_ends_a_request_or_fills_memory(cookies: list[str]) -> None:
    publisher = Publisher(*cookies)
    requested(replace(SOURCE, cookies=True), publisher, PAGE, FILE)
    assert len(publisher.seen[1][1] or "") < 100


@pytest.mark.parametrize(
    "address", [b"http://xn--/", b"http://[", b"http://\xff/", b"mailto:a", b"/elsewhere"]
)
def test_a_redirect_is_a_changed_source_wherever_it_leads(address: bytes) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers=[(b"Location", address)])

    fetcher = Fetcher(
        Settings(home=Path("/nowhere")),
        transport=httpx.MockTransport(answer),
        sleep=lambda _: None,
    )
    with pytest.raises(SourceChanged, match="HTTP 302 at /page"):
        fetcher(SOURCE, PAGE)

"""Tokens: one login for a run, sent with every request, and removed from what comes back."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from gridtide_pipelines.errors import SourceChanged, SourceRefused
from gridtide_pipelines.ingest.credentials import Token
from gridtide_pipelines.ingest.fetch import Fetcher
from gridtide_pipelines.ingest.source import Login, Request
from tests.sources.test_requests import (
    LIST,
    LIST_AT_HOME,
    SECRETS,
    USER,
    Publisher,
    fetch,
    with_credentials,
)

__all__ = ["fetch"]  # the fixture

LOGIN = Login(Request("POST", "/token", host="files", form=(("grant", "password"),)), USER)
TOKEN = "t0ken-0123456789"  # noqa: S105  # it opens nothing


class Guarded(Publisher):
    """Gives a token for user name and password, and answers who has the newest one."""

    def __init__(self, *, lasts: int = 99) -> None:
        super().__init__()
        self.tokens, self.left, self.lasts = 0, 0, lasts

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        if request.url.path == "/pub/token":
            self.tokens, self.left = self.tokens + 1, self.lasts
            return httpx.Response(200, json={"access_token": f"{TOKEN}-{self.tokens}"})
        newest = f"Bearer {TOKEN}-{self.tokens}"
        if request.headers.get("authorization") != newest or not self.left:
            return httpx.Response(401, text=str(request.headers))
        self.left -= 1
        return httpx.Response(200, text=f"echo {newest}")

    @property
    def paths(self) -> list[str]:
        return [request.url.path for request in self.seen]


def test_a_token_is_requested_once_and_sent_with_every_request(
    fetch: Callable[..., Fetcher], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    publisher = Guarded()
    asked = fetch(publisher, secrets=SECRETS)
    source = with_credentials(LOGIN)
    bodies = [asked(source, LIST_AT_HOME).content for _ in range(2)]
    assert publisher.paths == ["/pub/token", "/list", "/list"]
    assert publisher.seen[0].content == (
        b"grant=password&X_USERNAME=jane.doe%40example.org&X_PASSWORD=s3cret-0123456789abcdef"
    )
    assert "authorization" not in publisher.seen[0].headers
    # Neither the secrets nor the token that the publisher repeats.
    assert bodies == [b"echo Bearer <token of uk_carbon_intensity>"] * 2
    assert TOKEN not in caplog.text
    assert SECRETS["X_PASSWORD"] not in caplog.text
    # Only the hosts that it is for get the token.
    with pytest.raises(SourceRefused):
        asked(source, LIST)
    assert "authorization" not in publisher.seen[-1].headers


def test_a_token_that_has_expired_is_renewed_once(fetch: Callable[..., Fetcher]) -> None:
    publisher = Guarded(lasts=1)
    asked = fetch(publisher, secrets=SECRETS)
    source = with_credentials(LOGIN)
    for _ in range(2):
        assert asked(source, LIST_AT_HOME).status == 200
    assert publisher.paths == ["/pub/token", "/list", "/list", "/pub/token", "/list"]
    useless = Guarded(lasts=0)
    with pytest.raises(SourceRefused, match=r"HTTP 401 at /list; check X_USERNAME and") as said:
        fetch(useless, secrets=SECRETS)(source, LIST_AT_HOME)
    assert useless.paths == ["/pub/token", "/list"] * 2
    assert TOKEN not in str(said.value)


def test_a_login_may_be_basic_authentication(fetch: Callable[..., Fetcher]) -> None:
    publisher = Guarded()
    source = with_credentials(replace(LOGIN, fields=()))
    fetch(publisher, secrets=SECRETS)(source, LIST_AT_HOME)
    pair = base64.b64encode(":".join(SECRETS.values()).encode()).decode()
    assert publisher.seen[0].headers["authorization"] == f"Basic {pair}"
    assert publisher.seen[0].content == b"grant=password"


@pytest.mark.parametrize("answer", [b"{}", b"<html>", b'{"access_token": 5}', b"[" * 90_000])
def test_a_login_without_a_token_is_a_changed_source(
    answer: bytes, fetch: Callable[..., Fetcher]
) -> None:
    source = with_credentials(LOGIN)
    with pytest.raises(SourceChanged, match="login at /token has no token at access_token"):
        fetch(Publisher(httpx.Response(200, content=answer)), secrets=SECRETS)(
            source, LIST_AT_HOME
        )


def test_a_refused_login_names_what_to_check(fetch: Callable[..., Fetcher]) -> None:
    refused = Publisher(httpx.Response(401, text=SECRETS["X_PASSWORD"]))
    with pytest.raises(SourceRefused, match="HTTP 401 at /token; check X_USERNAME and X_PASS"):
        fetch(refused, secrets=SECRETS)(with_credentials(LOGIN), LIST_AT_HOME)
    assert len(refused.seen) == 1


def test_the_token_that_was_sent_is_removed_though_another_thread_renewed_it(
    fetch: Callable[..., Fetcher],
) -> None:
    publisher = Guarded()
    source = with_credentials(LOGIN)

    class Meanwhile(Publisher):
        """Ends the first token while it answers a request that carries it."""

        def __call__(self, request: httpx.Request) -> httpx.Response:
            if request.url.path != "/slow":
                return publisher(request)
            echo = request.headers["authorization"]
            publisher.left = 0
            asked(source, LIST_AT_HOME)  # is refused, and logs in again
            return httpx.Response(200, text=f"echo {echo}", headers={"X-Echo": echo})

    asked = fetch(Meanwhile(), secrets=SECRETS)
    response = asked(source, replace(LIST_AT_HOME, path="/slow"))
    assert publisher.tokens == 2
    assert TOKEN not in f"{response.content!r} {response.headers}"


def test_a_token_that_another_thread_renewed_is_kept() -> None:
    token = Token()
    assert token.get(lambda: "old") == "old"
    token.forget("old")
    assert token.get(lambda: "new") == "new"
    token.forget("old")
    assert token.known == "new"

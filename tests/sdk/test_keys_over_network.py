"""Keys, addresses and passwords in what the SDK sends and says."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import httpx
import pytest

from gridtide.client import AsyncClient, Client
from gridtide.errors import ApiError, BadInput, GridtideError, ServiceUnavailable

ADDRESSES = [
    "http://",
    "https:///path",
    "http://host:port",
    "http://host:99999",
    "http://host:-1",
    "http://[::1",
    "http://a b",
    "http://a\nb",
    "http://host/?q=1",
    "http://host/#part",
    "http://user:hu#sh@host",
    "http://host\\@other",
    "http://\udc80",
    "http://xn--a",
    "http://" + "a" * 70_000,
    "http://a..b",
    "http://\u2100.example",
]


@pytest.mark.parametrize("url", ADDRESSES)
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_every_fault_of_an_address_is_an_error_of_ours(kind: Any, url: str) -> None:  # noqa: ANN401
    async def later(client: AsyncClient) -> None:
        await client.zones()

    def whole() -> None:
        client = kind(url, environ={"HTTP_PROXY": "http://127.0.0.1:9"}, retries=0)
        if kind is Client:
            client.zones()
        else:
            asyncio.run(later(client))

    with pytest.raises(GridtideError):
        whole()


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_key_travels_encrypted_or_not_at_all_unless_told(kind: Any) -> None:  # noqa: ANN401
    far = "http://service.example"
    with pytest.raises(BadInput, match=r"unencrypted to service\.example.*https://.*KEY_OVER"):
        kind(far, api_key="k", environ={})
    with pytest.raises(BadInput, match="unencrypted"):
        kind(environ={"GRIDTIDE_URL": far, "GRIDTIDE_API_KEY": "k"})
    for host in ("10.0.0.1", "localhost.example", "127.0.0.1.example", "[2001:db8::1]"):
        with pytest.raises(BadInput, match="unencrypted"):
            kind(f"http://{host}", api_key="k", environ={})
    with pytest.raises(BadInput, match="unencrypted"):
        kind(far, api_key="k", key_over_http=False, environ={"GRIDTIDE_KEY_OVER_HTTP": "1"})
    for url in ("https://service.example", "http://localhost:8000", "http://[::1]"):
        kind(url, api_key="k", environ={})
    kind(far, environ={})
    kind(far, api_key="k", key_over_http=True, environ={})
    kind(far, api_key="k", environ={"GRIDTIDE_KEY_OVER_HTTP": "1"})
    with pytest.raises(BadInput, match="GRIDTIDE_KEY_OVER_HTTP='maybe'"):
        kind(far, api_key="k", environ={"GRIDTIDE_KEY_OVER_HTTP": "maybe"})


def test_a_key_for_this_machine_goes_through_no_other_machine_s_proxy() -> None:
    told = {"http_proxy": "http://proxy.example:3128"}
    with pytest.raises(BadInput, match=r"unencrypted to proxy\.example"):
        Client("http://127.0.0.1:8000", api_key="k", environ=told)
    Client("http://127.0.0.1:8000", api_key="k", environ=told | {"no_proxy": "127.0.0.1"})


@pytest.mark.parametrize("key", ["a\nb", "ключ", "a\x00b", 5, b"k"])
def test_a_key_no_header_can_carry_is_refused(key: Any) -> None:  # noqa: ANN401
    with pytest.raises(BadInput, match="key"):
        Client("http://127.0.0.1:8000", api_key=key, environ={})


def test_a_redirect_to_another_host_is_not_followed_with_the_key(
    address: str,
    service: Any,  # noqa: ANN401
) -> None:
    other = httpx.URL(address).copy_with(host="localhost")
    service.reply(307, b"", location=f"{other}/v1/zones")
    with (
        Client(address, api_key="hush", environ={}) as client,
        pytest.raises(GridtideError, match="set GRIDTIDE_URL to where it moved"),
    ):
        client.zones()
    assert len(service.asked) == 1


def test_nobody_at_the_proxy_is_named_as_such() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    told = {"http_proxy": f"http://me:hush@127.0.0.1:{port}"}
    with (
        Client("http://service.example", environ=told, retries=0) as client,
        pytest.raises(ServiceUnavailable, match=rf"proxy http://127.0.0.1:{port}") as caught,
    ):
        client.zones()
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_password_in_the_address_is_kept_as_a_key_is(kind: Any) -> None:  # noqa: ANN401
    far = "http://me:hush@service.example"
    with pytest.raises(
        BadInput, match=r"password .* unencrypted to service\.example"
    ) as caught:
        kind(far, environ={})
    assert "hush" not in str(caught.value)
    with pytest.raises(BadInput, match="unencrypted"):
        kind(environ={"GRIDTIDE_URL": "http://me@service.example"})
    kind(far, environ={}, key_over_http=True)
    kind(far, environ={"GRIDTIDE_KEY_OVER_HTTP": "1"})
    for url in ("https://me:hush@service.example", "http://me:hush@localhost:8000"):
        kind(url, environ={})
        with pytest.raises(BadInput, match="only one of them can be sent") as caught:
            kind(url, api_key="k", environ={})
        assert "hush" not in str(caught.value)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("allowed", ["false", "true", "1", 1, 0, [True]])
def test_whether_a_key_may_travel_is_said_by_true_or_false(kind: Any, allowed: Any) -> None:  # noqa: ANN401
    with pytest.raises(BadInput, match=r"key_over_http .*; give True or False"):
        kind("http://service.example", api_key="k", environ={}, key_over_http=allowed)


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (200, b"<html>", {}),
        (200, b"{}", {"content_type": "text/html"}),
        (200, b"x", {"content_encoding": "br"}),
        (200, b"x", {"content_encoding": "gzip"}),
        (418, b"{}", {}),
        (503, b"{}", {}),
        (302, b"", {"location": "/elsewhere"}),
    ],
)
def test_no_fault_of_an_answer_shows_the_password_of_the_address(
    address: str,
    service: Any,  # noqa: ANN401
    status: int,
    body: bytes,
    headers: dict[str, str],
) -> None:
    service.reply(status, body, **headers)
    named = address.replace("://", "://me:hush@")
    with Client(named, environ={}, retries=0) as client, pytest.raises(ApiError) as caught:
        client.zones()
    assert "hush" not in str(caught.value)
    assert address in str(caught.value)


def test_an_argument_of_blanks_is_as_one_that_is_left_out(address: str) -> None:
    told = {"GRIDTIDE_URL": address, "GRIDTIDE_API_KEY": "k"}
    for blank in (None, "", " ", "\t\n"):
        with Client(blank, api_key=blank, environ=told) as client:
            assert len(client.zones()) == 1

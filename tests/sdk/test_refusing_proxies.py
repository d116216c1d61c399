"""Proxies that refuse, break off or are something else, and unusable certificates."""

from __future__ import annotations

import asyncio
import base64
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from gridtide.client import AsyncClient, Client
from gridtide.errors import BadInput, BadRequest, GridtideError, ServiceUnavailable
from gridtide.http.proxies import exempt, read_certificates
from tests.proxies import refusing

PEM = Path(__file__).parent / "data" / "loopback.pem"
BOTH = [Client, AsyncClient]


def fault(kind: Any, url: str, proxy: str, **more: Any) -> GridtideError:  # noqa: ANN401
    """The error of a call through `proxy`, which pauses between tries for no time."""
    environ = {"ALL_PROXY": proxy}

    def call() -> None:
        with Client(url, environ=environ, pause=lambda _: None, **more) as client:
            client.zones()

    async def later() -> None:
        async def pause(_: float) -> None:
            pass

        async with AsyncClient(url, environ=environ, pause=pause, **more) as client:
            await client.zones()

    with pytest.raises(GridtideError) as caught:
        call() if kind is Client else asyncio.run(later())
    said = str(caught.value)
    assert said.isprintable()
    assert "s3" not in said
    return caught.value


def status(line: str) -> bytes:
    return f"HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    ("scheme", "line", "remedy"),
    [
        ("https", "407 Proxy Authentication Required", "user name and password"),
        ("http", "407 Proxy Authentication Required", "user name and password"),
        ("https", "407", "user name and password"),
        ("https", "403 \x1b[2JForbidden", "ask its operator"),
        ("https", "404 Not Found", "ask its operator"),
    ],
)
def test_a_proxy_that_refuses_is_named_and_asked_once(
    kind: Any,  # noqa: ANN401
    scheme: str,
    line: str,
    remedy: str,
) -> None:
    with refusing(status(line)) as (proxy, requests):
        error = fault(kind, f"{scheme}://service.example", f"http://me:s3cret@{proxy}")
    assert isinstance(error, BadInput)
    assert f"the proxy http://{proxy} refuses requests to service.example" in str(error)
    assert f"({line[:3]})" in str(error)
    assert remedy in str(error)
    assert len(requests) == 1
    secret = base64.b64encode(b"me:s3cret")
    assert b"Proxy-Authorization: Basic " + secret in requests[0]


@pytest.mark.parametrize("kind", BOTH)
def test_what_may_pass_is_tried_again_and_shows_no_text_of_the_proxy(kind: Any) -> None:  # noqa: ANN401
    with refusing(status("502 \x1b[2JBad Gateway s3")) as (proxy, requests):
        error = fault(kind, "https://service.example", f"http://{proxy}", retries=2)
    assert isinstance(error, ServiceUnavailable)
    assert f"through the proxy http://{proxy} (it answered 502)" in str(error)
    assert len(requests) == 3


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("line", ["403 Forbidden", "503 Unavailable"])
def test_an_answer_that_may_be_the_proxy_s_names_it(kind: Any, line: str) -> None:  # noqa: ANN401
    with refusing(status(line)) as (proxy, _):
        error = fault(kind, "http://service.example", f"http://me:s3@{proxy}", retries=0)
    assert isinstance(error, BadRequest if line.startswith("403") else ServiceUnavailable)
    assert f"through the proxy http://{proxy} answered {line[:3]}" in str(error)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("answer", [b"", b"\x05", b"HTTP/1.1 200\r\n\r\n", b"\x00" * 999])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_breaks_off_is_named(kind: Any, scheme: str, answer: bytes) -> None:  # noqa: ANN401
    with refusing(answer) as (proxy, _):
        error = fault(kind, "https://service.example", f"{scheme}://{proxy}", retries=0)
    assert isinstance(error, ServiceUnavailable)
    assert f"through the proxy {scheme}://{proxy}" in str(error)


def test_the_user_name_and_the_password_of_a_proxy_are_decoded() -> None:
    with refusing(status("502")) as (proxy, requests):
        fault(Client, "http://service.example", f"http://m%40e:s3%3A%2F@{proxy}", retries=0)
    assert base64.b64encode(b"m@e:s3:/") in requests[0]


class _NoSocks(Exception):
    """Stands for what socksio raises, which is not installed for the tests."""


class _Broken(httpx.BaseTransport):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise _NoSocks("Malformed reply")


def test_what_is_no_socks_proxy_ends_in_an_error_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    package = ModuleType("socksio")
    setattr(package, "SOCKSError", _NoSocks)  # noqa: B010
    monkeypatch.setitem(sys.modules, "socksio", package)
    with (
        Client("http://service.example", environ={}, transport=_Broken(), retries=0) as client,
        pytest.raises(ServiceUnavailable, match="Malformed reply"),
    ):
        client.zones()


def test_a_way_of_one_s_own_is_not_said_to_lead_through_the_environment_s_proxy(
    transport: httpx.BaseTransport,
    service: Any,  # noqa: ANN401
) -> None:
    service.reply(407, b"")
    told = {"HTTP_PROXY": "http://proxy.example:3128"}
    with (
        Client("http://service", environ=told, transport=transport) as client,
        pytest.raises(BadRequest, match=r"zones answered 407"),
    ):
        client.zones()


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("more", [{}, {"SSL_CERT_FILE": str(PEM)}])
@pytest.mark.parametrize("file", ["/nowhere/keys.log", "/"])
def test_a_file_for_keys_that_cannot_be_written_is_named(
    kind: Any,  # noqa: ANN401
    more: dict[str, str],
    file: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Python's ssl reads it from the process, whatever the client is told.
    monkeypatch.setenv("SSLKEYLOGFILE", file)
    with pytest.raises(BadInput, match=rf"^SSLKEYLOGFILE={file} cannot .*unset it$"):
        kind("https://service.example", environ=more)
    kind("http://service.example", environ=more)


def test_blanks_around_the_names_of_certificates_do_no_harm(tmp_path: Path) -> None:
    assert read_certificates({"SSL_CERT_FILE": " ", "SSL_CERT_DIR": "\t"}) is None
    assert (
        read_certificates({"SSL_CERT_FILE": f" {PEM}\n", "SSL_CERT_DIR": f"{tmp_path} "})
        is not None
    )


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
@pytest.mark.parametrize("value", ["x" * 5000, "a\nb", "\udcff", "~/certificates"])
def test_a_name_no_file_has_is_said_in_one_line(name: str, value: str) -> None:
    with pytest.raises(BadInput, match=f"^{name}=") as caught:
        Client("https://service.example", environ={name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "key", "cut", "utf-16", "der"])
def test_a_file_of_something_else_is_said_in_one_line(text: str, tmp_path: Path) -> None:
    whole = PEM.read_text()
    at = whole.index("-----BEGIN CERTIFICATE")
    (file := tmp_path / "own.pem").write_bytes(
        {
            "": b"",
            "key": whole.replace("CERTIFICATE", "THING").encode(),
            "cut": whole[at : at + 200].encode(),
            "utf-16": whole.encode("utf-16"),
            "der": bytes(range(48, 200)),
        }[text]
    )
    with pytest.raises(BadInput, match=r"^SSL_CERT_FILE=.*PEM format, or unset it$"):
        read_certificates({"SSL_CERT_FILE": str(file)})


@pytest.mark.parametrize("extra", ["\ufeff", "# my company\r\n"])
def test_a_file_as_companies_write_it_is_read(extra: str, tmp_path: Path) -> None:
    text = extra + PEM.read_text().replace("\n", "\r\n")
    (file := tmp_path / "own.pem").write_bytes(text.encode())
    assert read_certificates({"SSL_CERT_FILE": str(file)}) is not None


@pytest.mark.parametrize(
    ("no_proxy", "url", "expected"),
    [
        ("10.0.0.0/255.0.0.0", "http://10.9.9.9", True),
        ("172.16.0.0/12", "http://172.31.255.255", True),
        ("172.16.0.0/12", "http://172.32.0.0", False),
        ("10.0.0.0/8:8000", "http://10.0.0.1:8000", True),
        ("10.0.0.0/8:8000", "http://10.0.0.1", False),
        ("::ffff:10.0.0.0/104", "http://10.1.2.3", True),
        ("::ffff:10.0.0.0/104", "http://11.1.2.3", False),
        ("::ffff:10.0.0.0/104", "http://[::ffff:10.1.2.3]", True),
        ("2001:db8::/32", "http://[2001:DB8:ffff::1]:80", True),
        ("[2001:db8::/32]", "http://[2001:db8::1]", True),
        ("2001:db8::/32", "http://[2001:db9::1]", False),
        ("::/0", "http://[2001:db9::1]", True),
        ("0.0.0.0/0", "http://a.example", False),
        ("fe80::1%eth0", "http://[fe80::1%25eth1]", True),
        ("a.example\nb.example", "https://b.example", True),
        ("**", "https://a.example", True),
        ("*" * 60, f"https://{'a' * 60}.example", True),
        ("user@a.example", "https://a.example", False),
        ("127.0.0.1", "http://localhost", False),
        ("\udcff,[,", "https://a.example", False),
    ],
)
def test_further_forms_of_no_proxy(no_proxy: str, url: str, *, expected: bool) -> None:
    assert exempt(url, no_proxy) is expected

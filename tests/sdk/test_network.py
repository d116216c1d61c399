"""What the environment says of proxies and certificates, over the mapping and for real."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gridtide.cli.script import main
from gridtide.client import AsyncClient, Client
from gridtide.errors import BadInput, MissingExtra
from gridtide.http.proxies import (
    exempt,
    is_loopback,
    proxy_for,
    read_certificates,
    without_secrets,
)

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("no_proxy", "url", "expected"),
    [
        ("*", "https://a.example", True),
        ("a.example", "https://a.example", True),
        ("a.example", "https://b.a.example", True),
        ("a.example", "https://nota.example", False),
        (".a.example", "https://a.example", True),
        (".a.example", "https://b.a.example", True),
        ("*.a.example", "https://b.a.example", True),
        ("A.Example.", "https://a.example", True),
        ("a.example", "https://A.EXAMPLE.", True),
        ("a.example:8443", "https://a.example", False),
        ("a.example:443", "https://a.example", True),
        ("a.example:80", "http://a.example", True),
        ("b.example a.example", "https://a.example", True),
        (" , ,a.example,", "https://a.example", True),
        ("localhost,fe80::/10", "http://localhost:8000", True),
        ("localhost,fe80::/10", "http://127.0.0.1:8000", False),
        ("fe80::/10", "http://[fe80::1]:8000", True),
        ("fe80::/10", "http://[fe80::1%25eth0]:8000", True),
        ("[fe80::]/10", "http://[fe80::1]", True),
        ("fe80::/10", "http://[fec0::1]:8000", False),
        ("::1", "http://[::1]:8000", True),
        ("[::1]", "http://[::1]:8000", True),
        ("[::1]:8000", "http://[::1]:8000", True),
        ("[::1]:8000", "http://[::1]:8001", False),
        ("0:0:0:0:0:0:0:1", "http://[::1]", True),
        ("127.0.0.1", "http://127.0.0.1:8000", True),
        ("127.0.0.1:8000", "http://127.0.0.1:8000", True),
        ("127.0.0.1:8000", "http://127.0.0.1:8001", False),
        ("127.0.0.1", "http://[::ffff:127.0.0.1]", True),
        ("127.0.0.0/8", "http://127.1.2.3", True),
        ("10.1.2.3/8", "http://10.200.0.1", True),
        ("10.0.0.0/8", "http://11.0.0.1", False),
        ("192.168.*", "http://192.168.3.4", True),
        ("10.0.0.0/8", "http://10.example", False),
        ("10.0.0.0/33,fe80::/200,[,]:80,:,://,http://", "http://10.0.0.1", False),
        ("http://a.example", "http://a.example", True),
        ("http://a.example", "https://a.example", False),
        ("all://a.example", "https://a.example", True),
        ("", "https://a.example", False),
        (".", "https://a.example", False),
    ],
)
def test_no_proxy_is_read_as_curl_reads_it(no_proxy: str, url: str, *, expected: bool) -> None:
    assert exempt(url, no_proxy) is expected
    told = {"ALL_PROXY": PROXY, "NO_PROXY": no_proxy}
    assert proxy_for(url, told) == (None if expected else PROXY)


@pytest.mark.parametrize(
    ("environ", "url", "expected"),
    [
        ({}, "https://a.example", None),
        ({"HTTPS_PROXY": PROXY}, "https://a.example", PROXY),
        ({"HTTPS_PROXY": PROXY}, "http://a.example", None),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}, "https://a.example", PROXY),
        ({"HTTP_PROXY": PROXY}, "http://a.example", PROXY),
        ({"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, "http://a.example", None),
        ({"http_proxy": PROXY, "REQUEST_METHOD": "GET"}, "http://a.example", PROXY),
        ({"https_proxy": "", "HTTPS_PROXY": PROXY}, "https://a.example", None),
        ({"HTTPS_PROXY": " "}, "https://a.example", None),
        ({"all_proxy": "proxy:3128"}, "https://a.example", "http://proxy:3128"),
        ({"ALL_PROXY": "10.0.0.1:3128"}, "https://a.example", "http://10.0.0.1:3128"),
        ({"ALL_PROXY": "[::1]:3128"}, "https://a.example", "http://[::1]:3128"),
        # What is wrong does no harm where it is not used.
        ({"ALL_PROXY": "nonsense://", "NO_PROXY": "a.example"}, "https://a.example", None),
        ({"ALL_PROXY": "nonsense://", "HTTPS_PROXY": PROXY}, "https://a.example", PROXY),
    ],
)
def test_the_scheme_chooses_the_proxy(
    environ: dict[str, str], url: str, expected: str | None
) -> None:
    assert proxy_for(url, environ) == expected


WRONG_PROXIES = [
    "http://",
    "http://proxy:abc",
    "http://proxy:99999",
    "http://proxy:0",
    "http://[::1",
    "http://pro xy:80",
    "http://pro\x00xy:80",
    "ftp://proxy:21",
    "socks://127.0.0.1:9",
    "socks4://127.0.0.1:9",
    "://",
]


@pytest.mark.parametrize("proxy", WRONG_PROXIES)
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_proxy_that_cannot_be_is_named_in_one_line(kind: Any, proxy: str) -> None:  # noqa: ANN401
    with pytest.raises(BadInput, match="ALL_PROXY") as caught:
        kind("http://service.example", environ={"ALL_PROXY": proxy})
    assert "\n" not in str(caught.value)
    kind("http://service.example", environ={"ALL_PROXY": proxy, "NO_PROXY": "service.example"})


def test_the_message_for_socks_says_what_to_write() -> None:
    with pytest.raises(BadInput, match=r"write socks5://127\.0\.0\.1:9"):
        proxy_for("http://a.example", {"ALL_PROXY": "socks://u:hush@127.0.0.1:9"})


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_socks_without_its_package_says_which(
    kind: Any,  # noqa: ANN401
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for scheme in ("socks5", "socks5h"):
        told = {"ALL_PROXY": f"{scheme}://127.0.0.1:9"}
        with pytest.raises(MissingExtra, match=r"pip install 'httpx\[socks\]'"):
            kind("http://127.0.0.1:1", environ=told)
        kind("http://127.0.0.1:1", environ=told | {"NO_PROXY": "127.0.0.1"})


@pytest.mark.parametrize(
    "proxy",
    ["http://me:hush@p:80x", "http://me:hu#sh@p:80", "ftp://me:hush@p", "me:hu/sh@p:x"],
)
def test_no_message_shows_a_password(proxy: str) -> None:
    with pytest.raises(BadInput) as caught:
        proxy_for("http://a.example", {"http_proxy": proxy})
    assert "hu" not in str(caught.value)
    assert without_secrets("http://me:hu/s@h@p:80") == "http://p:80"


def test_loopback_is_this_machine_and_no_name_that_looks_like_it() -> None:
    for host in ("localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.9.9.9", "::1"):
        assert is_loopback(host), host
    assert is_loopback("::ffff:127.0.0.1")
    for host in ("localhost.example", "127.0.0.1.example", "10.0.0.1", "notlocalhost", ""):
        assert not is_loopback(host), host


def test_own_certificates_are_read_and_a_wrong_name_is_said(tmp_path: Path) -> None:
    assert read_certificates({}) is None
    assert read_certificates({"SSL_CERT_FILE": "", "SSL_CERT_DIR": ""}) is None
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing\n")
    for file in (tmp_path / "missing.pem", empty, tmp_path):
        with pytest.raises(BadInput, match=r"SSL_CERT_FILE=.*unset it"):
            read_certificates({"SSL_CERT_FILE": str(file)})
    with pytest.raises(BadInput, match="SSL_CERT_FILE"):
        read_certificates({"SSL_CERT_FILE": "a\0b"})
    with pytest.raises(BadInput, match=r"SSL_CERT_DIR=.*unset it"):
        read_certificates({"SSL_CERT_DIR": str(tmp_path / "missing")})
    context = read_certificates({"SSL_CERT_DIR": f"{tmp_path}{os.pathsep}/missing"})
    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_wrong_certificates_matter_where_tls_is_used(kind: Any, tmp_path: Path) -> None:  # noqa: ANN401
    told = {"SSL_CERT_FILE": str(tmp_path / "missing.pem")}
    kind("http://service.example", environ=told)
    with pytest.raises(BadInput, match="SSL_CERT_FILE"):
        kind("https://service.example", environ=told)
    with pytest.raises(BadInput, match="SSL_CERT_FILE"):
        kind("http://service.example", environ=told | {"http_proxy": "https://proxy.example"})


class Proxied:
    """A proxy on loopback: it writes down the first line of each request and answers 200."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += connection.recv(65536)
                self.asked.append(head.partition(b"\r\n")[0])
                body = b'{"zones": [], "as_of": "2026-03-02T12:00:00Z", "replay": false}'
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
                )

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def proxy() -> Iterator[Proxied]:
    proxy = Proxied()
    yield proxy
    proxy.close()


def test_requests_travel_through_the_proxy_and_past_it(
    proxy: Proxied,
    address: str,
    service: Any,  # noqa: ANN401
) -> None:
    told = {"HTTP_PROXY": proxy.url, "NO_PROXY": "127.0.0.0/8,[::1],fe80::/10"}
    with Client("http://service.example", environ=told) as client:
        assert len(client.zones()) == 0

    async def later() -> int:
        async with AsyncClient("http://service.example", environ=told) as client:
            return len(await client.zones())

    assert asyncio.run(later()) == 0
    assert proxy.asked == [b"GET http://service.example/v1/zones HTTP/1.1"] * 2
    with Client(address, environ=told) as client:
        assert len(client.zones()) == 1
    assert len(service.asked) == 1
    assert len(proxy.asked) == 2


def test_the_command_line_goes_the_same_way(
    proxy: Proxied, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asks = ["zones", "--json", "--url"]
    assert main([*asks, "http://service.example"], {"http_proxy": proxy.url}) == 0
    assert len(proxy.asked) == 1
    assert main([*asks, address], {"ALL_PROXY": "socks5://h:9", "NO_PROXY": "127.0.0.1"}) == 0
    capsys.readouterr()
    assert main(["zones", "--url", address], {"ALL_PROXY": "socks://h:9"}) == 2
    said = capsys.readouterr().err
    assert said.startswith("gridtide: the proxy of ALL_PROXY")
    assert said.count("\n") == 1


def test_the_process_s_own_proxies_are_not_used_where_others_are_told(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    with Client(address, environ={}) as client:
        assert len(client.zones()) == 1

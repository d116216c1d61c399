"""A refresh obeys the environment's proxies and certificates, or says what is wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from gridtide.cli.script import main
from gridtide.http.deadline import Allowance
from gridtide_pipelines.ingest.limits import Routed
from tests.faults.publisher import Publisher, publisher
from tests.proxies import refusing

# Port 9 (discard) is closed wherever tests run.
CLOSED = "127.0.0.1:9"


@pytest.fixture
def upstream(moment: datetime) -> Iterator[Publisher]:
    with publisher(moment) as state:
        yield state


def refresh(home: Path, upstream: Publisher, now: datetime, **more: str) -> int:
    environ = {
        "GRIDTIDE_HOME": str(home),
        "GRIDTIDE_NOW": now.isoformat(),
        "GRIDTIDE_WORKERS": "1",
        "GRIDTIDE_UK_CARBON_INTENSITY_URL": f"{upstream.address}/uk",
    }
    words = ["refresh", "--zone", "GB", "--model", "weekly"]
    return main(words, environ | more)


@pytest.mark.parametrize(
    "more",
    [
        {"HTTP_PROXY": f"http://{CLOSED}", "NO_PROXY": "localhost,127.0.0.0/8"},
        {"ALL_PROXY": f"socks5://{CLOSED}", "NO_PROXY": "[::1],127.0.0.1"},
        {"HTTP_PROXY": "nonsense://", "no_proxy": "fe80::/10,127.*"},
        {"HTTPS_PROXY": f"http://{CLOSED}", "SSL_CERT_FILE": "/nowhere.pem"},
    ],
    ids=["a network", "IPv6 and SOCKS", "a wrong proxy", "another scheme"],
)
def test_a_publisher_that_is_exempt_is_requested_directly(
    more: dict[str, str], upstream: Publisher, moment: datetime, tmp_path: Path
) -> None:
    assert refresh(tmp_path / "home", upstream, moment, **more) == 0
    assert upstream.requested


def test_a_proxy_is_requested_instead_of_the_publisher(
    upstream: Publisher, moment: datetime, tmp_path: Path
) -> None:
    more = {
        "HTTP_PROXY": upstream.address,
        "GRIDTIDE_UK_CARBON_INTENSITY_URL": "http://publisher.invalid/uk",
    }
    # The publisher stands in for a proxy: it sees whole addresses.
    assert refresh(tmp_path / "home", upstream, moment, **more) == 0
    assert upstream.requested[0].startswith("http://publisher.invalid/uk/")


@pytest.mark.parametrize(
    ("scheme", "status", "remedy"),
    [
        ("https", "407 Proxy Authentication Required", "user name and password"),
        ("http", "407 Proxy Authentication Required", "user name and password"),
        ("https", "407", "user name and password"),
        ("https", "403 \x1b[2JForbidden", "ask its operator"),
        ("https", "404 Not Found", "ask its operator"),
    ],
)
def test_a_proxy_that_refuses_is_named_with_the_remedy_and_requested_once(
    scheme: str,
    status: str,
    remedy: str,
    upstream: Publisher,
    moment: datetime,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with refusing(answer.encode()) as (proxy, requested):
        more = {
            "ALL_PROXY": f"http://user:s3cret@{proxy}",
            "GRIDTIDE_UK_CARBON_INTENSITY_URL": f"{scheme}://publisher.invalid/uk",
        }
        assert refresh(tmp_path / "home", upstream, moment, **more) == 1
    said = capsys.readouterr().err
    assert f"the proxy http://{proxy} refuses requests to publisher.invalid" in said
    assert f"({status[:3]})" in said
    assert remedy in said
    assert "s3cret" not in said
    assert "\x1b" not in said
    assert len(requested) == 1
    assert requested[0].startswith(b"CONNECT" if scheme == "https" else b"GET")


def test_a_keyed_publisher_s_proxy_is_named_too() -> None:
    request = httpx.Request("GET", "https://publisher.invalid/v2/x?api_key=k")
    allowance = Allowance(time.monotonic)
    allowance.renew(deadline=time.monotonic() + 60, size=1_000_000)
    with refusing(b"HTTP/1.1 502 Bad k\r\nContent-Length: 0\r\n\r\n") as (proxy, _):
        routed = Routed({"HTTPS_PROXY": f"http://u:s3cret@{proxy}"}, allowance)
        with pytest.raises(httpx.ProxyError, match=f"proxy http://{proxy}: it answered 502$"):
            routed.handle_request(request)
        routed.close()
    routed = Routed({"HTTPS_PROXY": f"http://u:s3cret@{CLOSED}"}, allowance)
    with pytest.raises(httpx.ConnectError, match=f"by the proxy http://{CLOSED}$"):
        routed.handle_request(request)
    routed.close()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"ALL_PROXY": f"socks5://u:secret@{CLOSED}"}, "pip install 'httpx[socks]'"),
        ({"HTTP_PROXY": f"socks://u:secret@{CLOSED}"}, "socks5://127.0.0.1:9"),
        ({"HTTP_PROXY": f"ftp://u:secret@{CLOSED}"}, "the proxy of HTTP_PROXY"),
        (
            {
                "GRIDTIDE_UK_CARBON_INTENSITY_URL": f"https://{CLOSED}/uk",
                "SSL_CERT_FILE": "/nowhere.pem",
            },
            "SSL_CERT_FILE=/nowhere.pem cannot be read",
        ),
    ],
    ids=["SOCKS without its package", "socks", "ftp", "certificates"],
)
def test_what_cannot_be_used_is_named_in_one_line(
    more: dict[str, str],
    said: str,
    upstream: Publisher,
    moment: datetime,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    home = tmp_path / "home"
    assert refresh(home, upstream, moment, **more) == 1
    printed = capsys.readouterr().err
    assert said in printed.splitlines()[-1]
    assert "secret" not in printed
    assert "Traceback" not in printed
    # Where something is stored already the rest of the refresh is done.
    assert refresh(home, upstream, moment) == 0
    assert refresh(home, upstream, moment, **more) == 3
    assert said in capsys.readouterr().err

"""A refresh obeys the environment's proxies and certificates, or says what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from gridtide.cli import main
from tests.faults.publisher import Publisher, publisher

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
def test_a_publisher_that_is_exempt_is_asked_directly(
    more: dict[str, str], upstream: Publisher, moment: datetime, tmp_path: Path
) -> None:
    assert refresh(tmp_path / "home", upstream, moment, **more) == 0
    assert upstream.asked


def test_a_proxy_is_asked_instead_of_the_publisher(
    upstream: Publisher, moment: datetime, tmp_path: Path
) -> None:
    more = {
        "HTTP_PROXY": upstream.address,
        "GRIDTIDE_UK_CARBON_INTENSITY_URL": "http://publisher.invalid/uk",
    }
    # The publisher stands in for a proxy: it sees whole addresses.
    assert refresh(tmp_path / "home", upstream, moment, **more) == 0
    assert upstream.asked[0].startswith("http://publisher.invalid/uk/")


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
    told = capsys.readouterr().err
    assert said in told.splitlines()[-1]
    assert "secret" not in told
    assert "Traceback" not in told
    # Where something is stored already the rest of the refresh is done.
    assert refresh(home, upstream, moment) == 0
    assert refresh(home, upstream, moment, **more) == 3
    assert said in capsys.readouterr().err

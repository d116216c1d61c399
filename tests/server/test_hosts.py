"""Host names, CORS and nosniff: what a page on the web can get from a server on loopback."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from gridtide.errors import BadInput
from gridtide_server.app import ServerSettings, create_app
from gridtide_server.http.limits import Limits, is_loopback, most_connections
from gridtide_server.http.middleware import LOOPBACK, read_hosts
from gridtide_server.reader import Reader
from gridtide_server.routes import zones
from gridtide_store.data_directory import DataDirectory
from tests.server.published import NOW, FixedClock


def respond(
    home: DataDirectory, settings: ServerSettings, host: str, **headers: str
) -> httpx.Response:
    app = create_app(settings, Reader(home), FixedClock(NOW))

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get("/healthz", headers={"Host": host, **headers})

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("hosts", "host", "status"),
    [
        (LOOPBACK, "localhost:8000", 200),
        (LOOPBACK, "LOCALHOST", 200),
        (LOOPBACK, "127.0.0.1:8000", 200),
        (LOOPBACK, "127.0.0.2", 200),
        (LOOPBACK, "[::1]:8000", 200),
        (LOOPBACK, "localhost.", 200),
        (LOOPBACK, "app.localhost", 200),
        (LOOPBACK, "localhost.evil.example", 421),
        (LOOPBACK, "evil.example:8000", 421),
        (LOOPBACK, "localhost@evil.example", 421),
        (LOOPBACK, "10.0.0.1", 421),
        (LOOPBACK, "", 421),
        (("api.example.org",), "api.example.org", 200),
        (("api.example.org",), "localhost", 421),
        (("*.example.org",), "a.example.org", 200),
        (("*.example.org",), "aexample.org", 421),
        (None, "whatever.example", 200),
    ],
)
def test_only_named_hosts_are_answered(
    home: DataDirectory, hosts: tuple[str, ...] | None, host: str, status: int
) -> None:
    response = respond(home, ServerSettings(hosts=hosts), host)
    assert response.status_code == status
    assert response.headers["x-content-type-options"] == "nosniff"
    if status == 421:
        assert response.json()["code"] == "misdirected_request"
        assert "GRIDTIDE_ALLOWED_HOSTS" in response.json()["detail"]


def test_on_loopback_only_loopback_names_and_no_other_page_by_default(
    home: DataDirectory,
) -> None:
    at = {"limits": Limits(), "cors": None}
    local = ServerSettings.from_env({}, loopback=True, **at)  # type: ignore[arg-type]  # the test passes what the type refuses
    public = ServerSettings.from_env({}, loopback=False, **at)  # type: ignore[arg-type]  # the test passes what the type refuses
    assert (local.hosts, local.cors) == (LOOPBACK, False)
    assert (public.hosts, public.cors) == (None, True)
    page = {"Origin": "https://evil.example"}
    assert (
        "access-control-allow-origin" not in respond(home, local, "localhost", **page).headers
    )
    assert respond(home, public, "x", **page).headers["access-control-allow-origin"] == "*"


def test_settings_go_before_the_defaults() -> None:
    environ = {"GRIDTIDE_CORS": "1", "GRIDTIDE_ALLOWED_HOSTS": "a.example, *.B.example"}
    reply = ServerSettings.from_env(environ, limits=Limits(), loopback=True, cors=None)
    assert (reply.cors, reply.hosts) == (True, ("a.example", "*.b.example"))
    assert read_hosts({"GRIDTIDE_ALLOWED_HOSTS": "*"}, loopback=True) is None
    assert read_hosts({"GRIDTIDE_ALLOWED_HOSTS": "[::1]"}, loopback=False) == ("[::1]",)


@pytest.mark.parametrize(
    "name", ["http://a", "a.example:8000", "*.example.org:443", "::1", "[::1]:8000", "a b"]
)
def test_a_host_name_that_no_request_can_have_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match=r"GRIDTIDE_ALLOWED_HOSTS.*without scheme, port or path"):
        read_hosts({"GRIDTIDE_ALLOWED_HOSTS": f"good.example, {name}"}, loopback=True)


def test_pages_may_send_a_tag_and_see_when_to_retry(home: DataDirectory) -> None:
    app = create_app(ServerSettings(cors=True), Reader(home), FixedClock(NOW))
    page = {"Origin": "https://page.example"}

    async def ask() -> tuple[httpx.Response, httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            wanted = {
                "Access-Control-Request-Method": "GET",
                "Access-Control-Request-Headers": "if-none-match",
            }
            before = await client.options("/v1/zones", headers=page | wanted)
            return before, await client.get("/v1/zones", headers=page)

    before, answer = asyncio.run(ask())
    assert before.status_code == 200
    assert "ETag" in answer.headers["access-control-expose-headers"]
    assert "Retry-After" in answer.headers["access-control-expose-headers"]


def test_a_failure_of_the_server_is_not_sniffed_either(
    home: DataDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(zones, "build_zones", fail)
    app = create_app(ServerSettings(), Reader(home), FixedClock(NOW))

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get("/v1/zones")

    answer = asyncio.run(ask())
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False)]  # noqa: RUF005, S104
    + [("::", False), ("10.1.2.3", False), ("example.org", False)],
)
def test_what_only_this_machine_reaches(host: str, loopback: bool) -> None:  # noqa: FBT001
    assert is_loopback(host) is loopback


def test_connections_stay_below_the_descriptor_limit() -> None:
    for descriptors in (128, 256, 1024, 4096):
        assert most_connections(Limits(connections=100_000), descriptors) < descriptors
    assert most_connections(Limits(), 4096) == 1000
    assert most_connections(Limits(connections=5), 4096) == 8

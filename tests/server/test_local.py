"""The service in another process: the entry point, and the SDK's answers through it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridtide.client import AsyncClient, Client
from gridtide.errors import (
    BadInput,
    NoFeasibleWindow,
    ServiceUnavailable,
    TooManyRegions,
    UnknownRegion,
)
from gridtide.planning import Job
from gridtide_server.local import application
from gridtide_store.data_directory import DataDirectory
from tests.server.published import HOUR, NOW, Asker, Publisher, observed, run

AT = "2026-03-02T12:00:00Z"


@pytest.fixture
def environ(home: DataDirectory) -> dict[str, str]:
    """What names the home and the time."""
    return {"GRIDTIDE_HOME": str(home.root), "GRIDTIDE_NOW": AT}


def rest(ask: Asker, url: str) -> Any:  # noqa: ANN401  # JSON
    """What REST answers, on a clock that is replayed too."""
    return _replayed(ask.json(url))


def _replayed(value: Any) -> Any:  # noqa: ANN401  # JSON
    if isinstance(value, dict):
        return {k: True if k == "replay" else _replayed(v) for k, v in value.items()}
    return [_replayed(each) for each in value] if isinstance(value, list) else value


def test_no_lifespan_is_needed(environ: dict[str, str]) -> None:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(application(environ))
        async with httpx.AsyncClient(transport=transport, base_url="http://local") as client:
            return await client.get("/v1/best-window?region=DE&hours=2")

    answer = asyncio.run(ask()).json()
    assert (answer["mean"], answer["replay"], answer["as_of"]) == (125.0, True, AT)


def test_the_sdk_gives_what_rest_gives(environ: dict[str, str], ask: Asker) -> None:
    with Client(environ=environ) as sdk:
        assert sdk.best_window("DE", hours=2).to_json() == rest(
            ask, "/v1/best-window?region=DE&hours=2"
        )
        assert sdk.best_region(["DE", "BE", "ES", "FR"], hours=6).mean == pytest.approx(
            ask.json("/v1/best-region?region=DE,BE,ES,FR&hours=6")["mean"]
        )
        assert sdk.forecast("DE").to_json() == rest(ask, "/v1/zones/DE/forecast")
        assert sdk.intensity("DE").to_json() == rest(ask, "/v1/zones/DE/intensity")
        assert sdk.zones().to_json() == rest(ask, "/v1/zones")
        assert sdk.zones(as_of="2026-03-01T12:00Z").to_json() == rest(
            ask, "/v1/zones?as_of=2026-03-01T12:00Z"
        )
        range_ = sdk.intensity("DE", start="2026-03-02T00:00Z")
        assert range_.to_json() == rest(ask, "/v1/zones/DE/intensity?start=2026-03-02T00:00Z")


def test_the_sdk_has_the_ranking_and_who_is_left_out(environ: dict[str, str]) -> None:
    with Client(environ=environ) as sdk:
        answer = sdk.best_region(["BE", "DE", "FR"], hours=6)
    assert [each.region for each in answer.ranking] == ["FR", "DE"]
    (left_out,) = answer.infeasible
    assert left_out.region == "BE"
    assert "4 h" in left_out.reason


def test_a_request_for_too_many_regions_is_refused_by_either_client(
    environ: dict[str, str],
) -> None:
    with Client(environ=environ) as sdk:
        with pytest.raises(TooManyRegions, match="10000 regions"):
            sdk.best_region(["aws:us-east-1"] * 10_000, hours=4)
        with pytest.raises(BadInput, match="too long"):
            sdk.best_region(",".join(["aws:us-east-1"] * 10_000), hours=4)
        with pytest.raises(TooManyRegions, match="501 regions"):
            sdk.best_region(",".join(["DE"] * 501), hours=4)


def test_problems_are_the_sdk_s_own_errors_again(environ: dict[str, str]) -> None:
    with Client(environ=environ) as sdk:
        with pytest.raises(UnknownRegion) as unknown:
            sdk.best_window("Germny", hours=2)
        with pytest.raises(NoFeasibleWindow, match="72 h"):
            sdk.best_window("DE", hours=100)
        with pytest.raises(BadInput, match="deadline"):
            sdk.best_window("DE", hours=1, deadline="2026-03-02T11:00Z")
    assert unknown.value.extra["nearest"][0]["region"] == "DE"  # type: ignore[index]  # JSON


def test_the_async_client_sends_the_same(environ: dict[str, str]) -> None:
    async def ask() -> float:
        async with AsyncClient(environ=environ) as sdk:
            return (await sdk.best_window("DE", hours=2)).mean

    assert asyncio.run(ask()) == 125.0


def test_a_missing_data_directory_is_an_error_with_the_remedy(tmp_path: Path) -> None:
    missing = pytest.raises(ServiceUnavailable, match="gridtide refresh")
    with Client(environ={"GRIDTIDE_HOME": str(tmp_path / "new")}) as sdk, missing:
        sdk.best_window("DE", hours=2)
    assert not (tmp_path / "new").exists()


def test_what_is_missing_locally_is_not_reported_as_of_a_server(tmp_path: Path) -> None:
    with (
        Client(environ={"GRIDTIDE_HOME": str(tmp_path / "new")}) as sdk,
        pytest.raises(ServiceUnavailable) as caught,
    ):
        sdk.zones()
    assert "http://" not in str(caught.value)
    assert str(caught.value).startswith("the service in this process answered 503: ")


def test_a_misspelt_setting_is_reported_with_the_nearest_name(
    environ: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with Client(environ={**environ, "GRIDTIDE_HOEM": "/elsewhere"}) as sdk:
        sdk.zones()
    assert "unknown setting GRIDTIDE_HOEM; did you mean GRIDTIDE_HOME?" in caplog.text


def test_what_is_published_meanwhile_is_seen(publisher: Publisher) -> None:
    environ = {"GRIDTIDE_HOME": str(publisher.home.root), "GRIDTIDE_NOW": AT}
    with Client(environ=environ) as sdk:
        with pytest.raises(ServiceUnavailable):
            sdk.best_window("DE", hours=1)
        publisher.add(observed("DE", [1.0], start=NOW - HOUR), run("DE", [5.0] * 24))
        publisher.publish()
        assert sdk.best_window("DE", hours=1).mean == 5.0


def test_a_bad_setting_is_refused_when_the_application_is_made() -> None:
    with pytest.raises(BadInput, match="GRIDTIDE_NOW"):
        application({"GRIDTIDE_HOME": "x", "GRIDTIDE_NOW": "2026-03-02T12:00"})


def test_importing_the_server_starts_and_configures_nothing() -> None:
    code = (
        "import json, logging, sys, threading; "
        "import gridtide_server.app, gridtide_server.local, gridtide_server.commands; "
        "print(json.dumps([threading.active_count(), len(logging.getLogger().handlers)]))"
    )
    alone = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, check=True
    )
    assert json.loads(alone.stdout) == [1, 0]


def test_one_process_may_request_many_plans_at_once(environ: dict[str, str]) -> None:
    async def ask() -> list[str]:
        async with AsyncClient(environ=environ, timeout=300) as client:
            job = Job(2, "interruptible")
            plans = await asyncio.gather(*(client.plan(job, "DE") for _ in range(40)))
            return [plan.region for plan in plans]

    assert asyncio.run(ask()) == ["DE"] * 40

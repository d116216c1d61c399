"""Both clients against a small real service, in memory and over loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from gridtide.client import AsyncClient, Client
from gridtide.errors import (
    ApiError,
    BadInput,
    BadRequest,
    NoFeasibleWindow,
    ServiceUnavailable,
    UnknownRegion,
)
from gridtide.model import Signal
from tests.sdk.conftest import Pauses

URL = "http://service"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NAIVE = datetime(2026, 3, 2, 12)  # noqa: DTZ001  # what is refused


Ask = Callable[..., Any]


@pytest.fixture(params=["Client", "AsyncClient"])
def ask(
    request: pytest.FixtureRequest,
    transport: httpx.BaseTransport,
    async_transport: httpx.AsyncBaseTransport,
    pauses: Pauses,
) -> Ask:
    """Asks a question by its name, of either client."""

    if request.param == "Client":
        client = Client(URL, environ={}, transport=transport, pause=pauses, clock=pauses.clock)
        return lambda question, *args, **kwargs: getattr(client, question)(*args, **kwargs)

    later = AsyncClient(
        URL, environ={}, transport=async_transport, pause=pauses.wait, clock=pauses.clock
    )
    return lambda question, *args, **kwargs: asyncio.run(
        getattr(later, question)(*args, **kwargs)
    )


def test_each_question_gets_its_answer(ask: Ask, said: SimpleNamespace) -> None:
    assert ask("zones").to_json() == said.zones
    assert ask("intensity", "DE").to_json() == said.intensity
    assert ask("forecast", "DE").to_json() == said.forecast
    assert ask("best_window", "DE", hours=4).to_json() == said.best_window
    assert ask("best_region", ["DE", "FR"], hours=4).to_json() == said.best_region


def test_questions_are_put_in_the_service_s_words(ask: Ask, service: Any) -> None:  # noqa: ANN401
    plus_one = timezone(timedelta(hours=1))
    ask("zones", every=True)
    ask("intensity", "DE", start=NOON, end="2026-03-02T14:00+01:00", as_of=NOON)
    ask("forecast", " DE ", signal=Signal.CFE_PRODUCED, model="weekly@1")
    ask(
        "best_window",
        (52.5, -13),
        hours=1.5,
        earliest=NOON.astimezone(plus_one),
        deadline="2026-03-03T00:00:30.5Z",
        signal="cfe_consumed",
    )
    ask("best_region", ["DE", (1, 2), "aws:us-east-1"], hours=4, as_of=NOON)
    ask("best_region", "DE,FR", hours=4)
    assert [(asked.path, asked.params) for asked in service.asked] == [
        ("/v1/zones", [("all", "true")]),
        (
            "/v1/zones/DE/intensity",
            [
                ("start", "2026-03-02T12:00:00Z"),
                ("end", "2026-03-02T13:00:00Z"),
                ("as_of", "2026-03-02T12:00:00Z"),
            ],
        ),
        ("/v1/zones/DE/forecast", [("signal", "cfe_produced"), ("model", "weekly@1")]),
        (
            "/v1/best-window",
            [
                ("region", "52.5,-13.0"),
                ("hours", "1.5"),
                ("earliest", "2026-03-02T12:00:00Z"),
                ("deadline", "2026-03-03T00:00:30.500000Z"),
                ("signal", "cfe_consumed"),
            ],
        ),
        (
            "/v1/best-region",
            [
                ("region", "DE"),
                ("region", "1.0,2.0"),
                ("region", "aws:us-east-1"),
                ("hours", "4.0"),
                ("as_of", "2026-03-02T12:00:00Z"),
            ],
        ),
        ("/v1/best-region", [("region", "DE,FR"), ("hours", "4.0")]),
    ]


def test_a_region_in_a_path_is_one_segment(ask: Ask, service: Any) -> None:  # noqa: ANN401
    for region in ("aws:us-east-1", "a/b?c", (1.5, 2)):
        with pytest.raises(BadRequest):
            ask("intensity", region)
    assert [asked.path for asked in service.asked] == [
        "/v1/zones/aws%3Aus-east-1/intensity",
        "/v1/zones/a%2Fb%3Fc/intensity",
        "/v1/zones/1.5%2C2.0/intensity",
    ]


def test_requests_say_who_asks(ask: Ask, service: Any) -> None:  # noqa: ANN401
    ask("zones")
    headers = service.asked[0].headers
    assert headers["user-agent"].startswith("gridtide/0.")
    assert headers["accept"] == "application/json"
    assert "authorization" not in headers


@pytest.mark.parametrize(
    ("question", "args", "kwargs", "message"),
    [
        ("best_window", ("DE",), {"hours": 4, "earliest": NAIVE}, "earliest .* no UTC offset"),
        (
            "best_window",
            ("DE",),
            {"hours": 4, "deadline": "2026-03-02T12:00"},
            "deadline .* no UTC offset",
        ),
        ("best_window", ("DE",), {"hours": float("nan")}, "give a finite number"),
        (
            "best_window",
            ("DE",),
            {"hours": "4"},
            "hours is '4', which does not say its unit; give",
        ),
        ("best_window", ("DE",), {"hours": 0}, "above 0"),
        ("best_window", ("",), {"hours": 4}, "region is empty"),
        ("best_window", ((91, 0),), {"hours": 4}, "latitude is -90 to 90"),
        ("best_window", ((0, 181),), {"hours": 4}, "is not on the globe"),
        ("best_window", ((0, float("nan")),), {"hours": 4}, "coordinates must be finite"),
        ("best_window", ((1, 2, 3),), {"hours": 4}, "neither a name nor"),
        # All of these unpack to two numbers.
        ("best_window", (b"DE",), {"hours": 4}, "neither a name nor"),
        ("best_window", (bytearray(b"DE"),), {"hours": 4}, "neither a name nor"),
        ("best_window", ({52.5, 13.4},), {"hours": 4}, "neither a name nor"),
        ("best_window", ({52.5: "N", 13.4: "E"},), {"hours": 4}, "neither a name nor"),
        ("forecast", (b"DE",), {}, "neither a name nor"),
        ("best_region", ([b"DE"],), {"hours": 4}, "neither a name nor"),
        ("best_region", ([],), {"hours": 4}, "no region is given"),
        ("best_region", ((52.5, 13.4),), {"hours": 4}, "52.5 is neither a name nor"),
        ("intensity", ("DE",), {"start": NAIVE}, "start .* no UTC offset"),
        ("intensity", ("DE",), {"end": NAIVE}, "end .* no UTC offset"),
        ("forecast", ("DE",), {"as_of": "yesterday"}, "as_of 'yesterday' is not an ISO 8601"),
    ],
)
def test_what_cannot_be_right_is_refused_before_it_is_sent(
    ask: Ask,
    service: Any,  # noqa: ANN401
    question: str,
    args: tuple[object, ...],
    kwargs: dict[str, object],
    message: str,
) -> None:
    with pytest.raises(BadInput, match=message):
        ask(question, *args, **kwargs)
    assert service.asked == []


def test_problems_are_raised_as_what_they_are(ask: Ask, service: Any) -> None:  # noqa: ANN401
    service.problem("unknown_region", 404, "no region DEE", nearest=["DE"])
    with pytest.raises(UnknownRegion, match="no region DEE") as caught:
        ask("best_window", "DEE", hours=4)
    assert caught.value.extra == {"nearest": ["DE"]}
    service.problem("no_feasible_window", 422, "the forecast ends at T")
    with pytest.raises(NoFeasibleWindow, match="the forecast ends at T"):
        ask("best_window", "DE", hours=400)


def test_an_answer_that_passes_is_asked_for_again(
    ask: Ask,
    service: Any,  # noqa: ANN401
    pauses: Pauses,
) -> None:
    service.reply(503, b"")
    service.reply(429, b"", retry_after="3")
    assert ask("best_window", "DE", hours=4).zone == "DE"
    assert len(service.asked) == 3
    assert 0.125 <= pauses.taken[0] <= 0.25
    assert pauses.taken[1] == 3.0


def test_patience_ends_and_the_last_problem_is_raised(
    ask: Ask,
    service: Any,  # noqa: ANN401
) -> None:
    for _ in range(5):
        service.problem("unavailable", 503, "no snapshot yet")
    with pytest.raises(ServiceUnavailable, match="no snapshot yet") as caught:
        ask("zones")
    assert caught.value.status == 503
    assert len(service.asked) == 4


def test_a_retry_after_beyond_the_timeout_is_handed_on_at_once(
    ask: Ask,
    service: Any,  # noqa: ANN401
    pauses: Pauses,
) -> None:
    service.reply(429, b"", retry_after="600")
    with pytest.raises(ServiceUnavailable) as caught:
        ask("zones")
    assert caught.value.retry_after == 600
    assert pauses.taken == []


@pytest.mark.parametrize("status", [400, 404, 422, 500])
def test_an_answer_that_stays_is_asked_for_once(
    ask: Ask,
    service: Any,  # noqa: ANN401
    status: int,
) -> None:
    service.reply(status, b"")
    with pytest.raises(ApiError):
        ask("zones")
    assert len(service.asked) == 1

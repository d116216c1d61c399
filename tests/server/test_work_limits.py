"""Planning calls take a few threads and a limited time; other calls are still answered."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any, NoReturn

import httpx
import pytest

from gridtide.client import Client
from gridtide.errors import TooCostly
from gridtide.local import Host, LocalTransport
from gridtide.planning import Cost, Job
from gridtide.planning.solvers.cancellation import check_cancelled
from gridtide_server.app import ServerSettings, create_app
from gridtide_server.errors import Overloaded
from gridtide_server.queue import TimeBudget, WorkLimits, WorkQueue
from gridtide_server.reader import Reader
from gridtide_server.routes import decisions
from gridtide_store.data_directory import DataDirectory
from tests.server.published import HOUR, NOW, Asker, FixedClock

# Seconds of work in pure Python: every minute of three days is a place to start and to end.
HEAVY: dict[str, Any] = {
    "job": {
        "hours": 24 + 1 / 60,
        "kind": "segments",
        "min_segment": 1 + 1 / 60,
        "restart_cost": {"kwh": 1, "hours": 1 / 60},
    },
    "region": "DE",
}
WINDOW = {"kind": "best_window", "region": "DE", "hours": 2}


def endless() -> NoReturn:
    while True:
        check_cancelled()


def test_what_never_ends_is_given_up_and_the_thread_goes_on() -> None:
    async def ask() -> list[Any]:
        queue = WorkQueue(WorkLimits(seconds=0.1, at_once=1))
        refused = await asyncio.gather(
            queue.run(lambda budget: budget.run(endless)), return_exceptions=True
        )
        return [*refused, await queue.run(lambda budget: budget.run(lambda: 5))]

    refused, answered = asyncio.run(ask())
    assert isinstance(refused, TooCostly)
    assert "0.1 s in all; give an earlier deadline" in str(refused)
    assert answered == 5


def test_others_are_answered_while_one_never_ends() -> None:
    async def ask() -> list[str]:
        queue, said = WorkQueue(WorkLimits(seconds=0.3, at_once=2)), []

        async def one(name: str, work: Callable[[], object]) -> None:
            try:
                await queue.run(lambda budget: budget.run(work))
            except TooCostly:
                name += " given up"
            said.append(name)

        await asyncio.gather(one("endless", endless), one("short", lambda: 1))
        return said

    assert asyncio.run(ask()) == ["short", "endless given up"]


def test_a_call_behind_too_many_is_refused() -> None:
    async def ask() -> list[Any]:
        queue, go = WorkQueue(WorkLimits(at_once=1, waiting=1)), threading.Event()
        calls = [
            asyncio.ensure_future(queue.run(lambda _budget: go.wait(60))) for _ in range(2)
        ]
        await asyncio.sleep(0)
        refused = await asyncio.gather(queue.run(lambda _budget: 1), return_exceptions=True)
        go.set()
        first = await asyncio.gather(*calls)
        return [*refused, *first, await queue.run(lambda _budget: 3)]

    refused, *answered = asyncio.run(ask())
    assert isinstance(refused, Overloaded)
    assert "1 planning calls already wait" in str(refused)
    assert answered == [True, True, 3]


class Hand:
    """A clock that goes on as far as a piece of work says."""

    def __init__(self, work_limits: WorkLimits) -> None:
        self.now = 0.0
        self.budget = TimeBudget(work_limits, lambda: self.now)
        self.tries: list[int] = []

    def work(self, name: int, seconds: int) -> Callable[[], int]:
        """Takes `seconds`, one by one."""

        def run() -> int:
            self.tries.append(name)
            for _ in range(seconds):
                self.now += 1
                check_cancelled()
            return name

        return run


def test_what_needs_more_than_its_part_comes_again_after_all_others() -> None:
    hand = Hand(WorkLimits(seconds=12, share=1))
    # Parts of 12 / 4, then what is left: 12 - 3 - 1 - 1 - 1 = 6.
    found = hand.budget.run_all(
        [hand.work(1, 5), hand.work(2, 1), hand.work(3, 1), hand.work(4, 1)]
    )
    assert found == [1, 2, 3, 4]
    assert hand.tries == [1, 2, 3, 4, 1]


def test_one_that_takes_all_there_is_leaves_the_others_theirs() -> None:
    hand = Hand(WorkLimits(seconds=12, share=1))
    refused, *answered = hand.budget.run_all(
        [hand.work(1, 99), hand.work(2, 2), hand.work(3, 2)]
    )
    assert isinstance(refused, TooCostly)
    assert answered == [2, 3]
    assert hand.budget.left <= 0


def test_each_has_a_least_share_and_one_that_is_too_late_none() -> None:
    hand = Hand(WorkLimits(seconds=4, share=2))
    found = hand.budget.run_all([hand.work(k, 2) for k in range(4)])
    # Both take their two seconds, by when the look finds that they are over.
    assert hand.tries == [0, 1]
    assert all(isinstance(each, TooCostly) for each in found)


def test_a_plan_that_takes_too_long_is_refused_alike_everywhere(home: DataDirectory) -> None:
    with Asker(home, FixedClock(NOW), work_limits=WorkLimits(seconds=0.05)) as ask:
        problem = ask.problem("/v1/plan", 422, "too_costly", HEAVY)
        assert problem["title"] == "The request takes too much work"
        job = Job(
            24 * HOUR + HOUR / 60,
            "segments",  # type: ignore[arg-type]  # the test passes what the type refuses
            min_segment=HOUR + HOUR / 60,
            restart_cost=Cost(1, HOUR / 60),
        )
        with (
            Client("http://test", transport=LocalTransport(Host(ask.app))) as client,
            pytest.raises(TooCostly) as caught,
        ):
            client.plan(job, "DE")
    assert str(caught.value) == problem["detail"]
    assert caught.value.exit_code == 2


def test_a_costly_question_of_a_batch_spoils_no_other(home: DataDirectory) -> None:
    heavy, plan = {"kind": "plan", **HEAVY}, {"job": {"hours": 2}, "region": "DE"}
    questions = [heavy, WINDOW, {"kind": "plan", **plan}, *[heavy] * 996]
    with Asker(home, FixedClock(NOW), work_limits=WorkLimits(seconds=2, share=0.5)) as ask:
        *answers, last = ask.post("/v1/batch", {"questions": [*questions, WINDOW]})["answers"]
        window = ask.json("/v1/best-window?region=DE&hours=2")
        planned = ask.post("/v1/plan", plan)
    assert (answers[1], last, answers[2]) == (window, window, planned)
    assert {each["code"] for each in [answers[0], *answers[3:]]} == {"too_costly"}


def test_too_many_calls_are_refused_with_the_time_to_retry(home: DataDirectory) -> None:
    plan = b'{"job": {"hours": 2}, "region": "DE"}'
    with Asker(home, FixedClock(NOW), work_limits=WorkLimits(at_once=1, waiting=-1)) as ask:
        answer = ask("/v1/plan", "POST", body=plan)
        assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
        assert answer.headers["retry-after"] == "5"
        assert ask.json("/v1/best-window?region=DE&hours=2")["hours"] == 2


def test_a_call_that_waits_too_long_is_refused_and_takes_no_thread() -> None:
    async def ask() -> list[Any]:
        queue, go = WorkQueue(WorkLimits(at_once=1, patience=0.05)), threading.Event()
        first = asyncio.ensure_future(queue.run(lambda _budget: go.wait(60)))
        refused = await asyncio.gather(queue.run(lambda _budget: 1), return_exceptions=True)
        go.set()
        return [*refused, await first, await queue.run(lambda _budget: 3)]

    refused, *answered = asyncio.run(ask())
    assert isinstance(refused, Overloaded)
    assert "within 0.05 s" in str(refused)
    assert answered == [True, 3]


def test_a_client_at_its_share_hears_of_it() -> None:
    async def ask() -> list[Any]:
        queue, go = WorkQueue(WorkLimits(at_once=3, patience=0.05)), threading.Event()
        calls = [queue.run(lambda _budget: go.wait(60), "one") for _ in range(2)]
        running = [asyncio.ensure_future(call) for call in calls]
        await asyncio.sleep(0)
        refused = await asyncio.gather(
            queue.run(lambda _budget: 1, "one"), return_exceptions=True
        )
        other = await queue.run(lambda _budget: 3, "other")
        go.set()
        return [*refused, other, *await asyncio.gather(*running)]

    refused, *answered = asyncio.run(ask())
    assert "2 calls of this client run, which is its share); try again later, with" in str(
        refused
    )
    assert answered == [3, True, True]


def test_one_client_fills_neither_the_threads_nor_the_queue() -> None:
    async def ask() -> tuple[int, list[Any]]:
        queue, go = WorkQueue(WorkLimits(at_once=2, waiting=8, patience=60)), threading.Event()
        greedy = [
            asyncio.ensure_future(queue.run(lambda _budget: go.wait(60), "greedy"))
            for _ in range(8)
        ]
        await asyncio.sleep(0)
        # The other client is answered while all of these still work or wait.
        others = [await queue.run(lambda _budget: 5, "other") for _ in range(3)]
        go.set()
        found = await asyncio.gather(*greedy, return_exceptions=True)
        return sum(isinstance(each, Overloaded) for each in found), others

    # One works and two wait, a quarter of eight.
    assert asyncio.run(ask()) == (5, [5, 5, 5])


def test_work_for_a_client_that_left_is_not_begun_and_ends_where_it_runs() -> None:
    async def ask() -> tuple[list[str], int]:
        began: list[str] = []
        queue, running = WorkQueue(WorkLimits(seconds=60, at_once=1)), threading.Event()

        def work(name: str) -> Callable[[TimeBudget], object]:
            def run(budget: TimeBudget) -> object:
                began.append(name)
                running.set()
                return budget.run(endless)

            return run

        calls = [asyncio.ensure_future(queue.run(work(name))) for name in ("runs", "waits")]
        await asyncio.to_thread(running.wait, 60)
        for call in reversed(calls):
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        return began, await queue.run(lambda _budget: 7)

    # The place is free again although the work had 60 seconds.
    assert asyncio.run(ask()) == (["runs"], 7)


def test_a_queue_that_stops_ends_running_work() -> None:
    async def ask() -> list[Any]:
        queue, running = WorkQueue(WorkLimits(seconds=60)), threading.Event()

        def work(budget: TimeBudget) -> object:
            running.set()
            return budget.run(endless)

        call = asyncio.ensure_future(queue.run(work))
        await asyncio.to_thread(running.wait, 60)
        queue.stop()
        ended = await asyncio.gather(call, return_exceptions=True)
        return [*ended, await queue.run(lambda budget: budget.run(lambda: 4))]

    ended, after = asyncio.run(ask())
    assert isinstance(ended, TooCostly)
    assert after == 4


def test_a_client_over_http_has_its_share_of_the_queue(home: DataDirectory) -> None:
    limits = WorkLimits(seconds=0.5, at_once=1, waiting=4, patience=60)
    app = create_app(ServerSettings(work_limits=limits), Reader(home), FixedClock(NOW))
    quick = {"job": {"hours": 2}, "region": "DE"}

    async def post(client: str, body: object) -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(client, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as caller:
            return await caller.post("/v1/plan", json=body)

    async def call() -> list[httpx.Response]:
        greedy = [post("192.0.2.1", HEAVY) for _ in range(3)]
        return await asyncio.gather(*greedy, post("192.0.2.2", quick))

    *greedy, other = asyncio.run(call())
    # One works and one waits, a quarter of four.
    codes = sorted(answer.json()["code"] for answer in greedy)
    assert codes == ["overloaded", "too_costly", "too_costly"]
    assert other.status_code == 200


def test_the_plan_of_a_client_that_leaves_ends(
    home: DataDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = threading.Event()

    def plan(*_: object) -> NoReturn:
        running.set()
        endless()

    monkeypatch.setattr(decisions, "build_plan", plan)
    limits = WorkLimits(seconds=60, at_once=1)
    app = create_app(ServerSettings(work_limits=limits), Reader(home), FixedClock(NOW))
    body = json.dumps({"job": {"hours": 2}, "region": "DE"}).encode()
    scope = {
        **{"type": "http", "http_version": "1.1", "method": "POST", "scheme": "http"},
        **{"path": "/v1/plan", "raw_path": b"/v1/plan", "query_string": b"", "headers": []},
        **{"root_path": "", "client": ("192.0.2.1", 1), "server": ("test", 80)},
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if not running.is_set() and not sent:
            sent.append(body)
            return {"type": "http.request", "body": body, "more_body": False}
        await asyncio.to_thread(running.wait, 60)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:  # noqa: ANN401  # ASGI
        sent.append(message)

    async def call() -> httpx.Response:
        await app(scope, receive, send)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.post("/v1/batch", json={"questions": [WINDOW]})

    # The one thread is free again although the plan had 60 seconds.
    assert asyncio.run(call()).status_code == 200
    assert sent[1]["status"] == 499

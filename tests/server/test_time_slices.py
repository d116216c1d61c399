"""Threads that plan take turns: one at a time, each in its turn, none left out."""

from __future__ import annotations

import threading
import time

import pytest

from gridtide.planning.solvers.cancellation import cancellable, check_cancelled, outside_python
from gridtide_server.queue import SLICE_SECONDS, TimeBudget, TimeSlices, WorkLimits


def in_threads(count: int, work: object) -> None:
    """Run `work(k)` in so many threads and wait for all."""
    assert callable(work)
    threads = [threading.Thread(target=work, args=(k,), daemon=True) for k in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def test_one_works_at_a_time_and_all_get_on() -> None:
    slices, inside, most = TimeSlices(), [], []
    rounds = [0, 0, 0]

    def work(k: int) -> None:
        with slices.own():
            while min(rounds) < 3:
                inside.append(k)
                most.append(len(inside))
                time.sleep(SLICE_SECONDS / 4)
                inside.remove(k)
                rounds[k] += 1
                slices.hand_on()

    in_threads(3, work)
    assert max(most) == 1
    assert min(rounds) >= 3


def test_a_slice_is_kept_until_it_is_over() -> None:
    now = [0.0]
    slices = TimeSlices(lambda: now[0])
    order: list[str] = []
    ready = threading.Event()

    def second(_: int) -> None:
        ready.set()
        with slices.own():
            order.append("second")

    with slices.own():
        other = threading.Thread(target=second, args=(0,), daemon=True)
        other.start()
        assert ready.wait(60)
        time.sleep(0.05)
        slices.hand_on()
        order.append("first")
        now[0] += SLICE_SECONDS
        slices.hand_on()
        order.append("first again")
    other.join(60)
    assert order == ["first", "second", "first again"]


def test_a_solver_outside_of_python_delays_no_other_thread() -> None:
    slices = TimeSlices()
    others, solved = threading.Event(), threading.Event()

    def solver(_: int) -> None:
        budget = TimeBudget(WorkLimits(), slices=slices)

        def work() -> bool:
            check_cancelled()
            with outside_python():
                return others.wait(30)

        assert budget.run(work)
        solved.set()

    thread = threading.Thread(target=solver, args=(0,), daemon=True)
    thread.start()
    time.sleep(0.05)
    assert TimeBudget(WorkLimits(), slices=slices).run(lambda: 5) == 5
    others.set()
    assert solved.wait(60)


def test_failed_work_gives_the_permit_back() -> None:
    slices = TimeSlices()
    budget = TimeBudget(WorkLimits(), slices=slices)

    def fail() -> None:
        raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            budget.run(fail)
    assert budget.run(lambda: 1) == 1


def test_outside_of_a_server_nothing_is_waited_for() -> None:
    with outside_python(), cancellable(lambda: None), outside_python():
        check_cancelled()

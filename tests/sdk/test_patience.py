"""How often and how long a call is tried: no waiting, the clock is an argument."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import ServiceUnavailable
from gridtide.http.session import LONGEST_PAUSE, Patience


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def said(status: int | None, retry_after: float | None = None) -> ServiceUnavailable:
    return ServiceUnavailable("no", status=status, retry_after=retry_after)


def patience(retries: int = 9, timeout: float = 1000, jitter: float = 1.0) -> Patience:
    return Patience(retries, timeout, Hands(), lambda: jitter)


def test_pauses_double_and_stop_growing() -> None:
    tries = patience()
    assert [tries.pause_after(said(503)) for _ in range(7)] == [0.25, 0.5, 1, 2, 4, 8, 8]


def test_jitter_shortens_a_pause_to_no_less_than_half() -> None:
    assert patience(jitter=0.0).pause_after(said(None)) == 0.125


def test_patience_ends_after_the_retries() -> None:
    tries = patience(retries=2)
    assert [tries.pause_after(said(503)) is None for _ in range(3)] == [False, False, True]
    assert patience(retries=0).pause_after(said(503)) is None


@pytest.mark.parametrize("status", [None, 429, 502, 503, 504])
def test_what_passes_is_tried_again(status: int | None) -> None:
    assert patience().pause_after(said(status)) is not None


@pytest.mark.parametrize("status", [500, 501, 505])
def test_what_stays_is_not(status: int) -> None:
    assert patience().pause_after(said(status)) is None


def test_retry_after_is_obeyed_where_it_is_longer() -> None:
    assert patience().pause_after(said(429, 7.0)) == 7.0
    assert patience().pause_after(said(429, 0.0)) == 0.25


def test_a_pause_longer_than_the_time_left_ends_it_at_once() -> None:
    assert patience(timeout=30).pause_after(said(503, 3600)) is None
    hands = Hands()
    tries = Patience(9, 30.0, hands, lambda: 1.0)
    hands.at += 29.9
    assert tries.left == pytest.approx(0.1)
    assert tries.pause_after(said(503)) is None


@given(
    st.integers(0, 20),
    st.floats(0.1, 600),
    st.floats(0, 1),
    st.lists(st.tuples(st.floats(0, 50), st.none() | st.floats(0, 100)), max_size=40),
)
def test_all_tries_and_pauses_fit_in_the_timeout(
    retries: int, timeout: float, jitter: float, course: list[tuple[float, float | None]]
) -> None:
    hands = Hands()
    tries = Patience(retries, timeout, hands, lambda: jitter)
    pauses = 0
    for took, retry_after in course:
        hands.at += min(took, max(tries.left, 0))  # a try gets what time is left
        pause = tries.pause_after(said(503, retry_after))
        if pause is None:
            break
        pauses += 1
        hands.at += pause
        assert hands.at - 100 <= timeout * (1 + 1e-9)
        assert retry_after is None or pause >= retry_after
    assert pauses <= retries


def test_the_pause_stays_the_longest_however_often_it_was_tried() -> None:
    patient = patience(retries=10**400, timeout=1e9)
    pauses = [patient.pause_after(said(503)) for _ in range(2000)]
    assert set(pauses[20:]) == {LONGEST_PAUSE}

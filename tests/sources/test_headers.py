"""Header values are read strictly: what does not fit is as if it were not there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridtide_pipelines.ingest.headers import read_date, read_moment, read_retry_after

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DATE = "%a, %d %b %Y %H:%M:%S GMT"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "soon",
            "²",
            "٣",
            "1e9",
            "NaN",
            "inf",
            "-5",
            "+5",
            "7.5",
            "0x10",
            "7 s",
            "1" * 400,
        ),
        *("Mon, 31 Feb 2026 12:00:00 GMT", "Mon, 02 Mar 0000 12:00:00 GMT", "2026-03-02"),
        *("Mon, 02 Mar 2026 99:00:00 GMT", "Mon, 02 Mar 2026 12:00:00 +9999", "\x00", "7\x1b"),
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert read_retry_after(text, NOW, least=1.0) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 120 ", 120.0),
        ("0", 1.0),
        ("999999999", 999_999_999.0),
        ("Mon, 02 Mar 2026 12:00:07 GMT", 7.0),
        ("Mon, 02 Mar 2026 11:59:00 GMT", 1.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 1.0),
    ],
)
def test_a_number_or_a_date_is_a_wait_and_the_past_is_the_least(
    text: str, seconds: float
) -> None:
    assert read_retry_after(text, NOW, least=1.0) == seconds


@pytest.mark.parametrize(
    ("age", "seconds"),
    [
        ("", 0),
        ("7200", 7200),
        (" 60 ", 60),
        ("-5", 0),
        ("²", 0),
        ("soon", 0),
        ("9" * 9, 10**9 - 1),
    ],
)
def test_what_a_cache_has_kept_left_later_than_its_date(age: str, seconds: int) -> None:
    headers = {"Date": "Mon, 02 Mar 2026 12:00:00 GMT", "Age": age}
    assert read_moment(headers) == NOW + timedelta(seconds=seconds)
    assert read_moment({"Age": age}) is None
    assert read_moment({"Date": "Fri, 31 Dec 9999 23:59:59 GMT", "Age": age}) is not None


@settings(deadline=None)
@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001  # drawn naive
def test_a_date_is_read_back(drawn: datetime) -> None:
    moment = drawn.replace(microsecond=0, tzinfo=UTC)
    assert read_date(moment.strftime(DATE)) == moment


@settings(deadline=None)
@given(st.text(max_size=40))
def test_no_text_is_an_error(text: str) -> None:
    assert read_date(text) is None or read_date(text) <= datetime.max.replace(tzinfo=UTC)
    found = read_retry_after(text, NOW, least=1.0)
    assert found is None or found >= timedelta(seconds=1).total_seconds()

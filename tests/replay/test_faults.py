"""Faults on demand: how they are written, and what each sends."""

from __future__ import annotations

from itertools import islice

import pytest

from gridtide.errors import BadInput
from gridtide_pipelines.replay.faults import (
    KINDS,
    PAGE,
    Answers,
    Fault,
    Reply,
    Sending,
    read_fault,
)

SOURCES = ("eia", "entsoe")
TRUE = Reply(b'{"data": [1, 2]}', headers={"X-Own": "1"})
ANSWERS = Answers("/eia/x?y=1", TRUE, Reply(b"none"), Reply(b"refused", 400))


def sent(text: str) -> Sending:
    return read_fault(text, SOURCES).send(ANSWERS)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("eia=429", Fault("eia", None, "429")),
        ("eia=429:30", Fault("eia", None, "429", 30.0)),
        ("entsoe:DE=hang", Fault("entsoe", "DE", "hang")),
        ("entsoe:NO-NO2=drip:0.5", Fault("entsoe", "NO-NO2", "drip", 0.5)),
    ],
)
def test_a_fault_is_read_and_written_alike(text: str, fault: Fault) -> None:
    assert read_fault(text, SOURCES) == fault
    assert str(fault) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("eia", "write it as SOURCE=KIND"),
        ("=hang", "write it as SOURCE=KIND"),
        ("eai=hang", "unknown source 'eai'; must be one of eia, entsoe"),
        ("eia=burn", "unknown kind 'burn'; must be one of hang"),
        ("eia=302", "unknown kind '302'"),
        ("eia=cut:3", "cut takes no number"),
        ("eia=hang:soon", "'soon' is not a number of seconds"),
        ("eia=hang:-1", "'-1' is not a number of seconds"),
        ("eia=hang:nan", "'nan' is not a number of seconds"),
        ("eia=html:12", "'12' is not a number of status"),
        ("eia=429:", "'' is not a number of seconds of Retry-After"),
    ],
)
def test_a_fault_that_cannot_be_read_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        read_fault(text, SOURCES)


def test_a_fault_concerns_its_source_and_zone_alone() -> None:
    assert Fault("entsoe", None, "cut").concerns("entsoe", ())
    assert not Fault("entsoe", None, "cut").concerns("eia", ("DE",))
    assert Fault("entsoe", "DE", "cut").concerns("entsoe", ("DE", "FR"))
    assert not Fault("entsoe", "DE", "cut").concerns("entsoe", ("FR",))


def test_a_status_comes_with_retry_after_where_it_means_to_wait() -> None:
    assert (sent("eia=429").status, sent("eia=429").headers["Retry-After"]) == (429, "1")
    assert sent("eia=503:30").headers["Retry-After"] == "30"
    assert "Retry-After" not in sent("eia=500").headers


def test_a_late_response_is_the_true_one() -> None:
    late = sent("eia=hang:3")
    assert (late.delay, late.headers["X-Own"]) == (3.0, "1")
    assert b"".join(part for part in late.parts if isinstance(part, bytes)) == TRUE.content
    assert sent("eia=hang").delay > 3600


def test_a_cut_response_says_more_than_it_has() -> None:
    cut = sent("eia=cut")
    assert (cut.length, *cut.parts) == (16, b'{"data":')


def test_drips_are_single_bytes_with_pauses() -> None:
    drip = sent("eia=drip:0.5")
    assert (drip.length, list(islice(drip.parts, 4))) == (16, [b"{", 0.5, b'"', 0.5])


def test_an_endless_body_says_no_length() -> None:
    endless = sent("eia=endless")
    assert endless.length is None
    assert sum(len(part) for part in islice(endless.parts, 100) if part) > 6_000_000


def test_the_others_are_whole_responses_of_their_own() -> None:
    html, loop = sent("eia=html"), sent("eia=redirect")
    assert (html.status, list(html.parts)) == (200, [PAGE])
    assert (loop.status, loop.headers["Location"]) == (302, "/eia/x?y=1")
    refusal, none, also = sent("eia=refusal"), sent("eia=no-data"), sent("eia=no-data:404")
    assert (refusal.status, list(refusal.parts)) == (400, [b"refused"])
    assert (none.status, list(none.parts)) == (200, [b"none"])
    assert also.status == 404


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_explained_and_sends_something(kind: str) -> None:
    assert KINDS[kind].meaning
    assert sent(f"eia={kind}").status >= 200

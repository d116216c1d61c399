"""Jobs, bounds, goals and places as JSON: what is written is read back as it was."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.calls import replan_of_json
from gridtide.errors import BadInput, TooManyRegions
from gridtide.planning import (
    Bounds,
    Cost,
    CostSeries,
    Days,
    Elastic,
    Goal,
    Job,
    Kind,
    Moves,
    Objective,
    PowerProfile,
    Progress,
    Quantile,
    Weekly,
)
from gridtide.schema.decode import decode_fields, decode_request, decoder_of
from gridtide.schema.definition import Field
from gridtide.schema.encode import encode_request
from gridtide.schema.json_values import decode_clock, decode_number, decode_time
from gridtide.schema.plans import PlanRequest
from gridtide.schema.regions import Candidate, Candidates, as_candidates

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def over_the_wire(value: object) -> Any:  # noqa: ANN401  # JSON
    return json.loads(json.dumps(value, allow_nan=False))


lengths = st.timedeltas(timedelta(microseconds=1), timedelta(days=3650))
kilowatts = st.floats(0.001, 1e6)
moments = st.datetimes(
    datetime(1971, 1, 1),  # noqa: DTZ001  # hypothesis wants it naive
    datetime(2180, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
numbers = st.floats(0, 1e9)


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    steps = draw(st.lists(st.tuples(lengths, kilowatts), min_size=1, max_size=4))
    length = sum((each for each, _ in steps), timedelta(0))
    kind = draw(st.sampled_from(Kind))
    profile = PowerProfile(tuple(steps)) if draw(st.booleans()) else draw(kilowatts)
    if kind is Kind.ELASTIC:
        workers = Elastic(
            draw(st.floats(1, 8)),
            draw(st.floats(0, 1)),
            ramp=draw(st.none() | st.floats(1, 4)),
            throughput=draw(st.sampled_from([(), ((1.0, 1.0), (8.0, 4.0))])),
        )
        return Job(length, kind, power=draw(kilowatts), workers=workers)
    if kind is not Kind.SEGMENTS:
        return Job(length, kind, power=profile)
    costs = st.builds(Cost, numbers, st.timedeltas(timedelta(0), timedelta(days=1)))
    return Job(
        length,
        kind,
        power=profile,
        min_segment=draw(st.none() | st.just(length / 3)),
        max_segments=draw(st.none() | st.integers(1, 9)),
        pause_cost=draw(costs),
        restart_cost=draw(costs),
        checkpoints=draw(st.sampled_from([(), (length / 2,)])),
    )


@st.composite
def bounds(draw: st.DrawFn) -> Bounds:
    weekly = st.builds(
        lambda pairs: Weekly("Europe/Berlin", dict(pairs)),
        st.lists(
            st.tuples(
                st.integers(0, 6),
                st.tuples(
                    st.tuples(st.integers(0, 1439), st.integers(1, 1440)).map(
                        lambda pair: (pair[0], pair[0] + pair[1])
                    )
                ),
            ),
            min_size=1,
            unique_by=lambda pair: pair[0],
        ),
    )
    days = st.dates(date(1980, 1, 1), date(2100, 1, 1))
    ranges = st.tuples(days, days).map(lambda two: Days("UTC", min(two), max(two)))
    spans = st.tuples(moments, lengths).map(lambda two: (two[0], two[0] + two[1]))
    slack = draw(st.none() | lengths)
    return Bounds(
        earliest=draw(st.none() | moments),
        deadline=draw(st.none() | moments),
        slack=slack,
        slack_fraction=draw(st.none() | numbers) if slack is None else None,
        next_working_day=draw(st.none() | st.times()),
        opening=draw(st.none() | weekly),
        blackouts=tuple(draw(st.lists(spans | weekly | ranges, max_size=3))),
        zone=draw(st.sampled_from(["UTC", "America/New_York"])),
        holidays=frozenset(draw(st.lists(days, max_size=3))),
    )


@st.composite
def goals(draw: st.DrawFn) -> Goal:
    aim = draw(st.sampled_from(Objective))
    costs = CostSeries.regular(
        "EUR/kWh", draw(moments), HOUR, draw(st.lists(st.none() | st.floats(-9, 9)))
    )
    needs_costs = aim in (Objective.COST, Objective.WEIGHTED)
    weighted = aim is Objective.WEIGHTED
    limit = draw(st.sampled_from(["none", "threshold", "saving", "budget"]))
    return Goal(
        aim,
        costs if needs_costs else None,
        carbon_weight=draw(st.floats(0.1, 9)) if weighted else None,
        cost_weight=draw(numbers) if weighted else None,
        budget_grams=draw(numbers) if limit == "budget" and aim is Objective.CARBON else None,
        threshold=draw(numbers) if limit == "threshold" else None,
        min_saving=draw(st.floats(0, 0.99)) if limit == "saving" else 0.0,
        quantile=draw(st.sampled_from(Quantile)),
    )


@given(jobs())
def test_a_job_is_read_back_as_it_was(job: Job) -> None:
    assert decode_request(Job, over_the_wire(encode_request(job))) == job


@given(bounds())
def test_bounds_are_read_back_as_they_were(bounds: Bounds) -> None:
    assert decode_request(Bounds, over_the_wire(encode_request(bounds))) == bounds


@given(goals())
def test_a_goal_is_read_back_as_it_was(goal: Goal) -> None:
    assert decode_request(Goal, over_the_wire(encode_request(goal))) == goal


def test_hours_longer_than_a_day_mean_the_same_when_read_back() -> None:
    # Monday 10:00 to Tuesday 12:40, which the text form cannot say in one.
    long = Weekly("UTC", {0: ((600, 2200),)})
    read = decode_request(Bounds, encode_request(Bounds(opening=long))).opening
    assert read is not None
    week = 7 * 86_400_000_000
    assert read.spans(0, 3 * week) == long.spans(0, 3 * week)


def test_candidates_are_read_back_as_they_were() -> None:
    asked = Candidates(
        (
            Candidate("DE", pue=1.2, intensity=35.0, jurisdiction="EU"),
            Candidate((52.5, 13.4), latitude=52.0, longitude=13.0),
        ),
        current_region="DE",
        allowed=frozenset({"DE"}),
        residency=frozenset({"EU"}),
        max_latency_ms=20.0,
        latency_from="DE",
        latency_ms={"52.5,13.4": 4.5},
        data_gb=5.0,
        kwh_per_gb=0.01,
        moves=Moves.FOLLOW,
    )
    wire = over_the_wire(encode_request(asked))
    assert wire["regions"][1]["region"] == "52.5,13.4"
    assert wire["current_region"] == "DE"
    assert decode_request(Candidates, wire) == asked
    plain = encode_request(Candidates(("DE",)))
    assert plain == {"regions": ["DE"]}
    former = {"places": ["DE"], "home": "DE"}
    assert decode_request(Candidates, former) == Candidates(("DE",), current_region="DE")


def test_progress_is_read_back_as_it_was() -> None:
    progress = Progress(
        NOON,
        1.5 * HOUR,
        running=True,
        running_for=0.25 * HOUR,
        segments=2,
        region="DE",
        grams=12.5,
        workers=1.5,
    )
    read = decode_fields(Progress, over_the_wire(encode_request(progress)))
    assert Progress(**read) == progress
    assert encode_request(Progress(NOON)) == {"at": "2026-03-02T12:00:00Z"}


def test_a_question_says_no_more_than_it_must() -> None:
    wire = encode_request(PlanRequest(Job(2 * HOUR), "DE"))
    assert wire == {
        "job": {"hours": 2.0},
        "region": "DE",
    }
    asked = decode_request(PlanRequest, wire)
    assert (asked.job, asked.bounds, asked.goal) == (Job(2 * HOUR), None, None)


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("DE", ["DE"]),
        ((52.5, 13.4), ["52.5,13.4"]),
        (["DE", (1, 2)], ["DE", "1.0,2.0"]),
        (Candidate("DE", 1.1), ["DE"]),
        (("DE", "FR"), ["DE", "FR"]),
        (iter(["DE", Candidate("FR")]), ["DE", "FR"]),
    ],
)
def test_one_or_several_regions_are_candidates(where: object, names: list[str]) -> None:
    assert [each.region for each in as_candidates(where).regions] == names


@pytest.mark.parametrize(
    ("where", "kind", "words"),
    [
        ([], BadInput, "no region is given"),
        (7, BadInput, "where is 7; give a region such as DE"),
        ({"DE": 1.2}, BadInput, "where is {'DE': 1.2}; give a region"),
        ([""], BadInput, "region is empty"),
        ([(95, 10)], BadInput, "latitude is -90 to 90"),
        ([Candidate("DE"), Candidate("DE", pue=2)], BadInput, "named twice"),
        ([f"Z{k}" for k in range(501)], TooManyRegions, "at most 500"),
    ],
)
def test_what_is_no_region_is_refused(where: object, kind: type[BadInput], words: str) -> None:
    with pytest.raises(kind, match=words):
        as_candidates(where)


@pytest.mark.parametrize(
    ("read", "value", "words"),
    [
        (decode_time, "2026-03-02T12:00", "no UTC offset"),
        (decode_time, "1969-12-31T23:59Z", "outside 1970 to 2199"),
        (decode_clock, "09:00+01:00", "has an offset"),
        (decode_number, float("inf"), "inf is not finite"),
        (decoder_of(tuple[float, ...], Field(most=2)), [1, 2, 3], "3 entries; at most 2"),
        (decoder_of(tuple[float, ...]), [1, "x"], r"here\[1\]: must be a number, not 'x'"),
    ],
)
def test_a_value_that_is_not_of_its_type_is_named(read: Any, value: object, words: str) -> None:  # noqa: ANN401
    with pytest.raises(BadInput, match=words):
        read(value, "here")


@pytest.mark.parametrize("sign", [1, -1])
def test_a_whole_number_too_large_for_a_float_is_out_of_bounds(sign: int) -> None:
    with pytest.raises(BadInput, match=r"here: -?1000.*… is too (small|large); give from 0 to"):
        decoder_of(int, Field(at_least=0, at_most=20))(sign * 10**400, "here")


def test_a_field_under_its_name_and_a_former_one_is_refused() -> None:
    job = {"hours": 4, "kind": "segments", "min_piece": 1, "min_segment": 2}
    with pytest.raises(BadInput, match=r"job.min_segment: given also as min_piece; give one"):
        decode_request(PlanRequest, {"job": job, "region": "DE"})
    with pytest.raises(BadInput, match=r"aim: given also as objective; give one"):
        decode_request(Goal, {"objective": "cfe", "aim": "carbon"})
    assert decode_request(Goal, {"objective": "cfe", "aim": None}) == Goal("cfe")


def test_the_time_of_day_keeps_its_seconds() -> None:
    wire = encode_request(Bounds(next_working_day=time(9, 0, 30)))
    assert wire == {"next_working_day": "09:00:30"}
    assert encode_request(Bounds(next_working_day=time(9)))["next_working_day"] == "09:00"


def test_fractional_workers_are_written_only_where_they_are_asked_for() -> None:
    job = Job(timedelta(hours=2), Kind.ELASTIC, workers=Elastic(2))
    assert "fractional_workers" not in encode_request(job)["workers"]
    shared = Job(timedelta(hours=2), Kind.ELASTIC, workers=Elastic(2, fractional_workers=True))
    assert encode_request(shared)["workers"]["fractional_workers"] is True
    assert decode_request(Job, encode_request(shared)) == shared
    with pytest.raises(BadInput, match="fractional_workers"):
        decode_request(
            Job,
            {"hours": 2, "kind": "elastic", "workers": {"maximum": 2, "fractional_workers": 1}},
        )


def test_former_names_are_still_decoded() -> None:
    former = {
        "job": {"hours": 2, "kind": "elastic", "chips": {"maximum": 2}},
        "places": {"places": ["DE", "FR"], "home": "DE"},
        "goal": {"aim": "cfe"},
    }
    request = decode_request(PlanRequest, former)
    assert request == decode_request(PlanRequest, encode_request(request))
    assert encode_request(request) == {
        "job": {"hours": 2.0, "kind": "elastic", "workers": {"maximum": 2.0}},
        "candidates": {"regions": ["DE", "FR"], "current_region": "DE"},
        "goal": {"objective": "cfe"},
    }
    limited = {"hours": 2, "kind": "pieces", "min_piece": 1, "max_pieces": 2}
    assert encode_request(decode_request(Job, limited)) == {
        "hours": 2.0,
        "kind": "segments",
        "min_segment": 1.0,
        "max_segments": 2,
    }


@pytest.mark.parametrize("body", [{}, {"plan": {}}, [], None, "text"])
def test_a_replan_without_its_request_is_refused(body: Any) -> None:  # noqa: ANN401  # JSON
    with pytest.raises(BadInput, match="request: required"):
        replan_of_json(body)

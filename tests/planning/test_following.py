"""Jobs that follow the cleanest region, against every schedule."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.errors import BadInput, NoFeasibleWindow
from gridtide.model import Quality, Series, Slot
from gridtide.planning.planner import plan
from gridtide.planning.problem.bounds import Bounds
from gridtide.planning.problem.forecast import Outlook
from gridtide.planning.problem.job import Cost, Job, Kind
from gridtide.planning.problem.objective import Goal
from gridtide.planning.problem.regions import (
    CandidateRegion,
    CandidateRegions,
    Moves,
)
from gridtide.planning.problem.scaling import Elastic
from tests.examples import examples
from tests.planning.settings import CI, HOUR, MINUTE, POWER, T0, at
from tests.planning.test_regions import DE, FR, candidate

VALUE = st.one_of(st.none(), *[st.integers(0, 5).map(float)] * 4)


@st.composite
def two_regions(draw: st.DrawFn) -> tuple[CandidateRegion, CandidateRegion]:
    found = []
    for region in ("DE", "FR"):
        slots, clock = [], draw(st.integers(0, 1))
        while clock < 7:
            length = min(draw(st.integers(1, 3)), 7 - clock)
            slots.append(Slot(at(clock), at(clock + length), draw(VALUE), Quality.FORECAST))
            clock += length
        slots.append(Slot(at(20), at(21), 1.0, Quality.FORECAST))  # some value is known
        pue = draw(st.sampled_from([1.0, 1.5]))
        found.append(CandidateRegion(region, Outlook(Series(region, CI, tuple(slots))), pue))
    return found[0], found[1]


def by_minute(place: CandidateRegion) -> dict[int, Fraction]:
    return {
        minute: Fraction(slot.value)
        for slot in place.outlook.expected.slots
        if slot.value is not None
        for minute in range((slot.start - T0) // MINUTE, (slot.end - T0) // MINUTE)
    }


def all_schedules(
    places: tuple[CandidateRegion, CandidateRegion], work: int
) -> Iterator[list[int]]:
    """For each of seven minutes where the job runs, or -1."""
    known = [by_minute(each) for each in places]
    for way in product((-1, 0, 1), repeat=7):
        ran = [minute for minute in range(7) if way[minute] >= 0]
        if len(ran) == work and all(minute in known[way[minute]] for minute in ran):
            yield list(way)


def cost_of(
    way: list[int],
    places: tuple[CandidateRegion, CandidateRegion],
    move: Fraction,
    toll: Fraction,
) -> Fraction:
    """At a kWh a minute; home is the first place; overhead is of each restart, moves included.

    What happens at an instant is drawn in the minute before it or after it, whichever is
    cheaper, a move no later than the restart it is for, and a restart where the job may run.
    """
    known = [by_minute(each) for each in places]
    pues = [Fraction(each.pue) for each in places]

    def known_from(which: int, minute: int) -> Fraction:
        later = [m for m in sorted(known[which]) if m >= minute]
        return known[which][later[0] if later else max(known[which])]

    def moving(minute: int) -> Fraction:
        return move * (known_from(0, minute) + known_from(1, minute)) / 2

    total, last, end = Fraction(0), 0, None
    for minute, here in enumerate(way):
        if here < 0:
            continue
        total += known[here][minute] * pues[here]
        if end != minute or here != last:
            free = any(minute - 1 in there for there in known)
            sides = [minute - 1, minute] if free else [minute]
            again = toll * pues[here] if end is not None else Fraction(0)
            schedules_of = [
                (moving(b) if here != last else 0) + again * known[here][c]
                for b in sides
                for c in sides
                if b <= c and c in known[here]
            ]
            if end is None and here != last:
                schedules_of.append(moving(0))  # or right now, before the first start
            total += min(schedules_of)
        last, end = here, minute + 1
    return total


@examples(120)
@given(
    two_regions(),
    st.integers(1, 5),
    st.sampled_from([Kind.UNBROKEN, Kind.INTERRUPTIBLE, Kind.SEGMENTS]),
    st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(2)]),
)
def test_no_schedule_over_time_and_regions_costs_less(
    pair: tuple[CandidateRegion, CandidateRegion], work: int, kind: Kind, move: Fraction
) -> None:
    toll = Fraction(1, 2) if kind is Kind.SEGMENTS else Fraction(0)
    schedules_of = [
        way
        for way in all_schedules(pair, work)
        if kind is not Kind.UNBROKEN or "-" not in "".join("-x"[h >= 0] for h in way).strip("-")
    ]
    expected = min((cost_of(way, pair, move, toll) for way in schedules_of), default=None)
    places = CandidateRegions(
        pair, current_region="DE", data_gb=float(move), kwh_per_gb=1.0, moves=Moves.FOLLOW
    )
    job = Job(work * MINUTE, kind, power=POWER, **({"restart_cost": Cost(0.5)} if toll else {}))
    if expected is None:
        with pytest.raises(NoFeasibleWindow):
            plan(job, places, Bounds(deadline=at(7)), now=T0)
        return
    found = plan(job, places, Bounds(deadline=at(7)), now=T0)
    assert found.grams == pytest.approx(float(expected), abs=1e-9)


def test_following_names_where_it_runs_when() -> None:
    places = CandidateRegions((DE, FR), moves=Moves.FOLLOW)
    found = plan(Job(3 * HOUR), places, now=T0)
    assert [(each.region, each.start) for each in found.slots] == [
        ("DE", T0),
        ("FR", T0 + HOUR),
    ]
    assert found.grams == pytest.approx(5 + 3 + 2)
    assert found.reason.sentence.startswith("Run in DE and FR from")
    alone = {each.what: each.grams for each in found.alternatives}
    assert alone["run in FR"] == pytest.approx(14)


def test_following_stays_where_moving_gains_nothing() -> None:
    level = CandidateRegions(
        (candidate("DE", 2, 1, 1), candidate("FR", 1, 1, 2)), moves=Moves.FOLLOW
    )
    found = plan(Job(2 * HOUR), level, now=T0)
    assert [(each.region, each.start, each.end) for each in found.slots] == [
        ("FR", T0, T0 + 2 * HOUR)
    ]


def test_an_elastic_job_follows_where_moves_are_free_and_only_there() -> None:
    job = Job(2 * HOUR, Kind.ELASTIC, workers=Elastic(2))
    found = plan(job, CandidateRegions((DE, FR), moves=Moves.FOLLOW), now=T0)
    assert (found.grams, found.slots[0].region) == (pytest.approx(4), "FR")
    costly = CandidateRegions(
        (DE, FR), current_region="DE", data_gb=1, kwh_per_gb=1, moves=Moves.FOLLOW
    )
    with pytest.raises(BadInput, match="use one move, or leave the data where it is"):
        plan(job, costly, now=T0)
    with pytest.raises(BadInput, match="not offered with moves that cost"):
        plan(Job(HOUR), costly, goal=Goal(budget_grams=50), now=T0)


def test_following_meets_a_budget_over_all_regions() -> None:
    # An hour in DE is 5 g; half of it and half of 3 g in FR are 4 g, at the soonest.
    found = plan(
        Job(HOUR),
        CandidateRegions((DE, FR), moves=Moves.FOLLOW),
        goal=Goal(budget_grams=4),
        now=T0,
    )
    assert (found.start, found.grams) == (T0 + HOUR / 2, pytest.approx(4))

"""What happens at the edge of two slots is drawn on the cleaner side, and in its order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridtide.model import Series
from gridtide.planning.problem.job import Cost, Job, Kind
from gridtide.planning.solvers import exact_segments
from gridtide.planning.solvers.costs import Intervals
from gridtide.planning.solvers.solution import EnergyDraw
from gridtide.planning.solvers.uneven_grid import SiteCosts, UnevenGrid, Use
from tests.planning.settings import CI, HOUR, PROGRAMMES, T0, Setting, solved_by, us

# Two intervals of one microsecond each, or three.
TWO = Intervals([0, 1], [1, 2], [0, 0])
THREE = Intervals([0, 1, 2], [1, 2, 3], [0, 0, 0])


@pytest.mark.parametrize("programme", PROGRAMMES)
def test_a_restart_at_an_edge_is_drawn_in_the_cleaner_slot(programme: dict[str, int]) -> None:
    # 8 h in two segments: the first three, and from 06:00 on one at 4 g and four at 0 g. The
    # slot that ends at 06:00 has 1 g, so the restart's 3 kWh are 3 g and not 12 g.
    series = Series.regular("DE", CI, T0, HOUR, [0, 0, 0, None, 1, 1, 4, 0, 0, 0, 0])
    setting = Setting(series, [(0, 660)])
    job = Job(8 * HOUR, Kind.SEGMENTS, restart_cost=Cost(3), max_segments=2)
    found = solved_by(programme, setting.curve, job)
    assert found.cost == pytest.approx(4 + 3)
    assert found.extra == (EnergyDraw(us(300), us(360), 3),)
    least = replace(job, min_segment=HOUR)
    assert exact_segments.cheapest(setting.curve, least).cost == pytest.approx(4 + 3)


def test_a_pause_at_an_edge_is_drawn_in_the_cleaner_slot() -> None:
    # The first segment ends at 05:00 after an hour at 4 g; the slot that begins then has 1 g.
    series = Series.regular("DE", CI, T0, HOUR, [0, 0, 0, 0, 4, 1, 1, None, 0, 0, 0])
    job = Job(8 * HOUR, Kind.SEGMENTS, pause_cost=Cost(3), min_segment=3 * HOUR)
    found = exact_segments.cheapest(Setting(series, [(0, 660)]).curve, job)
    assert found.cost == pytest.approx(4 + 3)


def ragged(intervals: Intervals, tracks: list[SiteCosts]) -> UnevenGrid:
    return UnevenGrid(intervals, tracks, work=2, current_site=0)


def test_a_stop_a_move_and_a_start_all_wait_for_the_cheaper_side() -> None:
    # From site 0 to site 1 between the two cells. Before the edge a stop takes 10 and a move
    # 20; after it 1 and 2, and site 0 may still run then. A start takes 1.
    left = SiteCosts([0, 50], pause=[10, 1], restart=[0, 0], move=[10, 1])
    right = SiteCosts([None, 1], pause=[0, 0], restart=[9, 1], move=[10, 1], upfront=99)
    total, uses = ragged(TWO, [left, right]).cheapest()
    assert total == 1 + 2 + 1 + 1
    assert uses == [Use(0, 1, 0, moved=-1, begun=0), Use(1, 2, 1, stopped=1, moved=1, begun=1)]
    # Where site 0 may not run after the edge, it has to stop before it.
    gone = left._replace(rates=[0, None])
    total, uses = ragged(TWO, [gone, right]).cheapest()
    assert (total, uses[1].stopped, uses[1].moved) == (10 + 2 + 1 + 1, 0, 1)


def test_a_start_before_the_edge_needs_the_move_before_it() -> None:
    # Before the edge a start takes 1 and a move 20, after it 9 and 2. Site 1 may run on both
    # sides, but is dear before.
    left = SiteCosts([0, None], pause=[0, 0], restart=[0, 0], move=[10, 1])
    right = SiteCosts([500, 1], pause=[0, 0], restart=[1, 9], move=[10, 1], upfront=999)
    total, uses = ragged(TWO, [left, right]).cheapest()
    assert (total, uses[1].moved, uses[1].begun) == (2 + 9 + 1, 1, 1)


def test_from_stillness_too_a_move_comes_before_the_start() -> None:
    # Site 0 runs in the first interval, both stand still in the second, site 1 runs in the
    # third. Before the edge to it a move takes 100 and a start 3, after it 0 and 12.
    left = SiteCosts([0, None, None], pause=[0, 0, 0], restart=[0, 0, 0], move=[0, 100, 0])
    right = SiteCosts(
        [None, 1000, 5], pause=[0, 0, 0], restart=[0, 3, 12], move=[0, 0, 0], upfront=9999
    )
    total, uses = ragged(THREE, [left, right]).cheapest()
    assert total == 12 + 5
    assert uses[1] == Use(2, 3, 1, stopped=0, moved=2, begun=2)
    # With a cheap move before the edge too, the start takes its 3 there.
    total, uses = ragged(THREE, [left._replace(move=[0, 1, 0]), right]).cheapest()
    assert (total, uses[1].moved, uses[1].begun) == (1 + 3 + 5, 1, 1)

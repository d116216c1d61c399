"""Cut the free time of a curve into whole units of a grid: within it, or taken outwards."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import pairwise

from gridtide.planning.solvers.costs import Curve, Stretch
from gridtide.slots import Run


def gridded(curve: Curve, unit: int, phase: int) -> Curve:
    """Return the free time in whole units from `phase` on, each at its mean rate."""
    found = []
    for run, start, end in curve.stretches:
        first = start + (phase - start) % unit
        count = (end - first) // unit
        if count <= 0:
            continue
        last = first + count * unit
        inside = run.edges[bisect_right(run.edges, first) : bisect_left(run.edges, last)]
        if not any((edge - phase) % unit for edge in inside):
            found.append(Stretch(run, first, last))
            continue
        edges = list(range(first, last + 1, unit))
        sums = [run.upto(edge) for edge in edges]
        scaled = [round((later - earlier) / unit) for earlier, later in pairwise(sums)]
        values = [each / 1e9 for each in scaled]
        integrals = [0]
        for each in scaled:
            integrals.append(integrals[-1] + each * unit)
        found.append(Stretch(Run(edges, values, scaled, integrals, unit), first, last))
    return Curve(curve.name, tuple(found))


def widened(curve: Curve, unit: int, phase: int) -> Curve:
    """Return the free time extended to whole units from `phase` on."""
    found: list[Stretch] = []
    for run, start, end in curve.stretches:
        first, last = start - (start - phase) % unit, end + (phase - end) % unit
        first, last = max(first, run.edges[0]), min(last, run.edges[-1])
        if found and found[-1].run is run and first <= found[-1].end:
            first = found.pop().start
        found.append(Stretch(run, first, last))
    return Curve(curve.name, tuple(found))

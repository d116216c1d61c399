"""Plans, schedules and batches as text for a person; scripts take ``--json``."""

from __future__ import annotations

from gridtide.cli.show import provenance, region_title
from gridtide.cli.show_footprint import gross
from gridtide.cli.terminal import Table
from gridtide.errors import GridtideError
from gridtide.schema.batch_responses import Batch, One
from gridtide.schema.footprint_responses import FootprintAnswer
from gridtide.schema.plan_responses import PlanAnswer
from gridtide.schema.responses import BestRegion, BestWindow
from gridtide.schema.schedules import ScheduleAnswer
from gridtide.schema.text import format_minute, format_percent, format_value

# Of more slots than these only the number is shown; --json has them all.
MOST_SLOTS = 24


def plan(answer: PlanAnswer) -> list[str | Table]:
    """When and where to run, what it comes to, why, and what else was possible."""
    begin, end = format_minute(answer.start), format_minute(answer.end)
    segments = "1 segment" if answer.segments == 1 else f"{answer.segments} segments"
    made = f"{answer.quality} by {answer.model}" if answer.model else str(answer.quality)
    issued = f", issued {format_minute(answer.issued_at)}" if answer.issued_at else ""
    tables = [*_slots(answer), *_alternatives(answer)]
    return [
        f"{region_title(answer)}: start {begin}, end {end} ({segments})",
        f"  why      {answer.reason.sentence}",
        f"  energy   {answer.kwh:.6g} kWh{_grams(answer)}",
        f"  mean     {format_value(answer.mean, answer.signal)}",
        f"  change   {answer.what_would_change}",
        *tables,
        *([""] if tables else []),
        *(f"  {one.region}: left out; {one.reason}" for one in answer.left_out),
        *provenance(answer, f"{made}{issued}"),
    ]


def batch(answer: Batch) -> str:
    """A line for each question."""
    return "\n".join(f"{i}  {_line(one)}" for i, one in enumerate(answer, start=1))


def schedule(answer: ScheduleAnswer) -> str:
    """A line for each job, and how good they are together."""
    lines = [f"{i}  {_line(plan)}" for i, plan in enumerate(answer.plans, start=1)]
    return "\n".join([*lines, answer.sentence])


def _line(one: One) -> str:
    if isinstance(one, GridtideError):
        return f"{one.code}: {one}"
    if isinstance(one, FootprintAnswer):
        return f"{one.kwh:.6g} kWh: {gross(one)}"
    when = f"{format_minute(one.start)} to {format_minute(one.end)}"
    text = f"{one.region}: {when}, {format_value(one.mean, one.signal)}"
    if isinstance(one, BestRegion):
        return f"{text}; best of {len(one.ranking)}"
    return text if isinstance(one, BestWindow) else f"{text}, {one.kwh:.6g} kWh"


def _grams(answer: PlanAnswer) -> str:
    cost = "" if answer.cost is None else f", {answer.cost:.6g} {answer.cost_unit or ''}"
    if answer.grams is None:
        return cost
    if answer.interval is None:
        return f", {answer.grams:.6g} g{cost}"
    low, high = answer.interval.low, answer.interval.high
    return f", {answer.grams:.6g} g ({low:.6g} to {high:.6g}){cost}"


def _slots(answer: PlanAnswer) -> list[str | Table]:
    slots = answer.slots
    if len(slots) == 1:
        return []
    if len(slots) > MOST_SLOTS:
        return ["", f"{len(slots)} slots; --json lists them"]
    rows = [
        (
            format_minute(slot.start),
            format_minute(slot.end),
            f"{slot.power_kw:g} kW",
            slot.region,
        )
        for slot in slots
    ]
    return ["", Table(("from", "to", "power", "region"), rows)]


def _alternatives(answer: PlanAnswer) -> list[str | Table]:
    if not answer.alternatives:
        return []
    rows = [
        (
            one.what,
            one.region,
            format_minute(one.start),
            format_minute(one.end),
            format_value(one.mean, answer.signal),
            "-" if one.saving_now is None else format_percent(one.saving_now),
        )
        for one in answer.alternatives
    ]
    header = ("or", "region", "from", "to", "mean", "saves")
    return ["", Table(header, rows)]

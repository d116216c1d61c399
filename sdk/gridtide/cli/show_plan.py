"""Plans, schedules, batches and footprints as text for a person; scripts take --json."""

from __future__ import annotations

from gridtide.cli.origin import provenance, region_title
from gridtide.cli.show_price import prices_used
from gridtide.cli.terminal import Table
from gridtide.errors import GridtideError
from gridtide.schema.batches import Batch, One
from gridtide.schema.estimates import format_estimates, mark_estimate
from gridtide.schema.footprints import FootprintAnswer
from gridtide.schema.plans import PlanAnswer, ScheduleAnswer
from gridtide.schema.responses import BestRegion, BestWindow
from gridtide.schema.text import (
    SIMULATED,
    format_age,
    format_grams,
    format_minute,
    format_percent,
    format_resolution,
    format_value,
)


def footprint(answer: FootprintAnswer) -> str:
    """Return energy, grams, what they compare with, and where the intensity is known from."""
    lines = [f"energy  {answer.kwh:.6g} kWh", f"gross   {gross(answer)}"]
    if answer.net_g is not None and answer.net_g != answer.gross_g:
        lines.append(f"net     {format_grams(answer.net_g)}")
    if answer.g_per_kwh is not None:
        lines.append(f"mean    {answer.g_per_kwh:.4g} gCO2e/kWh")
    if answer.per_request_g is not None:
        lines.append(f"each    {answer.per_request_g:.4g} g")
    if answer.sci is not None:
        lines.append(f"SCI     {answer.sci:.4g} g per unit")
    if (gain := answer.gain) is not None:
        lines.append(
            f"gain    {gain.total:.4g}x: work {gain.work:.4g}, power {gain.power:.4g}, "
            f"overhead {gain.overhead:.4g}, intensity {gain.intensity:.4g}"
        )
    lines += [
        f"        = {each.amount:.3g} {each.what} ({each.source})"
        for each in answer.equivalents
    ]
    return "\n".join([*lines, *_origin(answer)])


def gross(answer: FootprintAnswer) -> str:
    """Return the gross grams, or how much of them is known."""
    if answer.gross_g is not None:
        return format_grams(answer.gross_g)
    return (
        f"unknown; {format_grams(answer.known_g)} for the {answer.known_kwh:.6g} kWh "
        "whose intensity is known"
    )


def _origin(answer: FootprintAnswer) -> list[str]:
    if answer.zone is None:
        return []
    named = answer.zone if answer.region == answer.zone else f"{answer.region} = {answer.zone}"
    seconds = answer.data_age_seconds
    lines = [
        f"zone    {named} ({answer.zone_name}), "
        f"{format_resolution(answer.resolved_by, answer.certainty, answer.meaning)}",
        f"signal  {answer.signal}, {answer.quality or 'nothing known'}",
        f"data    {'age unknown' if seconds is None else f'{format_age(seconds)} old'}, "
        f"{answer.source or 'none'} ({answer.licence})",
    ]
    if answer.replay:
        lines.append(f"replay  as known at {format_minute(answer.as_of)}, not now")
    if answer.simulated:
        lines.append(SIMULATED)
    return [*lines, *format_estimates(answer.estimates, answer.signal)]


# Of more slots than these only the number is shown; --json has them all.
MOST_SLOTS = 24


def plan(answer: PlanAnswer) -> list[str | Table]:
    """Return when and where to run, energy and emissions, the reason, and the alternatives."""
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
        *prices_used(answer.prices),
    ]


def batch(answer: Batch) -> str:
    """Return a line for each request."""
    return "\n".join(f"{i}  {_line(one)}" for i, one in enumerate(answer, start=1))


def schedule(answer: ScheduleAnswer) -> str:
    """Return a line for each job, and how good they are together."""
    lines = [f"{i}  {_line(plan)}" for i, plan in enumerate(answer.plans, start=1)]
    return "\n".join([*lines, answer.sentence])


def _line(one: One) -> str:
    if isinstance(one, GridtideError):
        return f"{one.code}: {one}"
    if isinstance(one, FootprintAnswer):
        return f"{one.kwh:.6g} kWh: {gross(one)}{mark_estimate(one.estimates)}"
    when = f"{format_minute(one.start)} to {format_minute(one.end)}"
    mean = f"{format_value(one.mean, one.signal)}{mark_estimate(one.estimates)}"
    text = f"{one.region}: {when}, {mean}"
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

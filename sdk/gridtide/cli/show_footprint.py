"""Footprints as text for a person; scripts take ``--json``."""

from __future__ import annotations

from gridtide.cli.show import SIMULATED
from gridtide.schema.footprint_responses import FootprintAnswer
from gridtide.schema.text import format_age, format_grams, format_minute


def footprint(answer: FootprintAnswer) -> str:
    """Energy, grams, what they compare with, and where the intensity is known from."""
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
    """Gross grams, or how much of them is known."""
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
        f"zone    {named} ({answer.zone_name}), by {answer.resolved_by}",
        f"signal  {answer.signal}, {answer.quality or 'nothing known'}",
        f"data    {'age unknown' if seconds is None else f'{format_age(seconds)} old'}, "
        f"{answer.source or 'none'} ({answer.licence})",
    ]
    if answer.replay:
        lines.append(f"replay  as known at {format_minute(answer.as_of)}, not now")
    if answer.simulated:
        lines.append(SIMULATED)
    return lines

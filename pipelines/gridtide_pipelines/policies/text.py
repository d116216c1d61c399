"""Output of a policy backtest: the JSON document, and lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from gridtide.model import Signal, format_time
from gridtide_pipelines.policies.backtest import Outcome
from gridtide_pipelines.policies.scores import Total

Json = dict[str, Any]
NUMBERS = ("now", "planned", "realised", "oracle")
# Reasons printed at most; the document and the table have all of them.
REASONS = 5


def amount_unit(signal: Signal) -> str:
    """The unit of what a run counts."""
    return "gCO2e" if signal.lower_is_cleaner else "kWh not carbon-free"


def document(
    request: Json,
    signal: Signal,
    outcomes: Sequence[Outcome],
    totals: Sequence[Total],
    rows: pl.DataFrame,
) -> Json:
    """The one JSON document: the request, the sums, the zones and every job."""
    return {
        **request,
        "signal": str(signal),
        "unit": signal.unit,
        "amount_unit": amount_unit(signal),
        "totals": [_total(each) for each in totals],
        "zones": [
            {
                "zone": each.zone,
                "source": each.source,
                "simulated": each.simulated,
                "jobs": len({row.at for row in each.scored}),
                "left_out": len(each.left_out),
                "forecasts_stored": each.stored,
                "forecasts_reissued": each.reissued,
                "forecasts_short": each.short,
                "models": dict(each.models),
            }
            for each in outcomes
        ],
        "left_out": [
            {"zone": out.zone, "at": format_time(out.at), "reason": out.reason}
            for each in outcomes
            for out in each.left_out
        ],
        "jobs": [
            {name: _plain(value) for name, value in row.items() if name != "left_out"}
            for row in rows.filter(pl.col("left_out").is_null()).iter_rows(named=True)
        ],
    }


def _total(total: Total) -> Json:
    amounts = {name: getattr(total, name) for name in NUMBERS}
    return {
        "zone": total.zone,
        "policy": total.policy,
        "jobs": total.jobs,
        "ran_at_once": total.at_once,
        "ran_elsewhere": dict(total.elsewhere),
        **{name: amount.counted for name, amount in amounts.items()},
        **{f"{name}_kwh": amount.kwh for name, amount in amounts.items()},
        **{f"{name}_mean": total.mean(amount) for name, amount in amounts.items()},
        "saving_planned": total.saving(total.planned),
        "saving": total.saving(total.realised),
        "saving_oracle": total.saving(total.oracle),
        "captured": total.captured,
    }


def _plain(value: object) -> object:
    return format_time(value) if isinstance(value, datetime) else value


def lines(
    signal: Signal, outcomes: Sequence[Outcome], totals: Sequence[Total]
) -> Iterator[str]:
    """The sums as a table, then what was left out and what the forecasts were."""
    zones = ["all" if each.zone is None else each.zone for each in totals]
    wide = max(map(len, [*zones, "zone"]))
    named = max(len(each) for each in [*(each.policy for each in totals), "policy"])
    yield (
        f"{'zone':<{wide}}  {'policy':<{named}}  {'jobs':>5}"
        + "".join(f"  {name:>8}" for name in NUMBERS)
        + f"  {'saving':>7}  {'captured':>8}"
    )
    for zone, total in zip(zones, totals, strict=True):
        means = [total.mean(getattr(total, name)) for name in NUMBERS]
        yield (
            f"{zone:<{wide}}  {total.policy:<{named}}  {total.jobs:>5}"
            + "".join(f"  {mean:>8{_digits(signal)}}" for mean in means)
            + f"  {_percent(total.saving(total.realised)):>7}  {_percent(total.captured):>8}"
        )
    yield (
        f"{signal}, {signal.unit}, mean over the energy of all jobs; saving: realised against "
        f"now{'' if signal.lower_is_cleaner else ' (percentage points)'}; captured: of what "
        "the oracle saves"
    )
    yield from _notes(outcomes, totals)


def _notes(outcomes: Sequence[Outcome], totals: Sequence[Total]) -> Iterator[str]:
    for each in outcomes:
        if each.simulated:
            yield f"{each.zone}: simulated, not measured"
        models = ", ".join(f"{name} {count}" for name, count in each.models.items())
        short = f"; {each.short} ended before the job had to" if each.short else ""
        yield (
            f"{each.zone}: forecasts as issued {each.stored}, issued again as of then "
            f"{each.reissued} ({models or 'none'}){short}"
        )
    for total in totals:
        if total.zone is not None and total.at_once:
            yield f"{total.zone} {total.policy}: {total.at_once} jobs ran at once after all"
        if total.zone is not None and total.elsewhere:
            where = ", ".join(f"{count} in {name}" for name, count in total.elsewhere.items())
            yield f"{total.zone} {total.policy}: jobs that ran elsewhere: {where}"
    for each in outcomes:
        if not each.left_out:
            continue
        yield f"{each.zone}: {len(each.left_out)} jobs left out under every policy:"
        first = {out.reason: out.at for out in reversed(each.left_out)}
        counted = Counter(out.reason for out in each.left_out).most_common()
        for reason, count in counted[:REASONS]:
            yield f"  {count}, the first at {format_time(first[reason])}: {reason}"
        if len(counted) > REASONS:
            yield f"  and {len(counted) - REASONS} other reasons, see --json or --out"


def _digits(signal: Signal) -> str:
    return ".1f" if signal.lower_is_cleaner else ".3f"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"

"""Results of a policy backtest: sums, the table of jobs, the JSON document, lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from gridtide.model import Signal, format_time
from gridtide.windows import saving
from gridtide_pipelines.policies.backtest import Outcome, Scored
from gridtide_pipelines.policies.execution import Amount
from gridtide_store.vocabulary import INSTANT

Json = dict[str, Any]
NUMBERS = ("now", "planned", "realised", "oracle")
# Reasons printed at most; the document and the table have all of them.
REASONS = 5

ROWS = pl.Schema(
    {
        "zone": pl.String(),
        "at": INSTANT,
        "policy": pl.String(),
        "start": INSTANT,
        "end": INSTANT,
        "segments": pl.Int64(),
        "regions": pl.String(),
        **dict.fromkeys(("kwh", *NUMBERS, "captured"), pl.Float64()),
        "issued_at": INSTANT,
        "model": pl.String(),
        "note": pl.String(),
        "left_out": pl.String(),
    }
)


@dataclass(frozen=True, slots=True)
class Total:
    """All jobs of one policy, in one zone or (`zone` is None) in all.

    Attributes:
        jobs: how many were scored.
        at_once: how many of them ran at once although the policy waits.
        elsewhere: how many ran, in whole or in part, in each other region.
        now, planned, realised, oracle: as in `Scored`, summed.
        signal: what they are of.
    """

    zone: str | None
    policy: str
    jobs: int
    at_once: int
    elsewhere: Mapping[str, int]
    now: Amount
    planned: Amount
    realised: Amount
    oracle: Amount
    signal: Signal

    @property
    def captured(self) -> float | None:
        """Realised part of what the oracle saves against running at once."""
        return captured(self.now, self.realised, self.oracle)

    def mean(self, amount: Amount) -> float:
        """Return the signal's mean over the energy of one of the sums."""
        share = amount.counted / amount.kwh
        return share if self.signal.lower_is_cleaner else 1 - share

    def saving(self, amount: Amount) -> float | None:
        """Return the relative saving of one of the sums; of CFE, in fraction points."""
        if self.signal.lower_is_cleaner:
            return saving(amount.counted, self.now.counted, self.signal)
        return saving(self.mean(amount), self.mean(self.now), self.signal)


def totals(outcomes: Sequence[Outcome], signal: Signal) -> list[Total]:
    """Sum by zone and policy, then, with several zones, by policy over all."""
    rows = [row for each in outcomes for row in each.scored]
    zones: list[str | None] = [each.zone for each in outcomes if each.scored]
    if len(zones) > 1:
        zones.append(None)
    policies = list(dict.fromkeys(row.policy for row in rows))
    return [
        _total(
            zone,
            policy,
            [row for row in rows if row.policy == policy and zone in (None, row.zone)],
            signal,
        )
        for zone in zones
        for policy in policies
    ]


def _total(zone: str | None, policy: str, rows: Sequence[Scored], signal: Signal) -> Total:
    return Total(
        zone=zone,
        policy=policy,
        jobs=len(rows),
        at_once=sum(bool(row.note) for row in rows),
        elsewhere=_elsewhere(rows),
        now=_sum(rows, lambda row: row.now),
        planned=_sum(rows, lambda row: row.planned),
        realised=_sum(rows, lambda row: row.realised),
        oracle=_sum(rows, lambda row: row.oracle),
        signal=signal,
    )


def _elsewhere(rows: Iterable[Scored]) -> Mapping[str, int]:
    regions = Counter(each for row in rows for each in row.regions if each != row.zone)
    return dict(sorted(regions.items()))


def _sum(rows: Iterable[Scored], of: Callable[[Scored], Amount]) -> Amount:
    amounts = [of(row) for row in rows]
    return Amount(sum(each.kwh for each in amounts), sum(each.counted for each in amounts))


def captured(now: Amount, realised: Amount, oracle: Amount) -> float | None:
    """Return the realised part of the possible saving; None where nothing can be saved."""
    possible = now.counted - oracle.counted
    # Sums of the same numbers in another order leave this much.
    if possible <= 1e-9 * abs(now.counted):
        return None
    return (now.counted - realised.counted) / possible


def frame(outcomes: Iterable[Outcome], policies: Sequence[str]) -> pl.DataFrame:
    """Return a row for each job and policy, columns `ROWS`, by zone, time and policy.

    A job that is left out has a row for each policy too, with the reason and no numbers.
    """
    rows: list[dict[str, object]] = []
    for each in outcomes:
        rows += [_row(scored) for scored in each.scored]
        rows += [
            {"zone": out.zone, "at": out.at, "policy": policy, "left_out": out.reason}
            for out in each.left_out
            for policy in policies
        ]
    return pl.DataFrame(rows, schema=ROWS).sort("zone", "at", maintain_order=True)


def _row(row: Scored) -> dict[str, object]:
    return {
        "zone": row.zone,
        "at": row.at,
        "policy": row.policy,
        "start": row.start,
        "end": row.end,
        "segments": row.segments,
        "regions": ",".join(row.regions),
        "kwh": row.realised.kwh,
        "now": row.now.counted,
        "planned": row.planned.counted,
        "realised": row.realised.counted,
        "oracle": row.oracle.counted,
        "captured": captured(row.now, row.realised, row.oracle),
        "issued_at": row.issued_at,
        "model": row.model,
        "note": row.note or None,
    }


def amount_unit(signal: Signal) -> str:
    """Return the unit of what a job counts."""
    return "gCO2e" if signal.lower_is_cleaner else "kWh not carbon-free"


def document(
    request: Json,
    signal: Signal,
    outcomes: Sequence[Outcome],
    totals: Sequence[Total],
    rows: pl.DataFrame,
) -> Json:
    """Build the JSON document: the request, the sums, the zones and every job."""
    return {
        **request,
        "signal": str(signal),
        "unit": signal.unit,
        "amount_unit": amount_unit(signal),
        "totals": [_total_document(each) for each in totals],
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


def _total_document(total: Total) -> Json:
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
    """Yield the sums as a table, then what was left out and what the forecasts were."""
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

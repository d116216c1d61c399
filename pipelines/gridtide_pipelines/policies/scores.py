"""Sums of a policy backtest, by zone and policy, and its rows as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from gridtide.model import Signal
from gridtide.windows import saving
from gridtide_pipelines.policies.backtest import Outcome, Scored
from gridtide_pipelines.policies.scenarios import Amount
from gridtide_store.vocabulary import INSTANT

ROWS = pl.Schema(
    {
        "zone": pl.String(),
        "at": INSTANT,
        "policy": pl.String(),
        "start": INSTANT,
        "end": INSTANT,
        "segments": pl.Int64(),
        "regions": pl.String(),
        "kwh": pl.Float64(),
        "now": pl.Float64(),
        "planned": pl.Float64(),
        "realised": pl.Float64(),
        "oracle": pl.Float64(),
        "captured": pl.Float64(),
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
        """Of what the oracle saves against running at once, the part that was realised."""
        return captured(self.now, self.realised, self.oracle)

    def mean(self, amount: Amount) -> float:
        """The signal's mean over the energy of one of the sums."""
        share = amount.counted / amount.kwh
        return share if self.signal.lower_is_cleaner else 1 - share

    def saving(self, amount: Amount) -> float | None:
        """What one of the sums saves against running at once: a fraction of the grams; of CFE,
        fraction points."""
        if self.signal.lower_is_cleaner:
            return saving(amount.counted, self.now.counted, self.signal)
        return saving(self.mean(amount), self.mean(self.now), self.signal)


def totals(outcomes: Sequence[Outcome], signal: Signal) -> list[Total]:
    """By zone and policy, then, with several zones, by policy over all; in the order given."""
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
    """The part of the possible saving that was realised; None where nothing can be saved."""
    possible = now.counted - oracle.counted
    # Sums of the same numbers in another order leave this much.
    if possible <= 1e-9 * abs(now.counted):
        return None
    return (now.counted - realised.counted) / possible


def frame(outcomes: Iterable[Outcome], policies: Sequence[str]) -> pl.DataFrame:
    """A row for each job and policy, columns `ROWS`, by zone, time and policy.

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

"""Three zones over a change of clocks: every policy comes to what loops over the files say."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from gridtide.cli import script

pytestmark = pytest.mark.recorded

HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")
CLOCKS = {"DE": BERLIN, "ES": ZoneInfo("Europe/Madrid"), "NL": ZoneInfo("Europe/Amsterdam")}
LENGTH, SPAN = 4, 28
# Clocks go forward on the 28th.
COMES = [datetime(2021, 3, day, 9, tzinfo=BERLIN).astimezone(UTC) for day in range(20, 32)]
THRESHOLD = 250.0
STARTS = range(SPAN - LENGTH + 1)
POLICIES = (
    *("now", "night", "best-window", "pause", "threshold", "replan"),
    *("place", "place-and-time", "follow"),
)

Place = tuple[str, int]  # a zone, and an hour after the job came


def whole(start: int) -> range:
    return range(start, start + LENGTH)


def cheapest(values: list[float]) -> list[int]:
    return sorted(range(SPAN), key=lambda i: (values[i], i))[:LENGTH]


def decided(zone: str, seen: dict[str, list[float]], at: datetime) -> dict[str, list[Place]]:
    """Where and when each policy runs the job, by the forecast."""
    own = seen[zone]
    zones = [zone, *(each for each in seen if each != zone)]
    local = at.astimezone(CLOCKS[zone])
    one = (local + timedelta(days=1)).replace(hour=1).astimezone(UTC)
    under = [i for i in range(SPAN) if own[i] <= THRESHOLD][:LENGTH]
    if len(under) < LENGTH:
        under = [*whole(0)]
    at_once = min(zones, key=lambda each: sum(seen[each][:LENGTH]))
    best = min(zones, key=lambda each: sum(sorted(seen[each])[:LENGTH]))
    cleanest = [min(zones, key=lambda each: seen[each][i]) for i in range(SPAN)]
    followed = cheapest([seen[cleanest[i]][i] for i in range(SPAN)])
    here = {
        "now": whole(0),
        "night": whole((one - at) // HOUR),
        "best-window": whole(min(STARTS, key=lambda i: (round(sum(own[i : i + 4]), 6), i))),
        "pause": cheapest(own),
        "threshold": under,
        # A week back is the same at each new issue, so nothing changes.
        "replan": cheapest(own),
    }
    return {policy: [(zone, i) for i in hours] for policy, hours in here.items()} | {
        "place": [(at_once, i) for i in whole(0)],
        "place-and-time": [(best, i) for i in cheapest(seen[best])],
        "follow": [(cleanest[i], i) for i in followed],
    }


def best_there_was(policy: str, zone: str, truth: dict[str, list[float]]) -> float:
    if policy == "best-window":
        return min(sum(truth[zone][i] for i in whole(start)) for start in STARTS)
    if policy == "follow":
        return sum(sorted(min(hour) for hour in zip(*truth.values(), strict=True))[:LENGTH])
    zones = truth if policy.startswith("place") else [zone]
    return min(sum(sorted(truth[each])[:LENGTH]) for each in zones)


def test_every_policy_comes_to_what_it_does_by_loops(
    recorded: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = recorded / "data" / "carboncast"
    hours = {}
    for zone in CLOCKS:
        frame = pl.read_parquet(folder / f"{zone}.parquet")
        hours[zone] = dict(zip(frame["ts_utc"], frame["ci_lifecycle_g_per_kwh"], strict=True))
    hand: dict[tuple[str, str, str], float] = defaultdict(float)
    for at in COMES:
        truth, seen = (
            {zone: [hours[zone][at + HOUR * (i - back)] for i in range(SPAN)] for zone in hours}
            for back in (0, 168)
        )
        for zone in CLOCKS:
            for policy, slots in decided(zone, seen, at).items():
                hand[zone, policy, "now"] += sum(truth[zone][:LENGTH])
                hand[zone, policy, "planned"] += sum(seen[there][i] for there, i in slots)
                hand[zone, policy, "realised"] += sum(truth[there][i] for there, i in slots)
                hand[zone, policy, "oracle"] += best_there_was(policy, zone, truth)
    words = ["simulate", "--data", str(folder), "--zone", ",".join(CLOCKS), "--json"]
    words += ["--model", "weekly", "--cron", "0 9 * * *", "--timezone", "Europe/Berlin"]
    words += ["--from", "2021-03-20", "--to", "2021-04-01", "--kind", "interruptible"]
    words += ["--policy", ",".join(POLICIES), "--threshold", str(THRESHOLD)]
    assert script.main(words, {"GRIDTIDE_HOME": str(tmp_path), "GRIDTIDE_WORKERS": "1"}) == 0
    totals = json.loads(capsys.readouterr().out)["totals"]
    found = {
        (each["zone"], each["policy"], name): each[name]
        for each in totals
        if each["zone"] is not None
        for name in ("now", "planned", "realised", "oracle")
    }
    assert len(found) == 3 * 9 * 4
    assert found == pytest.approx(hand)

"""Policies: ways to decide when a job runs, from doing nothing to planning again and again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from gridtide.errors import BadInput
from gridtide.planning import Bounds, Job, Kind, Outlook, Plan, plan
from gridtide.planning.choose import own_goal
from gridtide.planning.errors import NeverUnder
from gridtide.planning.wallclock import instant_of, wall, zone_named
from gridtide.runs import to_instant, to_moment

NIGHT = 1  # o'clock
HOUR_OF_DAY = re.compile(r"hour-(\d{1,2})")
NAMES = ("now", "night", "hour-HH", "best-window", "pause", "threshold", "replan")
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One coming of a job: it may start at `at`, and has ended by `latest`.

    `zone` is the IANA name of the clock that hours of the day are read from.
    """

    at: datetime
    latest: datetime
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Policy:
    """A way to decide when a job runs.

    Attributes:
        job: as this policy may lay it.
        free: as the oracle it is measured against may lay it.
        waits: whether it ever waits.
        hour: it starts when the clock of the zone next reads this hour.
        threshold: it runs as early as the signal is at or under it (CFE: at or over).
        replans: it plans the rest again when a new forecast is issued.
    """

    name: str
    job: Job
    free: Job
    waits: bool = True
    hour: int | None = None
    threshold: float | None = None
    replans: bool = False

    def decide(self, when: Occurrence, outlook: Outlook) -> tuple[Plan, str]:
        """The plan for `when` by `outlook`; and where it had to run at once, why.

        Raises:
            NoFeasibleWindow: the outlook does not cover such a run.
        """
        if not self.waits:
            return at_once(self.job, when.at, outlook), ""
        if self.hour is not None:
            start = next_hour(when, self.hour)
            if start + self.job.duration <= when.latest:
                return at_once(self.job, start, outlook), ""
            why = f"run at once: {self.hour:02}:00 in {when.zone} is beyond its slack"
            return at_once(self.job, when.at, outlook), why
        try:
            return best(self.job, when, outlook, threshold=self.threshold), ""
        except NeverUnder:
            side = "under" if outlook.signal.lower_is_cleaner else "over"
            why = f"run at once: not forecast to be {side} {self.threshold:g} for long enough"
            return at_once(self.free, when.at, outlook), why


def best(
    job: Job, when: Occurrence, outlook: Outlook, *, threshold: float | None = None
) -> Plan:
    """The best plan by `outlook`; with a threshold, the earliest that keeps to it.

    Raises:
        NoFeasibleWindow: there is none.
    """
    goal = replace(own_goal(outlook.signal), threshold=threshold)
    bounds = Bounds(earliest=when.at, deadline=when.latest)
    return plan(job, outlook, bounds, goal, now=when.at, alternatives=0)


def chosen(
    names: Sequence[str], job: Job, *, threshold: float | None = None
) -> tuple[Policy, ...]:
    """The policies of these names, each once, for a job like `job`.

    Args:
        job: its kind holds for threshold and replan, and for pause where it may pause.
        threshold: in the signal's unit, for the policy of that name.

    Raises:
        BadInput: no such policy, or one that `job` or `threshold` does not fit.
    """
    if not names:
        raise BadInput(f"there is no policy to simulate; give one of {', '.join(NAMES)}")
    found = tuple(_policy(name, job, threshold) for name in dict.fromkeys(names))
    if threshold is not None and "threshold" not in names:
        raise BadInput("a threshold is for the policy threshold; name it, or drop it")
    return found


def _policy(name: str, job: Job, threshold: float | None) -> Policy:
    whole = unbroken(job)
    if (hour := _hour(name)) is not None:
        return Policy(name, whole, job, hour=hour)
    match name:
        case "now":
            return Policy(name, whole, job, waits=False)
        case "best-window":
            return Policy(name, whole, whole)
        case "pause":
            pausing = replace(job, kind=Kind.INTERRUPTIBLE) if job == whole else job
            return Policy(name, pausing, pausing)
        case "threshold":
            if threshold is None:
                raise BadInput(
                    "the policy threshold needs a value to wait for: --threshold 250 waits "
                    "until the signal is at or under 250"
                )
            return Policy(name, job, job, threshold=threshold)
        case "replan":
            if job.pause_cost.time or job.restart_cost.time:
                raise BadInput(
                    "the policy replan takes pauses and restarts that cost energy, not time"
                )
            return Policy(name, job, job, replans=True)
    raise BadInput(f"there is no policy {name!r}; give one of {', '.join(NAMES)}")


def _hour(name: str) -> int | None:
    if name == "night":
        return NIGHT
    found = HOUR_OF_DAY.fullmatch(name)
    if found and int(found[1]) > 23:
        raise BadInput(f"the policy {name!r} names no hour; give hour-00 to hour-23")
    return int(found[1]) if found else None


def unbroken(job: Job) -> Job:
    """`job` run through at its own size."""
    return Job(job.duration, power=job.power)


def at_once(job: Job, start: datetime, outlook: Outlook) -> Plan:
    """`job` run through at its own size from `start` on.

    Raises:
        NoFeasibleWindow: the outlook does not cover it.
    """
    job = unbroken(job)
    bounds = Bounds(earliest=start, deadline=start + job.duration)
    return plan(job, outlook, bounds, now=start, alternatives=0)


def next_hour(when: Occurrence, hour: int) -> datetime:
    """When the clock next reads `hour`, at or after the occurrence."""
    zone, first = zone_named(when.zone), to_instant(when.at)
    today = wall(zone, first).date()
    starts = [instant_of(zone, today + DAY * i, time(hour)) for i in range(3)]
    return to_moment(next(each for each in starts if each >= first))

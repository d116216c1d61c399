"""Policies: rules that decide when a job runs, from running at once to replanning."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from gridtide.errors import BadInput
from gridtide.planning import (
    Bounds,
    CandidateRegion,
    CandidateRegions,
    Code,
    Goal,
    Job,
    Kind,
    Moves,
    Outlook,
    Plan,
    Quantile,
    plan,
)
from gridtide.planning.errors import NeverUnder
from gridtide.planning.planner import default_goal
from gridtide.planning.problem.opening_hours import instant_of, wall, zone_named
from gridtide.slots import to_instant, to_moment

NIGHT = 1  # o'clock
HOUR_OF_DAY = re.compile(r"hour-(\d{1,2})")
MOVING = ("place", "place-and-time", "follow")
NAMES = (
    *("now", "night", "hour-HH", "best-window", "pause", "threshold", "replan"),
    *MOVING,
)
DAY = timedelta(days=1)


Where = Outlook | CandidateRegions


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occurrence of a job: it may start at `at` and must end by `latest`.

    `zone` is the IANA name of the clock that hours of the day are read from.
    """

    at: datetime
    latest: datetime
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Preferences:
    """What policies that plan consider besides the signal.

    Attributes:
        threshold: in the signal's unit, for the policy of that name: it runs as early as the
            signal is at or under it (CFE: at or over).
        min_saving: smallest saving worth waiting for, as in `Goal`; below it a job runs now.
        quantile: which value of the forecast decides.
    """

    threshold: float | None = None
    min_saving: float = 0.0
    quantile: Quantile = Quantile.P50


NO_PREFERENCES = Preferences()


@dataclass(frozen=True, slots=True)
class Policy:
    """A rule that decides when and where a job runs.

    Attributes:
        job: the job as this policy may run it.
        free: the job as the oracle that it is compared with may run it.
        waits: whether it ever waits.
        hour: it starts when the clock of the zone next reads this hour.
        preferences: what it considers when it plans.
        replans: it plans the rest again when a new forecast is issued.
        moves: how it may move to another zone; ``None``: it stays in its own.
    """

    name: str
    job: Job
    free: Job
    waits: bool = True
    hour: int | None = None
    preferences: Preferences = NO_PREFERENCES
    replans: bool = False
    moves: Moves | None = None

    def reach(self, own: Outlook, elsewhere: Sequence[Outlook] = ()) -> Where:
        """Return the regions where it may run: its own zone, or also `elsewhere`."""
        if self.moves is None:
            return own
        there = tuple(CandidateRegion(each.expected.zone, each) for each in (own, *elsewhere))
        return CandidateRegions(there, moves=self.moves)

    def decide(
        self, when: Occurrence, outlook: Outlook, elsewhere: Sequence[Outlook] = ()
    ) -> tuple[Plan, str]:
        """Return the plan for `when` by `outlook`, and the reason if it had to run at once.

        Args:
            elsewhere: the outlooks of the other zones, for policies that move.

        Raises:
            NoFeasibleWindow: the outlook does not cover such a run.
            NoData: the outlook has not the quantile that is to decide.
        """
        where = self.reach(outlook, elsewhere)
        if not self.waits:
            return at_once(self.job, when.at, where), ""
        if self.hour is not None:
            start = next_hour(when, self.hour)
            if start + self.job.duration <= when.latest:
                return at_once(self.job, start, outlook), ""
            why = f"run at once: {self.hour:02}:00 in {when.zone} is beyond its slack"
            return at_once(self.job, when.at, outlook), why
        preferences = self.preferences
        try:
            found = best(self.job, when, where, preferences)
        except NeverUnder:
            side = "under" if outlook.signal.lower_is_cleaner else "over"
            least = f"{side} {preferences.threshold:g}"
            why = f"run at once: not forecast to be {least} for long enough"
            return at_once(self.free, when.at, outlook), why
        if found.reason.code is Code.SAVING_TOO_SMALL:
            return found, f"run at once: forecast to save less than {preferences.min_saving:g}"
        return found, ""


def best(
    job: Job, when: Occurrence, where: Where, preferences: Preferences = NO_PREFERENCES
) -> Plan:
    """Return the best plan by the outlook `where`.

    With a threshold, the earliest that meets it.

    Raises:
        NoFeasibleWindow: there is none.
        NoData: an outlook has not the quantile that is to decide.
    """
    goal = Goal(
        default_goal(where.signal).objective,
        threshold=preferences.threshold,
        min_saving=preferences.min_saving,
        quantile=preferences.quantile,
    )
    bounds = Bounds(earliest=when.at, deadline=when.latest)
    return plan(job, where, bounds, goal, now=when.at, alternatives=0)


def make_policies(
    names: Sequence[str],
    job: Job,
    *,
    threshold: float | None = None,
    min_saving: float = 0.0,
    quantile: Quantile = Quantile.P50,
) -> tuple[Policy, ...]:
    """Return the policies of these names, each once, for a job like `job`.

    Args:
        job: its kind holds for threshold, replan, place-and-time and follow, and for pause
            where it may pause.
        threshold, min_saving, quantile: as in `Preferences`.

    Raises:
        BadInput: an unknown policy, or one that does not fit `job` or a preference.
    """
    if not names:
        raise BadInput(f"no policy to simulate; give one of {', '.join(NAMES)}")
    Goal(min_saving=min_saving)  # refuses what cannot be one
    preferences = Preferences(threshold, min_saving, quantile)
    found = tuple(_policy(name, job, preferences) for name in dict.fromkeys(names))
    if threshold is not None and "threshold" not in names:
        raise BadInput("a threshold is for the policy threshold; name it, or drop it")
    plans = any(each.waits and each.hour is None and each.name != "threshold" for each in found)
    if min_saving and not plans:
        raise BadInput(
            "a smallest saving is for policies that plan; name best-window, pause, replan, "
            "place-and-time or follow, or drop it"
        )
    return found


def _policy(name: str, job: Job, preferences: Preferences) -> Policy:
    whole = unbroken(job)
    best_of_all = replace(preferences, threshold=None)
    if (hour := _hour(name)) is not None:
        return Policy(name, whole, job, hour=hour)
    match name:
        case "now":
            return Policy(name, whole, job, waits=False)
        case "best-window":
            return Policy(name, whole, whole, preferences=best_of_all)
        case "pause":
            pausing = replace(job, kind=Kind.INTERRUPTIBLE) if job == whole else job
            return Policy(name, pausing, pausing, preferences=best_of_all)
        case "place":
            return Policy(name, whole, job, waits=False, moves=Moves.ONE)
        case "place-and-time":
            return Policy(name, job, job, preferences=best_of_all, moves=Moves.ONE)
        case "follow":
            if any(each.kwh or each.time for each in (job.pause_cost, job.restart_cost)):
                raise BadInput(
                    "the policy follow takes jobs whose pauses and restarts cost nothing; take "
                    "place-and-time, or drop the costs"
                )
            return Policy(name, job, job, preferences=best_of_all, moves=Moves.FOLLOW)
        case "threshold":
            if preferences.threshold is None:
                raise BadInput(
                    "the policy threshold needs a value to wait for: --threshold 250 waits "
                    "until the signal is at or under 250"
                )
            return Policy(name, job, job, preferences=replace(preferences, min_saving=0.0))
        case "replan":
            if job.pause_cost.time or job.restart_cost.time:
                raise BadInput(
                    "the policy replan takes pauses and restarts that cost energy, not time"
                )
            return Policy(name, job, job, preferences=best_of_all, replans=True)
    raise BadInput(f"unknown policy {name!r}; give one of {', '.join(NAMES)}")


def _hour(name: str) -> int | None:
    if name == "night":
        return NIGHT
    found = HOUR_OF_DAY.fullmatch(name)
    if found and int(found[1]) > 23:
        raise BadInput(f"the policy {name!r} names no hour; give hour-00 to hour-23")
    return int(found[1]) if found else None


def unbroken(job: Job) -> Job:
    """Return `job` without interruptions, with its own workers."""
    return Job(job.duration, power=job.power)


def at_once(job: Job, start: datetime, where: Where) -> Plan:
    """Plan `job` to run from `start` on without a pause, in the best region of `where`.

    Raises:
        NoFeasibleWindow: no outlook covers it.
    """
    job = unbroken(job)
    bounds = Bounds(earliest=start, deadline=start + job.duration)
    return plan(job, where, bounds, now=start, alternatives=0)


def next_hour(when: Occurrence, hour: int) -> datetime:
    """Return when the clock next reads `hour`, at or after the occurrence."""
    zone, first = zone_named(when.zone), to_instant(when.at)
    today = wall(zone, first).date()
    starts = [instant_of(zone, today + DAY * i, time(hour)) for i in range(3)]
    return to_moment(next(each for each in starts if each >= first))

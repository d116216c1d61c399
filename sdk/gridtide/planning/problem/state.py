"""The state of a running job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from gridtide.errors import BadInput
from gridtide.model import Length, When, format_time
from gridtide.planning.problem.magnitudes import FIRST, LARGEST, LAST, LONGEST
from gridtide.schema.definition import Field
from gridtide.values import (
    optional,
    read_flag,
    read_length,
    read_moment,
    read_number,
    read_text,
    read_whole,
    settle,
)


@dataclass(frozen=True)
class Progress:
    """State of a job when it is planned again.

    Attributes:
        at: the moment, now.
        done: work done, in run time at the job's own power; a number is hours.
        running: whether it runs right now.
        running_for: how long it has run without a pause, if it runs.
        segments: how many segments it has begun.
        region: where it ran last, or runs; by default where the plan begins.
        grams: what it has emitted so far, for a carbon budget.
        workers: the workers it uses now (kind elastic). By default 0 when it does not run, else
            the
            workers of the plan at that moment, or the base where the plan has none.

    Raises:
        BadInput: a naive time, or progress that is not possible.
    """

    at: Annotated[datetime, Field("the moment; left out: now")]
    done: Annotated[timedelta, Field("work done, in hours at the job's own power")] = timedelta(
        0
    )
    running: Annotated[bool, Field("whether it runs right now")] = False
    running_for: Annotated[
        timedelta, Field("for how many hours without a pause, if it runs")
    ] = timedelta(0)
    segments: Annotated[
        int, Field("segments begun so far; left out: 1", former=("pieces",))
    ] = 1
    region: Annotated[
        str | None, Field("where it ran last, or runs; left out: where the plan begins")
    ] = None
    grams: Annotated[
        float, Field("what it has emitted so far, for a carbon budget", unit="gCO2e")
    ] = 0.0
    workers: Annotated[
        float | None,
        Field(
            "workers it uses now (kind elastic); left out: as planned, or 0",
            former=("chips",),
        ),
    ] = None

    if TYPE_CHECKING:  # what may be given, each read as the type of its field

        def __init__(
            self,
            at: When,
            done: Length = timedelta(0),
            running: bool = False,  # noqa: FBT001, FBT002  # a field
            running_for: Length = timedelta(0),
            segments: int = 1,
            region: str | None = None,
            grams: float = 0.0,
            workers: float | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        settle(
            self,
            "progress",
            at=read_moment,
            done=read_length,
            running=read_flag,
            running_for=read_length,
            segments=read_whole,
            region=optional(read_text),
            grams=read_number,
            workers=optional(read_number),
        )
        if not FIRST <= self.at < LAST:
            raise BadInput(f"progress at {format_time(self.at)} lies outside 1970 to 2199")
        if not (
            timedelta(0) <= self.done <= LONGEST
            and timedelta(0) <= self.running_for <= LONGEST
            and self.segments >= 1
            and -LARGEST <= self.grams <= LARGEST
        ):
            raise BadInput(
                f"progress of {self.done} in {self.segments} segments, running for "
                f"{self.running_for}, {self.grams} g so far: none of it can be below 0 or "
                f"beyond {LARGEST:g}, and a job that runs has started once"
            )
        if self.workers is not None and not (
            0 <= self.workers <= LARGEST and (self.workers > 0) == self.running
        ):
            raise BadInput(
                f"progress at {self.workers} workers, {'' if self.running else 'not '}running: "
                "a job that runs is on more than 0 workers, one that does not is on 0; leave "
                "workers out to go by the plan"
            )

    @property
    def started(self) -> bool:
        """Whether it has run at all."""
        return self.running or self.done > timedelta(0)

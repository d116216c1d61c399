"""Query parameters, read strictly: a name we do not know or an instant without an offset is
an error, never ignored."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, TypeVar
from urllib.parse import parse_qsl

from fastapi.exceptions import RequestValidationError
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
)

from gridtide.errors import BadInput
from gridtide.model import Signal, hours_of, parse_time
from gridtide_server.problems import OWN_WORDS

# An unescaped "+02:00" in a query string arrives as " 02:00".
LOST_PLUS = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d(?::?\d\d){0,2}(?:[.,]\d+)?) (\d\d:?\d\d)")
# No grid data lies outside, and sums of times inside cannot overflow.
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
RANGE = "1970 to 2199"


def _instant(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, str):
        return value
    try:
        moment = parse_time(LOST_PLUS.sub(r"\1+\2", value.strip()), name=str(info.field_name))
    except BadInput as error:
        raise ValueError(str(error)) from error
    if not FIRST <= moment < LAST:
        raise ValueError(f"{value!r} lies outside {RANGE}")
    return moment


def _written(value: object) -> Any:  # noqa: ANN401  # what `hours_of` reads or refuses
    """A number that is written in an address is one, and text with a unit stays text."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _hours(value: object, info: ValidationInfo) -> object:
    try:
        return hours_of(_written(value), name=str(info.field_name))
    except BadInput as error:
        raise ValueError(str(error)) from error


Hours = Annotated[float, BeforeValidator(_hours)]
Instant = Annotated[AwareDatetime, BeforeValidator(_instant)]
AS_OF = Field(
    None,
    description="Answer with what was known at this moment (UTC or with an offset). Not later "
    "than now. Left out: now.",
)
SIGNAL = Field(
    None,
    description="Left out: lifecycle intensity, consumption-based where there is one, else "
    "production-based.",
)


class Asked(BaseModel):
    """A route's query parameters; `repeatable` names those that may come more than once."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    repeatable: ClassVar[frozenset[str]] = frozenset()


class JobAsked(Asked):
    """What is asked about a job, wherever it runs."""

    hours: Hours = Field(
        json_schema_extra={"exclusiveMinimum": 0},
        description="How long the job runs, unbroken: hours, or text such as 90min or PT4H.",
    )
    earliest: Instant | None = Field(
        None, description="Not before this moment; one that has passed means now."
    )
    deadline: Instant | None = Field(None, description="The job has ended by this moment.")
    signal: Signal | None = SIGNAL
    as_of: Instant | None = Field(
        None,
        description="Answer as it would have been at this moment: what was known then, and "
        "with then as now. Not later than now. Left out: now.",
    )


class WindowAsked(JobAsked):
    """What ``/v1/best-window`` is asked."""

    region: str = Field(
        description="Zone key (DE), cloud region (aws:us-east-1) or place (52.52,13.40)."
    )


class RegionAsked(JobAsked):
    """What ``/v1/best-region`` is asked."""

    repeatable: ClassVar[frozenset[str]] = frozenset({"region"})
    region: list[str] = Field(
        min_length=1,
        description="As for best-window; repeated, or several with commas; at most 500.",
    )


class IntensityAsked(Asked):
    """What ``/v1/zones/{zone}/intensity`` is asked."""

    start: Instant | None = Field(
        None, description="First slot starts here or later. Left out: the latest known slot."
    )
    end: Instant | None = Field(
        None, description="Last slot starts before this. With `start` alone: as_of, or now."
    )
    signal: Signal | None = SIGNAL
    as_of: Instant | None = AS_OF
    max_age: Hours | None = Field(
        None,
        json_schema_extra={"exclusiveMinimum": 0},
        description="Of the latest slot: how many hours ago it may have ended. Left out: the "
        "server's maximum age, by default 6.",
    )


class ForecastAsked(Asked):
    """What ``/v1/zones/{zone}/forecast`` is asked."""

    signal: Signal | None = SIGNAL
    as_of: Instant | None = AS_OF
    model: str | None = Field(
        None, description="The newest run of this model or publisher. Left out: the served one."
    )


class ZonesAsked(Asked):
    """What ``/v1/zones`` is asked."""

    all: bool = Field(
        default=False, description="Also the zones of the catalogue without data."
    )
    as_of: Instant | None = AS_OF


class ReadyAsked(Asked):
    """What ``/readyz`` is asked."""

    repeatable: ClassVar[frozenset[str]] = frozenset({"zone"})

    @property
    def zones(self) -> list[str]:
        """The zones named, each once."""
        return list(dict.fromkeys(each for text in self.zone for each in text.split(",")))

    zone: list[str] = Field(
        default=[], description="Only these zone keys; left out: every zone with data."
    )


class NothingAsked(Asked):
    """A route without parameters."""


A = TypeVar("A", bound=Asked)


def read(model: type[A], query: bytes) -> A:
    """The parameters of a raw query string.

    Raises:
        RequestValidationError: an unknown or repeated name, or a value that cannot be read.
    """
    given: dict[str, list[str]] = {}
    for name, text in parse_qsl(query.decode(errors="replace"), keep_blank_values=True):
        given.setdefault(name, []).append(text)
    faults = [_unknown(model, name) for name in given if name not in model.model_fields]
    faults += [
        _fault(name, f"given {len(texts)} times; this parameter takes one value")
        for name, texts in given.items()
        if len(texts) > 1 and name in model.model_fields and name not in model.repeatable
    ]
    if faults:
        raise RequestValidationError(faults)
    if "region" in model.model_fields and "region" not in given:
        raise BadInput(
            "there is no region to choose from; name at least one",
            errors=[{"parameter": "region", "message": "missing"}],
        )
    values: dict[str, Any] = {
        name: texts if name in model.repeatable else texts[0] for name, texts in given.items()
    }
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = [_told(model, fault) for fault in error.errors(include_url=False)]
        raise RequestValidationError(faults) from error


def _told(model: type[Asked], fault: Mapping[str, Any]) -> dict[str, Any]:
    """A fault as pydantic found it; what is missing in words that say what it is."""
    if fault["type"] != "missing":
        return {**fault}
    name = str(fault["loc"][-1])
    return _fault(name, f"missing; give {model.model_fields[name].description}")


def _unknown(model: type[Asked], name: str) -> dict[str, Any]:
    near = difflib.get_close_matches(name, model.model_fields, n=1)
    known = ", ".join(model.model_fields) or "none"
    hint = f"did you mean {near[0]}?" if near else f"this route takes: {known}"
    return _fault(name, f"no such parameter; {hint}")


def _fault(name: str, message: str) -> dict[str, Any]:
    return {"type": OWN_WORDS, "loc": (name,), "msg": message, "input": name}

"""What a service answers to a batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gridtide.answers import BestRegion, BestWindow
from gridtide.errors import ApiError, GridtideError
from gridtide.model import format_time, parse_time
from gridtide.planning_wire.planned import PlanAnswer
from gridtide.problems import meant

ANSWERS: Mapping[str, type[BestWindow] | type[BestRegion] | type[PlanAnswer]] = {
    "best_window": BestWindow,
    "best_region": BestRegion,
    "plan": PlanAnswer,
}
One = BestWindow | BestRegion | PlanAnswer | GridtideError


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Answers in the order of the questions; iterate over it for each.

    Attributes:
        answers: what the method of the kind would have returned, or the error it would have
            raised.
        as_of: the knowledge time of questions that named none.
        replay: True where the service's clock stands at another time than the real one.
        wire: the JSON object as it came.
    """

    answers: tuple[One, ...]
    as_of: datetime
    replay: bool
    wire: Mapping[str, Any]

    def __iter__(self) -> Iterator[One]:
        return iter(self.answers)

    def __len__(self) -> int:
        return len(self.answers)

    @classmethod
    def of_kinds(cls, kinds: Sequence[str], wire: Mapping[str, Any]) -> Batch:
        """The answer of ``/v1/batch`` to questions of these kinds.

        Raises:
            ApiError: not as many answers, or one that is not understood.
        """
        answers, as_of = wire.get("answers"), wire.get("as_of")
        if not (isinstance(answers, list) and len(answers) == len(kinds)):
            raise ApiError(f"the service did not answer each of {len(kinds)} questions")
        if not isinstance(as_of, str):
            raise ApiError("the service's batch does not say as of when it is")
        return cls(
            answers=tuple(
                _one(kind, answer) for kind, answer in zip(kinds, answers, strict=True)
            ),
            as_of=parse_time(as_of, name="as_of"),
            replay=bool(wire.get("replay")),
            wire=wire,
        )

    def to_json(self) -> dict[str, Any]:
        """The JSON object, as the service sent it."""
        return {**self.wire, "as_of": format_time(self.as_of)}


def _one(kind: str, wire: object) -> One:
    if not isinstance(wire, Mapping):
        raise ApiError(f"the service answered {wire!r:.80} to a question")
    if "code" in wire and "status" in wire:
        status = wire["status"] if isinstance(wire["status"], int) else 500
        return meant(status, {}, wire, asked=f"a question of kind {kind}")
    return ANSWERS[kind].from_json(wire)

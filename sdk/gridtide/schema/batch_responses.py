"""What a service answers to a batch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from gridtide.errors import ApiError, GridtideError
from gridtide.model import format_time, parse_time
from gridtide.schema.display import Shown
from gridtide.schema.footprint_responses import FootprintAnswer
from gridtide.schema.plan_responses import PlanAnswer
from gridtide.schema.problems import Problem, meant
from gridtide.schema.responses import AsOf, BestRegion, BestWindow, Replay

Answer = BestWindow | BestRegion | PlanAnswer | FootprintAnswer
ANSWERS: Mapping[str, type[Answer]] = {
    "best_window": BestWindow,
    "best_region": BestRegion,
    "plan": PlanAnswer,
    "replan": PlanAnswer,
    "footprint": FootprintAnswer,
}
One = Answer | GridtideError


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Batch(Shown):
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
    def of(cls, asked: Sequence[object], wire: Mapping[str, Any]) -> Batch:
        """The answer of ``/v1/batch`` to these questions, JSON.

        Raises:
            ApiError: not as many answers, or one that is not understood.
        """
        answers, as_of = wire.get("answers"), wire.get("as_of")
        if not (isinstance(answers, list) and len(answers) == len(asked)):
            raise ApiError(f"the service did not answer each of {len(asked)} questions")
        if not isinstance(as_of, str):
            raise ApiError("the service's batch does not say as of when it is")
        return cls(
            answers=tuple(
                _one(question, answer) for question, answer in zip(asked, answers, strict=True)
            ),
            as_of=parse_time(as_of, name="as_of"),
            replay=bool(wire.get("replay")),
            wire=wire,
        )

    def to_json(self, *, asked: bool = False) -> dict[str, Any]:
        """The JSON object, as the service sent it.

        Args:
            asked: whether to add the request to each plan, as `PlanAnswer.to_json` does.
        """
        answers = [
            {**wire, "asked": json.loads(one.asked)}
            if asked and isinstance(one, PlanAnswer) and one.asked is not None
            else wire
            for one, wire in zip(self.answers, self.wire["answers"], strict=True)
        ]
        return {**self.wire, "answers": answers, "as_of": format_time(self.as_of)}


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResponse:
    """Answers in the order of the requests; where one has none, its problem."""

    SCHEMA_NAME: ClassVar[str] = "Batch"

    answers: tuple[BestRegion | BestWindow | PlanAnswer | FootprintAnswer | Problem, ...]
    as_of: AsOf
    replay: Replay


def _one(question: object, wire: object) -> One:
    asked = question if isinstance(question, Mapping) else {}
    kind = asked.get("kind")
    if not isinstance(wire, Mapping):
        raise ApiError(f"the service answered {wire!r:.80} to a question")
    if "code" in wire and "status" in wire:
        status = wire["status"] if isinstance(wire["status"], int) else 500
        return meant(status, {}, wire, asked=f"a question of kind {kind}")
    if not (isinstance(kind, str) and kind in ANSWERS):
        raise ApiError(f"the service answered a question of kind {kind!r:.80}, unknown here")
    answer = ANSWERS[kind].from_json(wire)
    if isinstance(answer, PlanAnswer):
        first = {name: value for name, value in asked.items() if name != "kind"}
        kept = first.get("request", first.get("asked")) if kind == "replan" else first
        return replace(answer, asked=json.dumps(kept, ensure_ascii=False).encode())
    return answer

"""By which knowledge time a backtest reads the store, and how its results say so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from gridtide.errors import BadInput
from gridtide_pipelines.derive.intensity import CONTEXT
from gridtide_store.data_directory import DataDirectory
from gridtide_store.ledger import Ledger
from gridtide_store.usual import Usual

HELP = (
    "when a value of the store counts as known: when it was received (stored, the default), or "
    "at the end of its slot and the usual lag of its source (usual), for history that was "
    "received later"
)


class Knowledge(StrEnum):
    """When a value of the store counts as known."""

    STORED = "stored"
    USUAL = "usual"


@dataclass(frozen=True, slots=True)
class KnowledgeTimes:
    """The knowledge times that a result stands on.

    Attributes:
        name: ``stored``, ``usual``, or ``slot_end`` of files, which have no other.
        usual: by which the store is read; None: as stored.
    """

    name: str
    usual: Usual | None = None

    @classmethod
    def choose(
        cls, chosen: Knowledge | None, home: DataDirectory, *, files: bool
    ) -> KnowledgeTimes:
        """Return the knowledge times chosen for files, or for the store of `home`.

        Raises:
            BadInput: they were chosen for files; or the usual ones, but the lag of no source
                is known.
        """
        if files and chosen is not None:
            raise BadInput(
                "--knowledge is about the store; values of --data are known when their slots "
                "end, so leave it out"
            )
        if chosen is not Knowledge.USUAL:
            return cls("slot_end" if files else Knowledge.STORED)
        sources = Ledger(home.ledger).sources() if home.ledger.exists() else {}
        lags = {
            name: timedelta(seconds=facts.lag_seconds)
            for name, facts in sources.items()
            if facts.lag_seconds is not None
        }
        if not lags:
            raise BadInput(
                "--knowledge usual: the usual lag of no source here is known; run `gridtide "
                "refresh`, which notes it, or take the stored knowledge times"
            )
        return cls(Knowledge.USUAL, Usual(lags, CONTEXT))

    def document(self) -> dict[str, Any]:
        """Return what a JSON document says of them."""
        if self.usual is None:
            return {"knowledge": self.name}
        lags = {name: lag.total_seconds() for name, lag in sorted(self.usual.lags.items())}
        return {"knowledge": self.name, "usual_lag_seconds": lags}

    def line(self) -> str:
        """Return one line of text."""
        if self.usual is None:
            stored = self.name == Knowledge.STORED
            what = "as stored, when a value was received" if stored else "the end of the slot"
            return f"knowledge time: {what}"
        lags = ", ".join(
            f"{name} {lag / timedelta(hours=1):g} h"
            for name, lag in sorted(self.usual.lags.items())
        )
        return (
            f"knowledge time: usual, the end of the slot and the lag of its source ({lags}), "
            "for first revisions; values received later may have been revised before"
        )

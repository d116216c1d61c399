"""Fitted models kept between runs: one file a zone, signal, model and month."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from gridtide.model import format_time, parse_time
from gridtide_pipelines.forecast.forecaster import SEED, Fitted, Forecaster, Known
from gridtide_store.durable import write_durably

# A fit of little history is made anew once there is half as much again, not in a month.
GROWTH = 1.5


@dataclass(frozen=True, slots=True)
class KeptFits:
    """The fits below one folder, for one model of one zone and signal at a time.

    Attributes:
        source: what the history is made from; a fit of other history is not used.
    """

    folder: Path
    source: str

    def fitted(self, model: Forecaster, known: Known) -> Fitted:
        """The month's fit: the kept one where it is whole and honest, else a new one, kept.

        Raises:
            NotEnoughHistory: too few known slots to learn from.
        """
        if not model.keeps:
            return model.fit(known, seed=SEED)
        if (kept := self.find(model, known)) is not None:
            return kept
        fresh = model.fit(known, seed=SEED)
        content = fresh.to_bytes()
        header = {
            "fitted_at": format_time(known.at),
            "source": self.source,
            "slots": _slots(known),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        write_durably(self._path(model, known), json.dumps(header).encode() + b"\n" + content)
        return fresh

    def find(self, model: Forecaster, known: Known) -> Fitted | None:
        """The kept fit of the month of ``known.at``; None when a new one is due.

        That is when there is none or it is damaged, when it was made after ``known.at`` (it
        has seen what a replay must not), from other sources, or from much less history.
        """
        try:
            line, _, content = self._path(model, known).read_bytes().partition(b"\n")
            header = json.loads(line)
            if (
                parse_time(header["fitted_at"]) > known.at
                or header["source"] != self.source
                or _slots(known) > header["slots"] * GROWTH
                or header["sha256"] != hashlib.sha256(content).hexdigest()
            ):
                return None
            return model.from_bytes(content)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _path(self, model: Forecaster, known: Known) -> Path:
        name = f"{model.name}-{known.at:%Y-%m}.fit"
        return self.folder / known.zone / known.signal / name


def _slots(known: Known) -> int:
    return known.intensity.select(pl.col("value").is_finite().sum()).item() or 0

"""Simulated and real rows never meet in one data directory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from gridtide.errors import BadInput
from gridtide_pipelines.errors import SimulatedAndReal
from gridtide_pipelines.ingest.access import base_name
from gridtide_pipelines.ingest.headers import SIMULATED
from gridtide_pipelines.ingest.source import Body, Source
from gridtide_store.ledger import Ledger
from gridtide_store.settings import Settings
from gridtide_store.store import Store

REMEDY: Final = "name another data directory with --home or GRIDTIDE_HOME"


def is_simulated(source: Source, bodies: Iterable[Body]) -> bool:
    """Return whether what `source` sent is simulated: always, or by a header."""
    return source.simulated or any(each.headers.get(SIMULATED) == "1" for each in bodies)


class RowKind:
    """Whether a data directory holds simulated or real rows; where none, the first decide."""

    def __init__(self, publishers: Mapping[str, bool] | None = None) -> None:
        """Begin with the publishers of the rows by name, and whether they are simulated."""
        self._publishers = dict(publishers or {})

    def holds_simulated(self, names: Iterable[str]) -> bool:
        """Return whether simulated rows of one of these publishers are held."""
        return any(self._publishers.get(name, False) for name in names)

    def refuse(self, *, simulated: bool) -> None:
        """Refuse to begin with rows of another kind than those that are held.

        Raises:
            BadInput: the data directory holds rows of the other kind.
        """
        if other := self._other(simulated=simulated):
            has, wants = _words(simulated=simulated)
            raise BadInput(
                f"this data directory holds {has} rows (from {other}) and cannot take {wants} "
                f"ones; {REMEDY}"
            )

    def admit(self, source: Source, body: Body) -> None:
        """Note that rows of `body` come in.

        Raises:
            SimulatedAndReal: the data directory holds rows of the other kind.
        """
        simulated = is_simulated(source, [body])
        if other := self._other(simulated=simulated):
            has, wants = _words(simulated=simulated)
            raise SimulatedAndReal(
                source.name,
                f"a response with {wants} values, and this data directory holds {has} rows "
                f"(from {other}); {REMEDY}",
            )
        self._publishers[source.name] = simulated

    def _other(self, *, simulated: bool) -> str:
        return ", ".join(
            name for name, kind in sorted(self._publishers.items()) if kind != simulated
        )


def _words(*, simulated: bool) -> tuple[str, str]:
    return ("real", "simulated") if simulated else ("simulated", "real")


def row_kind(ledger: Ledger, store: Store) -> RowKind:
    """Return which rows a data directory holds, by its ledger and its store.

    The store is read besides the ledger, which may have been lost.
    """
    kinds = {name: facts.simulated for name, facts in ledger.sources().items()}
    return RowKind(kinds | store.publishers())


def rows_for(
    sources: Collection[Source], settings: Settings, ledger: Ledger, store: Store
) -> RowKind:
    """Return which rows a data directory holds, where it can take those of `sources`.

    A source whose base URL is moved, and which brought simulated rows before, may do so again:
    each response says whether it is simulated.

    Raises:
        BadInput: the data directory holds rows of the other kind.
    """
    rows = row_kind(ledger, store)
    moved = [each.name for each in sources if base_name(each, "") in settings.base_urls]
    if not rows.holds_simulated(moved):
        rows.refuse(simulated=any(source.simulated for source in sources))
    return rows

"""Faults of a request: each with its path and remedy, all of them reported at once."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

from gridtide.errors import BadInput
from gridtide.values import shown

T = TypeVar("T")
# Who sends a long list of another type learns no more from its last entry than from these.
MOST_FAULTS = 20


class Faults:
    """Collects the faults of the parts of a value; at the end of its block it raises them.

    One alone is raised as it is, several as one `BadInput`.
    """

    def __init__(self) -> None:
        self._found: list[BadInput] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.raise_all()

    def attempt(self, read: Callable[[Any, str], T], value: object, where: str) -> T | Any:  # noqa: ANN401  # None after a fault, which nobody sees
        """Return what `read` makes of a value; a fault is kept for the end.

        Raises:
            BadInput: with the faults so far, where they are many.
        """
        try:
            return read(value, where)
        except BadInput as fault:
            self.add(fault)
            return None

    def add(self, fault: BadInput) -> None:
        """Keep one fault.

        Raises:
            BadInput: as `attempt`.
        """
        self._found.append(fault)
        if len(self._found) >= MOST_FAULTS:
            self.raise_all()

    def raise_all(self) -> None:
        """Raise the faults found, if there are any.

        Raises:
            BadInput: one of them, or one with the messages of all.
        """
        if len(self._found) == 1:
            raise self._found[0]
        if self._found:
            errors = [one for fault in self._found for one in _listed(fault)]
            raise BadInput("; ".join(map(str, self._found)), errors=errors)


def _listed(fault: BadInput) -> list[Any]:
    errors = fault.extra.get("errors")
    return errors if isinstance(errors, list) else []


def wrong(where: str, message: str) -> NoReturn:
    """Refuse what stands at `where`."""
    raise BadInput(f"{where}: {message}", errors=[{"parameter": where, "message": message}])


def seen(value: object) -> str:
    """A value of JSON as a message shows it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return shown(value)

"""What other distributions add to this one, found by entry point and loaded on use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

COMMANDS = "gridtide.commands"
SUMMARIES = "gridtide.summaries"
LOCAL = "gridtide.local"


def found(group: str) -> dict[str, EntryPoint]:
    """Entry points of `group` by name; nothing of them is imported yet."""
    from importlib import metadata  # a third of what the rest of the SDK costs to import

    return {point.name: point for point in metadata.entry_points(group=group)}


def own_version() -> str:
    """Return the version of the installed SDK."""
    from importlib import metadata

    return metadata.version("gridtide")

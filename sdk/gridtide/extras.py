"""How to install what the SDK needs for some answers only."""

from __future__ import annotations


def how_to_install(extra: str) -> str:
    """Return the commands that install an extra: from an index, and from a clone.

    Args:
        extra: a name under ``[project.optional-dependencies]`` of the SDK. ``service`` is the
            other distribution of the same clone, so that both are named there.
    """
    clone = "./sdk ." if extra == "service" else f"'./sdk[{extra}]'"
    return f"pip install 'gridtide[{extra}]', from a clone: pip install {clone}"

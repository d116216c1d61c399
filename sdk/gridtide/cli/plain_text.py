"""Text for terminals and files that cannot write every character."""

from __future__ import annotations

import codecs
import unicodedata
from typing import TextIO

HANDLER = "gridtide.plain"
# Nearest characters of ASCII for those of our own sentences and pictures.
NEAREST = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
    **dict.fromkeys("\u2018\u2019\u02bc", "'"),
    **dict.fromkeys("\u201c\u201d", '"'),
    **dict.fromkeys("\u2581\u2582", "_"),
    **dict.fromkeys("\u2583\u2584", "-"),
    **dict.fromkeys("\u2585\u2586", "="),
    **dict.fromkeys("\u2587\u2588\u2593\u25a0", "#"),
    **dict.fromkeys("\u2500\u2501", "-"),
    **dict.fromkeys("\u2502\u2503", "|"),
    "\u2026": "...",
    "\u00b7": ".",
    "\u2022": "*",
    "\u00d7": "x",
    "\u2192": "->",
    "\u2190": "<-",
    "\u2264": "<=",
    "\u2265": ">=",
    "\u00b1": "+/-",
    "\u00b5": "u",
    "\u03bc": "u",
    "\u00df": "ss",
    "\u00f8": "o",
    "\u00d8": "O",
    "\u0142": "l",
    "\u0141": "L",
    "\u2591": ".",
    "\u2592": ":",
}


def simplify(error: UnicodeError) -> tuple[str | bytes, int]:
    """The nearest ASCII of what cannot be written, escaped where there is none."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found = error.object[error.start : error.end]
    return "".join(map(_nearest, found)), error.end


def _nearest(character: str) -> str:
    if character in NEAREST:
        return NEAREST[character]
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return plain or character.encode("ascii", "backslashreplace").decode()


def tolerate(stream: TextIO) -> None:
    """Write to `stream` what its encoding has, and the nearest of what it has not."""
    codecs.register_error(HANDLER, simplify)
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:  # a stream of a test or a notebook may be of another kind
        reconfigure(errors=HANDLER)

"""The ways in which publishers say that they have no data yet."""

from __future__ import annotations

import re
from typing import Final

NO_DATA: Final = re.compile(
    r"\bno (?:matching |new |further |more )?(?:data|records?|results?|values?|rows?|content)\b"
    r"|\b(?:data|records?|results?|values?|content)\b[^.;]{0,40}"
    r"\b(?:not|isn't|aren't) (?:yet )?(?:been )?(?:available|published|found|ready)"
    r"|\bnot yet (?:available|published|ready)\b|\bnothing (?:yet|found|published)\b",
    re.IGNORECASE,
)
NEEDS_A_PERSON: Final = re.compile(
    r"key|token|permission|forbidden|denied|unauthori|licen[cs]e|quota|limit", re.IGNORECASE
)


def says_nothing_yet(error: object) -> bool:
    """Whether a publisher's error text or object means that it has no data for this time.

    Not one that speaks of a key, a permission or a quota: somebody must look at that.
    """
    text = str(error)[:2000]
    return bool(NO_DATA.search(text)) and not NEEDS_A_PERSON.search(text)


def holds_nothing(document: object, *keys: str) -> bool:
    """Whether a JSON body is one of the ways to say that there is no data yet.

    These are an empty document, nothing under the first or the last of `keys` (each below
    the one before), or an error that means it. What is only unreadable is not among them.
    """
    for key in (*keys, None):
        if document is None or document in ({}, []):
            return True
        if key is None or not isinstance(document, dict):
            return False
        if (error := document.get("error")) or key not in document:
            return says_nothing_yet(error or document)
        document = document[key]
    return False

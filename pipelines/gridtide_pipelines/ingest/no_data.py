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
# Names under which publishers put what they have, how much of it there is, and what is wrong.
ENVELOPE: Final = ("response", "data", "results", "records", "regions")
COUNTS: Final = ("total", "count")
ERRORS: Final = ("error", "errors")


def says_nothing_yet(error: object) -> bool:
    """Whether a publisher's error text or object means that it has no data for this time.

    Not one that speaks of a key, a permission or a quota: somebody must look at that.
    """
    text = str(error)[:2000]
    return bool(NO_DATA.search(text)) and not NEEDS_A_PERSON.search(text)


def holds_nothing(document: object) -> bool:
    """Whether a JSON body is one of the ways to say that there is no data yet.

    These are ``null``, ``{}``, ``[]``; one of them under each of `ENVELOPE` that is there, at
    any depth; a count of 0 in place of these; an error or a message that means it. What is only
    unreadable is not among them.
    """
    return not isinstance(document, str) and _is_nothing(document)


def _is_nothing(value: object) -> bool:
    if value is None or value in ({}, []):
        return True
    if isinstance(value, str):
        return says_nothing_yet(value)
    if not isinstance(value, dict):
        return False
    errors = [value[name] for name in ERRORS if value.get(name)]
    if errors:
        return says_nothing_yet(errors)
    rest = {name: inner for name, inner in value.items() if name not in ERRORS}
    inside = [rest[name] for name in ENVELOPE if name in rest]
    if inside:
        return all(_is_nothing(each) for each in inside)
    counts = [rest[name] for name in COUNTS if name in rest]
    if counts:
        return all(str(count) == "0" for count in counts)
    return not rest or says_nothing_yet(rest)

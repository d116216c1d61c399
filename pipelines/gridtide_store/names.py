"""The names by which people know the zones, and what each of them means."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from gridtide.errors import BadInput

# Spaces, hyphens and dashes of all kinds, and what code lists put between the parts of a code.
SEPARATORS = re.compile(r"[\s\-\u2010-\u2015_/|]+")
# Letters that Unicode does not take apart into a base letter and an accent.
PLAIN = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "ß": "ss", "æ": "ae", "\u2019": "'"})
# Without separators, shorter names would be taken for each other: NO-1 is not a country code.
LEAST_JOINED = 4


class Certainty(StrEnum):
    """How what a region names relates to the zone it is resolved to; part of every response."""

    EXACT = "exact"  # it is the zone
    INSIDE = "inside"  # it lies wholly inside the zone
    MOSTLY = "mostly"  # nearly all of its load, at least 97 %, is in the zone


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a name means.

    Attributes:
        zones: keys of ours, the most likely first; empty where gridtide does not cover it.
        certainty: how it relates to the one zone in `zones`; None if it is not resolved.
        text: in words, ``the United Kingdom``; empty when it is exactly a zone.
    """

    zones: tuple[str, ...]
    certainty: Certainty | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """Meanings by folded name, and by that name without separators.

    Attributes:
        markets: folded names of markets, of which other tools name parts (``CAISO_NORTH``).
    """

    folded: Mapping[str, Meaning]
    joined: Mapping[str, Meaning]
    markets: Set[str] = frozenset()

    def find(self, text: str) -> Meaning | None:
        """Return what `text` means as a name; None when the name is unknown.

        ``US-PJM`` and ``AUS-NSW``, a country and a zone in it, are read as such, and
        ``CAISO_NORTH``, a market and some part of it.
        """
        name = fold(text)
        first, _, rest = name.partition("-")
        if (found := self._whole(name)) or not rest:
            return found
        return self._part(first, rest) if first in self.markets else self._within(first, rest)

    def country(self, text: str) -> Meaning | None:
        """Return what the part of `text` before its first separator means as a name."""
        first, _, rest = fold(text).partition("-")
        return self.folded.get(first) if rest else None

    def _whole(self, name: str) -> Meaning | None:
        joined = name.replace("-", "")
        found = self.folded.get(name)
        if found is None and len(joined) >= LEAST_JOINED:
            found = self.joined.get(joined)
        return found

    def _part(self, market: str, rest: str) -> Meaning | None:
        """Return what a part of a market means, unless `rest` is the name of something else."""
        zones = self.folded[market].zones
        other = self._whole(rest)
        if other is not None and other.zones != zones:
            return None
        return Meaning(zones, Certainty.INSIDE, f"a part of {market.upper()}")

    def _within(self, country: str, rest: str) -> Meaning | None:
        """Return zone `rest` in a country: its key without the country's code, or its alias."""
        of = self.folded.get(country)
        if of is None or not of.zones:
            return of  # a part of a country that is not covered is not covered either
        code = of.zones[0]
        meant = self._whole(f"{code.casefold()}-{rest}") or self._whole(rest)
        if meant is None or not meant.zones or meant.zones[0].split("-")[0] != code:
            return None
        return meant


def fold(text: str) -> str:
    """Return `text` without letter case, accents and full stops, separators as hyphens."""
    plain = unicodedata.normalize("NFKD", text.strip()).casefold().translate(PLAIN)
    bare = "".join(each for each in plain if not unicodedata.combining(each))
    kept = bare.replace(".", "").replace("'", "").replace("&", "and")
    return SEPARATORS.sub("-", kept)


def read_names(
    path: Path,
    own: Mapping[str, Iterable[str]],
    more: Iterable[tuple[str, Meaning]] = (),
) -> Names:
    """Read the meanings in a table, beside the zones' `own` names, which come first.

    Args:
        more: names from elsewhere, such as those of cities, with their meanings.

    Raises:
        BadInput: not TOML, an unknown zone, or a name that denotes two zones.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{path.name} is not TOML: {error}") from error
    entries = [*_entries(table), *more]
    if unknown := sorted({z for _, meaning in entries for z in meaning.zones} - set(own)):
        raise BadInput(f"{path.name}: no zone has the key {', '.join(unknown)}")
    first: dict[str, Meaning] = {}
    for key, names in own.items():
        for name in names:
            first.setdefault(fold(name), Meaning((key,), Certainty.EXACT))
    later: dict[str, Meaning] = {}
    for name, meaning in entries:
        folded = fold(name)
        if folded not in first:
            later[folded] = _both(name, later.get(folded), meaning)
    folded_names = first | later
    joined: dict[str, Meaning] = {}
    for name, meaning in folded_names.items():
        together = name.replace("-", "")
        before = joined.get(together)
        joined[together] = meaning if before in (None, meaning) else _either(before, meaning)
    markets = frozenset(map(fold, table.get("markets", ())))
    if wrong := sorted(name for name in markets if not _is_zone(folded_names.get(name))):
        raise BadInput(f"{path.name}: market {', '.join(wrong)} is not the name of a zone")
    return Names(folded_names, joined, markets)


def _is_zone(meaning: Meaning | None) -> bool:
    return meaning is not None and meaning.certainty is Certainty.EXACT


def _entries(table: Mapping[str, Any]) -> Iterable[tuple[str, Meaning]]:
    for key, names in table["zone"].items():
        yield from ((name, Meaning((key,), Certainty.EXACT)) for name in names)
    for certainty in (Certainty.INSIDE, Certainty.MOSTLY):
        for each in table.get(certainty, ()):
            meaning = Meaning((each["zone"],), certainty, each["means"])
            yield from ((name, meaning) for name in each["names"])
    for each in table["several"]:
        meaning = Meaning(tuple(each["zones"]), text=each["means"])
        yield from ((name, meaning) for name in each["names"])
    for code, each in table["elsewhere"].items():
        meaning = Meaning((), text=each["name"])
        yield from ((name, meaning) for name in (code, each["name"], *each["names"]))


def _both(name: str, before: Meaning | None, meaning: Meaning) -> Meaning:
    """Add a further meaning to a name; a certain meaning must agree with all others."""
    if before is None or before == meaning:
        return meaning
    if before.certainty and (before.zones, before.certainty) == (
        meaning.zones,
        meaning.certainty,
    ):
        return before
    if before.certainty or meaning.certainty:
        raise BadInput(f"{name!r} denotes a zone and something else as well; keep one of them")
    return _either(before, meaning)


def _either(before: Meaning, meaning: Meaning) -> Meaning:
    zones = tuple(dict.fromkeys(before.zones + meaning.zones))
    texts = dict.fromkeys(text for text in (before.text, meaning.text) if text)
    return Meaning(zones, text=" or ".join(texts))
